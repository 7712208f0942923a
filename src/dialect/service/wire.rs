//! The service dialect's JSON, as its document shows it, and the keys added to it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::{Value, json};

use crate::dialect::{ErrorCode, Failed, Okay, page};
use crate::error::{Error, Kind};
use crate::json::schema::{Definitions, Describe};
use crate::model::{Chat, Message, Person, Tenant, Timestamp};

/// What a client is told who wants to join what is not theirs.
pub const BAD_ROOM: &str = "Invalid room name";

/// An app.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    id: i64,
    application_id: String,
    name: String,
    verify_url: Option<String>,
    require_auth: bool,
    auth_user_id: Option<i64>,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl App {
    /// The app's number.
    pub fn id(&self) -> i64 {
        self.id
    }
}

impl From<&Tenant> for App {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.get(),
            application_id: tenant.application_id.clone(),
            name: tenant.name.clone(),
            verify_url: tenant.verify_url.clone(),
            require_auth: tenant.require_auth,
            auth_user_id: tenant.owner.map(crate::model::PersonId::get),
            created_at: tenant.created_at.to_rfc3339(),
            updated_at: tenant.updated_at.to_rfc3339(),
            deleted_at: tenant.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// Who signed in to register apps, with their token.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    token: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

impl Account {
    /// An account with its fresh token.
    pub fn new(person: &Person, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            first_name: person.names.first.clone(),
            last_name: person.names.last.clone(),
            email: person.email.clone(),
        }
    }
}

/// A user of an app:
///
/// ```json
/// {"id": 2, "firstName": "use-1", "appUserId": 2, "lastName": "usr-1", "middleName": null,
///  "token": "xyzbhgdkfjke", "createdAt": "2021-07-15T05:14:12.117Z",
///  "updatedAt": "2021-07-15T05:14:12.117Z", "deletedAt": null}
/// ```
///
/// The token is told only to who has just set it: its hash alone is kept.
#[derive(Debug, Clone, PartialEq, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    id: i64,
    app_id: i64,
    first_name: Option<String>,
    last_name: Option<String>,
    middle_name: Option<String>,
    #[schema(with = OwnId)]
    app_user_id: Value,
    token: Option<String>,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl From<&Person> for User {
    fn from(person: &Person) -> Self {
        // A person of another dialect has one name only.
        let first = person.names.first.clone();
        Self {
            id: person.id.get(),
            app_id: person.tenant.get(),
            first_name: first.or_else(|| Some(person.name.to_string())),
            last_name: person.names.last.clone(),
            middle_name: person.names.middle.clone(),
            app_user_id: own_id(person.external_id.as_deref()),
            token: None,
            created_at: person.created_at.to_rfc3339(),
            updated_at: person.updated_at.to_rfc3339(),
            deleted_at: person.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl User {
    /// The user's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The same with the token that was just set.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }
}

/// The schema of an app's own id of its user; somebody of another dialect has none.
struct OwnId;

impl Describe for OwnId {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": ["string", "integer", "null"]})
    }
}

/// An app's own id of its user: a number where it is one, for the document shows one.
fn own_id(id: Option<&str>) -> Value {
    let Some(id) = id else {
        return Value::Null;
    };
    match id.parse::<u32>() {
        Ok(number) if number.to_string() == id => number.into(),
        Ok(_) | Err(_) => id.into(),
    }
}

/// A room, with the users in it where they are told.
#[derive(Debug, Clone, PartialEq, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    id: i64,
    app_id: i64,
    room: String,
    extra: Value,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<User>>,
    /// There are more users than one page has room for; the document of this API's first server knows no such key, so it is
    /// there only then.
    #[serde(skip_serializing_if = "std::ops::Not::not", rename = "has_more")]
    has_more: bool,
}

impl Room {
    /// The room's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// A chat under the name it has here.
    pub fn new(chat: &Chat, name: String) -> Self {
        let extra = chat.extra.as_deref();
        Self {
            id: chat.id.get(),
            app_id: chat.tenant.get(),
            room: name,
            extra: extra
                .and_then(|extra| serde_json::from_str(extra).ok())
                .unwrap_or_default(),
            created_at: chat.created_at.to_rfc3339(),
            updated_at: chat.updated_at.to_rfc3339(),
            deleted_at: chat.deleted_at.map(Timestamp::to_rfc3339),
            users: None,
            has_more: false,
        }
    }

    /// The same with the users in it, as many as one page has room for.
    #[must_use]
    pub fn with_users(mut self, people: &[Person]) -> Self {
        let (users, more) = page::fitting(people.iter().map(User::from));
        self.users = Some(users);
        self.has_more = more;
        self
    }
}

/// A message, in base64:
///
/// ```json
/// {"id": 4, "roomId": 1, "message": "aGVsbG8gc3VtaXQ=", "userId": 2,
///  "updatedAt": "2021-07-17T12:25:59.456Z", "createdAt": "2021-07-17T12:25:59.456Z",
///  "deletedAt": null}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
#[schema(name = "ServiceMessage")]
pub struct MessageWire {
    id: i64,
    room_id: i64,
    /// The text in base64; empty where it was deleted.
    message: String,
    user_id: i64,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "client_id")]
    client_id: Option<String>,
}

