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

/// How many characters of a message are shown where another answers it.
pub const QUOTED_CHARS: usize = 200;

/// A message as it is shown where another answers it: as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The message.
    pub id: MessageId,
    /// Its sender.
    pub sender: PersonId,
    /// Its first [`QUOTED_CHARS`] characters; empty once deleted.
    pub content: String,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Whom a message names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Those who are named, in the order of their ids.
    pub people: Vec<PersonId>,
    /// Whether everybody in the chat is named.
    pub everybody: bool,
}

/// How often an emoji was set on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// How many people have set it.
    pub count: i64,
    /// Whether the reader is one of them; unknown where a message is the same for all readers.
    pub mine: Option<bool>,
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
    /// The message that it answers.
    pub reply_to: Option<Quote>,
    /// Whom it names.
    pub mentions: Mentions,
    /// Its reactions, each emoji in the order in which it came.
    pub reactions: Vec<Reaction>,
}

/// Some of a chat's messages, ascending, and whether there are more in the direction asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The messages, each with its sender.
    pub messages: Vec<(Message, PersonName)>,
    /// Whether the next page in that direction has anything.
    pub more: bool,
}

/// The messages around a place in a chat, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The messages, each with its sender.
    pub messages: Vec<(Message, PersonName)>,
    /// Whether there are older ones.
    pub older: bool,
    /// Whether there are newer ones.
    pub newer: bool,
}
