//! The messenger's JSON, as its document shows it, and the keys added to it.

mod hooks;
mod invites;
mod messages;

use serde::Serialize;

pub use hooks::*;
pub use invites::*;
pub use messages::*;

use crate::{
    json::schema::Describe,
    model::{
        Chat, ChatKind, ChatSettings, ChatSummary, Login, LoginId, MembershipStatus, MessageId,
        Notify, Person, PersonId, PersonName, Position, Role, Timestamp,
    },
};

/// The one word of a status that is told with a success.
pub const OK_WORDS: &[&str] = &["ok"];

/// `{"status": "ok"}`: the body of whatever succeeded.
#[derive(Debug, Describe, Serialize)]
pub struct StatusOk {
    #[schema(words = OK_WORDS)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageWire>,
}

impl StatusOk {
    /// The document's body, to the letter.
    pub const PLAIN: Self = Self {
        status: "ok",
        message: None,
    };

    /// The same with the message that was written.
    pub fn with(message: MessageWire) -> Self {
        Self {
            status: "ok",
            message: Some(message),
        }
    }
}

/// A person where others see them.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
pub struct PersonWire {
    id: i64,
    name: String,
}

impl From<&PersonName> for PersonWire {
    fn from(person: &PersonName) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
        }
    }
}

impl From<&Person> for PersonWire {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
        }
    }
}

/// A person who has another name or picture, or is gone.
#[derive(Debug, Describe, Serialize)]
pub struct ProfileWire {
    id: i64,
    name: String,
    photo: Option<String>,
    deleted_at: Option<String>,
}

impl From<&Person> for ProfileWire {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            deleted_at: person.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// A person as another one finds them.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "FoundPerson")]
pub struct FoundWire {
    id: i64,
    name: String,
    photo: Option<String>,
    online: Option<bool>,
    last_seen: Option<String>,
}

impl FoundWire {
    /// A person, with what the reader may know of when they were here.
    pub fn new(person: &Person, online: Option<bool>, last_seen: Option<Timestamp>) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            online,
            last_seen: last_seen.map(Timestamp::to_rfc3339),
        }
    }
}

/// People whose names begin as was asked.
#[derive(Debug, Describe, Serialize)]
pub struct People {
    /// By name.
    pub people: Vec<FoundWire>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Each person once.
pub fn people(people: impl Iterator<Item = PersonWire>) -> Vec<PersonWire> {
    let mut seen = std::collections::HashSet::new();
    people.filter(|person| seen.insert(person.id)).collect()
}

/// A chat in a list:
///
/// ```json
/// {"id": {id}, "last_message": {last_message}, "last_message_time": {last_message},
///  "sender_id": {sender_id}, "title": {title}}
/// ```
#[derive(Debug, Describe, Serialize)]
pub struct ChatListed {
    id: i64,
    last_message: Option<String>,
    last_message_time: Option<String>,
    sender_id: Option<i64>,
    title: Option<String>,
    description: Option<String>,
    unread: i64,
    unread_mentions: i64,
    first_unread: Option<i64>,
    last_position: i64,
    created_at: String,
    open: bool,
    direct: bool,
    person_id: Option<i64>,
    member: bool,
    #[schema(words = Role::WORDS)]
    role: Option<&'static str>,
    members_count: i64,
    #[schema(words = Notify::WORDS)]
    notify: Option<&'static str>,
    notify_chosen: bool,
    pinned: bool,
    muted_until: Option<String>,
}

impl From<&ChatSummary> for ChatListed {
    fn from(listed: &ChatSummary) -> Self {
        let ChatSummary {
            chat,
            membership,
            settings,
            other,
            last,
            unread,
            unread_mentions,
            first_unread,
        } = listed;
        let place = membership.filter(|place| place.standing == MembershipStatus::In);
        let last = last.as_ref();
        let settings = settings.as_ref().map(SettingsWire::from);
        Self {
            id: chat.id.get(),
            last_message: last.map(|(content, _, _)| content.clone()),
            last_message_time: last.map(|(_, at, _)| at.to_rfc3339()),
            sender_id: last.map(|(_, _, sender)| sender.id.get()),
            title: chat.title.clone(),
            description: chat.description.clone(),
            unread: *unread,
            unread_mentions: *unread_mentions,
            first_unread: first_unread.map(MessageId::get),
            last_position: chat.last_position.get(),
            created_at: chat.created_at.to_rfc3339(),
            open: chat.kind == ChatKind::Open,
            direct: chat.kind == ChatKind::Direct,
            person_id: other.map(PersonId::get),
            member: place.is_some(),
            role: place.map(|place| place.role.as_str()),
            members_count: chat.members,
            notify: settings.as_ref().map(|settings| settings.notify),
            notify_chosen: settings.as_ref().is_some_and(|it| it.notify_chosen),
            pinned: settings.as_ref().is_some_and(|settings| settings.pinned),
            muted_until: settings.and_then(|settings| settings.muted_until),
        }
    }
}

/// `{"chats": […]}`, with what pages and resumes.
#[derive(Debug, Describe, Serialize)]
pub struct Chats {
    /// Newest activity first.
    pub chats: Vec<ChatListed>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// The log's place before the page was read.
    pub cursor: String,
    /// Who sent the last messages.
    pub people: Vec<PersonWire>,
}

/// What I have set for a chat.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "ChatSettings")]
pub struct SettingsWire {
    #[schema(words = Notify::WORDS)]
    notify: &'static str,
    notify_chosen: bool,
    pinned: bool,
    muted_until: Option<String>,
}

impl From<&ChatSettings> for SettingsWire {
    fn from(settings: &ChatSettings) -> Self {
        Self {
            notify: settings.notify.as_str(),
            notify_chosen: settings.notify_chosen,
            pinned: settings.pinned,
            muted_until: settings.muted_until.map(Timestamp::to_rfc3339),
        }
    }
}

/// A member of a chat.
#[derive(Debug, Describe, Serialize)]
pub struct MemberWire {
    id: i64,
    name: String,
    photo: Option<String>,
    #[schema(words = Role::WORDS)]
    role: &'static str,
    joined_position: i64,
}

impl From<&(Person, Role, Position)> for MemberWire {
    fn from((person, role, joined): &(Person, Role, Position)) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            role: role.as_str(),
            joined_position: joined.get(),
        }
    }
}