impl From<&Message> for MessageWire {
    fn from(message: &Message) -> Self {
        let changed = message.deleted_at.or(message.edited_at);
        Self {
            id: message.id.get(),
            room_id: message.chat.get(),
            message: BASE64_STANDARD.encode(&message.content),
            user_id: message.sender.get(),
            created_at: message.at.to_rfc3339(),
            updated_at: changed.unwrap_or(message.at).to_rfc3339(),
            deleted_at: message.deleted_at.map(Timestamp::to_rfc3339),
            client_id: message.client_id.clone(),
        }
    }
}

/// A message in a list.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedMessage {
    id: i64,
    /// The text in base64.
    message: String,
    user_id: i64,
    created_at: String,
    updated_at: String,
}

impl From<&Message> for ListedMessage {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id.get(),
            message: BASE64_STANDARD.encode(&message.content),
            user_id: message.sender.get(),
            created_at: message.at.to_rfc3339(),
            updated_at: message.edited_at.unwrap_or(message.at).to_rfc3339(),
        }
    }
}

/// Who is present in a room.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
pub struct RoomData {
    /// The room's name.
    pub room: String,
    /// The connections in it.
    pub users: Vec<Present>,
    /// There are more than one page has room for; it is said only then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_more: bool,
}

/// A connection in a room:
///
/// ```json
/// {"appId": 1, "room": "usr-1-2", "roomId": 1, "sender": 2, "id": "ZhwmPqfR7Ydk13yvAAAB"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Present {
    /// The app.
    pub app_id: i64,
    /// The room's name.
    pub room: String,
    /// The room's number.
    pub room_id: i64,
    /// Whose connection it is.
    pub sender: i64,
    /// What others may know it by.
    pub id: String,
}

/// Somebody types, or has stopped.
#[derive(Debug, Describe, Serialize)]
pub struct IsTyping {
    /// Who.
    pub(super) data: User,
    /// What they have sent.
    pub(super) typing: Value,
}

/// It was done.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "ServiceDone")]
pub struct Done {
    pub(super) status: Okay,
}

/// A refusal or a failure of an event.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "ServiceEventFailure")]
pub struct Failure {
    status: Failed,
    /// The sentence that `err` tells.
    pub(super) message: String,
    /// A word for programs.
    #[schema(with = ErrorCode)]
    code: &'static str,
    /// After how many seconds another try can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let text = match error.kind() {
            Kind::NotFound => BAD_ROOM,
            _ => error.text(),
        };
        Self {
            status: Failed,
            message: text.to_owned(),
            code: error.kind().code(),
            retry_after: error.retry_seconds(),
        }
    }
}
