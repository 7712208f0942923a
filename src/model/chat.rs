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
