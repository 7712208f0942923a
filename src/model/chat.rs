//! Chats and who is in them.

use crate::model::{
    ids::{ChatId, MessageId, PersonId, Position, Seq, TenantId},
    person::{Person, PersonName},
    time::Timestamp,
};

/// Who finds a chat, and who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatKind {
    /// Everybody in the tenant.
    Open,
    /// Its members.
    Private,
    /// Two people, once.
    Direct,
    /// A guest and the owners of the site.
    Conversation,
}

/// What tells two people's direct chat from every other, whoever of them made it.
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

/// Where a chat at a desk stands.
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

/// What a member may do.
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

/// Where a person stands with a chat they have been in.
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

/// A person's place in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub person: PersonId,
    /// What they may do.
    pub role: Role,
    /// Whether they are in it still.
    pub standing: MembershipStatus,
    /// The change by which they came, the last time they came.
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
    /// Whose chat this is.
    pub tenant: TenantId,
    /// Who finds it.
    pub kind: ChatKind,
    /// What it is called.
    pub title: Option<String>,
    /// What its tenant's server calls it, unique in the tenant.
    pub room: Option<String>,
    /// What its tenant's server keeps with it, as JSON.
    pub extra: Option<String>,
    /// Who made it; at a desk, the guest.
    pub created_by: PersonId,
    /// Where the guest came from, at a desk.
    pub domain: Option<String>,
    /// Who is to speak next, at a desk.
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
    /// Their place in it, where they ever had one.
    pub membership: Option<Membership>,
    /// The last message's text, time and sender.
    pub last: Option<(String, Timestamp, PersonName)>,
    /// The first message that they have not read, where they are a member.
    pub first_unread: Option<MessageId>,
}

/// A chat at a desk, as those who run the desk list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestChat {
    /// The chat.
    pub chat: Chat,
    /// Whose it is.
    pub guest: Person,
    /// The last message's text and time.
    pub last: Option<(String, Timestamp)>,
    /// How many messages the lister has not read.
    pub unread: i64,
}
