//! The messenger's JSON, as its document shows it, and the keys added to it: a file for each noun.

mod chats;
mod hooks;
mod invites;
mod members;
mod messages;
mod people;

use serde::Serialize;

pub use chats::*;
pub use hooks::*;
pub use invites::*;
pub use members::*;
pub use messages::*;
pub use people::*;

use crate::json::schema::Describe;

/// The one word of a status that is told with a success.
pub const OK_WORDS: &[&str] = &["ok"];

/// `{"status": "ok"}`: the body of whatever succeeded.
#[derive(Debug, Describe, Serialize)]
pub struct StatusOk {
    #[schema(words = OK_WORDS)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageWire>,
}

impl StatusOk {
    /// The document's body, to the letter.
    pub const PLAIN: Self = Self {
        status: "ok",
        message: None,
    };

    /// The same with the message that was written.
    pub fn with(message: MessageWire) -> Self {
        Self {
            status: "ok",
            message: Some(message),
        }
    }
}
