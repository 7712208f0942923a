//! The answers that several operations give, or that no dialect has a type of. Others are written where they are given.

use serde::Serialize;
use serde_json::{Value, json};

use super::operation::{Answer, answer};
use crate::{
    dialect::{
        messenger::{
            events::{Event, SignalEvent},
            routes::administration,
            security_wire as security,
            wire::{self, MessageWire, PersonWire},
        },
        service, support,
    },
    json::schema::{Definitions, Describe, any_of},
    model::health::PartState,
    telemetry::Metrics,
};

/// New events, of a long-poll.
#[derive(Describe, Serialize)]
struct Events {
    events: Vec<AnyEvent>,
    /// Where to go on from.
    cursor: String,
    /// Whether to ask again at once.
    more: bool,
    /// After how many milliseconds to come back.
    retry_ms: u64,
    /// Who did what is told, in the messenger's shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<PersonWire>>,
    /// There where a newer wait of the same name took the place of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<bool>,
}

/// An event in the shape of the messenger or of another API.
#[derive(Serialize)]
struct AnyEvent(Value);

impl Describe for AnyEvent {
    fn schema(known: &mut Definitions) -> Value {
        let forms = [
            <Event<'_> as Describe>::schema(known),
            SignalEvent::schema(known),
            NamedEvent::schema(known),
        ];
        known.define(
            "AnyEvent",
            "any event",
            "An event in the shape of its API.",
            |_| any_of(forms),
        )
    }
}

/// An event of an API whose events have names.
#[derive(Describe, Serialize)]
struct NamedEvent {
    event: String,
    data: Value,
}

/// The reply to an event.
#[derive(Describe, Serialize)]
struct EventReply {
    event: String,
    data: Value,
    /// What else a socket would have been sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    emitted: Option<Vec<NamedEvent>>,
}

/// The new messages of a chat, of a long-poll.
#[derive(Describe, Serialize)]
struct NewMessages {
    messages: Vec<MessageWire>,
    /// Where to go on from.
    cursor: String,
    /// Whether to ask again at once.
    more: bool,
    /// After how many milliseconds to come back.
    retry_ms: u64,
    /// Who sent them.
    people: Vec<PersonWire>,
    /// There where a newer wait of the same name took the place of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<bool>,
}

/// A page of a chat's messages, or what is new there.
struct Messages;

impl Describe for Messages {
    fn schema(known: &mut Definitions) -> Value {
        any_of([wire::History::schema(known), NewMessages::schema(known)])
    }
}

/// How the server is.
#[derive(Describe, Serialize)]
struct Health {
    #[schema(words = wire::OK_WORDS)]
    status: String,
    /// Told by /health alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Told by /health alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<HealthParts>,
}

/// How each part is on which serving depends; none of them while the server starts or stops.
#[derive(Describe, Serialize)]
pub(super) struct HealthParts {
    /// Whether the database can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<HealthPart>,
    /// Whether the file of a SQLite database is where it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<HealthPart>,
    /// Whether the log is the one that clients were told of; it fails while another database server is being taken up.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<HealthPart>,
    /// Whether what is written arrives.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<HealthPart>,
    /// The connections for reading; where all are in use it is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<HealthPart>,
    /// Whether what other servers of a PostgreSQL say is heard; while it is not the server serves all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    bus: Option<HealthPart>,
}

