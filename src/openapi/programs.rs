//! The fields of what programs use: webhooks, incoming hooks and tokens.

use super::{
    field::{Field, ID, Kind, TEXT, apart, optional, required},
    fields::NAME_TEXT,
};
use crate::model::{Scope, WebhookKind};

// Webhooks.
pub(super) const WEBHOOK_URL: Field = required(
    "url",
    Kind::Text(1, 2_048),
    "https://example.com/hook",
    "Where changes are sent by POST: https, or http where `verify_allow` lets this server go.",
);
pub(super) const NEW_WEBHOOK_URL: Field = Field {
    is_required: false,
    ..WEBHOOK_URL
};
pub(super) const WEBHOOK_KINDS: Field = optional(
    "kinds",
    Kind::SomeOf(WebhookKind::WORDS),
    r#"["message.created"]"#,
    "What it is told of; everything where nobody says.",
);
pub(super) const WEBHOOK_DIALECT: Field = optional(
    "dialect",
    Kind::Words(&["messenger", "embed", "support", "service"]),
    "messenger",
    "In which API's shape; that of this one where nobody says. What that API has no word for is not sent.",
);
pub(super) const REPLAY_POSITION: Field = required(
    "position",
    ID,
    "0",
    "Everything after it is sent once more.",
);

// Incoming hooks.
pub(super) const HOOK_NAME: Field = required(
    "name",
    NAME_TEXT,
    "Builds",
    "As whom it speaks: at home a name that nobody has.",
);
pub(super) const HOOK_TEXT: Field = optional("text", TEXT, "The build is green.", "What is said.");
pub(super) const HOOK_PAYLOAD: Field = apart(optional(
    "payload",
    TEXT,
    "",
    "Instead of `text`: a JSON object that has it.",
));

// Personal access tokens.
pub(super) const TOKEN_NAME: Field = required("name", NAME_TEXT, "my bot", "What you call it.");
pub(super) const TOKEN_SCOPES: Field = required(
    "scopes",
    Kind::SomeOf(Scope::WORDS),
    r#"["read", "write"]"#,
    "What it is good for.",
);
pub(super) const TOKEN_EXPIRES: Field = optional(
    "expires",
    Kind::Number(1, 31_622_400),
    "7776000",
    "For how many seconds it is good.",
);
