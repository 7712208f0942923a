//! Incoming hooks in the messenger's JSON.

use serde::Serialize;

use super::OK_WORDS;
use crate::{
    json::schema::Describe,
    model::{HookId, IncomingHook, Timestamp},
};

/// A fresh hook: its address is told once.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "IssuedHook")]
pub struct IssuedHookWire {
    #[schema(words = OK_WORDS)]
    status: &'static str,
    id: i64,
    url: String,
}

impl IssuedHookWire {
    /// A hook with its secret.
    pub fn new(id: HookId, secret: &str) -> Self {
        Self {
            status: "ok",
            id: id.get(),
            url: format!("/hooks/{secret}"),
        }
    }
}

/// A hook as the admins of its chat see it.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "Hook")]
pub struct HookWire {
    id: i64,
    /// The person as whom it speaks.
    person_id: i64,
    name: String,
    created_by: i64,
    created_at: String,
    used_at: Option<String>,
}

impl From<&IncomingHook> for HookWire {
    fn from(hook: &IncomingHook) -> Self {
        Self {
            id: hook.id.get(),
            person_id: hook.person.id.get(),
            name: hook.person.name.to_string(),
            created_by: hook.created_by.get(),
            created_at: hook.created_at.to_rfc3339(),
            used_at: hook.used_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// `{"hooks": […]}`.
#[derive(Debug, Describe, Serialize)]
pub struct Hooks {
    /// The oldest first.
    pub hooks: Vec<HookWire>,
}
