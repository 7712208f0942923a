//! Changes: anything after which a snapshot differs, each with its position in the log.

use std::sync::Arc;

use crate::model::{
    chat::{Chat, ChatSettings, Role},
    ids::{ChatId, MessageId, Position, TenantId},
    message::Message,
    person::Person,
    time::Timestamp,
};

words! {
    /// The audience of a change.
    pub enum Audience {
        /// The chat's members.
        Members = "members",
        /// Everybody in the tenant: what happens to open chats as such.
        Tenant = "tenant",
        /// The guest of a conversation and the tenant's agents.
        Agents = "desk",
        /// Everybody in the tenant but the chat's members: that an open chat was closed.
        Others = "others",
        /// Only the actor.
        Actor = "actor",
        /// The actor, and who is in a chat that the actor is or was in.
        Acquaintances = "acquaintances",
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
    /// The actor has set a reaction, or taken it back.
    Reaction(ReactionChange),
    /// A chat was made, changed or deleted.
    Chat(Chat),
    /// The actor joined with this role.
    Joined(Role),
    /// The actor, who is in it, got this role.
    Role(Role),
    /// The actor left or was removed.
    Left,
    /// The actor has set this for themselves.
    Settings(ChatSettings),
    /// The actor has read up to this message.
    Read(MessageId),
    /// The actor's conversation got this status; with it the last message's text and time.
    Conversation(Chat, Option<(String, Timestamp)>),
    /// The actor has another name or picture, or is gone. It belongs to no chat.
    Person(PersonChange),
}

/// What happened to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChange {
    /// Whether they are gone.
    pub gone: bool,
    /// The chats that they are or were in, where that matters for the delivery. The log keeps none: it is read
    /// by memberships.
    pub chats: Arc<[ChatId]>,
}

/// A reaction that was set or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionChange {
    /// The message.
    pub message: MessageId,
    /// The emoji.
    pub emoji: String,
    /// Whether it was set.
    pub added: bool,
    /// How many people have set that emoji on the message, as it is now: after this change, or, where the change
    /// is read from the log, after all that came since.
    pub count: i64,
}

/// One change, at its position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its position in the log.
    pub position: Position,
    /// The chat's tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// The person it is about: the sender, the member, the reader, the creator.
    pub actor: Arc<Person>,
    /// When.
    pub at: Timestamp,
    /// Its audience.
    pub audience: Audience,
    /// What changed.
    pub what: ChangeKind,
}

impl Change {
    /// The chats whose members it may concern.
    pub fn chats(&self) -> &[ChatId] {
        match &self.what {
            ChangeKind::Person(person) => &person.chats,
            ChangeKind::Message(_)
            | ChangeKind::Edited(_)
            | ChangeKind::Deleted(_)
            | ChangeKind::Reaction(_)
            | ChangeKind::Chat(_)
            | ChangeKind::Joined(_)
            | ChangeKind::Role(_)
            | ChangeKind::Left
            | ChangeKind::Settings(_)
            | ChangeKind::Read(_)
            | ChangeKind::Conversation(..) => std::slice::from_ref(&self.chat),
        }
    }
}

/// An event for present subscribers only; it is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The actor's tenant.
    pub tenant: TenantId,
    /// Its actor.
    pub actor: Arc<Person>,
    /// The connection it came by, for dialects that send it to all others only; none when it came by a request.
    pub origin: Option<u64>,
    /// Its kind.
    pub kind: SignalKind,
}

impl Signal {
    /// The origin of what came by a connection to another server: no connection here has this number.
    pub const ELSEWHERE: u64 = u64::MAX;
}

/// The kinds of signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalKind {
    /// The actor types, or has stopped typing.
    Typing(Typing),
    /// The actor has come online, or has gone offline.
    Presence(Presence),
}

/// Somebody types in a chat, or has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// The chat.
    pub chat: ChatId,
    /// Whether the chat is a conversation, whose agents receive it too.
    pub to_agents: bool,
    /// Whether they type.
    pub typing: bool,
    /// The value that was sent, in JSON.
    pub sent: String,
}

impl Typing {
    /// The same of who has stopped.
    #[must_use]
    pub fn stopped(&self) -> Self {
        Self {
            typing: false,
            sent: "false".to_owned(),
            ..self.clone()
        }
    }
}

/// Somebody is online, or is not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Whether they are online.
    pub online: bool,
    /// When a login of theirs was last used, as far as that is written down.
    pub last_seen: Option<Timestamp>,
    /// The chats whose members are told.
    pub chats: Arc<[ChatId]>,
}
