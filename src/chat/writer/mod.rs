//! The writer: one task that makes every change to chats, many in one transaction.
//!
//! # Why
//! A durable commit costs a flush of the disk, about as much for one message as for five hundred.
//! So drafts wait in a bounded queue while the last batch is being written, and go together. A draft
//! that cannot be carried out fails alone: refusals are decided in Rust before anything is written,
//! and should the database refuse a batch, its drafts are tried again one by one.
//!
//! The writer publishes what it committed before it answers, so that whoever is told "done" finds
//! it. When it cannot know whether a commit arrived, it asks the log.

mod acts;
mod plan;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    error::{Error, Kind, Result},
    live::{Hub, relay},
    model::{
        Change, ChatId, ChatKind, ClientId, Clock, Content, Message, MessageId, MessageKind,
        Millis, Person, PersonId, Role, Seq, TenantId, Title,
    },
    store::Store,
};

/// Read marks are told to all members of chats of at most so many, else to their readers alone.
pub const READS_SHOWN_UP_TO: i64 = 50;
/// How long what waits to be written may take when the server stops.
const DRAINING: Duration = Duration::from_secs(20);
/// How long to wait before the log is asked again, while the database is out of reach.
const PATIENCE: Duration = Duration::from_millis(200);
/// About the most bytes of content that one transaction takes.
const BATCH_BYTES: usize = 4 << 20;

/// A message to send.
#[derive(Debug, Clone)]
pub struct SendDraft {
    /// Who sends it.
    pub actor: Arc<Person>,
    /// Where to.
    pub chat: ChatId,
    /// What its content is.
    pub kind: MessageKind,
    /// What it says.
    pub content: Content,
    /// What its sender calls it.
    pub client_id: Option<ClientId>,
}

/// A message that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub id: MessageId,
    /// Its number within the chat.
    pub seq: Seq,
    /// When it was sent.
    pub at: Millis,
    /// Whether it was there before, under the same client id.
    pub replayed: bool,
}

/// A read mark to move.
#[derive(Debug, Clone)]
pub struct ReadDraft {
    /// Who has read.
    pub actor: Arc<Person>,
    /// Where.
    pub chat: ChatId,
    /// The last message read.
    pub up_to: MessageId,
}

/// A chat to make.
#[derive(Debug, Clone)]
pub struct CreateDraft {
    /// Whose chat it is.
    pub tenant: TenantId,
    /// Who makes it.
    pub maker: Arc<Person>,
    /// The role with which the maker comes to be in it; none when it is made for others.
    pub joins_as: Option<Role>,
    /// Who finds it.
    pub kind: ChatKind,
    /// What it is called.
    pub title: Option<Title>,
    /// What the tenant's server calls it, unique in the tenant.
    pub room: Option<String>,
    /// What the tenant's server keeps with it, as JSON.
    pub extra: Option<String>,
    /// Where the guest comes from, at a desk.
    pub domain: Option<String>,
    /// Who else is in it from the start.
    pub members: Vec<PersonId>,
}

/// Something rare that somebody does in a chat.
#[derive(Debug, Clone)]
pub struct ActDraft {
    /// Who does it.
    pub actor: Arc<Person>,
    /// By what right.
    pub right: Right,
    /// Where.
    pub chat: ChatId,
    /// What.
    pub act: Act,
}

/// By what right somebody acts in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Their own place in the chat.
    Own,
    /// Their tenant's key: all of the tenant's chats are theirs.
    Tenant,
}

/// What somebody does in a chat.
#[derive(Debug, Clone)]
pub enum Act {
    /// Comes to be in an open chat.
    Join,
    /// Leaves.
    Leave,
    /// Makes others members.
    Add(Vec<PersonId>),
    /// Ends others' membership.
    Remove(Vec<PersonId>),
    /// Changes what a message of theirs says.
    Edit(MessageId, Content),
    /// Deletes a message of theirs.
    Delete(MessageId),
    /// Deletes the chat.
    DeleteChat,
    /// Ends a conversation at a desk, until the guest writes again: once under a key of the client's.
    Close(Option<ClientId>),
}

/// What came of an act.
#[derive(Debug, Clone)]
enum Acted {
    Done,
    Message(Box<Message>),
}

type Reply<T> = oneshot::Sender<Result<T>>;

/// A draft and who waits for its outcome.
#[derive(Debug)]
enum Job {
    Send(SendDraft, Reply<Sent>),
    Read(ReadDraft, Reply<()>),
    Create(CreateDraft, Reply<ChatId>),
    Act(ActDraft, Reply<Acted>),
}

impl Job {
    fn weight(&self) -> usize {
        match self {
            Self::Send(draft, _) => draft.content.as_str().len(),
            Self::Read(..) | Self::Create(..) | Self::Act(..) => 0,
        }
    }

    /// Whether it is done at most once under a key that has to be remembered.
    fn has_key(&self) -> bool {
        matches!(self, Self::Act(draft, _) if matches!(draft.act, Act::Close(Some(_))))
    }

