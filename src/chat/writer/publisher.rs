//! Tells of committed batches, while the next batch is being written.
//!
//! # Why
//! To publish a batch to those who listen and to answer those who handed it in takes as long as to write it,
//! and neither needs the other: so a task of its own does it. Batches are told in the order of their
//! commits. Each is first appended to what readers of the log find, so that whoever is told "done" finds it; then
//! those are told who handed it in; then everybody who listens is woken, once for the batch.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Command, Outcome};
use crate::{error::Error, model::Change, pubsub::Hub};

/// How many batches wait to be told before the next one is not written yet.
const AHEAD: usize = 2;

/// A batch that is durable.
pub(super) struct Batch {
    /// What it changed, if the hub has not been told otherwise.
    pub(super) changes: Vec<Change>,
    pub(super) commands: Vec<Command>,
    /// One for each command.
    pub(super) outcomes: Vec<Outcome>,
}

enum Told {
    Batch(Batch),
    /// All batches before it are told.
    Flush(oneshot::Sender<()>),
}

/// The handle of the task, which ends when the handle is dropped and everything is told.
pub(super) struct Publisher {
    told: mpsc::Sender<Told>,
    task: JoinHandle<()>,
}

impl Publisher {
    pub(super) fn start(hub: Arc<Hub>) -> Self {
        let (told, mut batches) = mpsc::channel(AHEAD);
        let task = tokio::spawn(async move {
            while let Some(told) = batches.recv().await {
                match told {
                    Told::Batch(batch) => {
                        let unnotified = hub.begin_publish(batch.changes);
                        answer(batch.commands, batch.outcomes);
                        unnotified.notify();
                    }
                    // Who has stopped waiting is not missed.
                    Told::Flush(done) => drop(done.send(())),
                }
            }
        });
        Self { told, task }
    }

    /// Hands a batch over; waits while too many are not told yet.
    pub(super) async fn tell(&self, batch: Batch) {
        if let Err(lost) = self.told.send(Told::Batch(batch)).await
            && let Told::Batch(batch) = lost.0
        {
            for command in batch.commands {
                command.refuse(Error::internal("the task that publishes has ended"));
            }
        }
    }

    /// Returns once every batch is told.
    pub(super) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.told.send(Told::Flush(done)).await.is_ok() {
            drop(flushed.await);
        }
    }

    /// Tells what is left, and returns once that is done.
    pub(super) async fn close(self) {
        drop(self.told);
        if let Err(error) = self.task.await {
            tracing::error!(cause = %error, "The task that publishes failed.");
        }
    }
}

/// Tells everybody what became of their draft; who has stopped waiting is not missed.
fn answer(commands: Vec<Command>, outcomes: Vec<Outcome>) {
    for (command, outcome) in commands.into_iter().zip(outcomes) {
        match (command, outcome) {
            (Command::Send(draft, reply), Outcome::Sent(placed)) => {
                reply.send(placed.map(|placed| draft.at(placed)));
            }
            (Command::Create(_, reply), Outcome::Created(created)) => reply.send(created),
            (Command::Read(_, reply), Outcome::Read(read)) => reply.send(read),
            (Command::Action(_, reply), Outcome::Action(acted)) => reply.send(acted),
            (command, _) => command.refuse(Error::internal("an outcome of another kind")),
        }
    }
}
