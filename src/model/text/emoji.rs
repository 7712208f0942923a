//! An emoji.

use crate::error::{Error, Result};

/// One emoji of Unicode's list (RGI, fully qualified).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji(&'static str);

impl Emoji {
    /// Validates an emoji. One that is written without the selectors that make it an emoji becomes the same with
    /// them, so that it is one reaction however a keyboard writes it.
    pub fn parse(text: &str) -> Result<Self> {
        match emojis::get(text) {
            Some(emoji) => Ok(Self(emoji.as_str())),
            None => Err(Error::invalid_field(
                "emoji",
                "emoji must be one emoji of Unicode\u{2019}s list",
            )),
        }
    }

    /// The emoji.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sequence_of_unicodes_list_is_an_emoji() {
        for text in [
            "\u{1f44d}",
            "\u{1f44d}\u{1f3fd}",
            "\u{2764}\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "#\u{fe0f}\u{20e3}",
            "\u{1f1e9}\u{1f1ea}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
            "\u{1f9d1}\u{1f3fb}\u{200d}\u{1f91d}\u{200d}\u{1f9d1}\u{1f3ff}",
        ] {
            assert_eq!(Emoji::parse(text).map(Emoji::as_str).ok(), Some(text));
        }
        assert_eq!(
            Emoji::parse("\u{2764}").map(Emoji::as_str).ok(),
            Some("\u{2764}\u{fe0f}")
        );
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            " ",
            "a",
            "1",
            "#",
            ":+1:",
            "+1",
            "thumbsup",
            "\u{1f44d}\u{1f44d}",
            "\u{1f44d} ",
            "\u{1f44d}a",
            "\u{fe0f}",
            "\u{200d}",
            "\u{1f3fd}",
            "\u{1f1e9}",
            "\u{1f1e9}\u{1f1e9}",
            "\u{1f44d}\u{200d}\u{1f44d}",
            "\u{fffd}",
            "\0",
        ] {
            assert!(Emoji::parse(text).is_err(), "{text:?}");
        }
    }
}
