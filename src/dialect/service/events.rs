//! What the service dialect's clients say, and what they are told: pure.

use serde::Serialize;
use serde_json::Value;

use super::table;
use crate::{
    dialect::{Emitted, EventReply, OutgoingEvent, described, service::wire},
    error::{Error, Result},
    json::{is_on, own_id, whole},
    model::{Change, ChangeKind, ClientId, Content, MessageId, Signal, SignalKind, WebhookKind},
};

/// The most messages that one answer lists, what it lists when nobody says, and the last page.
const LIMIT_MOST: i64 = 200;
const LIMIT_DEFAULT: i64 = 20;
const PAGE_MOST: i64 = 100_000;

/// The most bytes of JSON that `typing` tells to others.
const TYPING_BYTES: usize = 64;

/// What a client is told who has not said who they are.
pub const NO_TOKEN: &str = "No token key found";
/// What a client is told whose message cannot be sent.
pub const NO_MESSAGE: &str = "No message or sender";
/// What a client is told who names no room.
pub const NO_ROOM: &str = "Input room name";

/// Something a client wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `join "usr-1-2"`.
    Join(String),
    /// `typing true`, with the value as it was sent.
    Typing(bool, Value),
    /// `seen`.
    Seen,
    /// `send_message "Hey"`.
    Send(Content, Option<ClientId>),
    /// `load_more {page,limit}` or `load_more {before,limit}`: where to begin, and how many to list.
    LoadMore {
        /// Those before that message, or before the newest.
        before: Option<MessageId>,
        /// How many newer ones were listed before.
        skipped: i64,
        /// How many to list.
        limit: i64,
    },
    /// `leave`.
    Leave,
    /// `update {id,message}`.
    Update(MessageId, Content),
    /// `delete <id>`.
    Delete(MessageId),
}

/// Whether an event is the service dialect's: `typing` and `seen` are others' too, and name a chat
/// there.
pub fn matches(event: &str, argument: Option<&Value>) -> bool {
    let names_chat = argument
        .and_then(Value::as_object)
        .is_some_and(|fields| fields.contains_key("chat") || fields.contains_key("chatId"));
    described::has(table::API.events, event) && !(names_chat && matches!(event, "typing" | "seen"))
}

/// Reads an event and its argument.
pub fn decode(event: &str, argument: Option<&Value>) -> Result<Request> {
    Ok(match event {
        "join" => {
            let room = argument.and_then(own_id).unwrap_or_default();
            if room.trim().is_empty() {
                return Err(Error::invalid(NO_ROOM));
            }
            Request::Join(room)
        }
        "typing" => {
            let value = argument.cloned().unwrap_or(Value::Null);
            // Everybody in the room is told what was sent, word for word.
            if value.to_string().len() > TYPING_BYTES {
                let sentence = format!("typing must have at most {TYPING_BYTES} bytes of JSON");
                return Err(Error::invalid(sentence));
            }
            Request::Typing(is_on(&value), value)
        }
        "seen" => Request::Seen,
        "send_message" => send(argument)?,
        "load_more" => load_more(argument)?,
        "leave" => Request::Leave,
        "update" => {
            let id = message_id(argument.and_then(|argument| argument.get("id")))?;
            let text = argument.and_then(|argument| argument.get("message"));
            Request::Update(id, content(text)?)
        }
        "delete" => {
            let within = argument.and_then(|argument| argument.get("id"));
            Request::Delete(message_id(within.or(argument))?)
        }
        _ => return Err(Error::invalid("there is no such event")),
    })
}

fn send(argument: Option<&Value>) -> Result<Request> {
    let Some(Value::Object(fields)) = argument else {
        return Ok(Request::Send(content(argument)?, None));
    };
    let client_id = match fields.get("client_id") {
        None | Some(Value::Null) => None,
        Some(id) => {
            let id = own_id(id).ok_or_else(|| Error::invalid("client_id must be text"))?;
            Some(ClientId::parse(&id)?)
        }
    };
    Ok(Request::Send(content(fields.get("message"))?, client_id))
}

fn load_more(argument: Option<&Value>) -> Result<Request> {
    let number = |name: &str, default: i64, most: i64| -> Result<i64> {
        match argument.and_then(|argument| argument.get(name)) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => whole(value)
                .filter(|number| *number >= 1)
                .map(|number| number.min(most))
                .ok_or_else(|| Error::invalid(format!("{name} must be a number from 1"))),
        }
    };
    let limit = number("limit", LIMIT_DEFAULT, LIMIT_MOST)?;
    let page = number("page", 1, PAGE_MOST)?;
    let before = argument.and_then(|argument| argument.get("before"));
    let before = before.filter(|before| !before.is_null());
    let before = before.map(|before| {
        let id = whole(before).filter(|id| *id >= 0).map(MessageId::new);
        id.ok_or_else(|| Error::invalid("before must be the number of a message"))
    });
    Ok(Request::LoadMore {
        before: before.transpose()?,
        skipped: (page - 1) * limit,
        limit,
    })
}

