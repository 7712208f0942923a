//! The options of the Socket.IO layer; those of the connections are the engine's.

use std::time::Duration;

/// What happens to a client whose outbox is full when another event is emitted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Its connection is closed. It may reconnect.
    #[default]
    Close,
    /// It does not get that event.
    Drop,
}

/// The options of the Socket.IO layer.
#[derive(Debug, Clone)]
pub(super) struct ServerOptions {
    /// How long a connection may exist without having joined a namespace.
    pub(super) connect_timeout: Duration,
    /// How long sockets and events are kept for recovery, if at all.
    pub(super) recovery: Option<Duration>,
    pub(super) overflow: Overflow,
    /// How many bytes of one connection's events may wait for handlers before reading pauses.
    pub(super) pending_bytes: usize,
}
