//! Invitations to a chat, by a code that is shown once.

use crate::model::{
    chat::{Chat, Membership},
    ids::{ChatId, InviteId, PersonId},
    person::Person,
    policy::Relation,
    time::Timestamp,
};

/// The hash of an invitation's code, by which it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteHash(String);

impl InviteHash {
    /// Takes a hash in hex.
    pub const fn new(hash: String) -> Self {
        Self(hash)
    }

    /// The hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which invitation is meant.
#[derive(Debug, Clone)]
pub enum InviteKey {
    /// The one with this number.
    Id(InviteId),
    /// The one with this code.
    Code(InviteHash),
}

/// An invitation to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its number.
    pub id: InviteId,
    /// The chat.
    pub chat: ChatId,
    /// The first characters of its code, to tell it from others by.
    pub prefix: String,
    /// Who invites.
    pub created_by: PersonId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How many may still come by it; any number, where that is none.
    pub uses_left: Option<i64>,
}

/// An invitation, with what it is to and from whom.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The invitation.
    pub invite: Invite,
    /// The chat.
    pub chat: Chat,
    /// Who invites.
    pub host: Person,
    /// Their membership, present or past.
    pub membership: Option<Membership>,
}

impl Invitation {
    /// Whether somebody may come by it now: as long as it is neither over nor used up, and its maker is
    /// still an admin of the chat.
    pub fn is_good(&self, now: Timestamp) -> bool {
        let host = Relation::new(self.chat.kind, &self.host, self.membership.as_ref());
        self.invite.expires_at > now
            && self.invite.uses_left != Some(0)
            && host.can_govern().is_ok()
    }
}
