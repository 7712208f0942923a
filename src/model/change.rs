//! Changes: anything after which a snapshot differs, each with its position in the log.

use crate::model::{
    chat::{Chat, Role},
    ids::{ChatId, MessageId, Position, TenantId},
    message::Message,
    person::PersonName,
    time::Millis,
};

/// Who hears of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The chat's members.
    Members,
    /// Everybody in the tenant: what happens to open chats as such.
    Tenant,
    /// Only the person whose doing it is.
    Actor,
}

impl Audience {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Tenant => "tenant",
            Self::Actor => "actor",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Members, Self::Tenant, Self::Actor]
            .into_iter()
            .find(|audience| audience.as_str() == word)
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A message was sent.
    Message(Message),
    /// A message's sender changed it.
    Edited(Message),
    /// A message was deleted.
    Deleted(Message),
    /// A chat was made, renamed or deleted.
    Chat(Chat),
    /// The actor came to be a member with this role.
    Joined(Role),
    /// The actor is no member any more.
    Left,
    /// The actor has read up to this message.
    Read(MessageId),
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
    pub actor: PersonName,
    /// When.
    pub at: Millis,
    /// Who hears of it.
    pub audience: Audience,
    /// What changed.
    pub what: What,
}
