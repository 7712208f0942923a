//! Changes as the messenger tells them.

use std::sync::OnceLock;

use serde::Serialize;

use crate::{
    dialect::{
        MESSENGER_SLOT,
        messenger::wire::{self, ChatWire, MessageWire, PersonWire, ProfileWire, SettingsWire},
    },
    json::schema::Describe,
    model::{Change, ChangeKind, PersonId, ReactionChange, Role, Signal, SignalKind, Timestamp},
    pubsub::{EventFormat, EventText, Published, PublishedSignal},
};

/// Every such word.
const CHANGE_WORDS: &[&str] = &[
    "message", "edited", "deleted", "reaction", "chat", "member", "settings", "read", "person",
];
/// The word of every signal.
const SIGNAL_WORDS: &[&str] = &["typing", "presence"];

/// The word for a change, as `type` and as the stream's `event:`.
fn word(what: &ChangeKind) -> &'static str {
    match what {
        ChangeKind::Message(_) => "message",
        ChangeKind::Edited(_) => "edited",
        ChangeKind::Deleted(_) => "deleted",
        ChangeKind::Reaction(_) => "reaction",
        ChangeKind::Chat(_) | ChangeKind::Conversation(..) => "chat",
        ChangeKind::Joined(_) | ChangeKind::Role(_) | ChangeKind::Left => "member",
        ChangeKind::Settings(_) => "settings",
        ChangeKind::Read(_) => "read",
        ChangeKind::Person(_) => "person",
    }
}

/// An event; which keys it has beyond the first three depends on its type.
#[derive(Describe, Serialize)]
pub struct Event<'a> {
    #[schema(words = CHANGE_WORDS)]
    r#type: &'static str,
    position: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<ChatWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<EventPerson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(words = Role::WORDS)]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<i64>,
    #[serde(flatten)]
    reaction: Option<ReactionEvent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<SettingsWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<[PersonWire; 1]>,
}

/// What an event says of a reaction: with how many people have set that emoji now.
#[derive(Describe, Serialize)]
struct ReactionEvent<'a> {
    message_id: i64,
    emoji: &'a str,
    added: bool,
    count: i64,
}

impl<'a> From<&'a ReactionChange> for ReactionEvent<'a> {
    fn from(reaction: &'a ReactionChange) -> Self {
        Self {
            message_id: reaction.message.get(),
            emoji: &reaction.emoji,
            added: reaction.added,
            count: reaction.count,
        }
    }
}

/// Whom an event is about: with more of them where it is about that.
#[derive(Describe, Serialize)]
#[serde(untagged)]
enum EventPerson {
    Member(PersonWire),
    Profile(ProfileWire),
}

/// What the messenger makes of a change: each is encoded once, however many readers there are.
#[derive(Default)]
struct Encodings {
    event: OnceLock<Box<str>>,
    message: OnceLock<Box<str>>,
}

fn encodings(published: &Published) -> &Encodings {
    published.encoding(MESSENGER_SLOT, |_| Encodings::default())
}

/// A change as an event, in JSON.
pub fn encode_change(published: &Published) -> &str {
    let event = &encodings(published).event;
    event.get_or_init(|| encode_event(&published.change).into())
}

/// A message as the chat's own list shows it, in JSON; nothing when the change has none.
fn message(published: &Published) -> Option<&str> {
    let ChangeKind::Message(message) = &published.change.what else {
        return None;
    };
    let encoding = &encodings(published).message;
    Some(encoding.get_or_init(|| json(&MessageWire::from(message)).into()))
}

