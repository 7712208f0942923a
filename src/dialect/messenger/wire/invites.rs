//! Invitations in the messenger's JSON.

use serde::Serialize;

use super::OK_WORDS;
use crate::{
    json::schema::Describe,
    model::{Invitation, Invite, Timestamp},
};

/// A fresh invitation: its code is told once.
#[derive(Debug, Describe, Serialize)]
pub struct IssuedInviteWire {
    #[schema(words = OK_WORDS)]
    status: &'static str,
    code: String,
    url: String,
    expires_at: String,
    uses_left: Option<i64>,
}

impl IssuedInviteWire {
    /// An invitation with its code, until when it is good and how many may come by it.
    pub fn new(code: &str, expires_at: Timestamp, uses: Option<i64>) -> Self {
        Self {
            status: "ok",
            code: code.to_owned(),
            url: format!("/invite/{code}"),
            expires_at: expires_at.to_rfc3339(),
            uses_left: uses,
        }
    }
}

/// An invitation as the admins of its chat see it.
#[derive(Debug, Describe, Serialize)]
pub struct InviteWire {
    id: i64,
    prefix: String,
    created_by: i64,
    created_at: String,
    expires_at: String,
    uses_left: Option<i64>,
}

impl From<&Invite> for InviteWire {
    fn from(invite: &Invite) -> Self {
        Self {
            id: invite.id.get(),
            prefix: invite.prefix.clone(),
            created_by: invite.created_by.get(),
            created_at: invite.created_at.to_rfc3339(),
            expires_at: invite.expires_at.to_rfc3339(),
            uses_left: invite.uses_left,
        }
    }
}

/// `{"invites": […]}`.
#[derive(Debug, Describe, Serialize)]
pub struct Invites {
    /// The latest first.
    pub invites: Vec<InviteWire>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// What one is invited to, and no more.
#[derive(Debug, Describe, Serialize)]
pub struct InvitationWire {
    title: Option<String>,
    members_count: i64,
    invited_by: String,
    expires_at: String,
}

impl From<&Invitation> for InvitationWire {
    fn from(invitation: &Invitation) -> Self {
        let Invitation {
            invite, chat, host, ..
        } = invitation;
        Self {
            title: chat.title.clone(),
            members_count: chat.members,
            invited_by: host.name.to_string(),
            expires_at: invite.expires_at.to_rfc3339(),
        }
    }
}
