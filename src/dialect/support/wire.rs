//! The JSON of the support documents.
//!
//! > Before create chat, owner need to be register with domain, than guest can create new chat
//!
//! Ids are 24 hex digits, as those documents' database made them. Replies carry `statusCode` and
//! `status` everywhere, `getNewChat`'s too, where the documents name three keys alone.

mod owners;
mod pushes;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    dialect::Failed,
    error::{Error, Kind},
    json::schema::{Definitions, Describe},
    model::{Chat, ChatId, GuestChat, Message, Person, PersonId, Timestamp},
};

pub use owners::*;
pub use pushes::*;

const SUCCESS: &str = "success";
/// The one word of a status that is told with a success.
pub const SUCCESS_WORDS: &[&str] = &[SUCCESS];

/// The schema of the status of what was done: one number, so that a program can tell answers apart by it.
pub struct Done200;

impl Describe for Done200 {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "integer", "format": "int32", "enum": [200]})
    }
}

/// The schema of the status of what was not.
struct AnyStatus;

impl Describe for AnyStatus {
    fn schema(_: &mut Definitions) -> Value {
        let statuses: BTreeSet<_> = Kind::ALL.iter().map(|kind| status(*kind)).collect();
        json!({"type": "integer", "format": "int32", "enum": statuses})
    }
}

/// What was done, as a sentence.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportDone")]
pub struct Done {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: &'static str,
}

impl Done {
    /// It was done.
    pub const fn new(data: &'static str) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data,
        }
    }
}

/// A conversation that was closed.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportClosed")]
pub struct Closed {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: &'static str,
    chat_id: String,
}

impl Closed {
    /// This one was.
    pub fn new(chat: ChatId) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data: "Chat has been closed",
            chat_id: chat.to_hex(),
        }
    }
}

/// Messages of a chat, oldest first.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportMessages")]
pub struct Messages {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: Vec<Listed>,
    /// Whether there are more: go on with `skip` past what you have.
    #[serde(rename = "has_more")]
    has_more: bool,
}

impl Messages {
    /// A page of messages.
    pub const fn new(data: Vec<Listed>, has_more: bool) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data,
            has_more,
        }
    }
}

/// A page of a queue.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportQueue")]
pub struct Queue {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: Vec<Entry>,
    /// Whether others follow: ask again with `before`.
    #[serde(rename = "has_more")]
    has_more: bool,
    /// How many there are in all.
    total: i64,
}

impl Queue {
    /// A page, and how many there are in all.
    pub const fn new(data: Vec<Entry>, has_more: bool, total: i64) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data,
            has_more,
            total,
        }
    }
}

/// > return: guestToken, chatId, guestId
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportNewChat")]
pub struct NewChat {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    guest_token: String,
    chat_id: String,
    guest_id: String,
}

impl NewChat {
    /// A guest's chat, and the token that opens it.
    pub fn new(token: &str, chat: ChatId, guest: PersonId) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            guest_token: token.to_owned(),
            chat_id: chat.to_hex(),
            guest_id: guest.to_hex(),
        }
    }
}

/// > return: status, statusCode, system message
///
/// One document's server answered with the text, the other's with the message: both are here, and
/// beside them by which id and time the chat's list will show it.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportSent")]
pub struct Sent {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    /// The text.
    message: String,
    data: Listed,
}

impl From<&Message> for Sent {
    fn from(message: &Message) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            message: message.content.clone(),
            data: message.into(),
        }
    }
}

/// A message in a chat's list.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportMessage")]
pub struct Listed {
    _id: String,
    /// Whose it is.
    from: String,
    message: String,
    time: String,
}

impl From<&Message> for Listed {
    fn from(message: &Message) -> Self {
        Self {
            _id: message.id.to_hex(),
            from: message.sender.to_hex(),
            message: message.content.clone(),
            time: message.at.to_rfc3339(),
        }
    }
}

/// > return status, statusCode, chats ids
///
/// Their server sent objects with `_id`; the rest is ours. Unread is counted for the caller, so a pushed
/// entry, the same for all owners, has none.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportChat")]
pub struct Entry {
    _id: String,
    #[serde(rename = "chatId")]
    chat_id: String,
    #[serde(rename = "guestId")]
    guest_id: String,
    name: String,
    email: Option<String>,
    domain: Option<String>,
    #[serde(rename = "lastMessage")]
    last_message: Option<String>,
    time: String,
    /// How many messages the asking owner has not read; not in a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<i64>,
}

impl Entry {
    /// A chat as it is told to all owners.
    pub fn new(chat: &Chat, guest: &Person, last: Option<&(String, Timestamp)>) -> Self {
        let id = chat.id.to_hex();
        Self {
            _id: id.clone(),
            chat_id: id,
            guest_id: guest.id.to_hex(),
            name: guest.name.to_string(),
            email: guest.email.clone(),
            domain: chat.domain.clone(),
            last_message: last.map(|(text, _)| text.clone()),
            time: last.map_or(chat.created_at, |(_, at)| *at).to_rfc3339(),
            unread: None,
        }
    }
}

impl From<&GuestChat> for Entry {
    fn from(listed: &GuestChat) -> Self {
        Self {
            unread: Some(listed.unread),
            ..Self::new(&listed.chat, &listed.guest, listed.last.as_ref())
        }
    }
}

/// A refusal or a failure of live support: for a field that is wrong with which one it is, as their
/// server's validation told it.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "SupportFailure")]
pub struct Failure {
    /// The HTTP status.
    #[schema(with = AnyStatus)]
    status_code: u16,
    status: Failed,
    /// A sentence for people.
    data: String,
    /// There where one field is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// Which field is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Validation>,
    /// After how many seconds another try can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Which field is wrong.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "SupportValidation")]
struct Validation {
    source: &'static str,
    keys: [&'static str; 1],
}

impl Failure {
    /// The status with which it is told.
    pub const fn status(&self) -> u16 {
        self.status_code
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let field = error.field();
        Self {
            status_code: status(error.kind()),
            status: Failed,
            data: error.text().to_owned(),
            error: field.map(|_| "Bad Request"),
            validation: field.map(|field| Validation {
                source: "payload",
                keys: [field],
            }),
            retry_after: error.retry_seconds(),
        }
    }
}

fn status(kind: Kind) -> u16 {
    match kind {
        // What is taken is a mistake in the request, as their server saw it.
        Kind::Conflict => Kind::Invalid.status(),
        kind => kind.status(),
    }
}
