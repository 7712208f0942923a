//! Chats, memberships and conversations.

use crate::model::{
    ids::{ChatId, MessageId, PersonId, Position, Seq, TenantId},
    person::{Person, PersonName},
    time::Timestamp,
};

/// The kind of a chat: who may find and read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatKind {
    /// Open: everybody in the tenant.
    Open,
    /// Private: its members.
    Private,
    /// Direct: two people, with one such chat for each pair.
    Direct,
    /// A conversation of live support: a guest and the agents of the site.
    Conversation,
}

/// The unique key of two people's direct chat, whoever of them created it.
pub fn pair_key(one: PersonId, other: PersonId) -> String {
    let (low, high) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    format!("{low}/{high}")
}

impl ChatKind {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Private => "private",
            Self::Direct => "direct",
            Self::Conversation => "desk",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Open, Self::Private, Self::Direct, Self::Conversation]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// The status of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationStatus {
    /// Nobody has answered the guest yet.
    Waiting,
    /// An owner has answered.
    Active,
    /// It was ended; the guest's next message makes it wait again.
    Closed,
}

impl ConversationStatus {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Closed => "closed",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Active, Self::Closed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// The role of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Adds and removes members, renames, deletes.
    Admin,
    /// Talks.
    Member,
}

impl Role {
    /// The word that the store and the wires use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Reads that word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// The status of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MembershipStatus {
    /// A member.
    In,
    /// Left by themselves and may come back.
    Left,
    /// Was removed and may not come back until added.
    Removed,
}

impl MembershipStatus {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Left => "left",
            Self::Removed => "removed",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::In, Self::Left, Self::Removed]
            .into_iter()
            .find(|standing| standing.as_str() == word)
    }
}

/// A membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The member.
    pub person: PersonId,
    /// Their role.
    pub role: Role,
    /// Whether they are still a member.
    pub standing: MembershipStatus,
    /// The position of their last joining.
    pub joined: Position,
    /// The last message they have read.
    pub read: MessageId,
    /// The number of that message within the chat.
    pub read_seq: Seq,
}

/// A chat, with what a list shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its number.
    pub id: ChatId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its kind.
    pub kind: ChatKind,
    /// Its title.
    pub title: Option<String>,
    /// Its tenant's own name for it, unique in the tenant.
    pub room: Option<String>,
    /// What its tenant's server keeps with it, as JSON.
    pub extra: Option<String>,
    /// Its creator; of a conversation, the guest.
    pub created_by: PersonId,
    /// The domain that a conversation's guest came from.
    pub domain: Option<String>,
    /// The status of a conversation.
    pub status: Option<ConversationStatus>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// How many members it has.
    pub members: i64,
    /// How many messages were ever sent to it.
    pub last_seq: Seq,
    /// Its newest activity: what chat lists are sorted by.
    pub last_position: Position,
}

/// A chat in somebody's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatSummary {
    /// The chat.
    pub chat: Chat,
    /// Their membership, present or past.
    pub membership: Option<Membership>,
    /// The last message's text, time and sender.
    pub last: Option<(String, Timestamp, PersonName)>,
    /// The first message that they have not read, where they are a member.
    pub first_unread: Option<MessageId>,
}

/// A conversation as agents list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestChat {
    /// The chat.
    pub chat: Chat,
    /// The guest.
    pub guest: Person,
    /// The last message's text and time.
    pub last: Option<(String, Timestamp)>,
    /// How many messages the agent has not read.
    pub unread: i64,
}
