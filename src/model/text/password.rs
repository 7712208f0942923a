//! Passwords: normalised as in RFC 8265, and validated before they are set.

use std::{collections::HashSet, fmt, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use super::fold::fold;
use crate::error::{Error, Result};

/// The most bytes a password may have.
const PASSWORD_BYTES: usize = 1024;

/// The 10,000 commonest passwords, the commonest first, in lower case: from the list that Django brings
/// (BSD licence, beside it), in turn Royce Williams'.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password to be verified. Never shown, not even in debug output.
pub struct Password(String);

impl Password {
    /// Takes a password to be verified or validated: only its size is checked.
    pub fn attempt(text: String) -> Result<Self> {
        if text.len() > PASSWORD_BYTES {
            let sentence = format!("password must have at most {PASSWORD_BYTES} bytes");
            return Err(Error::invalid_field("password", sentence));
        }
        Ok(Self(text))
    }

    /// The password as it was sent.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The password as it is compared (RFC 8265, `OpaqueString`): all spaces are one, and a letter is
    /// the same however it is composed.
    pub fn prepared(&self) -> String {
        // A line break of any kind is no space.
        let ends_line = |letter| matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}');
        let spaced = self.0.chars().map(|letter| {
            if letter.is_whitespace() && !letter.is_ascii() && !ends_line(letter) {
                ' '
            } else {
                letter
            }
        });
        spaced.nfc().collect()
    }
}

/// A valid new password, normalised. Never shown, not even in debug output.
pub struct NewPassword(String);

impl NewPassword {
    /// Validates a new password of a person with these names: neither too short, nor one of the
    /// commonest, nor such a name.
    pub fn inspect(password: &Password, fewest: usize, names: &[&str]) -> Result<Self> {
        let refusal = |what: &str| {
            let sentence = format!("password {what}");
            Err(Error::invalid_field("password", sentence))
        };
        let prepared = password.prepared();
        if prepared.chars().count() < fewest {
            return refusal(&format!("must have at least {fewest} characters"));
        }
        let folded = fold(&prepared);
        if COMMON.contains(prepared.to_lowercase().as_str()) || COMMON.contains(folded.as_str()) {
            return refusal("must not be one of the commonest passwords");
        }
        if names.iter().any(|name| fold(name) == folded) {
            return refusal("must not be the name or the address of the account");
        }
        Ok(Self(prepared))
    }

    /// A password that is set already, to be stored as new ones are.
    pub fn renewed(password: &Password) -> Self {
        Self(password.prepared())
    }

    /// The password, for hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text.to_owned()).expect("short enough")
    }

    fn inspect(text: &str) -> Result<NewPassword> {
        NewPassword::inspect(
            &password(text),
            8,
            &["Ann Lee-Smith", "ann.lee@example.com"],
        )
    }

    #[test]
    fn a_password_is_counted_in_characters_and_bytes() {
        assert!(inspect("1234 67").is_err());
        assert!(inspect("пароль 7").is_ok());
        assert!(
            inspect("a\u{301}bcdefg").is_err(),
            "letters are counted composed"
        );
        assert!(NewPassword::inspect(&password("sechs!"), 6, &[]).is_ok());
        assert!(inspect(&"x".repeat(1024)).is_ok());
        assert!(Password::attempt("x".repeat(1025)).is_err());
        assert_eq!(format!("{:?}", password("secret")), "Password(…)");
        assert_eq!(
            format!("{:?}", inspect("secret words").ok()),
            "Some(NewPassword(…))"
        );
    }

    #[test]
    fn the_commonest_and_ones_own_name_are_refused() {
        assert_eq!(COMMON.len(), 10_000);
        for text in [
            "password",
            "PASSWORD1",
            "iloveyou",
            "1q2w3e4r5t",
            "ｐassword",
            "passw\u{ad}ord",
        ] {
            assert!(inspect(text).is_err(), "{text}");
        }
        for text in [
            "Ann Lee-Smith",
            "ann lee-smith",
            "ANN.LEE@example.com",
            "ann  lee-smith\u{fe0f}",
        ] {
            assert!(inspect(text).is_err(), "{text}");
        }
        assert!(inspect("correct horse").is_ok());
    }

    #[test]
    fn a_password_is_compared_by_its_letters() {
        for (one, other) in [
            ("cafe\u{301} au lait", "caf\u{e9} au lait"),
            ("caf\u{e9}\u{a0}au\u{3000}lait", "caf\u{e9} au lait"),
            ("\u{212b}ngstr\u{f6}m", "\u{c5}ngstro\u{308}m"),
        ] {
            assert_eq!(password(one).prepared(), password(other).prepared());
        }
        for (one, other) in [
            ("Secret", "secret"),
            ("\u{ff41}", "a"),
            ("a  b", "a b"),
            (" a", "a"),
        ] {
            assert_ne!(password(one).prepared(), password(other).prepared());
        }
        assert_eq!(password("a\tb\n\u{2028}").prepared(), "a\tb\n\u{2028}");
    }
}
