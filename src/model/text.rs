//! Strings that passed inspection: names, titles, contents, e-mail addresses, passwords, client ids.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// The most characters a name may have.
const NAME_CHARS: usize = 64;
/// The most characters a title may have.
const TITLE_CHARS: usize = 255;
/// The most bytes of UTF-8 a message may have.
pub const CONTENT_BYTES: usize = 16_384;
/// The most characters an e-mail address may have (RFC 5321).
const EMAIL_CHARS: usize = 254;
/// The fewest characters a password may have.
const PASSWORD_CHARS: usize = 6;
/// The most bytes a password may have.
const PASSWORD_BYTES: usize = 1024;
/// The most characters a client id may have.
const CLIENT_ID_CHARS: usize = 64;

/// Folds case, runs of blanks, ways to write the same letter and letters that nobody sees, for comparing
/// what people would call the same.
pub fn fold(text: &str) -> String {
    let seen: String = text.nfkc().filter(|letter| !is_unseen(*letter)).collect();
    seen.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Letters that take no room: joiners, marks of direction, soft hyphens and their like.
fn is_unseen(letter: char) -> bool {
    turns_text(letter)
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        )
}

/// Letters that turn the text around them, so that it reads as something else.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Refuses U+0000, which PostgreSQL cannot store.
fn without_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid_field(
            field,
            format!("{field} must not contain U+0000"),
        ));
    }
    Ok(())
}