    fn refuse(self, error: Error) {
        match self {
            Self::Send(_, reply) => drop(reply.send(Err(error))),
            Self::Create(_, reply) => drop(reply.send(Err(error))),
            Self::Read(_, reply) => drop(reply.send(Err(error))),
            Self::Act(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// What a job came to, before anybody is told.
enum Outcome {
    Sent(Result<Sent>),
    Created(Result<ChatId>),
    Read(Result<()>),
    Acted(Result<Acted>),
}

/// What the writer tells of each batch, for the metrics.
pub trait Observer: Send + Sync + 'static {
    /// A batch of `drafts` was committed, with `messages` new messages, in `took`.
    fn batch(&self, drafts: usize, messages: usize, took: Duration);
}

/// Where drafts are handed in.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
    stop: tokio_util::sync::CancellationToken,
    /// Whether the writer is waiting for the database to come back.
    away: Arc<AtomicBool>,
}

/// How much the writer takes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most drafts in one transaction.
    pub batch: usize,
    /// The most drafts that wait.
    pub queue: usize,
}

impl Writer {
    /// Starts the writer's task.
    pub fn start(store: Store, hub: Arc<Hub>, bounds: Bounds, observer: Arc<dyn Observer>) -> Self {
        let (queue, jobs) = mpsc::channel(bounds.queue.max(1));
        let stop = tokio_util::sync::CancellationToken::new();
        let away = Arc::new(AtomicBool::new(false));
        let desk = Desk {
            store,
            hub,
            clock: Clock,
            observer,
            batch: bounds.batch.max(1),
            away: Arc::clone(&away),
        };
        let task = tokio::spawn(desk.run(jobs, stop.clone()));
        Self {
            queue,
            task: std::sync::Mutex::new(Some(task)),
            stop,
            away,
        }
    }

    /// Sends a message: durable and published once this returns.
    pub async fn send(&self, draft: SendDraft) -> Result<Sent> {
        self.hand_in(|reply| Job::Send(draft, reply)).await
    }

    /// Moves a read mark forward.
    pub async fn read(&self, draft: ReadDraft) -> Result<()> {
        self.hand_in(|reply| Job::Read(draft, reply)).await
    }

    /// Makes a chat.
    pub async fn create(&self, draft: CreateDraft) -> Result<ChatId> {
        self.hand_in(|reply| Job::Create(draft, reply)).await
    }

    /// Does something rare in a chat.
    pub async fn act(&self, draft: ActDraft) -> Result<()> {
        self.hand_in(|reply| Job::Act(draft, reply)).await.map(drop)
    }

    /// Changes or deletes a message, and returns it as it is now.
    pub async fn rewrite(&self, draft: ActDraft) -> Result<Message> {
        match self.hand_in(|reply| Job::Act(draft, reply)).await? {
            Acted::Message(message) => Ok(*message),
            Acted::Done => Err(Error::internal("a rewrite without a message")),
        }
    }

    /// Takes no more drafts, writes those that wait, and returns when all are answered, or when the
    /// database has not answered for too long: who waits is then not told that all went well.
    pub async fn drain(&self) {
        self.stop.cancel();
        let task = self
            .task
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let Some(mut task) = task else { return };
        match tokio::time::timeout(DRAINING, &mut task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "The writer's task ended badly."),
            Err(_) => {
                tracing::error!(
                    "The database does not answer: what waits to be written is given up."
                );
                task.abort();
            }
        }
    }

    async fn hand_in<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Error::unavailable(
                "the database is out of reach, please try again",
                Duration::from_secs(1),
            ));
        }
        let (reply, outcome) = oneshot::channel();
        self.queue.try_send(job(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::unavailable(
                "more messages are waiting to be written than this server takes, please try again",
                Duration::from_secs(1),
            ),
            mpsc::error::TrySendError::Closed(_) => Error::shutting_down(),
        })?;
        outcome
            .await
            .unwrap_or_else(|_| Err(Error::shutting_down()))
    }
}

/// What the writer's task works with.
struct Desk {
    store: Store,
    hub: Arc<Hub>,
    clock: Clock,
    observer: Arc<dyn Observer>,
    batch: usize,
    away: Arc<AtomicBool>,
}

