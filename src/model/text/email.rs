//! An e-mail address.

use unicode_normalization::UnicodeNormalization;

use super::{
    fold::{is_blank, is_unseen},
    without_nul,
};
use crate::error::{Error, Result};

/// The most characters an e-mail address may have (RFC 5321).
const EMAIL_CHARS: usize = 254;

/// An e-mail address, checked for its shape only: whether it receives mail is not ours to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Validates an address.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        without_nul("email", text)?;
        let unseen = |letter: char| is_unseen(letter) || is_blank(letter.encode_utf8(&mut [0; 4]));
        if has_shape(text) && !text.chars().any(unseen) {
            Ok(Self(text.to_owned()))
        } else {
            Err(refusal())
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before the `@`.
    pub fn local(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    /// The address as it is compared with others.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The keys under which an account with this address may be found. Some accounts
    /// were made when addresses were folded otherwise.
    pub fn candidates(text: &str) -> Vec<String> {
        let text = text.trim();
        if !has_shape(text) {
            return Vec::new();
        }
        let mut candidates = vec![text.to_lowercase(), fold(text)];
        candidates.dedup();
        candidates
    }
}

fn fold(text: &str) -> String {
    let seen = text.chars().filter(|letter| !is_unseen(*letter));
    seen.nfc().collect::<String>().to_lowercase()
}

fn has_shape(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !local.contains('@')
        && text.chars().count() <= EMAIL_CHARS
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\[]".contains(c))
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

fn refusal() -> Error {
    Error::invalid_field("email", "email must be an e-mail address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_needs_two_sound_halves() {
        for text in ["a@b", "a.b+c@example.com", "ü@example.com", "a@localhost"] {
            assert!(Email::parse(text).is_ok(), "{text:?}");
        }
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a@@b",
            "a b@c",
            "a@b..c",
            "a@-b.c",
            "<a@b>",
            "a@b\0",
            "a\u{fe0f}@b",
            "\u{3164}@b",
            "a@b\u{2800}",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_of_old_is_among_the_candidates() {
        assert_eq!(Email::candidates(" Ann@B "), ["ann@b"]);
        assert_eq!(Email::candidates("a\u{fe0f}@b"), ["a\u{fe0f}@b", "a@b"]);
        assert_eq!(Email::candidates("u\u{308}@b"), ["u\u{308}@b", "\u{fc}@b"]);
        assert!(Email::candidates("ann").is_empty());
    }
}
