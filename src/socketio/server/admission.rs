//! The answer to somebody who asks to be let into a namespace.

use serde_json::Value;

use super::{Prepared, SocketId};

/// How somebody is let in.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    pub(super) pid: Option<String>,
    pub(super) restored: Option<Restored>,
}

/// What somebody gets back who was here before.
#[derive(Debug, Clone)]
pub(super) struct Restored {
    pub(super) id: SocketId,
    pub(super) missed: Vec<Prepared>,
}

impl Admission {
    /// As somebody new.
    pub fn new() -> Self {
        Self::default()
    }

    /// As somebody new, who is told a private id (`pid`) to come back with.
    pub fn recoverable(pid: impl Into<String>) -> Self {
        Self {
            pid: Some(pid.into()),
            restored: None,
        }
    }

    /// As somebody who comes back: with the ids of before, and what they missed, which is sent before
    /// they are told that they are in. A socket that still has the id is closed.
    pub fn recovered(id: SocketId, pid: impl Into<String>, missed: Vec<Prepared>) -> Self {
        Self {
            pid: Some(pid.into()),
            restored: Some(Restored { id, missed }),
        }
    }
}

/// Why somebody is not let in: a message, and data if there is more to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Refusal {
    /// A refusal that clients see as an error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
        }
    }

    /// Says more: clients see it as the error's `data`.
    #[must_use]
    pub fn with_data(self, data: impl Into<Value>) -> Self {
        Self {
            data: Some(data.into()),
            ..self
        }
    }
}