/// How a part is.
#[derive(Describe, Serialize)]
struct HealthPart {
    #[schema(words = PartState::WORDS)]
    state: String,
    /// Since when this server has seen it so.
    since: String,
    /// What fails, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A room's members were changed.
#[derive(Describe, Serialize)]
struct Updated {
    #[schema(words = UPDATED_WORDS)]
    message: String,
}

const UPDATED_WORDS: &[&str] = &["updated"];

macro_rules! answers {
    ($($name:ident = $kind:ty, $example:literal;)+) => {$(
        pub(super) const $name: Answer = answer::<$kind>(200, $example);
    )+};
}

answers! {
    OK = Done, r#"{"status":"ok"}"#;
    ME = wire::MeHere, r#"{"id":1,"name":"ann","email":"ann@example.com","photo":null,"created_at":"2021-07-15T05:14:12.117Z","external_photos":true}"#;
    ATTEMPTS = security::Attempts, r#"{"attempts":[{"id":9,"outcome":"wrong_password","client":"curl/8.5.0","address":"192.0.2.1","time":"2021-07-15T05:14:12.117Z"}],"has_more":false}"#;
    RECOVERY_CODES = security::RecoveryCodes, r#"{"recovery_codes":["abcdef-ghijkl-mnopqr-stuvwx"]}"#;
    MESSAGES = Messages, r#"{"messages":[],"has_more":false,"cursor":"1.k3v9x1ab.4","people":[]}"#;
    SENT = wire::StatusOk, r#"{"status":"ok"}"#;
    EXPORT = Lines, "";
    EVENTS = Events, r#"{"events":[{"type":"read","position":5,"chat_id":7,"person_id":1,"up_to":4}],"cursor":"1.k3v9x1ab.5","more":false,"retry_ms":0,"people":[{"id":1,"name":"ann"}]}"#;
    EVENT_REPLY = EventReply, r#"{"event":"new-message","data":{"status":"ok"}}"#;
    LINK = administration::LinkWire, r#"{"status":"ok","url":"/account/#/password/6f1c…","expires_at":"2021-07-16T05:14:12.117Z"}"#;
    REGISTRATION = administration::RegistrationModeWire, r#"{"registration":"open"}"#;
    OWNER_DONE = support::wire::OwnerDone, r#"{"statusCode":200,"status":"success","data":"Owner registered"}"#;
    APP = service::wire::App, r#"{"id":3,"applicationId":"6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11","name":"shop","verifyUrl":null,"requireAuth":false,"authUserId":1,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null}"#;
    ACCOUNT = service::wire::Account, r#"{"token":"6f1c2a9e6c344b2e","firstName":"Ann","lastName":"Lee","email":"ann@example.com"}"#;
    IS_LIVE = bool, "true";
    USER = service::wire::User, r#"{"id":2,"appId":3,"firstName":"Ann","lastName":"Lee","middleName":null,"appUserId":7,"token":null,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null}"#;
    USERS = Vec<service::wire::User>, "[]";
    ROOM = service::wire::Room, r#"{"id":1,"appId":3,"room":"usr-1-2","extra":null,"createdAt":"2021-07-15T05:14:12.117Z","updatedAt":"2021-07-15T05:14:12.117Z","deletedAt":null,"users":[]}"#;
    UPDATED = Updated, r#"{"message":"updated"}"#;
    HEALTH = Health, r#"{"status":"ok"}"#;
    HEALTH_BY_PART = Health, r#"{"status":"ok","version":"0.0.0","parts":{"database":{"state":"ok","since":"2021-07-15T05:14:12.117Z"}}}"#;
}

/// A stream of server-sent events.
pub(super) const STREAM: Answer = answer::<Lines>(
    200,
    "id: 1.k3v9x1ab.5\nevent: read\ndata: {\"type\":\"read\"}\n\n",
)
.of("text/event-stream");
/// What a hook answers, as other servers do.
pub(super) const HOOK_SAID: Answer = answer::<Lines>(200, "ok").of("text/plain; charset=utf-8");
/// The figures of the server.
pub(super) const METRICS: Answer =
    answer::<Lines>(200, "parlance_requests_total 4\n# EOF\n").of(Metrics::MEDIA_TYPE);

/// `{"status":"ok"}`, and nothing beside it.
struct Done;

impl Describe for Done {
    fn schema(known: &mut Definitions) -> Value {
        known.define("Done", "done", "It was done.", |_| {
            json!({
                "type": "object",
                "properties": {"status": {"type": "string", "enum": wire::OK_WORDS}},
                "required": ["status"],
            })
        })
    }
}

/// Lines of text.
struct Lines;

impl Describe for Lines {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string"})
    }
}
