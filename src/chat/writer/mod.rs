//! The writer: one task for each lane that makes every change to chats, many in one transaction.
//!
//! # Why
//! A durable commit costs a flush of the disk, about as much for one message as for five hundred.
//! So drafts wait in a bounded queue while the last batch is being written, and go together. A draft
//! that cannot be carried out fails alone: refusals are decided in Rust before anything is written,
//! and should the database refuse a batch, its drafts are tried again one by one.
//!
//! Everybody in a lane shares its one writer, so a batch is bounded by the rows it writes, and tenants and
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
mod task;

use std::{
    sync::{Arc, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{
        follower::Follower,
        lanes::Lanes,
        writer::{
            command::Command,
            fair::Capacity,
            queue::{NotTaken, Queue},
        },
    },
    error::{Error, Result},
    model::{Lane, Message},
    store::Store,
};

use draft::{ActionOutcome, Outcome, Placed};
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

/// How much the writer takes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most weight in one transaction, where a short message is one.
    pub batch: usize,
    /// The most drafts that wait.
    pub queue: usize,
}

/// Where drafts are handed in: each goes to the writer of its tenant's lane.
#[derive(Debug)]
pub(super) struct Writer(Arc<Shared>);

/// What the writers of all lanes share.
struct Shared {
    store: Store,
    lanes: Arc<Lanes>,
    /// Reads what other servers wrote.
    follower: Arc<Follower>,
    bounds: Bounds,
    observer: Arc<dyn Observer>,
    /// Those that were started, in the order of the lanes.
    writers: Box<[OnceLock<LaneWriter>]>,
    /// Cancelled when no more drafts are taken: nothing is then waited for that may never come.
    stop: CancellationToken,
    /// Cancelled when the server begins to stop.
    closing: CancellationToken,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The writer of one lane.
#[derive(Debug)]
struct LaneWriter {
    queue: Arc<Queue<Command>>,
    task: std::sync::Mutex<Option<JoinHandle<Result<()>>>>,
}

impl Shared {
    /// The writer of a lane, which is started for the first draft.
    fn of(self: &Arc<Self>, lane: Lane) -> &LaneWriter {
        let place = &self.writers[lane.index()];
        let mut is_new = false;
        let writer = place.get_or_init(|| {
            is_new = true;
            let queue = Arc::new(Queue::new(Capacity {
                batch: self.bounds.batch.max(1),
                queue: self.bounds.queue.max(1),
            }));
            let task = task::start(Arc::clone(self), lane, Arc::clone(&queue));
            LaneWriter {
                queue,
                task: std::sync::Mutex::new(Some(task)),
            }
        });
        // Who stops the server closes those that are there; this one may not have been.
        if is_new && self.stop.is_cancelled() {
            writer.queue.close();
        }
        writer
    }

    /// Those that were started.
    fn started(&self) -> impl Iterator<Item = &LaneWriter> {
        self.writers.iter().filter_map(OnceLock::get)
    }

    /// Queues a draft for the writer of its tenant's lane.
    fn push(self: &Arc<Self>, command: Command) {
        let log = self.lanes.of(command.tenant());
        let (origin, weight) = (command.origin(), command.weight(&log.hub));
        let queue = &self.of(log.lane).queue;
        if let Err((command, why)) = queue.push(origin, weight, command) {
            command.refuse(match why {
                NotTaken::Full => Error::unavailable(
                    "more messages are waiting to be written than this server takes, please try again",
                    Duration::from_secs(1),
                ),
                NotTaken::Closed => Error::shutting_down(),
            });
        }
    }
}

impl Writer {
    /// Starts the first lane's writer.
    pub(super) fn start(
        store: Store,
        (lanes, follower): (Arc<Lanes>, Arc<Follower>),
        bounds: Bounds,
        observer: Arc<dyn Observer>,
        closing: CancellationToken,
    ) -> Self {
        let shared = Arc::new(Shared {
            store,
            lanes,
            follower,
            bounds,
            observer,
            writers: (0..Lane::MOST).map(|_| OnceLock::new()).collect(),
            stop: CancellationToken::new(),
            closing,
        });
        shared.of(Lane::FIRST);
        Self(shared)
    }

    /// How many drafts wait.
    pub(super) fn waiting(&self) -> usize {
        let started = self.0.started();
        started.map(|writer| writer.queue.waiting()).sum()
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
        self.0.stop.cancel();
        let until = Instant::now() + DRAINING;
        let mut tasks = Vec::new();
        for writer in self.0.started() {
            writer.queue.close();
            let mut task = writer.task.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.extend(task.take());
        }
        let mut drained = Ok(());
        for mut task in tasks {
            let ended = match tokio::time::timeout_at(until, &mut task).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(error)) => Err(Error::internal(error)),
                Err(late) => {
                    task.abort();
                    Err(reply::unknown().because(late))
                }
            };
            drained = drained.and(ended);
        }
        drained
    }

    async fn submit<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        self.0.store.writes_work()?;
        let (reply, outcome) = reply::pair(Instant::now() + ANSWER_TIMEOUT);
        self.0.push(command(reply));
        let stopping = async {
            self.0.closing.cancelled().await;
            tokio::time::sleep(STOPPING_TIMEOUT).await;
        };
        tokio::select! {
            biased;
            outcome = outcome.recv() => outcome,
            () = stopping => Err(reply::unknown()),
        }
    }
}
