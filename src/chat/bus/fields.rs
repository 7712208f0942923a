//! Fields of a line: texts and numbers that are separated by tabs.

use std::{fmt::Display, str::FromStr};

/// A text that is not there.
const NONE: &str = "\\-";

/// Writes the fields of a line, after one character that says what it is.
pub(super) struct Fields(String);

impl Fields {
    pub(super) fn of(what: char) -> Self {
        Self(what.to_string())
    }

    pub(super) fn number(mut self, number: impl Display) -> Self {
        self.0.push('\t');
        self.0.push_str(&number.to_string());
        self
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.number(u8::from(flag))
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.push('\t');
        for character in text.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                // PostgreSQL has no text with it.
                '\0' => self.0.push(char::REPLACEMENT_CHARACTER),
                other => self.0.push(other),
            }
        }
        self
    }

    pub(super) fn optional(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.push('\t');
                self.0.push_str(NONE);
                self
            }
        }
    }

    pub(super) fn end(self) -> String {
        self.0
    }
}

/// The line is cut, or is none.
#[derive(Debug)]
pub(super) struct NoField;

/// Reads the fields of a line, one after the other.
pub(super) struct Reader<'l>(std::str::Split<'l, char>);

impl<'l> Reader<'l> {
    /// What a line is, and its fields.
    pub(super) fn of(line: &'l str) -> Option<(char, Self)> {
        let mut fields = line.split('\t');
        let what = fields.next()?.chars().next()?;
        Some((what, Self(fields)))
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        self.number::<u8>().map(|flag| flag != 0)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        self.optional().ok()?
    }

    /// A text that may not be there; the field has to be.
    pub(super) fn optional(&mut self) -> Result<Option<String>, NoField> {
        let field = self.0.next().ok_or(NoField)?;
        if field == NONE {
            return Ok(None);
        }
        let mut text = String::with_capacity(field.len());
        let mut characters = field.chars();
        while let Some(character) = characters.next() {
            text.push(match character {
                '\\' => match characters.next().ok_or(NoField)? {
                    't' => '\t',
                    'n' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_no_line_is_several() {
        let texts = ["", "a", "\t\n\\", "\\-", "\\t", "-", "ä 🦀", "\"q\"\r"];
        for text in texts {
            for more in [None, Some(text)] {
                let fields = Fields::of('x').text(text).optional(more).flag(true);
                let line = fields.number(-7).end();
                assert!(!line.contains('\n'), "{line}");
                let (what, mut fields) = Reader::of(&line).expect("a line");
                assert_eq!(what, 'x');
                assert_eq!(fields.text().as_deref(), Some(text));
                assert_eq!(fields.optional().expect("a field").as_deref(), more);
                assert_eq!((fields.flag(), fields.number()), (Some(true), Some(-7)));
                assert_eq!(fields.text(), None);
            }
        }
    }

    #[test]
    fn what_is_no_field_is_none() {
        let (_, mut fields) = Reader::of("x\tn\t\\").expect("a line");
        assert_eq!(fields.number::<i64>(), None);
        assert_eq!(fields.text(), None, "an escape of nothing");
        assert_eq!(fields.flag(), None, "there is no more");
        assert!(Reader::of("").is_none());
    }
}
