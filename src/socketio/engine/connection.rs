//! The callbacks of a session.

use std::task::{Context, Poll};

use super::{packet::Message, reason::DisconnectReason};

/// The callbacks of a session. None of them may block.
pub trait Connection: Send + Sync + 'static {
    /// The client has sent a message. Messages arrive one at a time and in order.
    fn on_message(&self, message: Message<'_>);

    /// Whether the connection accepts another message. While it does not, nothing is read from the
    /// client.
    fn poll_ready(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// The outbox is empty again, after [`Session::send`](super::Session::send) had returned
    /// [`SendError::Full`](super::SendError::Full).
    fn on_drain(&self) {}

    /// The time has passed that was given to [`Session::set_timer`](super::Session::set_timer).
    fn on_timer(&self) {}

    /// The session is closed. This is the last call.
    fn on_close(&self, reason: DisconnectReason);
}
