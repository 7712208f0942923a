//! Chats, memberships and conversations.

use crate::model::{
    ids::{ChatId, MessageId, PersonId, Position, Seq, TenantId},
    person::{Person, PersonName},
    time::Timestamp,
};

words! {
    /// The kind of a chat: who may find and read it.
    pub enum ChatKind {
        /// Open: everybody in the tenant.
        Open = "open",
        /// Private: its members.
        Private = "private",
        /// Direct: two people, with one such chat for each pair.
        Direct = "direct",
        /// A conversation of live support: a guest and the agents of the site.
        Conversation = "desk",
    }
}

impl ChatKind {
    /// Whether a chat of this kind can be made one of another: an open one can be closed, and a private one
    /// opened.
    pub fn can_become(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Open, Self::Private) | (Self::Private, Self::Open)
        )
    }
}

/// The unique key of two people's direct chat, whichever of them created it.
pub fn pair_key(one: PersonId, other: PersonId) -> String {
    let (low, high) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    format!("{low}/{high}")
}

words! {
    /// The status of a conversation.
    pub enum ConversationStatus {
        /// Nobody has answered the guest yet.
        Waiting = "waiting",
        /// An owner has answered.
        Active = "active",
        /// It was ended; the guest's next message makes it wait again.
        Closed = "closed",
    }
}

words! {
    /// The role of a member.
    pub enum Role {
        /// Adds and removes members, renames, deletes.
        Admin = "admin",
        /// Talks.
        Member = "member",
    }
}

words! {
    /// The status of a membership.
    pub enum MembershipStatus {
        /// A member.
        In = "in",
        /// Left by themselves and may come back.
        Left = "left",
        /// Was removed and may not come back until added.
        Removed = "removed",
        /// No member: an agent, whose read mark in a conversation is kept in the same row.
        Observer = "observer",
    }
}

words! {
    /// Of which messages of a chat a member is notified.
    pub enum Notify {
        /// Of all.
        All = "all",
        /// Of those that mention them.
        Mentions = "mentions",
        /// Of none.
        None = "none",
    }
}

/// In chats of at most so many members one is notified of all messages, unless one has said otherwise.
const NOTIFY_ALL_UP_TO: i64 = 20;

impl Notify {
    /// What goes for a member who has said nothing.
    pub fn by_size(kind: ChatKind, members: i64) -> Self {
        if kind == ChatKind::Direct || members <= NOTIFY_ALL_UP_TO {
            Self::All
        } else {
            Self::Mentions
        }
    }
}

/// What a member has set for a chat, for themselves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatSettings {
    /// Of which messages they are notified.
    pub notify: Notify,
    /// Whether they chose that: else it follows the size of the chat.
    pub notify_chosen: bool,
    /// Whether it is first in their list.
    pub pinned: bool,
    /// Until when they are notified of nothing.
    pub muted_until: Option<Timestamp>,
}

/// A membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The member.
    pub person: PersonId,
    /// Their role.
    pub role: Role,
    /// Whether they are a member.
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
    /// What it is about.
    pub description: Option<String>,
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

impl Chat {
    /// What those may know of a closed chat who are not in it: that it is there, and no longer theirs.
    #[must_use]
    pub fn concealed(self) -> Self {
        Self {
            kind: ChatKind::Private,
            title: None,
            description: None,
            room: None,
            extra: None,
            deleted_at: None,
            members: 0,
            last_seq: Seq::new(0),
            last_position: Position::START,
            ..self
        }
    }
}

/// A chat in somebody's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatSummary {
    /// The chat.
    pub chat: Chat,
    /// Their membership, present or past.
    pub membership: Option<Membership>,
    /// What they have set for it, where they are a member.
    pub settings: Option<ChatSettings>,
    /// The other person of a direct chat.
    pub other: Option<PersonId>,
    /// The last message's text, time and sender.
    pub last: Option<(String, Timestamp, PersonName)>,
    /// How many messages they have not read, without those that were deleted, where they are a member.
    pub unread: i64,
    /// How many of them name them.
    pub unread_mentions: i64,
    /// The first of them.
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
    /// How many messages the agent has not read, without those that were deleted.
    pub unread: i64,
}
