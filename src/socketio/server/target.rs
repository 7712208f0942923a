//! Which sockets of a namespace a broadcast is for.

use super::id::SocketId;

/// Which sockets of a namespace a broadcast is for.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    /// Sockets in any of these rooms; all sockets if there are none.
    pub(super) rooms: Vec<String>,
    /// Not those in any of these rooms.
    pub(super) except: Vec<String>,
    /// Not this socket: the one that sends the broadcast.
    pub(super) except_socket: Option<SocketId>,
}

/// Whether an event is dropped for sockets that cannot take it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volatile {
    No,
    Yes,
}
