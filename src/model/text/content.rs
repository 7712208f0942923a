//! The content of a message.

use super::{fold::is_blank, without_nul};
use crate::error::{Error, Result};

/// The most bytes of UTF-8 a message may have.
pub const CONTENT_BYTES: usize = 16_384;

/// The content of a message: not blank, at most [`CONTENT_BYTES`] of UTF-8, stored unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Validates a message's text.
    pub fn parse(text: String) -> Result<Self> {
        without_nul("content", &text)?;
        if is_blank(&text) {
            return Err(Error::invalid_field("content", "content must not be blank"));
        }
        if text.len() > CONTENT_BYTES {
            let sentence = format!("content must have at most {CONTENT_BYTES} bytes of UTF-8");
            return Err(Error::invalid_field("content", sentence));
        }
        Ok(Self(text))
    }

    /// Validates the URL of a picture or a file: http or https, without blanks.
    pub fn parse_url(text: String) -> Result<Self> {
        let content = Self::parse(text)?;
        let rest = content
            .0
            .strip_prefix("https://")
            .or_else(|| content.0.strip_prefix("http://"));
        match rest {
            Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(content),
            Some(_) | None => Err(Error::invalid_field(
                "content",
                "content must be an http or https URL",
            )),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to keep.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_limited_in_bytes_and_kept_to_the_letter() {
        assert_eq!(
            Content::parse(" hi\n".into()).expect("sound").as_str(),
            " hi\n"
        );
        assert!(Content::parse("я".repeat(8192)).is_ok());
        assert!(Content::parse("я".repeat(8193)).is_err());
        for blank in [
            " \n\t",
            "\u{200b}",
            "\u{3164} \u{2800}",
            "\u{fe0f}\u{e0020}",
        ] {
            assert!(Content::parse(blank.into()).is_err(), "{blank:?}");
        }
        assert!(Content::parse("\u{2764}\u{fe0f}".into()).is_ok());
    }

    #[test]
    fn a_link_is_http() {
        assert!(Content::parse_url("https://example.com/a.png".into()).is_ok());
        for text in ["ftp://x", "https://", "http://a b", "javascript:alert(1)"] {
            assert!(Content::parse_url(text.into()).is_err(), "{text:?}");
        }
    }
}
