//! What the worker of a socket has to do.

use super::event::Event;
use crate::engine::DisconnectReason;

/// One item in a socket's queue.
pub(super) enum Task {
    /// The client asks to join the namespace: run the middleware, then `on_connect`.
    Connect,
    /// Handle an event. The number is its size as it counts against the limit of pending events.
    Event(Event, usize),
    /// The outbox is empty again.
    Drain,
    /// The socket has left the namespace.
    Disconnect(DisconnectReason),
}
