//! The address of somebody's picture.

use url::Url;

use crate::error::{Error, Result};

/// The most bytes of the address.
const BYTES: usize = 2_048;

/// The address of a picture: http or https, as its owner wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo(String);

impl Photo {
    /// Validates an address; nothing is said of what is there.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let is_sound = text.len() <= BYTES
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
            && Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
            });
        if is_sound {
            return Ok(Self(text.to_owned()));
        }
        let sentence = format!("photo must be an http or https URL of at most {BYTES} bytes");
        Err(Error::invalid_field("photo", sentence))
    }

    /// The address.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_an_address_of_the_web() {
        let sound = Photo::parse(" https://example.com/\u{fc}.png?x=1 ").map(Photo::into_string);
        assert_eq!(
            sound.ok().as_deref(),
            Some("https://example.com/\u{fc}.png?x=1")
        );
        let long = format!("https://example.com/{}", "x".repeat(BYTES));
        for wrong in [
            "",
            "photo.png",
            "//example.com/a.png",
            "ftp://example.com/a.png",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "https://",
            "https://ann:secret@example.com/a.png",
            "https://example.com/a b.png",
            "https://example.com/a\nb.png",
            long.as_str(),
        ] {
            assert!(Photo::parse(wrong).is_err(), "{wrong}");
        }
    }
}
