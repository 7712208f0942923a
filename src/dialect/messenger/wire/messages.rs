//! The messenger's JSON of messages, and of how far they are read.

use serde::Serialize;

use super::PersonWire;
use crate::{
    json::schema::Describe,
    model::{Message, MessageId, MessageKind, PersonName, Quote, Reaction, Timestamp},
};

/// A message:
///
/// ```json
/// {"content": {content}, "id": {id}, "sender_id": {sender_id}, "time": {time}}
/// ```
#[derive(Debug, Describe, Serialize)]
pub struct MessageWire {
    content: String,
    id: i64,
    sender_id: i64,
    time: String,
    chat_id: i64,
    #[schema(words = MessageKind::WORDS)]
    r#type: &'static str,
    client_id: Option<String>,
    edited_at: Option<String>,
    deleted_at: Option<String>,
    reply_to: Option<QuoteWire>,
    reactions: Vec<ReactionWire>,
    mentions: Vec<i64>,
    mentions_all: bool,
}

/// How often an emoji is set on a message, and in what is made for one reader whether they are among those.
#[derive(Debug, Describe, Serialize)]
struct ReactionWire {
    emoji: String,
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<bool>,
}

impl From<&Reaction> for ReactionWire {
    fn from(reaction: &Reaction) -> Self {
        Self {
            emoji: reaction.emoji.clone(),
            count: reaction.count,
            me: reaction.mine,
        }
    }
}

/// The message that another answers: its first 200 characters, as they are now.
#[derive(Debug, Describe, Serialize)]
struct QuoteWire {
    id: i64,
    sender_id: i64,
    content: String,
    deleted_at: Option<String>,
}

impl From<&Quote> for QuoteWire {
    fn from(quote: &Quote) -> Self {
        Self {
            id: quote.id.get(),
            sender_id: quote.sender.get(),
            content: quote.content.clone(),
            deleted_at: quote.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl MessageWire {
    /// Its id.
    pub fn id(&self) -> i64 {
        self.id
    }
}

impl From<&Message> for MessageWire {
    fn from(message: &Message) -> Self {
        Self {
            content: message.content.clone(),
            id: message.id.get(),
            sender_id: message.sender.get(),
            time: message.at.to_rfc3339(),
            chat_id: message.chat.get(),
            r#type: message.kind.as_str(),
            client_id: message.client_id.clone(),
            edited_at: message.edited_at.map(Timestamp::to_rfc3339),
            deleted_at: message.deleted_at.map(Timestamp::to_rfc3339),
            reply_to: message.reply_to.as_ref().map(QuoteWire::from),
            reactions: message.reactions.iter().map(ReactionWire::from).collect(),
            mentions: message
                .mentions
                .people
                .iter()
                .map(|person| person.get())
                .collect(),
            mentions_all: message.mentions.everybody,
        }
    }
}

/// `{"messages": […]}` of a page of history.
#[derive(Debug, Describe, Serialize)]
pub struct History {
    /// Ascending.
    pub messages: Vec<MessageWire>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// Whether there are newer ones; told of the messages around a place alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_newer: Option<bool>,
    /// The log's place before the page was read.
    pub cursor: String,
    /// Who sent them.
    pub people: Vec<PersonWire>,
}

/// How far somebody has read a chat.
#[derive(Debug, Describe, Serialize)]
pub struct ReadMark {
    person_id: i64,
    up_to: i64,
}

impl From<&(PersonName, MessageId)> for ReadMark {
    fn from((person, up_to): &(PersonName, MessageId)) -> Self {
        Self {
            person_id: person.id.get(),
            up_to: up_to.get(),
        }
    }
}

/// `{"reads": […]}`.
#[derive(Debug, Describe, Serialize)]
pub struct Reads {
    /// In the order in which the members came.
    pub reads: Vec<ReadMark>,
    /// Who they are.
    pub people: Vec<PersonWire>,
    /// The log's place before they were read.
    pub cursor: String,
}

/// Who has set a reaction on a message.
#[derive(Debug, Describe, Serialize)]
pub struct Reactors {
    /// By their numbers.
    pub people: Vec<PersonWire>,
    /// Whether there are more.
    pub has_more: bool,
}
