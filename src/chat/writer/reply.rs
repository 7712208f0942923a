//! How a caller receives the outcome of its draft, or a timeout.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use crate::error::{Error, Result};

/// The writer's end: sends a draft's outcome.
#[derive(Debug)]
pub(super) struct Reply<T> {
    sender: oneshot::Sender<Result<T>>,
    until: Instant,
}

/// The caller's end: waits for a draft's outcome.
#[derive(Debug)]
pub(super) struct Awaited<T> {
    receiver: oneshot::Receiver<Result<T>>,
    until: Instant,
}

/// The two ends; the caller gives up at `until`.
pub(super) fn pair<T>(until: Instant) -> (Reply<T>, Awaited<T>) {
    let (sender, receiver) = oneshot::channel();
    (Reply { sender, until }, Awaited { receiver, until })
}

impl<T> Reply<T> {
    /// Sends the outcome; the caller may have stopped waiting.
    pub(super) fn send(self, outcome: Result<T>) {
        drop(self.sender.send(outcome));
    }

    /// Whether the caller has timed out. (A caller that merely went away, such as a connection that sent
    /// something and closed, still wants it done.)
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

/// The error of a draft whose outcome is not known yet.
pub(super) fn unknown() -> Error {
    Error::unavailable(
        "the database does not answer, and it is not known whether this was written: please try again, \
         under the same key if it has one",
        Duration::from_secs(2),
    )
}
