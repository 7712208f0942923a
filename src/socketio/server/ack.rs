//! Acknowledgements that clients owe the server.

use std::{collections::HashMap, fmt};

use tokio::sync::oneshot;

use crate::{engine::SendError, packet::Args};

/// Why there is no acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckError {
    /// The client did not acknowledge the event in time.
    Timeout,
    /// The client disconnected first.
    Disconnected,
    /// The event was not sent.
    SendError(SendError),
}

impl fmt::Display for AckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("the client did not answer in time"),
            Self::Disconnected => f.write_str("the client left before it answered"),
            Self::SendError(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for AckError {}

/// The acknowledgements that one socket waits for, by the id of the event.
#[derive(Debug, Default)]
#[expect(
    clippy::box_collection,
    reason = "most sockets have none: a pointer is smaller than an empty map"
)]
pub(super) struct PendingAcks(Option<Box<HashMap<u64, oneshot::Sender<Args>>>>);

impl PendingAcks {
    pub(super) fn register(&mut self, id: u64) -> oneshot::Receiver<Args> {
        let (sender, receiver) = oneshot::channel();
        self.0.get_or_insert_default().insert(id, sender);
        receiver
    }

    /// Hands an acknowledgement to the task that awaits it. An unknown id is ignored.
    pub(super) fn resolve(&mut self, id: u64, args: Args) {
        if let Some(sender) = self.remove(id) {
            // The task may have given up.
            let _ = sender.send(args);
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<oneshot::Sender<Args>> {
        let pending = self.0.as_mut()?;
        let sender = pending.remove(&id);
        if pending.is_empty() {
            self.0 = None;
        }
        sender
    }

    /// Ends all waits with [`AckError::Disconnected`].
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}
