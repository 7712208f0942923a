//! The writer: one task that makes every change to chats, many in one transaction.
//!
//! # Why
//! A durable commit costs a flush of the disk, about as much for one message as for five hundred.
//! So drafts wait in a bounded queue while the last batch is being written, and go together. A draft
//! that cannot be carried out fails alone: refusals are decided in Rust before anything is written,
//! and should the database refuse a batch, its drafts are tried again one by one.
//!
//! Everybody shares the one writer, so a batch is bounded by the rows it writes, and tenants and
//! people take turns, see `fair`.
//!
//! A separate task publishes what is committed (`publisher`), while the next batch is written. When the
//! writer cannot know whether a commit arrived, it waits until everything before is published, and reads the
//! log before it writes anything else.
//!
//! Every draft is answered within `ANSWER_TIMEOUT`, whatever the database does. After a failed write
//! new drafts are refused at once, and a probe finds out when writing works again.

mod actions;
mod command;
mod creations;
mod digest;
mod draft;
mod fair;
mod governing;
mod people;
mod plan;
mod publisher;
mod queue;
mod references;
mod reply;
mod sign_ups;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    chat::{
        follower::Follower,
        writer::{
            command::Command,
            fair::Capacity,
            queue::{NotTaken, Queue},
        },
    },
    error::{Error, Kind, Result},
    model::{Change, Clock, Message, Position},
    pubsub::Hub,
    store::{Store, Written},
};

use draft::{ActionOutcome, Outcome, Placed};
use publisher::{Batch, Publisher};
use reply::Reply;

pub use creations::{CreateKey, Created, Was};
pub(super) use creations::{creation_digest, replay};
pub(super) use draft::{
    ActionRequest, ChatAction, CreateDraft, Kept, PersonAction, PersonChanged, PersonEdit,
    PersonRequest, ReadDraft, Right, SendDraft, SignUpDraft, SignUpLogin, SignedUp,
};
pub use draft::{ChatEdit, Sent, SettingsEdit};
pub(super) use governing::no_invitation;

/// In chats of at most so many members a read mark is published to all of them, else to its reader alone.
pub const READS_SHOWN_UP_TO: i64 = 50;
/// How long what waits to be written may take when the server stops.
const DRAINING: Duration = Duration::from_secs(8);
/// How long to wait before the log is asked again, while the database is out of reach.
const PATIENCE: Duration = Duration::from_millis(200);
/// The longest that one attempt to ask the log may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(6);
/// The longest that a draft waits for its outcome.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// The longest that it waits once the server has begun to stop: less than the grace after which
/// connections are cut.
const STOPPING_TIMEOUT: Duration = Duration::from_millis(1500);
/// The most people that one chat is made with: they all come in one transaction.
pub const MOST_AT_ONCE: usize = 5_000;
/// The most invitations to one chat that are good at a time.
pub(super) const MOST_INVITES: i64 = 50;
/// The most people whom one act brings or takes: no more than others can wait for.
pub(super) const MOST_IN_ACT: usize = 64;

/// What the writer reports of each batch, for the metrics.
pub trait Observer: Send + Sync + 'static {
    /// A batch of `drafts` was committed, with `messages` new messages, in `took`.
    fn batch(&self, drafts: usize, messages: usize, took: Duration);
}

/// Where drafts are handed in.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue<Command>>,
    store: Store,
    hub: Arc<Hub>,
    task: std::sync::Mutex<Option<JoinHandle<Result<()>>>>,
    stop: CancellationToken,
    /// Cancelled when the server begins to stop.
    closing: CancellationToken,
}

/// How much the writer takes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most weight in one transaction, where a short message is one.
    pub batch: usize,
    /// The most drafts that wait.
    pub queue: usize,
}

