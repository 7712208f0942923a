//! The fields of spans and lines as text, written as `tracing-subscriber` writes them, without the work of that.
//!
//! Each request, event and batch has a span, whose fields are written when it begins, whether or not a line is ever
//! logged in it: through the formatter of the standard library that was a tenth of what a message costs.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::{RecordFields, VisitOutput as _},
    fmt::{
        FormatFields,
        format::{DefaultFields, DefaultVisitor, Writer},
    },
};

/// Writes fields; those in colours are left to `tracing-subscriber`, and so is all that is neither a number nor plain
/// text.
#[derive(Debug, Default)]
pub(super) struct PlainFields(DefaultFields);

impl<'w> FormatFields<'w> for PlainFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        if writer.has_ansi_escapes() {
            return self.0.format_fields(writer, fields);
        }
        let mut plain = Plain {
            writer,
            is_empty: true,
            result: Ok(()),
        };
        fields.record(&mut plain);
        plain.result
    }
}

struct Plain<'w> {
    writer: Writer<'w>,
    is_empty: bool,
    result: fmt::Result,
}

/// What has a meaning of its own among the names of fields: the text of a line, what `log` adds, a name that is a word of
/// the language.
fn is_plain(name: &str) -> bool {
    name != "message" && !name.starts_with("log.") && !name.starts_with("r#")
}

impl Plain<'_> {
    fn named(&mut self, name: &str) -> fmt::Result {
        if !std::mem::take(&mut self.is_empty) {
            self.writer.write_char(' ')?;
        }
        self.writer.write_str(name)?;
        self.writer.write_char('=')
    }

    fn text(&mut self, name: &str, value: &str) -> fmt::Result {
        self.named(name)?;
        self.writer.write_char('"')?;
        self.writer.write_str(value)?;
        self.writer.write_char('"')
    }

    fn display(&mut self, name: &str, value: impl fmt::Display) -> fmt::Result {
        self.named(name)?;
        write!(self.writer, "{value}")
    }

    fn otherwise(&mut self, field: &Field, record: impl FnOnce(&mut DefaultVisitor<'_>)) {
        if self.result.is_err() {
            return;
        }
        let mut visitor = DefaultVisitor::new(self.writer.by_ref(), self.is_empty);
        record(&mut visitor);
        self.result = visitor.finish();
        self.is_empty &= field.name().starts_with("log.");
    }
}

impl Visit for Plain<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if !is_plain(field.name()) {
            self.otherwise(field, |visitor| visitor.record_i64(field, value));
        } else if self.result.is_ok() {
            self.result = self.display(field.name(), value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !is_plain(field.name()) {
            self.otherwise(field, |visitor| visitor.record_u64(field, value));
        } else if self.result.is_ok() {
            self.result = self.display(field.name(), value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_literal = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if !is_plain(field.name()) || !value.bytes().all(is_literal) {
            self.otherwise(field, |visitor| visitor.record_str(field, value));
        } else if self.result.is_ok() {
            self.result = self.text(field.name(), value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.otherwise(field, |visitor| visitor.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.otherwise(field, |visitor| visitor.record_debug(field, value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{field::Empty, subscriber::with_default};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("a lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged<F>(fields: F, colours: bool) -> String
    where
        F: for<'w> FormatFields<'w> + Send + Sync + 'static,
    {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(colours)
            .fmt_fields(fields)
            .with_writer(move || writer.clone())
            .finish();
        with_default(subscriber, || {
            let error = std::io::Error::other(fmt::Error);
            let cause: &(dyn std::error::Error + 'static) = &error;
            for text in [
                "plain",
                "",
                "a \"b\"",
                "c\\d",
                "e\nf",
                "é\u{1b}[31m",
                "it's",
            ] {
                let span = tracing::info_span!(
                    "request",
                    text,
                    none = None::<&str>,
                    some = Some(text),
                    r#type = text,
                    late = Empty,
                    later = Empty
                );
                let _entered = span.enter();
                tracing::info!(text, number = -7_i64, "A line of {text}");
                span.record("late", 18_446_744_073_709_551_615_u64);
                span.record("later", text);
                tracing::info!(cause, yes = true, part = 0.5, debug = ?text, display = %text);
                tracing::info!(message = 7, log.x = text, r#fn = 3_i64);
                tracing::info!(log.line = 3_u64, last = text);
            }
        });
        let lines = lines.0.lock().expect("a lock").clone();
        String::from_utf8(lines).expect("text")
    }

    #[test]
    fn fields_are_written_as_they_are_by_default() {
        for colours in [false, true] {
            let written = logged(PlainFields::default(), colours);
            assert_eq!(written, logged(DefaultFields::new(), colours));
            assert!(written.contains("18446744073709551615"), "{written}");
        }
    }
}