/// `{"members": […]}`.
#[derive(Debug, Describe, Serialize)]
pub struct Members {
    /// Who came last is first.
    pub members: Vec<MemberWire>,
    /// Whether there are more, who came earlier.
    pub has_more: bool,
    /// The log's place before the page was read.
    pub cursor: String,
}

/// A chat in an event: nothing in it differs by reader.
#[derive(Debug, Describe, Serialize)]
pub struct ChatWire {
    id: i64,
    title: Option<String>,
    description: Option<String>,
    open: bool,
    direct: bool,
    members_count: i64,
    last_position: i64,
    created_at: String,
    deleted_at: Option<String>,
}

impl From<&Chat> for ChatWire {
    fn from(chat: &Chat) -> Self {
        Self {
            id: chat.id.get(),
            title: chat.title.clone(),
            description: chat.description.clone(),
            open: chat.kind == ChatKind::Open,
            direct: chat.kind == ChatKind::Direct,
            members_count: chat.members,
            last_position: chat.last_position.get(),
            created_at: chat.created_at.to_rfc3339(),
            deleted_at: chat.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// Who has set a reaction on a message.
#[derive(Debug, Describe, Serialize)]
pub struct Reactors {
    /// By their numbers.
    pub people: Vec<PersonWire>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Who I am.
#[derive(Debug, Describe, Serialize)]
pub struct Me {
    id: i64,
    name: String,
    email: Option<String>,
    photo: Option<String>,
    created_at: String,
}

impl From<&Person> for Me {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            email: person.email.clone(),
            photo: person.photo.clone(),
            created_at: person.created_at.to_rfc3339(),
        }
    }
}

/// Who I am here.
#[derive(Debug, Describe, Serialize)]
pub struct MeHere {
    /// Who I am.
    #[serde(flatten)]
    pub me: Me,
    /// Whether this server's page shows photos from elsewhere.
    pub external_photos: bool,
}

/// One of my logins.
#[derive(Debug, Describe, Serialize)]
pub struct LoginWire {
    id: i64,
    client: Option<String>,
    address: Option<String>,
    created_at: String,
    used_at: String,
    current: bool,
}

impl LoginWire {
    /// A login as its owner sees it who came with `current`.
    pub fn new(login: &Login, current: Option<LoginId>) -> Self {
        Self {
            id: login.id.get(),
            client: login.client.clone(),
            address: login.address.clone(),
            created_at: login.created_at.to_rfc3339(),
            used_at: login.used_at.to_rfc3339(),
            current: Some(login.id) == current,
        }
    }
}

/// My logins.
#[derive(Debug, Describe, Serialize)]
pub struct Logins {
    /// The last used first.
    pub logins: Vec<LoginWire>,
}
