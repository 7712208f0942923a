//! Client ids: idempotency keys of messages.

use crate::{
    error::{Error, Result},
    model::hex,
};

/// The most characters a client id may have.
const CLIENT_ID_CHARS: usize = 64;

/// The idempotency key that a client gives a message: 1 to 64 visible ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Validates a client id.
    pub fn parse(text: &str) -> Result<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > CLIENT_ID_CHARS || !visible {
            let sentence = format!("client_id must be 1 to {CLIENT_ID_CHARS} visible characters");
            return Err(Error::invalid_field("client_id", sentence));
        }
        Ok(Self(text.to_owned()))
    }

    /// One that stands for another, whose digest this is.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(hex::encode(&digest[..16]))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
