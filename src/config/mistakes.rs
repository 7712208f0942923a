//! What is wrong with the settings: every mistake at once, each with what to change.

use std::fmt;

use rocket::figment::Error;

/// One or more wrong settings; displayed one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// The sentences, one for each wrong setting.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }

    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes what figment found wrong.
    pub(super) fn note_all(&mut self, errors: Error) {
        for error in errors {
            self.note(&error.path.join("."), format!("is wrong ({})", error.kind));
        }
    }

    /// Notes that `key` is wrong because of `what`, and says where to set it.
    pub(super) fn note(&mut self, key: &str, what: impl fmt::Display) {
        self.0.push(format!("{key} {what}: {}", remedy(key)));
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

fn remedy(key: &str) -> String {
    match key.split_once('.') {
        None => format!(
            "set it in Rocket.toml or ROCKET_{}",
            key.to_ascii_uppercase()
        ),
        Some((table, rest)) => {
            let nested = rest.rsplit('.').fold("…".to_owned(), |inner, name| {
                format!("{{{name}={inner}}}")
            });
            format!(
                "set it in Rocket.toml or ROCKET_{}='{nested}'",
                table.to_ascii_uppercase()
            )
        }
    }
}
