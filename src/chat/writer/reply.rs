//! How whoever handed in a draft hears of its outcome, or of none in time.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use crate::error::{Error, Result};

/// Where a draft's outcome is to be told.
#[derive(Debug)]
pub(super) struct Reply<T> {
    sender: oneshot::Sender<Result<T>>,
    until: Instant,
}

/// Where a draft's outcome is waited for.
#[derive(Debug)]
pub(super) struct Awaited<T> {
    receiver: oneshot::Receiver<Result<T>>,
    until: Instant,
}

/// The two ends; whoever waits gives up at `until`.
pub(super) fn pair<T>(until: Instant) -> (Reply<T>, Awaited<T>) {
    let (sender, receiver) = oneshot::channel();
    (Reply { sender, until }, Awaited { receiver, until })
}

impl<T> Reply<T> {
    /// Tells the outcome; who has stopped waiting is not missed.
    pub(super) fn send(self, outcome: Result<T>) {
        drop(self.sender.send(outcome));
    }

    /// Whether nobody waits any more because it took too long. (Whoever merely went away, as a
    /// connection does that says something and closes, still wants it done.)
    pub(super) fn is_overdue(&self) -> bool {
        self.until <= Instant::now()
    }
}

impl<T> Awaited<T> {
    /// The outcome, or that there is none in time.
    pub(super) async fn recv(self) -> Result<T> {
        match tokio::time::timeout_at(self.until, self.receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Error::shutting_down()),
            Err(late) => Err(unknown().because(late)),
        }
    }
}

/// The refusal of a draft of which nobody knows yet what became of it.
pub(super) fn unknown() -> Error {
    Error::unavailable(
        "the database does not answer, and it is not known whether this was written: please try again, \
         under the same key if it has one",
        Duration::from_secs(2),
    )
}
