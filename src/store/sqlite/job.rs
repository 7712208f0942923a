//! A piece of work that waits for SQLite's writer, and where its outcome is sent.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    store::{Tx, Work, Written, failure::failed},
};

/// A piece of work in a transaction.
pub(super) trait Job: Send {
    /// Runs it. What it did is to be undone after an error.
    fn run(&mut self, tx: &mut Tx) -> Result<(), &Error>;

    /// Sends the outcome.
    fn end(self: Box<Self>, end: &End);
}

/// What became of a transaction.
pub(super) enum End {
    Committed,
    /// Nothing of it is in the database.
    Undone(Error),
    /// It is not known whether it is in the database.
    Unknown(Error),
}

/// See the module.
pub(super) struct WorkJob<T, W, G> {
    pub(super) work: Option<W>,
    pub(super) outcome: Option<Result<T>>,
    /// When it is too late to begin.
    pub(super) until: Instant,
    pub(super) span: tracing::Span,
    pub(super) reply: oneshot::Sender<Written<T>>,
    /// Dropped when the work has ended.
    pub(super) guard: G,
}

impl<T, W, G> Job for WorkJob<T, W, G>
where
    T: Send,
    W: Work<T>,
    G: Send,
{
    fn run(&mut self, tx: &mut Tx) -> Result<(), &Error> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let _entered = self.span.enter();
        let outcome = if self.until <= Instant::now() {
            Err(failed(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("the transaction before took too long".to_owned()),
            )))
        } else {
            let ran = catch_unwind(AssertUnwindSafe(|| work(tx).now_or_never()));
            match ran {
                Ok(Some(outcome)) => outcome,
                Ok(None) => Err(Error::internal("work that waits for more than SQLite")),
                Err(_) => Err(Error::internal("a panic in a transaction")),
            }
        };
        let outcome = self.outcome.insert(outcome);
        outcome.as_ref().map(drop)
    }

    fn end(self: Box<Self>, end: &End) {
        let Self {
            work,
            outcome,
            reply,
            guard,
            ..
        } = *self;
        // The caller may rely on what it shares with the work being its own again.
        drop((work, guard));
        let written = match (outcome, end) {
            (Some(Ok(value)), End::Committed) => Written::Committed(value),
            (Some(Ok(value)), End::Unknown(error)) => Written::Unknown(value, error.duplicate()),
            (Some(Err(error)), _) => Written::Undone(error),
            (Some(Ok(_)) | None, End::Undone(error)) | (None, End::Unknown(error)) => {
                Written::Undone(error.duplicate())
            }
            (None, End::Committed) => Written::Undone(Error::internal("work that was not done")),
        };
        // The caller may have stopped waiting.
        drop(reply.send(written));
    }
}
