//! Publishes committed batches and answers their callers, while the next batch is being written.
//!
//! # Why
//! Publishing a batch to its subscribers and answering its callers takes as long as writing it, and the next
//! transaction depends on neither: so a separate task does it. Batches are published in the order of their
//! commits. Each is first appended to the topic logs, so that a caller that has an answer finds its change;
//! then its callers are answered; then its subscribers are woken, once for the batch. Where another server wrote before
//! it, that is read from the log first, while the next batch is being written.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Command, Outcome};
use crate::{
    chat::{
        follower::Follower,
        lanes::{LaneLog, Lanes},
    },
    error::Error,
    model::{Change, Lane, Position},
};

/// How many committed batches may wait to be published; then the writer waits.
const AHEAD: usize = 2;
/// How often what another server wrote is asked for before a batch is published without it: who listens then reads the
/// log.
const TRIES: u32 = 3;
/// The longest that one of these may take, and the time between them.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_millis(200);

/// A batch that is durable.
pub(super) struct Batch {
    /// Where the log ended before it.
    pub(super) after: Position,
    /// Its changes, unless the hub has read them from the log already.
    pub(super) changes: Vec<Change>,
    pub(super) commands: Vec<Command>,
    /// One for each command.
    pub(super) outcomes: Vec<Outcome>,
}

enum Order {
    Batch(Batch),
    /// Signals that every batch before it has been published.
    Flush(oneshot::Sender<()>),
}

/// The handle of the task, which ends once the handle is dropped and every batch is published.
pub(super) struct Publisher {
    sender: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl Publisher {
    pub(super) fn start(lanes: Arc<Lanes>, lane: Lane, follower: Arc<Follower>) -> Self {
        let (sender, mut orders) = mpsc::channel(AHEAD);
        let task = tokio::spawn(async move {
            let log = lanes.get(lane).unwrap_or_else(|| lanes.first());
            while let Some(order) = orders.recv().await {
                match order {
                    Order::Batch(mut batch) => {
                        // Also where it has no change: what it is answered with may be of another server.
                        read_before(log, &follower, batch.after).await;
                        follower.renamed().refresh(&mut batch.changes);
                        let unnotified = log.hub.begin_publish(batch.changes);
                        answer(batch.commands, batch.outcomes);
                        unnotified.notify();
                    }
                    // The writer may have stopped waiting.
                    Order::Flush(done) => drop(done.send(())),
                }
            }
        });
        Self { sender, task }
    }

    /// Queues a batch; waits while the queue is full.
    pub(super) async fn publish(&self, batch: Batch) {
        if let Err(lost) = self.sender.send(Order::Batch(batch)).await
            && let Order::Batch(batch) = lost.0
        {
            for command in batch.commands {
                command.refuse(Error::internal("the task that publishes has ended"));
            }
        }
    }

    /// Returns once every queued batch has been published.
    pub(super) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Order::Flush(done)).await.is_ok() {
            drop(flushed.await);
        }
    }

    /// Publishes what is queued, and ends the task.
    pub(super) async fn close(self) {
        drop(self.sender);
        if let Err(error) = self.task.await {
            tracing::error!(cause = %error, "The task that publishes failed.");
        }
    }
}

/// Has the hub publish what other servers wrote up to a position.
async fn read_before(log: &LaneLog, follower: &Follower, until: Position) {
    let mut tries = 0;
    while log.hub.head() < until && tries < TRIES {
        tries += 1;
        let read = tokio::time::timeout(ASK_TIMEOUT, follower.catch_up(log, until)).await;
        let cause = match read {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(late) => Error::internal(late),
        };
        tracing::warn!(?cause, "What another server wrote cannot be read.");
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Sends each command's outcome to its caller, which may have stopped waiting.
fn answer(commands: Vec<Command>, outcomes: Vec<Outcome>) {
    for (command, outcome) in commands.into_iter().zip(outcomes) {
        match (command, outcome) {
            (Command::Send(draft, reply), Outcome::Sent(placed)) => {
                reply.send(placed.map(|placed| draft.at(placed)));
            }
            (Command::Create(_, reply), Outcome::Created(created)) => reply.send(created),
            (Command::Read(_, reply), Outcome::Read(read)) => reply.send(read),
            (Command::Action(_, reply), Outcome::Action(acted)) => reply.send(acted),
            (Command::Person(_, reply), Outcome::Person(changed)) => reply.send(changed),
            (Command::SignUp(_, reply), Outcome::SignedUp(person)) => reply.send(person),
            (command, _) => command.refuse(Error::internal("an outcome of another kind")),
        }
    }
}