/// A line people read: no NUL, no control characters, not blank, at most `most` characters.
fn line(field: &'static str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    without_nul(field, text)?;
    if text
        .chars()
        .all(|letter| letter.is_whitespace() || is_unseen(letter))
    {
        return Err(Error::invalid_field(
            field,
            format!("{field} must not be blank"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid_field(
            field,
            format!("{field} must be one line of text"),
        ));
    }
    if text.chars().count() > most {
        let sentence = format!("{field} must have at most {most} characters");
        return Err(Error::invalid_field(field, sentence));
    }
    Ok(text.to_owned())
}

/// A person's name: 1 to 64 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Inspects a name.
    pub fn parse(text: &str) -> Result<Self> {
        let name = line("name", text, NAME_CHARS)?;
        if name.chars().any(turns_text) {
            return Err(Error::invalid_field(
                "name",
                "name must not turn the text around it",
            ));
        }
        Ok(Self(name))
    }

    /// The name as its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is compared with others.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// A chat's title: 1 to 255 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Inspects a title.
    pub fn parse(text: &str) -> Result<Self> {
        line("title", text, TITLE_CHARS).map(Self)
    }

    /// The title as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title as it is compared with others.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// What a message says: not blank, at most [`CONTENT_BYTES`] of UTF-8, kept to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Inspects a message's text.
    pub fn parse(text: String) -> Result<Self> {
        without_nul("content", &text)?;
        if text.trim().is_empty() {
            return Err(Error::invalid_field("content", "content must not be blank"));
        }
        if text.len() > CONTENT_BYTES {
            let sentence = format!("content must have at most {CONTENT_BYTES} bytes of UTF-8");
            return Err(Error::invalid_field("content", sentence));
        }
        Ok(Self(text))
    }

    /// Inspects the address of a picture or a file: http or https, without blanks.
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
}

/// An e-mail address, checked for its shape only: whether it receives mail is not ours to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Inspects an address.
    pub fn parse(text: &str) -> Result<Self> {
        let refusal = || Error::invalid_field("email", "email must be an e-mail address");
        let text = text.trim();
        without_nul("email", text)?;
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(refusal());
        };
        let sound = !local.is_empty()
            && !local.contains('@')
            && text.chars().count() <= EMAIL_CHARS
            && !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\[]".contains(c))
            && domain
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(refusal())
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it is compared with others.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A password to set: 6 characters to 1 KiB. Never shown, not even in debug output.
pub struct Password(String);

impl Password {
    /// Inspects a password that is about to be set.
    pub fn parse(text: String) -> Result<Self> {
        let refusal = |sentence: String| Err(Error::invalid_field("password", sentence));
        if text.chars().count() < PASSWORD_CHARS {
            return refusal(format!(
                "password must have at least {PASSWORD_CHARS} characters"
            ));
        }
        Self::attempt(text)
    }

    /// Takes a password that is about to be compared: only its size is checked.
    pub fn attempt(text: String) -> Result<Self> {
        if text.len() > PASSWORD_BYTES {
            let sentence = format!("password must have at most {PASSWORD_BYTES} bytes");
            return Err(Error::invalid_field("password", sentence));
        }
        Ok(Self(text))
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

/// The sender's own name for a message, which makes sending it again harmless: 1 to 64 visible ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Inspects an idempotency key.
    pub fn parse(text: &str) -> Result<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > CLIENT_ID_CHARS || !visible {
            let sentence = format!("client_id must be 1 to {CLIENT_ID_CHARS} visible characters");
            return Err(Error::invalid_field("client_id", sentence));
        }
        Ok(Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_folded() {
        let name = Name::parse("  Ann  Lee ").expect("a sound name");
        assert_eq!(
            (name.as_str(), name.folded().as_str()),
            ("Ann  Lee", "ann lee")
        );
    }

    #[test]
    fn what_looks_the_same_is_compared_as_the_same() {
        let folded = |text: &str| Name::parse(text).map(|name| name.folded()).ok();
        let ann = folded("\u{e1}nn");
        for text in [
            "a\u{301}nn",
            "\u{c1}NN",
            "\u{e1}n\u{200b}n",
            "\u{feff}\u{e1}nn\u{ad}",
            "\u{e1}\u{ff4e}n",
        ] {
            assert_eq!(folded(text), ann, "{text:?}");
        }
        for text in ["\u{200b}", "\u{2060} \u{feff}", "\u{202e}nna", "a\u{2066}b"] {
            assert_eq!(folded(text), None, "{text:?}");
        }
    }

    #[test]
    fn blank_long_and_control_text_is_refused() {
        let long = "x".repeat(65);
        for text in ["", "  ", "a\0b", "a\nb", long.as_str()] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
        assert!(
            Name::parse(&"я".repeat(64)).is_ok(),
            "characters are counted, not bytes"
        );
    }

    #[test]
    fn content_is_limited_in_bytes_and_kept_to_the_letter() {
        assert_eq!(
            Content::parse(" hi\n".into()).expect("sound").as_str(),
            " hi\n"
        );
        assert!(Content::parse("я".repeat(8192)).is_ok());
        assert!(Content::parse("я".repeat(8193)).is_err());
        assert!(Content::parse(" \n\t".into()).is_err());
    }

    #[test]
    fn an_email_needs_two_sound_halves() {
        for text in ["a@b", "a.b+c@example.com", "ü@example.com", "a@localhost"] {
            assert!(Email::parse(text).is_ok(), "{text:?}");
        }
        for text in [
            "", "a", "@b", "a@", "a@@b", "a b@c", "a@b..c", "a@-b.c", "<a@b>", "a@b\0",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_password_is_counted_in_characters_and_bytes() {
        assert!(Password::parse("12345".into()).is_err());
        assert!(Password::parse("пароль".into()).is_ok());
        assert!(Password::parse("x".repeat(1024)).is_ok());
        assert!(Password::parse("x".repeat(1025)).is_err());
        assert_eq!(
            format!("{:?}", Password::parse("secret".into())),
            "Ok(Password(…))"
        );
    }

    #[test]
    fn a_link_is_http() {
        assert!(Content::parse_url("https://example.com/a.png".into()).is_ok());
        for text in ["ftp://x", "https://", "http://a b", "javascript:alert(1)"] {
            assert!(Content::parse_url(text.into()).is_err(), "{text:?}");
        }
    }
}
