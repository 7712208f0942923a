//! The embed dialect's JSON, as its document shows it, and the keys added to it.

use serde::Serialize;

use crate::{
    dialect::{ErrorCode, Failed, Okay},
    error::Error,
    json::schema::Describe,
    model::{Chat, ChatId, Message, MessageId, MessageKind, Person, PersonId, Timestamp},
};

/// A user:
///
/// ```js
/// user: { external_id: 'external_id', id: 'user-id', created_at: 'DATETIME', modified_at: 'DATETIME' }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[schema(name = "EmbedUser")]
pub struct User {
    id: String,
    _id: String,
    external_id: Option<String>,
    name: String,
    photo: Option<String>,
    created_at: String,
    modified_at: String,
    updated_at: String,
}

impl From<&Person> for User {
    fn from(person: &Person) -> Self {
        let modified = person.updated_at.to_rfc3339();
        Self {
            id: person.id.to_string(),
            _id: person.id.to_string(),
            external_id: person.external_id.clone(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            created_at: person.created_at.to_rfc3339(),
            modified_at: modified.clone(),
            updated_at: modified,
        }
    }
}

/// A chat:
///
/// ```js
/// chat: { id: 'user-id', name: 'chat-name', users: ['user-id'], created_at: 'DATETIME', modified_at: 'DATETIME' }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[schema(name = "EmbedChat")]
pub struct ChatWire {
    id: String,
    _id: String,
    name: String,
    users: Vec<String>,
    created_at: String,
    modified_at: String,
    updated_at: String,
}

impl ChatWire {
    /// A chat with the people in it.
    pub fn new(chat: &Chat, users: &[PersonId]) -> Self {
        let modified = chat.updated_at.to_rfc3339();
        Self {
            id: chat.id.to_string(),
            _id: chat.id.to_string(),
            name: name_of(chat),
            users: users.iter().map(PersonId::to_string).collect(),
            created_at: chat.created_at.to_rfc3339(),
            modified_at: modified.clone(),
            updated_at: modified,
        }
    }
}

/// What a chat is called here; chats of other dialects need not have a title.
fn name_of(chat: &Chat) -> String {
    let named = chat.title.clone().or_else(|| chat.room.clone());
    named.unwrap_or_else(|| format!("chat-{}", chat.id))
}

/// A message:
///
/// ```js
/// { id: 'message-id', msg: 'chat-name', type: 'text', user_id: 'user-id', created_at: 'DATETIME',
///   modified_at: 'DATETIME' }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[schema(name = "EmbedMessage")]
pub struct MessageWire {
    id: String,
    _id: String,
    msg: String,
    #[schema(words = MessageKind::WORDS)]
    r#type: &'static str,
    user_id: String,
    chat_id: String,
    created_at: String,
    modified_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

impl From<&Message> for MessageWire {
    fn from(message: &Message) -> Self {
        let modified = message.edited_at.unwrap_or(message.at).to_rfc3339();
        Self {
            id: message.id.to_string(),
            _id: message.id.to_string(),
            msg: message.content.clone(),
            r#type: message.kind.as_str(),
            user_id: message.sender.to_string(),
            chat_id: message.chat.to_string(),
            created_at: message.at.to_rfc3339(),
            modified_at: modified.clone(),
            updated_at: modified,
            client_id: message.client_id.clone(),
        }
    }
}

/// Something that is named by its id alone.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[schema(name = "EmbedId")]
pub struct Named {
    id: String,
}

impl From<ChatId> for Named {
    fn from(id: ChatId) -> Self {
        Self { id: id.to_string() }
    }
}

impl From<PersonId> for Named {
    fn from(id: PersonId) -> Self {
        Self { id: id.to_string() }
    }
}

impl From<MessageId> for Named {
    fn from(id: MessageId) -> Self {
        Self { id: id.to_string() }
    }
}

/// A message that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[schema(name = "EmbedDeleted")]
pub struct Deleted {
    id: String,
    user_id: String,
    deleted_at: Option<String>,
}

impl From<&Message> for Deleted {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id.to_string(),
            user_id: message.sender.to_string(),
            deleted_at: message.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// A user, found, made or described anew.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedUserAnswer")]
pub struct UserTold {
    pub(super) status: Okay,
    pub(super) user: User,
}

/// A chat that was made.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedChatAnswer")]
pub struct ChatTold {
    pub(super) status: Okay,
    pub(super) chat: ChatWire,
}

/// Chats, those with the newest activity first.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedChats")]
pub struct ChatsTold {
    pub(super) status: Okay,
    pub(super) chats: Vec<ChatWire>,
    /// Whether there are more: ask again with `before`.
    pub(super) has_more: bool,
}

/// Messages, ascending.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedMessages")]
pub struct MessagesTold {
    pub(super) status: Okay,
    pub(super) messages: Vec<MessageWire>,
    /// Whether there are older ones: ask again with `before`.
    pub(super) has_more: bool,
}

/// A message that was sent.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedNewMessage")]
pub struct MessageTold {
    status: Okay,
    #[serde(flatten)]
    message: MessageWire,
}

impl From<&Message> for MessageTold {
    fn from(message: &Message) -> Self {
        Self {
            status: Okay,
            message: message.into(),
        }
    }
}

/// Somebody types, or has stopped.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedTyping")]
pub struct TypingTold {
    pub(super) status: Okay,
    pub(super) chat: Named,
    pub(super) user: User,
    pub(super) typing: bool,
}

/// Somebody has read up to a message; none where the chat has none.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedSeen")]
pub struct SeenTold {
    pub(super) status: Okay,
    pub(super) chat: Named,
    pub(super) user: User,
    pub(super) message: Option<Named>,
}

/// Somebody has changed a message.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedEdited")]
pub struct EditedTold {
    pub(super) status: Okay,
    pub(super) chat: Named,
    pub(super) user: User,
    pub(super) message: MessageWire,
}

/// Somebody has deleted a message.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedMessageDeleted")]
pub struct DeletedTold {
    pub(super) status: Okay,
    pub(super) chat: Named,
    pub(super) user: User,
    pub(super) message: Deleted,
}

/// Users came into a chat, or left it.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedMembers")]
pub struct MembersTold {
    pub(super) status: Okay,
    pub(super) chat: Named,
    pub(super) user: User,
    /// Their ids.
    pub(super) users: Vec<String>,
}

/// A refusal or a failure.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedFailure")]
pub struct Failure {
    status: Failed,
    error: [Sentence; 1],
    /// A word for programs.
    #[schema(with = ErrorCode)]
    code: &'static str,
    /// After how many seconds another try can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// A sentence for people.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "EmbedSentence")]
struct Sentence {
    message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            status: Failed,
            error: [Sentence {
                message: error.text().to_owned(),
            }],
            code: error.kind().code(),
            retry_after: error.retry_seconds(),
        }
    }
}
