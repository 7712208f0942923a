//! What the embed dialect's clients say, and what they are told: pure.
//!
//! # Why
//! Decoding has a file of its own, for it is where strangers' bytes arrive. An announcement carries
//! `"status":"ok"` as replies do, so that the sender of the event may take the one it receives for
//! their reply.

mod decode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    dialect::{EventReply, OutgoingEvent, embed::wire},
    error::Error,
    model::{Change, ChangeKind, Message, Signal, SignalKind},
};

pub use decode::{
    CreateChat, CreateUser, EditMessage, ListChats, ListMessages, Membership, NewMessage, Request,
    Seen, Typing, Where, Who, decode,
};

/// The events, by name.
pub const NAMES: [&str; 11] = [
    "create-user",
    "create-chat",
    "list-chats",
    "list-messages",
    "new-message",
    "typing",
    "seen",
    "edit-message",
    "delete-message",
    "add-users",
    "remove-users",
];

/// Whether an event is the embed dialect's: `typing` and `seen` are others' too, and have a chat
/// here.
pub fn matches(event: &str, argument: Option<&Value>) -> bool {
    let has_chat = || {
        argument
            .and_then(Value::as_object)
            .is_some_and(|fields| fields.contains_key("chat"))
    };
    match event {
        "typing" | "seen" => has_chat(),
        name => NAMES.contains(&name) || twin(name).is_some(),
    }
}

/// The chat that `/chat/<chatId>/new-message` names.
pub(super) fn twin(event: &str) -> Option<&str> {
    event
        .strip_prefix("/chat/")?
        .strip_suffix("/new-message")
        .filter(|chat| !chat.is_empty() && !chat.contains('/'))
}

/// The name of an event without the chat that it may name.
pub fn counted_as(event: &str) -> &str {
    twin(event).map_or(event, |_| "new-message")
}

/// The answer to something that went well; it is emitted as an event of the same name.
pub fn reply(event: &str, body: impl Serialize) -> EventReply {
    EventReply::reply(200, event.to_owned(), ok(body))
}

/// The same, where the sender receives the event as all others do.
pub fn heard(body: impl Serialize) -> EventReply {
    EventReply {
        status: 200,
        data: ok(body),
        outgoing: Vec::new(),
        retry_after: None,
    }
}

/// The answer to something that did not go well.
pub fn refuse(event: &str, error: &Error) -> EventReply {
    let (status, code) = (error.kind().status(), error.kind().code());
    let mut body = json!({
        "status": "error",
        "error": [{"message": error.text()}],
        "code": code,
    });
    if let Some(wait) = error.retry_seconds() {
        body["retry_after"] = json!(wait);
    }
    EventReply::reply(status, event.to_owned(), body).waiting_as(error)
}

/// A message as its sender is answered.
pub fn message(message: &Message) -> impl Serialize + use<> {
    wire::MessageWire::from(message)
}

/// A change as it is told to the sockets in its chat.
pub fn encode_change(change: &Change) -> Vec<OutgoingEvent> {
    let chat = change.chat;
    let actor = || wire::User::from(&*change.actor);
    let place = wire::Named::from(chat);
    match &change.what {
        ChangeKind::Message(message) => {
            vec![OutgoingEvent::new(
                "new-message",
                ok(wire::MessageWire::from(message)),
            )]
        }
        ChangeKind::Edited(message) => {
            let message = wire::MessageWire::from(message);
            told(
                "edit-message",
                json!({"chat": place, "user": actor(), "message": message}),
            )
        }
        ChangeKind::Deleted(message) => {
            let message = wire::Deleted::from(message);
            told(
                "delete-message",
                json!({"chat": place, "user": actor(), "message": message}),
            )
        }
        ChangeKind::Read(up_to) => {
            let message = wire::Named::from(*up_to);
            told(
                "seen",
                json!({"chat": place, "user": actor(), "message": message}),
            )
        }
        ChangeKind::Joined(_) => {
            let users = [change.actor.id.to_string()];
            told(
                "add-users",
                json!({"chat": place, "user": actor(), "users": users}),
            )
        }
        ChangeKind::Left => {
            let users = [change.actor.id.to_string()];
            told(
                "remove-users",
                json!({"chat": place, "user": actor(), "users": users}),
            )
        }
        // This API has no word for a reaction, a role, a chat that is called otherwise, one's own settings, or a
        // person who is: names come with what they say.
        ChangeKind::Reaction(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Conversation(..)
        | ChangeKind::Person(_) => Vec::new(),
    }
}

/// A message as it is told under its chat's own event.
pub fn encode_twin(change: &Change) -> Vec<OutgoingEvent> {
    let ChangeKind::Message(message) = &change.what else {
        return Vec::new();
    };
    let name = format!("/chat/{}/new-message", change.chat);
    vec![OutgoingEvent::new(
        name,
        ok(wire::MessageWire::from(message)),
    )]
}

/// A signal as it is told to the others in its chat.
pub fn encode_signal(signal: &Signal) -> Vec<OutgoingEvent> {
    match &signal.kind {
        SignalKind::Typing(typing) => {
            let chat = wire::Named::from(typing.chat);
            let user = wire::User::from(&*signal.actor);
            told(
                "typing",
                json!({"chat": chat, "user": user, "typing": typing.typing}),
            )
        }
        // This API has no word for who is online.
        SignalKind::Presence(_) => Vec::new(),
    }
}

fn told(event: &'static str, body: Value) -> Vec<OutgoingEvent> {
    vec![OutgoingEvent::new(event, ok(body))]
}

/// An object with `"status":"ok"`.
fn ok(body: impl Serialize) -> Value {
    let mut body = serde_json::to_value(body).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("status".to_owned(), "ok".into());
    }
    body
}
