//! The revisions of the protocol, its transports, and durations as milliseconds.

use std::time::Duration;

/// The revision of the Engine.IO protocol that a client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revision {
    /// `EIO=3`: socket.io-client 2.x. The client sends pings.
    V3,
    /// `EIO=4`: socket.io-client 3.x and 4.x. The server sends pings.
    V4,
}

/// How packets are transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling: held GETs and POSTs.
    Polling,
    /// A WebSocket.
    WebSocket,
}

/// A duration in the unit of deadlines.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
