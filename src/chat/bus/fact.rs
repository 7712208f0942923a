//! Facts: what is so at one server until that server says otherwise.

use sha2::{Digest, Sha256};

use super::fields::{Fields, Reader};
use crate::model::{
    ChatId, Names, Person, PersonId, PersonKind, Signal, SignalKind, TenantId, Timestamp, Typing,
};

/// A fact about somebody at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) enum Fact {
    /// They are online.
    Online(OnlineFact),
    /// A connection of theirs is in a chat.
    Present(PresentFact),
    /// They type in a chat: the signal that told it.
    Types(Signal),
}

/// Somebody is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) struct OnlineFact {
    pub(in crate::chat) person: PersonId,
    pub(in crate::chat) tenant: TenantId,
    /// Whether others are told of them.
    pub(in crate::chat) has_presence: bool,
}

/// A connection is in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct PresentFact {
    pub(in crate::chat) chat: ChatId,
    pub(in crate::chat) person: PersonId,
    /// The connection's public name.
    pub(in crate::chat) name: String,
    /// Since when.
    pub(in crate::chat) since: Timestamp,
}

/// What a fact is about: of those with the same key the newest holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::chat) enum Key {
    Online(PersonId),
    Present(ChatId, String),
    Types(ChatId, PersonId),
}

impl Fact {
    /// What it is about; nothing of a signal that is no typing.
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::Online(online) => Some(Key::Online(online.person)),
            Self::Present(present) => Some(Key::Present(present.chat, present.name.clone())),
            Self::Types(signal) => {
                typing_of(signal).map(|typing| Key::Types(typing.chat, signal.actor.id))
            }
        }
    }

    pub(super) fn encode(&self) -> String {
        match self {
            Self::Online(online) => {
                let fields = Fields::of('o').number(online.person).number(online.tenant);
                fields.flag(online.has_presence).end()
            }
            Self::Present(present) => {
                let fields = Fields::of('p').number(present.chat).number(present.person);
                fields.text(&present.name).number(present.since.get()).end()
            }
            Self::Types(signal) => with_signal(Fields::of('y'), signal).end(),
        }
    }

    pub(super) fn read(what: char, fields: &mut Reader<'_>) -> Option<Self> {
        match what {
            'o' => Some(Self::Online(OnlineFact {
                person: PersonId::new(fields.number()?),
                tenant: TenantId::new(fields.number()?),
                has_presence: fields.flag()?,
            })),
            'p' => Some(Self::Present(PresentFact {
                chat: ChatId::new(fields.number()?),
                person: PersonId::new(fields.number()?),
                name: fields.text()?,
                since: Timestamp::new(fields.number()?),
            })),
            'y' => read_signal(fields).map(Self::Types),
            _ => None,
        }
    }

    /// A number that is the same at all servers, for digests.
    pub(super) fn hash(&self) -> u64 {
        let digest = Sha256::digest(self.encode().as_bytes());
        let begin = digest.iter().take(8);
        begin.fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

impl Key {
    pub(super) fn encode(&self) -> String {
        match self {
            Self::Online(person) => Fields::of('O').number(person).end(),
            Self::Present(chat, name) => Fields::of('P').number(chat).text(name).end(),
            Self::Types(chat, person) => Fields::of('Y').number(chat).number(person).end(),
        }
    }

    pub(super) fn read(what: char, fields: &mut Reader<'_>) -> Option<Self> {
        match what {
            'O' => fields.number().map(PersonId::new).map(Self::Online),
            'P' => {
                let chat = ChatId::new(fields.number()?);
                Some(Self::Present(chat, fields.text()?))
            }
            'Y' => {
                let chat = ChatId::new(fields.number()?);
                Some(Self::Types(chat, PersonId::new(fields.number()?)))
            }
            _ => None,
        }
    }
}

/// What a signal says of typing, if it does.
pub(super) fn typing_of(signal: &Signal) -> Option<&Typing> {
    match &signal.kind {
        SignalKind::Typing(typing) => Some(typing),
        SignalKind::Presence(_) => None,
    }
}

/// The signal that somebody has stopped who was told to type.
pub(super) fn stopped(signal: Signal) -> Signal {
    let kind = match signal.kind {
        SignalKind::Typing(typing) => SignalKind::Typing(typing.stopped()),
        SignalKind::Presence(presence) => SignalKind::Presence(presence),
    };
    Signal { kind, ..signal }
}

/// Writes a signal of typing.
pub(super) fn with_signal(fields: Fields, signal: &Signal) -> Fields {
    let Some(typing) = typing_of(signal) else {
        return fields;
    };
    let fields = fields.number(signal.tenant).flag(signal.origin.is_some());
    let fields = fields.number(typing.chat).flag(typing.to_agents);
    let fields = fields.flag(typing.typing).text(&typing.sent);
    with_person(fields, &signal.actor)
}

pub(super) fn read_signal(fields: &mut Reader<'_>) -> Option<Signal> {
    let tenant = TenantId::new(fields.number()?);
    let origin = fields.flag()?.then_some(Signal::ELSEWHERE);
    let typing = Typing {
        chat: ChatId::new(fields.number()?),
        to_agents: fields.flag()?,
        typing: fields.flag()?,
        sent: fields.text()?,
    };
    Some(Signal {
        tenant,
        actor: read_person(fields)?.into(),
        origin,
        kind: SignalKind::Typing(typing),
    })
}

fn with_person(fields: Fields, person: &Person) -> Fields {
    let fields = fields.number(person.id).number(person.tenant);
    let fields = fields.text(person.kind.as_str()).text(&person.name);
    let names = &person.names;
    [
        &names.first,
        &names.middle,
        &names.last,
        &person.email,
        &person.photo,
        &person.external_id,
    ]
    .into_iter()
    .fold(fields, |fields, text| fields.optional(text.as_deref()))
    .number(person.created_at.get())
    .number(person.updated_at.get())
}

fn read_person(fields: &mut Reader<'_>) -> Option<Person> {
    Some(Person {
        id: PersonId::new(fields.number()?),
        tenant: TenantId::new(fields.number()?),
        kind: PersonKind::from_stored(&fields.text()?)?,
        name: fields.text()?.into(),
        names: Names {
            first: fields.optional().ok()?,
            middle: fields.optional().ok()?,
            last: fields.optional().ok()?,
        },
        email: fields.optional().ok()?,
        photo: fields.optional().ok()?,
        external_id: fields.optional().ok()?,
        created_at: Timestamp::new(fields.number()?),
        updated_at: Timestamp::new(fields.number()?),
        // Who is deleted signals nothing.
        deleted_at: None,
    })
}