impl Writer {
    /// Starts the writer's task.
    pub(super) fn start(
        store: Store,
        (hub, follower): (Arc<Hub>, Arc<Follower>),
        bounds: Bounds,
        observer: Arc<dyn Observer>,
        closing: CancellationToken,
    ) -> Self {
        let queue = Arc::new(Queue::new(Capacity {
            batch: bounds.batch.max(1),
            queue: bounds.queue.max(1),
        }));
        let stop = CancellationToken::new();
        let writer_task = WriterTask {
            store: store.clone(),
            publisher: Publisher::start(Arc::clone(&hub), Arc::clone(&follower)),
            queue: Arc::clone(&queue),
            hub: Arc::clone(&hub),
            clock: Clock,
            observer,
            follower,
            stop: stop.clone(),
        };
        let task = tokio::spawn(writer_task.run(Taken(Arc::clone(&queue))));
        Self {
            queue,
            store,
            hub,
            task: std::sync::Mutex::new(Some(task)),
            stop,
            closing,
        }
    }

    /// How many drafts wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Sends a message: durable and published once this returns.
    pub(super) async fn send(&self, draft: SendDraft) -> Result<Sent> {
        self.submit(|reply| Command::Send(draft, reply)).await
    }

    /// Moves a read mark forward.
    pub(super) async fn read(&self, draft: ReadDraft) -> Result<()> {
        self.submit(|reply| Command::Read(draft, reply)).await
    }

    /// Makes a chat, or finds the one that was made under the same key.
    pub(super) async fn create(&self, draft: CreateDraft) -> Result<Created> {
        if draft.members.len() > MOST_AT_ONCE {
            let sentence = format!("users must name at most {MOST_AT_ONCE}");
            return Err(Error::invalid_field("users", sentence));
        }
        self.submit(|reply| Command::Create(draft, reply)).await
    }

    /// Signs somebody up by an invitation.
    pub(super) async fn sign_up(&self, draft: SignUpDraft) -> Result<SignedUp> {
        self.submit(|reply| Command::SignUp(draft, reply)).await
    }

    /// Does something rare in a chat.
    pub(super) async fn act(&self, draft: ActionRequest) -> Result<()> {
        self.submit(|reply| Command::Action(draft, reply))
            .await
            .map(drop)
    }

    /// Changes or deletes a message, and returns it as it is now.
    pub(super) async fn rewrite(&self, draft: ActionRequest) -> Result<Message> {
        match self.submit(|reply| Command::Action(draft, reply)).await? {
            ActionOutcome::Message(message) => Ok(*message),
            ActionOutcome::Done => Err(Error::internal("a rewrite without a message")),
        }
    }

    /// Changes what is known of a person, or deletes them.
    pub(super) async fn change_person(&self, request: PersonRequest) -> Result<PersonChanged> {
        self.submit(|reply| Command::Person(request, reply)).await
    }

    /// Takes no more drafts, writes those that wait, and returns when all are answered; fails when the
    /// database did not answer for too long, and the outcome of the last drafts is unknown.
    pub(super) async fn drain(&self) -> Result<()> {
        self.stop.cancel();
        self.queue.close();
        let task = self
            .task
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let Some(mut task) = task else { return Ok(()) };
        match tokio::time::timeout(DRAINING, &mut task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(Error::internal(error)),
            Err(late) => {
                task.abort();
                Err(reply::unknown().because(late))
            }
        }
    }

    async fn submit<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        self.store.writes_work()?;
        let (reply, outcome) = reply::pair(Instant::now() + ANSWER_TIMEOUT);
        let command = command(reply);
        let (origin, weight) = (command.origin(), command.weight(&self.hub));
        let taken = self.queue.push(origin, weight, command);
        taken.map_err(|error| match error {
            NotTaken::Full => Error::unavailable(
                "more messages are waiting to be written than this server takes, please try again",
                Duration::from_secs(1),
            ),
            NotTaken::Closed => Error::shutting_down(),
        })?;
        let stopping = async {
            self.closing.cancelled().await;
            tokio::time::sleep(STOPPING_TIMEOUT).await;
        };
        tokio::select! {
            biased;
            outcome = outcome.recv() => outcome,
            () = stopping => Err(reply::unknown()),
        }
    }
}

/// What the writer's task works with.
struct WriterTask {
    store: Store,
    hub: Arc<Hub>,
    publisher: Publisher,
    /// Where more is taken from for a batch that had to wait for the log.
    queue: Arc<Queue<Command>>,
    clock: Clock,
    observer: Arc<dyn Observer>,
    /// Reads what other servers wrote.
    follower: Arc<Follower>,
    /// Cancelled when no more drafts are taken: nothing is then waited for that may never come.
    stop: CancellationToken,
}

