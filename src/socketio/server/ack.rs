//! Answers that clients owe us.

use std::{collections::HashMap, fmt};

use tokio::sync::oneshot;

use crate::{engine::SendError, packet::Args};

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckError {
    /// The client did not answer in time.
    Timeout,
    /// The client left first.
    Disconnected,
    /// The question was not sent.
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

/// The questions of one socket that are still open. It costs a word while there are none.
#[derive(Debug, Default)]
#[expect(
    clippy::box_collection,
    reason = "nearly every socket has none, for a word instead of six"
)]
pub(super) struct Open(Option<Box<HashMap<u64, oneshot::Sender<Args>>>>);

impl Open {
    pub(super) fn ask(&mut self, id: u64) -> oneshot::Receiver<Args> {
        let (answer, answered) = oneshot::channel();
        self.0.get_or_insert_default().insert(id, answer);
        answered
    }

    /// Gives an answer to whoever waits for it; an id that nobody asked with is ignored.
    pub(super) fn answer(&mut self, id: u64, args: Args) {
        if let Some(answer) = self.take(id) {
            // Whoever asked may have gone.
            let _ = answer.send(args);
        }
    }

    pub(super) fn take(&mut self, id: u64) -> Option<oneshot::Sender<Args>> {
        let open = self.0.as_mut()?;
        let answer = open.remove(&id);
        if open.is_empty() {
            self.0 = None;
        }
        answer
    }

    /// Gives up on all of them.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}
