//! Chats in the messenger's JSON, and what somebody has set for one.

use serde::Serialize;

use super::PersonWire;
use crate::{
    json::schema::Describe,
    model::{
        Chat, ChatKind, ChatSettings, ChatSummary, MembershipStatus, MessageId, Notify, PersonId,
        Role, Timestamp,
    },
};

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