/// What a batch does, decided and written.
struct Planned {
    /// Where the log ended before it.
    head: Position,
    outcomes: Vec<Outcome>,
    changes: Vec<Change>,
}

/// The queue as the writer's task has it: when the task ends, for whatever reason, what waits is dropped.
struct Taken(Arc<Queue<Command>>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl WriterTask {
    /// Writes until no more drafts come; an error means that the outcome of the last commit is unknown.
    async fn run(mut self, queue: Taken) -> Result<()> {
        let ended = self.write_all(&queue.0).await;
        self.publisher.close().await;
        ended
    }

    async fn write_all(&mut self, queue: &Queue<Command>) -> Result<()> {
        let mut number = 0_u64;
        loop {
            tokio::select! {
                biased;
                taken = queue.next() => {
                    let Some(commands) = taken else { return Ok(()) };
                    let began = Instant::now();
                    number += 1;
                    let span = tracing::error_span!("batch", number, size = commands.len());
                    self.process_batch(commands).instrument(span).await?;
                    queue.finished(began.elapsed());
                }
                () = self.store.probe_due(), if !self.stop.is_cancelled() => self.probe().await,
            }
        }
    }

    /// Finds out whether writing works again, unless the server stops meanwhile.
    async fn probe(&self) {
        let probed = async {
            self.take_up().await?;
            self.store.probe().await
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            probed = probed => {
                if let Err(error) = probed {
                    tracing::debug!(cause = ?error, "Still nothing can be written.");
                }
            }
        }
    }

    /// Takes up the log where another server of the database has taken over. What was published may not be in it: in
    /// another epoch everybody who listens begins anew.
    async fn take_up(&self) -> Result<()> {
        if let Some((epoch, head)) = self.store.take_up().await? {
            self.publisher.flush().await;
            self.hub.begin_epoch(epoch, head).notify();
        }
        Ok(())
    }

    /// Writes a batch and has its callers answered. After an error the outcome of a commit is unknown, and nothing
    /// may be written.
    async fn process_batch(&mut self, mut commands: Vec<Command>) -> Result<()> {
        commands.retain(|command| !command.is_overdue());
        if let Err(error) = self.store.writes_work() {
            refuse(commands, &error);
            return Ok(());
        }
        let queue = Some(Arc::clone(&self.queue));
        let (commands, error) = match self.try_commit(commands, queue).await? {
            Ok(()) => return Ok(()),
            Err(undone) => undone,
        };
        let count = commands.len();
        // While the database is out of reach one draft fares no better than many.
        if count == 1 || error.kind() == Kind::Unavailable {
            tracing::error!(kind = ?error.kind(), cause = ?error.cause(), "A batch could not be written.");
            refuse(commands, &error);
            return Ok(());
        }
        tracing::warn!(drafts = count, cause = ?error, "A batch failed: its drafts are tried one by one.");
        for command in commands {
            if let Err((commands, error)) = self.try_commit(vec![command], None).await? {
                refuse(commands, &error);
            }
        }
        Ok(())
    }

    /// Decides, writes, commits and queues for publishing, with what has come meanwhile to the queue, if that is given;
    /// returns the drafts of which nothing is in the log.
    async fn try_commit(
        &mut self,
        commands: Vec<Command>,
        queue: Option<Arc<Queue<Command>>>,
    ) -> Result<Result<(), (Vec<Command>, Error)>> {
        let began = std::time::Instant::now();
        let commands = Arc::new(Mutex::new(commands));
        let written = self.write(&commands, queue).await;
        // The work that shared them has ended, so this is the only reference.
        let commands = Arc::into_inner(commands).map(Mutex::into_inner);
        let commands = commands.unwrap_or_default();
        let (planned, is_published) = match written {
            Written::Committed(planned) => (planned, false),
            Written::Undone(error) => return Ok(Err((commands, error))),
            // Whatever becomes of this commit, a repeat finds things as they are.
            Written::Unknown(planned, error) if planned.changes.is_empty() => {
                self.follower.forget_own(planned.head);
                return Ok(Err((commands, error)));
            }
            Written::Unknown(planned, error) => {
                self.follower.forget_own(planned.head);
                if !self.settle(&planned.changes, &error).await? {
                    return Ok(Err((commands, error)));
                }
                (planned, true)
            }
        };
        let Planned {
            head: after,
            outcomes,
            changes,
        } = planned;
        let last = changes.last();
        self.store
            .note_head(last.map_or(after, |last| last.position));
        let messages = changes
            .iter()
            .filter(|c| matches!(c.what, crate::model::ChangeKind::Message(_)))
            .count();
        self.observer
            .batch(commands.len(), messages, began.elapsed());
        let batch = Batch {
            after,
            changes: if is_published { Vec::new() } else { changes },
            commands,
            outcomes,
        };
        self.publisher.publish(batch).await;
        Ok(Ok(()))
    }

    async fn write(
        &self,
        commands: &Arc<Mutex<Vec<Command>>>,
        queue: Option<Arc<Queue<Command>>>,
    ) -> Written<Planned> {
        let (commands, follower) = (Arc::clone(commands), Arc::clone(&self.follower));
        let clock = self.clock;
        let written = self.store.write_batch(move |tx| {
            Box::pin(async move {
                let head = tx.lock_log().await?;
                let mut commands = commands.try_lock().map_err(Error::internal)?;
                if let Some(queue) = queue {
                    // What came while another server had the log goes along: several servers flush as seldom as one.
                    commands.extend(queue.more());
                }
                let now = clock.now();
                let (outcomes, changes) = plan::process_batch(tx, &commands, head, now).await?;
                if let Some(last) = changes.last() {
                    follower.expect_own(head, last.position);
                }
                Ok(Planned {
                    head,
                    outcomes,
                    changes,
                })
            })
        });
        written.await
    }

    /// After a commit that was not confirmed, asks the log whether it happened. Until that is known
    /// nothing else is written: new drafts are refused, and the callers of this batch time out with an
    /// unknown outcome.
    async fn settle(&self, changes: &[Change], error: &Error) -> Result<bool> {
        tracing::warn!(cause = ?error, "A commit was not confirmed: the log is asked.");
        self.publisher.flush().await;
        let found = self.retry(|| self.look_behind_lock(changes)).await?;
        // Writing may work by now, as after a connection that broke, or not, as on a full disk.
        self.probe().await;
        Ok(found)
    }

    /// Whether the log holds these changes, once no transaction is under way; publishes what it holds.
    /// A commit whose answer was lost holds the log's lock until it ends: reading the log before that
    /// would miss it, and its drafts would be written twice.
    async fn look_behind_lock(&self, changes: &[Change]) -> Result<bool> {
        self.take_up().await?;
        let head = self
            .store
            .write_anyway(|tx| Box::pin(async move { tx.lock_log().await }))
            .await?;
        let before = changes
            .first()
            .map_or(self.hub.head(), |first| first.position.plus(-1));
        let most = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let logged = self.store.changes(before, most).await?;
        self.follower.catch_up(head).await?;
        let same = changes.iter().zip(&logged).all(|(a, b)| is_same(a, b));
        Ok(same && logged.len() == changes.len())
    }

    /// Asks until there is an answer, or the server stops, which leaves it unsettled. Meanwhile new drafts
    /// are refused.
    async fn retry<T, F>(&self, ask: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        loop {
            let asked = tokio::time::timeout(ASK_TIMEOUT, ask()).await;
            let error = match asked {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(late) => out_of_reach().because(late),
            };
            tracing::error!(cause = ?error, "The log cannot be read.");
            let error = self.store.note_failed_write(error);
            if self.stop.is_cancelled() {
                return Err(error);
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }
}

fn out_of_reach() -> Error {
    Error::unavailable(
        "the database is out of reach, please try again",
        Duration::from_secs(1),
    )
}

/// Whether a change read from the log is one that this process made. What it is about may have
/// changed since: a chat has more members, a person another name.
fn is_same(ours: &Change, logged: &Change) -> bool {
    ours.position == logged.position
        && ours.at == logged.at
        && ours.chat == logged.chat
        && ours.actor.id == logged.actor.id
        && std::mem::discriminant(&ours.what) == std::mem::discriminant(&logged.what)
}

/// Refuses drafts for one and the same reason.
fn refuse(commands: Vec<Command>, error: &Error) {
    for command in commands {
        command.refuse(error.duplicate());
    }
}
