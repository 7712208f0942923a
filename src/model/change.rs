//! Changes: anything after which a snapshot differs, each with its position in the log.

use std::sync::Arc;

use crate::model::{
    chat::{Chat, Role},
    ids::{ChatId, MessageId, Position, TenantId},
    message::Message,
    person::Person,
    time::Timestamp,
};

/// Who hears of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The chat's members.
    Members,
    /// Everybody in the tenant: what happens to open chats as such.
    Tenant,
    /// The guest and everybody who runs the tenant's desk.
    Agents,
    /// Only the person whose doing it is.
    Actor,
}

impl Audience {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Tenant => "tenant",
            Self::Agents => "desk",
            Self::Actor => "actor",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Members, Self::Tenant, Self::Agents, Self::Actor]
            .into_iter()
            .find(|audience| audience.as_str() == word)
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// A message was sent.
    Message(Message),
    /// A message's sender changed it.
    Edited(Message),
    /// A message was deleted.
    Deleted(Message),
    /// A chat was made, changed or deleted.
    Chat(Chat),
    /// The actor came to be a member with this role.
    Joined(Role),
    /// The actor is no member any more.
    Left,
    /// The actor has read up to this message.
    Read(MessageId),
    /// The actor's chat at a desk came to stand so; with it the last message's text and time.
    Conversation(Chat, Option<(String, Timestamp)>),
}

/// One change, at its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the log.
    pub position: Position,
    /// Whose chat it happened in.
    pub tenant: TenantId,
    /// Where it happened.
    pub chat: ChatId,
    /// Whom it is about: the sender, the member, the reader, the maker.
    pub actor: Arc<Person>,
    /// When.
    pub at: Timestamp,
    /// Who hears of it.
    pub audience: Audience,
    /// What changed.
    pub what: ChangeKind,
}

/// Something told to whoever listens just now, and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Whose chat it happens in.
    pub tenant: TenantId,
    /// Where it happens.
    pub chat: ChatId,
    /// Whether the chat is at a desk, whose owners hear it too.
    pub to_agents: bool,
    /// Who does it.
    pub actor: Arc<Person>,
    /// The connection it came by, for those who tell everybody else.
    pub origin: Option<u64>,
    /// What it is.
    pub kind: SignalKind,
}

/// What a signal tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalKind {
    /// The actor types, or has stopped; with it the value as it was sent, in JSON.
    Typing(bool, String),
}