/// A change as an event, in JSON that nobody keeps.
pub fn encode_event(change: &Change) -> String {
    let mut event = Event {
        r#type: word(&change.what),
        position: change.position.get(),
        chat_id: Some(change.chat.get()),
        message: None,
        chat: None,
        person: None,
        role: None,
        joined: None,
        person_id: None,
        up_to: None,
        settings: None,
        reaction: None,
        people: None,
    };
    match &change.what {
        ChangeKind::Message(message)
        | ChangeKind::Edited(message)
        | ChangeKind::Deleted(message) => {
            event.message = Some(message.into());
            event.people = Some([PersonWire::from(&*change.actor)]);
        }
        ChangeKind::Reaction(reaction) => {
            event.person_id = Some(change.actor.id.get());
            event.reaction = Some(reaction.into());
            event.people = Some([PersonWire::from(&*change.actor)]);
        }
        ChangeKind::Chat(chat) | ChangeKind::Conversation(chat, _) => {
            event.chat = Some(chat.into());
        }
        ChangeKind::Joined(role) | ChangeKind::Role(role) => {
            event.person = Some(EventPerson::Member((&*change.actor).into()));
            event.role = Some(role.as_str());
            event.joined = Some(true);
        }
        ChangeKind::Left => {
            event.person = Some(EventPerson::Member((&*change.actor).into()));
            event.joined = Some(false);
        }
        ChangeKind::Settings(settings) => event.settings = Some(settings.into()),
        ChangeKind::Read(up_to) => {
            event.person_id = Some(change.actor.id.get());
            event.up_to = Some(up_to.get());
        }
        ChangeKind::Person(_) => {
            event.chat_id = None;
            event.person = Some(EventPerson::Profile((&*change.actor).into()));
        }
    }
    json(&event)
}

/// The word for a signal.
fn signal_word(kind: &SignalKind) -> &'static str {
    match kind {
        SignalKind::Typing(_) => "typing",
        SignalKind::Presence(_) => "presence",
    }
}

/// A signal as an event. It has no position.
#[derive(Describe, Serialize)]
pub struct SignalEvent {
    #[schema(words = SIGNAL_WORDS)]
    r#type: &'static str,
    person_id: i64,
    #[serde(flatten)]
    told: SignalWire,
}

/// What a signal tells of its actor.
#[derive(Describe, Serialize)]
#[serde(untagged)]
enum SignalWire {
    Typing {
        chat_id: i64,
        typing: bool,
    },
    Presence {
        online: bool,
        last_seen: Option<String>,
    },
}

fn encode_signal(signal: &Signal) -> String {
    let told = match &signal.kind {
        SignalKind::Typing(typing) => SignalWire::Typing {
            chat_id: typing.chat.get(),
            typing: typing.typing,
        },
        SignalKind::Presence(presence) => SignalWire::Presence {
            online: presence.online,
            last_seen: presence.last_seen.map(Timestamp::to_rfc3339),
        },
    };
    json(&SignalEvent {
        r#type: signal_word(&signal.kind),
        person_id: signal.actor.id.get(),
        told,
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and fixed keys are always JSON")
}

/// Everything in all chats of a reader, who is not told of what they signal themselves.
#[derive(Debug, Clone, Copy)]
pub struct AllEvents {
    /// Who reads.
    pub reader: PersonId,
}

impl EventFormat for AllEvents {
    fn events<'p>(&self, published: &'p Published) -> Vec<EventText<'p>> {
        let data = encode_change(published);
        vec![EventText {
            name: word(&published.change.what),
            data,
            listed: data,
        }]
    }

    fn signals<'p>(&self, signal: &'p PublishedSignal) -> Vec<EventText<'p>> {
        if signal.signal.actor.id == self.reader {
            return Vec::new();
        }
        let data: &String = signal.encoding(MESSENGER_SLOT, encode_signal);
        vec![EventText {
            name: signal_word(&signal.signal.kind),
            data,
            listed: data,
        }]
    }

    fn more_keys(&self, told: &[&Published]) -> String {
        people(told)
    }
}

/// The new messages of one chat.
#[derive(Debug, Clone, Copy)]
pub struct ChatMessages;

impl EventFormat for ChatMessages {
    fn list_key(&self) -> &'static str {
        "messages"
    }

    fn events<'p>(&self, published: &'p Published) -> Vec<EventText<'p>> {
        let text = message(published).map(|data| EventText {
            name: word(&published.change.what),
            data,
            listed: data,
        });
        text.into_iter().collect()
    }

    fn signals<'p>(&self, _signal: &'p PublishedSignal) -> Vec<EventText<'p>> {
        Vec::new()
    }

    fn more_keys(&self, told: &[&Published]) -> String {
        people(told)
    }
}

/// Who did what was told, once each.
fn people(told: &[&Published]) -> String {
    let actors = told
        .iter()
        .map(|published| PersonWire::from(&*published.change.actor));
    format!(",\"people\":{}", json(&wire::people(actors)))
}
