//! The JSON of the support documents.
//!
//! > Before create chat, owner need to be register with domain, than guest can create new chat
//!
//! Ids are 24 hex digits, as those documents' database made them. Replies carry `statusCode` and
//! `status` everywhere, `getNewChat`'s too, where the documents name three keys alone.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    error::{Error, Kind},
    json::schema::Describe,
    model::{Chat, ChatId, GuestChat, Message, MessageId, Person, PersonId, Timestamp},
};

/// Which document's shape a pushed message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// The text and the chat.
    First,
    /// The message with its sender, and the chat.
    Second,
}

/// What is answered when all went well: `{"statusCode":200,"status":"success","data":…}`.
pub fn success(data: impl Into<Value>) -> Value {
    json!({"statusCode": 200, "status": "success", "data": data.into()})
}

/// The one word of a status that is told with a success.
const SUCCESS_WORDS: &[&str] = &["success"];

/// What was done for an owner, as a sentence.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerDone {
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domains: Option<Vec<String>>,
}

impl OwnerDone {
    /// It was done.
    pub const fn new(data: &'static str) -> Self {
        Self {
            status_code: 200,
            status: "success",
            data,
            domains: None,
        }
    }

    /// The same, with the domains that the owner's site has then.
    #[must_use]
    pub fn with_domains(self, domains: Vec<String>) -> Self {
        Self {
            domains: Some(domains),
            ..self
        }
    }
}

/// A site that was found by a host.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteFound {
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: SiteDomain,
}

#[derive(Debug, Describe, Serialize)]
struct SiteDomain {
    domain: String,
}

impl SiteFound {
    /// The site of this domain.
    pub const fn new(domain: String) -> Self {
        Self {
            status_code: 200,
            status: "success",
            data: SiteDomain { domain },
        }
    }
}

/// A page of a list, and whether there are more entries after it.
pub fn page(data: impl Into<Value>, more: bool) -> Value {
    let mut body = success(data);
    body["has_more"] = more.into();
    body
}

/// > return: guestToken, chatId, guestId
pub fn new_chat(token: &str, chat: ChatId, guest: PersonId) -> Value {
    json!({
        "statusCode": 200,
        "status": "success",
        "guestToken": token,
        "chatId": chat.to_hex(),
        "guestId": guest.to_hex(),
    })
}

/// > return: status, statusCode, system message
///
/// One document's server answered with the text, the other's with the message: both are here, and
/// beside them by which id and time the chat's list will show it.
pub fn sent(text: &str, from: PersonId, (id, at): (MessageId, Timestamp)) -> Value {
    let data = json!({
        "message": text,
        "from": from.to_hex(),
        "_id": id.to_hex(),
        "time": at.to_rfc3339(),
    });
    json!({"statusCode": 200, "status": "success", "message": text, "data": data})
}

/// > "ownerId": id, "token": {token, "level": level
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerSignedIn {
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: OwnerLogin,
}

/// An owner's login.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnerLogin {
    owner_id: String,
    token: String,
    #[schema(words = LEVELS)]
    level: &'static str,
    app_id: String,
}

/// What somebody who signs in here can be.
const LEVELS: &[&str] = &["owner"];

impl OwnerSignedIn {
    /// An owner with a fresh token, and the key of the site.
    pub fn new(owner: PersonId, token: &str, application_id: &str) -> Self {
        Self {
            status_code: 200,
            status: "success",
            data: OwnerLogin {
                owner_id: owner.to_hex(),
                token: token.to_owned(),
                level: "owner",
                app_id: application_id.to_owned(),
            },
        }
    }
}

/// What somebody said.
#[derive(Debug, Serialize)]
struct Said<'a> {
    message: &'a str,
    from: String,
}

/// A message in a chat's list.
pub fn listed(message: &Message) -> Value {
    json!({
        "_id": message.id.to_hex(),
        "from": message.sender.to_hex(),
        "message": message.content,
        "time": message.at.to_rfc3339(),
    })
}

/// A message as it is pushed to the others.
pub fn pushed(message: &Message, push: Push) -> Value {
    let chat = message.chat.to_hex();
    match push {
        Push::First => json!({"message": message.content, "chatId": chat}),
        Push::Second => {
            let said = Said {
                message: &message.content,
                from: message.sender.to_hex(),
            };
            json!({
                "message": said,
                "chatId": chat,
                "_id": message.id.to_hex(),
                "time": message.at.to_rfc3339(),
            })
        }
    }
}

/// > return status, statusCode, chats ids
///
/// Their server sent objects with `_id`; the rest is ours. Unread is counted for the caller, so a pushed
/// entry, the same for all owners, has none.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    _id: String,
    #[serde(rename = "chatId")]
    chat_id: String,
    #[serde(rename = "guestId")]
    guest_id: String,
    name: &'a str,
    email: Option<&'a str>,
    domain: Option<&'a str>,
    #[serde(rename = "lastMessage")]
    last_message: Option<&'a str>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<i64>,
}

impl<'a> Entry<'a> {
    /// A chat as it is told to all owners.
    pub fn new(chat: &'a Chat, guest: &'a Person, last: Option<&'a (String, Timestamp)>) -> Self {
        let id = chat.id.to_hex();
        Self {
            _id: id.clone(),
            chat_id: id,
            guest_id: guest.id.to_hex(),
            name: &guest.name,
            email: guest.email.as_deref(),
            domain: chat.domain.as_deref(),
            last_message: last.map(|(text, _)| text.as_str()),
            time: last.map_or(chat.created_at, |(_, at)| *at).to_rfc3339(),
            unread: None,
        }
    }
}

impl<'a> From<&'a GuestChat> for Entry<'a> {
    fn from(listed: &'a GuestChat) -> Self {
        Self {
            unread: Some(listed.unread),
            ..Self::new(&listed.chat, &listed.guest, listed.last.as_ref())
        }
    }
}

/// What is answered instead: `{"statusCode":n,"status":"error","data":<sentence>}`, and for a field
/// that is wrong which one it is, as their server's validation told it.
pub fn failure(error: &Error) -> (u16, Value) {
    let status = status(error.kind());
    let mut body = Map::new();
    body.insert("statusCode".to_owned(), status.into());
    body.insert("status".to_owned(), "error".into());
    body.insert("data".to_owned(), error.text().into());
    if let Some(field) = error.field() {
        body.insert("error".to_owned(), "Bad Request".into());
        let validation = json!({"source": "payload", "keys": [field]});
        body.insert("validation".to_owned(), validation);
    }
    if let Some(wait) = error.retry_seconds() {
        body.insert("retryAfter".to_owned(), wait.into());
    }
    (status, Value::Object(body))
}

fn status(kind: Kind) -> u16 {
    match kind {
        // What is taken is a mistake in the request, as their server saw it.
        Kind::Conflict => Kind::Invalid.status(),
        kind => kind.status(),
    }
}
