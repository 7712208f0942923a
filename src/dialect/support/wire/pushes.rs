//! What others are told of a conversation.

use serde::Serialize;

use crate::{json::schema::Describe, model::Message};

/// Which document's shape a pushed message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// The text and the chat.
    First,
    /// The message with its sender, and the chat.
    Second,
}

/// A message as it is pushed to the others.
#[derive(Debug, Describe, Serialize)]
#[serde(untagged)]
#[schema(name = "SupportPushedMessage")]
pub enum Pushed {
    /// With `support_push = "v1"`.
    First(PushedText),
    /// Otherwise.
    Second(PushedMessage),
}

/// A message with its sender and the chat.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportNewMessage")]
pub struct PushedMessage {
    message: Said,
    #[serde(rename = "chatId")]
    chat_id: String,
    _id: String,
    time: String,
}

/// A message's text and the chat, with `support_push = "v1"`.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportNewText")]
pub struct PushedText {
    message: String,
    #[serde(rename = "chatId")]
    chat_id: String,
}

/// What somebody said.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportSaid")]
struct Said {
    message: String,
    from: String,
}

impl Pushed {
    /// A message in one of the shapes.
    pub fn new(message: &Message, push: Push) -> Self {
        let chat_id = message.chat.to_hex();
        match push {
            Push::First => Self::First(PushedText {
                message: message.content.clone(),
                chat_id,
            }),
            Push::Second => Self::Second(PushedMessage {
                message: Said {
                    message: message.content.clone(),
                    from: message.sender.to_hex(),
                },
                chat_id,
                _id: message.id.to_hex(),
                time: message.at.to_rfc3339(),
            }),
        }
    }
}

/// Somebody types, or has stopped.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportTyping")]
pub struct TypingTold {
    pub(in crate::dialect::support) chat_id: String,
    /// Who.
    pub(in crate::dialect::support) from: String,
    pub(in crate::dialect::support) typing: bool,
}

/// Somebody has read up to a message.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportSeen")]
pub struct SeenTold {
    #[serde(rename = "chatId")]
    pub(in crate::dialect::support) chat_id: String,
    /// Who.
    pub(in crate::dialect::support) from: String,
    /// The message.
    pub(in crate::dialect::support) _id: String,
}

/// A conversation was closed.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportChatClosed")]
pub struct ClosedTold {
    pub(in crate::dialect::support) chat_id: String,
}