fn content(value: Option<&Value>) -> Result<Content> {
    let text = value.and_then(spelled).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Error::invalid(NO_MESSAGE));
    }
    Content::parse(text).map_err(|error| error.about("message"))
}

fn message_id(value: Option<&Value>) -> Result<MessageId> {
    value
        .and_then(whole)
        .filter(|id| *id >= 0)
        .map(MessageId::new)
        .ok_or_else(|| Error::invalid("id must be the number of a message"))
}

/// What is said: text, or a number as it was written.
fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The answer to something that went well.
pub fn done(data: impl Serialize, outgoing: Vec<Emitted>) -> EventReply {
    EventReply {
        status: 200,
        data: value(data).into(),
        outgoing,
        retry_after: None,
    }
}

/// The answer to something that did not go well: `err` and a sentence.
pub fn refuse(error: &Error) -> EventReply {
    let failure = wire::Failure::from(error);
    let err = table::ERR.of(&failure.message);
    EventReply {
        status: error.kind().status(),
        data: value(failure).into(),
        outgoing: vec![Emitted::Other(err)],
        retry_after: error.retry_seconds(),
    }
}

/// `info` and a sentence.
pub fn info(text: impl Into<String>) -> OutgoingEvent {
    table::INFO.of(&text.into())
}

/// `seen_by` and who has read.
pub fn seen_by(user: &wire::User) -> OutgoingEvent {
    table::SEEN_BY.of(user)
}

/// `roomData` and who is present.
pub fn room_data(present: &wire::RoomData) -> OutgoingEvent {
    table::ROOM_DATA.of(present)
}

/// Whether there is a word for changes of that kind, as [`encode_change`] has it.
pub const fn tells(kind: WebhookKind) -> bool {
    matches!(
        kind,
        WebhookKind::MessageCreated
            | WebhookKind::MessageEdited
            | WebhookKind::MessageDeleted
            | WebhookKind::ChatRead
    )
}

/// A change as it is told to who is present in its room.
pub fn encode_change(change: &Change) -> Vec<OutgoingEvent> {
    match &change.what {
        ChangeKind::Message(message)
        | ChangeKind::Edited(message)
        | ChangeKind::Deleted(message) => {
            vec![table::MESSAGE.of(&message.into())]
        }
        ChangeKind::Read(_) => vec![seen_by(&wire::User::from(&*change.actor))],
        // The document has no word for a reaction.
        ChangeKind::Reaction(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Joined(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Left
        | ChangeKind::Conversation(..)
        | ChangeKind::Person(_) => Vec::new(),
    }
}

/// A signal as it is told to who is present in its room.
pub fn encode_signal(signal: &Signal) -> Vec<OutgoingEvent> {
    match &signal.kind {
        SignalKind::Typing(typing) => {
            let sent = serde_json::from_str(&typing.sent);
            vec![table::IS_TYPING.of(&wire::IsTyping {
                data: wire::User::from(&*signal.actor),
                typing: sent.unwrap_or(Value::Bool(typing.typing)),
            })]
        }
        // Who is present in a room is told by `info` and `roomData`; who is online elsewhere has no word.
        SignalKind::Presence(_) => Vec::new(),
    }
}

fn value(body: impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        let page = |argument: Value| decode("load_more", Some(&argument));
        let told = |skipped, limit| Request::LoadMore {
            before: None,
            skipped,
            limit,
        };
        assert_eq!(decode("load_more", None).ok(), Some(told(0, 20)));
        assert_eq!(page(json!({"page": 3, "limit": 5})).ok(), Some(told(10, 5)));
        assert_eq!(page(json!({"page": "2"})).ok(), Some(told(20, 20)));
        assert_eq!(page(json!({"limit": 100_000})).ok(), Some(told(0, 200)));
        for wrong in [
            json!({"page": 0}),
            json!({"limit": -1}),
            json!({"page": "x"}),
        ] {
            assert!(page(wrong).is_err());
        }
    }

    #[test]
    fn typing_is_short() {
        let fits = json!("x".repeat(TYPING_BYTES - 2));
        assert!(decode("typing", Some(&fits)).is_ok());
        let nested = json!([[[{"x": "x".repeat(TYPING_BYTES)}]]]);
        for long in [json!("x".repeat(TYPING_BYTES - 1)), nested] {
            assert!(decode("typing", Some(&long)).is_err());
        }
    }

    #[test]
    fn what_other_dialects_name_by_a_chat_is_theirs() {
        assert!(matches("typing", Some(&json!(true))));
        assert!(matches("seen", None));
        assert!(!matches("typing", Some(&json!({"chat": {"id": "1"}}))));
        assert!(!matches("seen", Some(&json!({"chatId": 1}))));
        assert!(!matches("new-message", None));
    }
}
