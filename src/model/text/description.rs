//! What a chat is about.

use super::{fold::is_blank, without_nul};
use crate::error::{Error, Result};

/// The most characters that a description may have.
const DESCRIPTION_CHARS: usize = 1_000;

/// What a chat is about: 1 to 1,000 characters, on one line or on several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Validates a description; a blank one is none.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        const FIELD: &str = "description";
        let text = text.trim();
        without_nul(FIELD, text)?;
        if is_blank(text) {
            return Ok(None);
        }
        let refusal = |what: &str| Err(Error::invalid_field(FIELD, format!("{FIELD} {what}")));
        if text
            .chars()
            .any(|c| c.is_control() && !"\n\r\t".contains(c))
        {
            return refusal("must not contain control characters");
        }
        if text.chars().count() > DESCRIPTION_CHARS {
            return refusal("must have at most 1000 characters");
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// The description as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_lines_and_an_end_and_a_blank_one_is_none() {
        let parsed = |text: &str| {
            let parsed = Description::parse(text).map_err(|error| error.kind());
            parsed.map(|parsed| parsed.map(|parsed| parsed.as_str().to_owned()))
        };
        assert_eq!(
            parsed(" Tea\nand cake "),
            Ok(Some("Tea\nand cake".to_owned()))
        );
        for blank in ["", "  ", "\n", "\u{3164}"] {
            assert_eq!(parsed(blank), Ok(None), "{blank:?}");
        }
        assert!(parsed(&"\u{e4}".repeat(1_000)).is_ok());
        for wrong in ["a\0b", "a\u{1b}b", &"x".repeat(1_001)] {
            assert_eq!(parsed(wrong), Err(crate::error::Kind::Invalid));
        }
    }
}
