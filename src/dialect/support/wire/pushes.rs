//! What others are told of a conversation.

use serde::Serialize;
use serde_json::Value;

use crate::{
    json::schema::{Definitions, Describe, OF_OLD, any_of},
    model::Message,
};

/// Which document's shape a pushed message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// The text and the chat.
    First,
    /// The message with its sender, and the chat.
    Second,
}

/// A message as it is pushed to the others.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Pushed {
    /// With `support_push = "v1"`.
    First(PushedText),
    /// Otherwise.
    Second(PushedMessage),
}

impl Describe for Pushed {
    fn schema(known: &mut Definitions) -> Value {
        let about = "A message as it is pushed to the others.";
        known.define("SupportPushedMessage", module_path!(), about, |known| {
            let mut first = PushedText::schema(known);
            first[OF_OLD] = true.into();
            any_of([first, PushedMessage::schema(known)])
        })
    }
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
