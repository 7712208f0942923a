//! What the embed dialect's clients say, and what they are told: pure.
//!
//! # Why
//! Decoding has a file of its own, for it is where strangers' bytes arrive. An announcement carries
//! `"status":"ok"` as replies do, so that the sender of the event may take the one it receives for
//! their reply.

mod decode;
mod table;

use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::{
        Data, EventReply, Okay, OutgoingEvent, described,
        embed::{texts, wire},
    },
    error::Error,
    model::{Change, ChangeKind, Message, Signal, SignalKind, WebhookKind},
};

pub use table::{API, EVENTS};

pub use decode::{
    CreateChat, CreateUser, EditMessage, ListChats, ListMessages, Membership, NewMessage, Request,
    Seen, Typing, Where, Who, decode,
};

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
        name => described::has(EVENTS, name) || twin(name).is_some(),
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
    EventReply::reply(200, event.to_owned(), value(body))
}

/// The same, where the sender receives the event as all others do.
pub fn heard(data: Data) -> EventReply {
    EventReply {
        status: 200,
        data,
        outgoing: Vec::new(),
        retry_after: None,
    }
}

/// The answer to something that did not go well.
pub fn refuse(event: &str, error: &Error) -> EventReply {
    let status = error.kind().status();
    let body = wire::Failure::from(error);
    EventReply::reply(status, event.to_owned(), value(body)).waiting_as(error)
}

/// A message as its sender is answered.
pub fn message(message: &Message) -> Data {
    Data::text(&texts::MessageText::from(message))
}

/// Whether there is a word for changes of that kind, as [`encode_change`] has it.
pub const fn tells(kind: WebhookKind) -> bool {
    matches!(
        kind,
        WebhookKind::MessageCreated
            | WebhookKind::MessageEdited
            | WebhookKind::MessageDeleted
            | WebhookKind::ChatRead
            | WebhookKind::MemberJoined
            | WebhookKind::MemberLeft
    )
}

/// A change as it is told to the sockets in its chat.
pub fn encode_change(change: &Change) -> Vec<OutgoingEvent> {
    let status = Okay;
    let chat = || wire::Named::from(change.chat);
    let user = || wire::User::from(&*change.actor);
    let event = match &change.what {
        ChangeKind::Message(message) => {
            table::NEW_MESSAGE.as_text(&texts::MessageText::from(message))
        }
        ChangeKind::Edited(message) => table::EDITED.of(&wire::EditedTold {
            status,
            chat: chat(),
            user: user(),
            message: message.into(),
        }),
        ChangeKind::Deleted(message) => table::DELETED.of(&wire::DeletedTold {
            status,
            chat: chat(),
            user: user(),
            message: message.into(),
        }),
        ChangeKind::Read(up_to) => table::SEEN.of(&wire::SeenTold {
            status,
            chat: chat(),
            user: user(),
            message: Some((*up_to).into()),
        }),
        ChangeKind::Joined(_) => table::USERS_ADDED.of(&wire::MembersTold {
            status,
            chat: chat(),
            user: user(),
            users: vec![change.actor.id.to_string()],
        }),
        ChangeKind::Left => table::USERS_REMOVED.of(&wire::MembersTold {
            status,
            chat: chat(),
            user: user(),
            users: vec![change.actor.id.to_string()],
        }),
        // This API has no word for a reaction, a role, a chat that is called otherwise, one's own settings, or a
        // person who is: names come with what they say.
        ChangeKind::Reaction(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Conversation(..)
        | ChangeKind::Person(_) => return Vec::new(),
    };
    vec![event]
}

/// A message as it is told under its chat's own event.
pub fn encode_twin(change: &Change) -> Vec<OutgoingEvent> {
    let ChangeKind::Message(message) = &change.what else {
        return Vec::new();
    };
    let event = table::TWIN.as_text(&texts::MessageText::from(message));
    let name = format!("/chat/{}/new-message", change.chat).into();
    vec![OutgoingEvent { name, ..event }]
}

/// A signal as it is told to the others in its chat.
pub fn encode_signal(signal: &Signal) -> Vec<OutgoingEvent> {
    match &signal.kind {
        SignalKind::Typing(typing) => vec![table::TYPING.of(&wire::TypingTold {
            status: Okay,
            chat: typing.chat.into(),
            user: wire::User::from(&*signal.actor),
            typing: typing.typing,
        })],
        // This API has no word for who is online.
        SignalKind::Presence(_) => Vec::new(),
    }
}

fn value(body: impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}
