//! Messages.

use crate::model::{
    ids::{ChatId, MessageId, PersonId, Seq},
    person::PersonName,
    time::Timestamp,
};

words! {
    /// The kind of a message's content.
    pub enum MessageKind {
        /// Text.
        Text = "text",
        /// The address of a picture.
        Image = "img",
        /// The address of a file.
        File = "file",
    }
}

/// A message in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id: the position of the change that created it.
    pub id: MessageId,
    /// Its chat.
    pub chat: ChatId,
    /// Its sequence number within the chat.
    pub seq: Seq,
    /// Its sender.
    pub sender: PersonId,
    /// The kind of its content.
    pub kind: MessageKind,
    /// Its content; empty once deleted.
    pub content: String,
    /// Its client id.
    pub client_id: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
    /// When it was last changed by its sender.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Some of a chat's messages, ascending, and whether there are more in the direction asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The messages, each with its sender.
    pub messages: Vec<(Message, PersonName)>,
    /// Whether the next page in that direction has anything.
    pub more: bool,
}