impl Desk {
    async fn run(self, mut jobs: mpsc::Receiver<Job>, stop: tokio_util::sync::CancellationToken) {
        let mut waiting = Vec::with_capacity(self.batch);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut waiting, self.batch) => {
                    if taken == 0 {
                        return;
                    }
                    while !waiting.is_empty() {
                        let batch = take_batch(&mut waiting);
                        self.carry_out(batch).await;
                    }
                }
            }
        }
    }

    /// Writes a batch and answers everybody in it.
    async fn carry_out(&self, jobs: Vec<Job>) {
        match self.attempt(&jobs).await {
            Ok(outcomes) => answer(jobs, outcomes),
            // While the database is out of reach one draft fares no better than many.
            Err(error) if jobs.len() == 1 || error.kind() == Kind::Unavailable => {
                for job in jobs {
                    job.refuse(again(&error));
                }
            }
            Err(error) => {
                tracing::warn!(drafts = jobs.len(), cause = ?error, "A batch failed: its drafts are tried one by one.");
                for job in jobs {
                    match self.attempt(std::slice::from_ref(&job)).await {
                        Ok(outcomes) => answer(vec![job], outcomes),
                        Err(error) => job.refuse(error),
                    }
                }
            }
        }
    }

    /// Decides, writes, commits and publishes. After an error nothing of it is in the log.
    async fn attempt(&self, jobs: &[Job]) -> Result<Vec<Outcome>> {
        let began = std::time::Instant::now();
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let head = tx.lock_log().await?;
        let (outcomes, changes) = plan::carry_out(&mut tx, jobs, head, now).await?;
        if changes.is_empty() {
            // What is noted of keys has to be kept all the same.
            if jobs.iter().any(Job::has_key) {
                tx.commit().await?;
            }
            return Ok(outcomes);
        }
        if let Err(error) = tx.commit().await {
            self.find_out(&changes, error).await?;
        } else if self.hub.head() == head {
            self.hub.publish(changes.iter().cloned());
        } else {
            // Another process wrote in between: the log has its changes as well as ours.
            self.catch_up().await;
        }
        let messages = changes
            .iter()
            .filter(|c| matches!(c.what, crate::model::What::Message(_)))
            .count();
        self.observer.batch(jobs.len(), messages, began.elapsed());
        Ok(outcomes)
    }

    /// After a commit that was not confirmed, asks the log whether it happened.
    async fn find_out(&self, changes: &[Change], error: Error) -> Result<()> {
        tracing::warn!(cause = ?error, "A commit was not confirmed: the log is asked.");
        self.outlast().await;
        let found = self.catch_up().await;
        let is_there = |change: &Change| found.iter().any(|other| is_same(change, other));
        if changes.iter().all(is_there) {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// Waits until the transaction before this one is over. A commit whose answer was lost may
    /// still be under way, and holds the log's lock until it has come to its end: to look before
    /// that is to miss it, and to write its drafts twice.
    async fn outlast(&self) {
        let lock = async || self.store.begin().await?.lock_log().await;
        while let Err(error) = lock().await {
            tracing::error!(cause = ?error, "The log cannot be locked.");
            tokio::time::sleep(PATIENCE).await;
        }
    }

    /// Publishes what the log holds, however long the database takes to answer.
    async fn catch_up(&self) -> Vec<Change> {
        self.insist(|| relay::catch_up(&self.store, &self.hub))
            .await
    }

    /// Asks until there is an answer. Meanwhile new drafts are refused instead of left to wait.
    async fn insist<T, F>(&self, ask: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T>>,
    {
        loop {
            match ask().await {
                Ok(answer) => {
                    self.away.store(false, Ordering::Relaxed);
                    return answer;
                }
                Err(error) => {
                    tracing::error!(cause = ?error, "The log cannot be read.");
                    self.away.store(true, Ordering::Relaxed);
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }
}

/// Whether a change that the log tells is one that this process made. What it is about may have
/// changed since: a chat has more members, a person another name.
fn is_same(ours: &Change, told: &Change) -> bool {
    ours.position == told.position
        && ours.at == told.at
        && ours.chat == told.chat
        && ours.actor.id == told.actor.id
        && std::mem::discriminant(&ours.what) == std::mem::discriminant(&told.what)
}

/// Takes as many of the waiting drafts as one transaction should hold.
fn take_batch(waiting: &mut Vec<Job>) -> Vec<Job> {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|job| {
        let first = bytes == 0;
        bytes += job.weight().max(1);
        first || bytes <= BATCH_BYTES
    });
    let count = fits.count();
    waiting.drain(..count).collect()
}

/// The same refusal for one more draft: an error cannot be cloned, its cause stays in the log.
fn again(error: &Error) -> Error {
    tracing::error!(kind = ?error.kind(), cause = ?error.cause(), "A draft could not be written.");
    match error.retry_after() {
        Some(wait) if error.kind() == Kind::Unavailable => {
            Error::unavailable(error.text().to_owned(), wait)
        }
        _ => Error::new(error.kind(), error.text().to_owned()),
    }
}

/// Tells everybody what became of their draft; who has stopped waiting is not missed.
fn answer(jobs: Vec<Job>, outcomes: Vec<Outcome>) {
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        match (job, outcome) {
            (Job::Send(_, reply), Outcome::Sent(sent)) => drop(reply.send(sent)),
            (Job::Create(_, reply), Outcome::Created(created)) => drop(reply.send(created)),
            (Job::Read(_, reply), Outcome::Read(read)) => drop(reply.send(read)),
            (Job::Act(_, reply), Outcome::Acted(acted)) => drop(reply.send(acted)),
            (job, _) => job.refuse(Error::internal("an outcome of another kind")),
        }
    }
}
