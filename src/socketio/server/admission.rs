//! The middleware's decision about a client that asks to join a namespace.

use serde_json::Value;

use super::{id::SocketId, prepared::Prepared};

/// The client may join, as a new socket or as a recovered one.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    pub(super) pid: Option<String>,
    pub(super) recovered: Option<Recovered>,
}

/// What a recovered socket gets back.
#[derive(Debug, Clone)]
pub(super) struct Recovered {
    pub(super) id: SocketId,
    pub(super) missed: Vec<Prepared>,
}

impl Admission {
    /// As a new socket.
    pub fn new() -> Self {
        Self::default()
    }

    /// As a new socket that can be recovered: the client is told this private id (`pid`).
    pub fn recoverable(pid: impl Into<String>) -> Self {
        Self {
            pid: Some(pid.into()),
            recovered: None,
        }
    }

    /// As a recovered socket: it gets its former id, and the events that it has missed, which are sent
    /// right after the `CONNECT` packet. If another socket still has that id, its connection is closed.
    pub fn recovered(id: SocketId, pid: impl Into<String>, missed: Vec<Prepared>) -> Self {
        Self {
            pid: Some(pid.into()),
            recovered: Some(Recovered { id, missed }),
        }
    }
}

/// The client may not join. It gets a `CONNECT_ERROR` packet: its `connect_error` event.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectError {
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl ConnectError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
        }
    }

    /// Adds data, which clients see as the error's `data`.
    #[must_use]
    pub fn with_data(self, data: impl Into<Value>) -> Self {
        Self {
            data: Some(data.into()),
            ..self
        }
    }
}
