//! The JSON of administration: people, links and chats.

use serde::Serialize;

use crate::{
    chat::administration::{ChatDetails, ChatListing, IssuedLink},
    dialect::messenger::wire::OK_WORDS,
    json::schema::Describe,
    model::{Account, Chat, ChatKind, OneTimeLink, Person, Timestamp},
};

/// By which API somebody has an account.
const ACCOUNTS: &[&str] = &["messenger", "service"];
/// The kinds of a chat.
const KINDS: &[&str] = &["open", "private", "direct", "conversation"];

/// Somebody, where only who they are matters.
#[derive(Debug, Describe, Serialize)]
pub struct Somebody {
    pub(super) id: i64,
    pub(super) name: String,
}

impl From<&Person> for Somebody {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
        }
    }
}

/// A person of home.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminPerson")]
pub struct AccountWire {
    id: i64,
    name: String,
    email: Option<String>,
    #[schema(words = ACCOUNTS)]
    account: Option<&'static str>,
    has_password: bool,
    second_factor: bool,
    administrator: bool,
    created_at: String,
    deactivated_at: Option<String>,
    last_seen: Option<String>,
    logins: i64,
}

impl From<&Account> for AccountWire {
    fn from(account: &Account) -> Self {
        let person = &account.person;
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            email: person.email.clone(),
            account: account.key.as_deref().map(|key| {
                if key.starts_with("name/") {
                    "messenger"
                } else {
                    "service"
                }
            }),
            has_password: account.has_password,
            second_factor: account.has_second_factor,
            administrator: account.is_administrator,
            created_at: person.created_at.to_rfc3339(),
            deactivated_at: account.deactivated_at.map(Timestamp::to_rfc3339),
            last_seen: account.last_seen.map(Timestamp::to_rfc3339),
            logins: account.logins,
        }
    }
}

/// A page of people.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminPeople")]
pub struct People {
    pub(super) people: Vec<AccountWire>,
    pub(super) has_more: bool,
}

/// A link that was made just now: it is told once.
#[derive(Debug, Describe, Serialize)]
pub struct LinkWire {
    #[schema(words = OK_WORDS)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl LinkWire {
    /// An account that was made, and the link for its password.
    pub(super) fn account(id: i64, link: Option<&IssuedLink>) -> Self {
        Self {
            status: "ok",
            id: Some(id),
            url: link.map(password_url),
            expires_at: link.map(|link| link.expires_at.to_rfc3339()),
        }
    }

    /// A link for a new password.
    pub(super) fn password(link: &IssuedLink) -> Self {
        Self {
            id: None,
            ..Self::account(0, Some(link))
        }
    }

    /// An invitation.
    pub(super) fn invitation(link: &IssuedLink) -> Self {
        Self {
            url: Some(format!("/account/#/invited/{}", link.token.expose())),
            ..Self::password(link)
        }
    }
}

/// After the mark, which browsers send to no server and write in no log.
fn password_url(link: &IssuedLink) -> String {
    format!("/account/#/password/{}", link.token.expose())
}

/// An invitation that nobody has used.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminInvitation")]
pub struct InvitationWire {
    id: i64,
    made_by: Somebody,
    created_at: String,
    expires_at: String,
}

impl From<&OneTimeLink> for InvitationWire {
    fn from(link: &OneTimeLink) -> Self {
        let (id, name) = &link.made_by;
        Self {
            id: link.id,
            made_by: Somebody {
                id: id.get(),
                name: name.clone(),
            },
            created_at: link.created_at.to_rfc3339(),
            expires_at: link.expires_at.to_rfc3339(),
        }
    }
}

/// A page of invitations.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminInvitations")]
pub struct Invitations {
    pub(super) invitations: Vec<InvitationWire>,
    pub(super) has_more: bool,
}

/// Whose password a link sets.
#[derive(Debug, Describe, Serialize)]
pub struct LinkOwnerWire {
    pub(super) name: String,
    pub(super) expires_at: String,
}

/// A chat of home.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminChat")]
pub struct ChatWire {
    id: i64,
    title: Option<String>,
    #[schema(words = KINDS)]
    kind: &'static str,
    created_by: Somebody,
    created_at: String,
    members_count: i64,
    messages: i64,
    last_position: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberWire>>,
}

/// A member of a chat.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminMember")]
struct MemberWire {
    id: i64,
    name: String,
    role: String,
}

impl ChatWire {
    fn of(chat: &Chat, created_by: &Person) -> Self {
        Self {
            id: chat.id.get(),
            title: chat.title.clone(),
            kind: match chat.kind {
                ChatKind::Open => "open",
                ChatKind::Private => "private",
                ChatKind::Direct => "direct",
                ChatKind::Conversation => "conversation",
            },
            created_by: created_by.into(),
            created_at: chat.created_at.to_rfc3339(),
            members_count: chat.members,
            messages: chat.last_seq.get(),
            last_position: chat.last_position.get(),
            members: None,
        }
    }
}

impl From<&ChatListing> for ChatWire {
    fn from((chat, created_by): &ChatListing) -> Self {
        Self::of(chat, created_by)
    }
}

impl From<&ChatDetails> for ChatWire {
    fn from(details: &ChatDetails) -> Self {
        let members = details.members.iter().map(|(person, role)| MemberWire {
            id: person.id.get(),
            name: person.name.to_string(),
            role: role.clone(),
        });
        Self {
            members: Some(members.collect()),
            ..Self::of(&details.chat, &details.created_by)
        }
    }
}

/// A page of chats.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminChats")]
pub struct Chats {
    pub(super) chats: Vec<ChatWire>,
    pub(super) has_more: bool,
}
