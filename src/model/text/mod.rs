//! Validated strings: names, titles, contents, emoji, e-mail addresses, passwords, client ids.
//!
//! # Why
//! Texts that look the same are compared as equal, and which characters are invisible or
//! confusable is taken from Unicode (UAX #15 and UTS #39), see [`fold`].

mod client_id;
mod content;
mod description;
mod email;
mod emoji;
pub mod fold;
mod mention;
mod name;
mod password;
mod photo;
mod title;

pub use client_id::ClientId;
pub use content::{CONTENT_BYTES, Content};
pub use description::Description;
pub use email::Email;
pub use emoji::Emoji;
pub use mention::{Candidates, EVERYBODY, mention_candidates};
pub use name::Name;
pub use password::{NewPassword, Password};
pub use photo::Photo;
pub use title::Title;

use crate::error::{Error, Result};

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
    let refusal = |what: String| Err(Error::invalid_field(field, format!("{field} {what}")));
    if fold::is_blank(text) {
        return refusal("must not be blank".to_owned());
    }
    if text.chars().any(char::is_control) {
        return refusal("must be one line of text".to_owned());
    }
    if text.chars().count() > most {
        return refusal(format!("must have at most {most} characters"));
    }
    Ok(text.to_owned())
}
