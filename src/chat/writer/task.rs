//! The task that writes one lane.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::JoinHandle, time::Instant};
use tracing::Instrument;

use super::{
    Shared,
    command::Command,
    draft::Outcome,
    plan,
    publisher::{Batch, Publisher},
    queue::Queue,
};
use crate::{
    chat::lanes::{LaneLog, Lanes},
    error::{Error, Kind, Result},
    model::{Change, Clock, Lane, Position},
    pubsub::Hub,
    store::{Written, batch::Locked},
};

/// How long to wait before the log is asked again, while the database is out of reach.
const PATIENCE: Duration = Duration::from_millis(200);
/// The longest that one attempt to ask the log may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(6);
/// How often a batch is written anew, by one who knows who is in the lane and is not stopped meanwhile, before its drafts are
/// refused.
const TRIES: u32 = 3;

/// What a writer's task works with.
struct WriterTask {
    shared: Arc<Shared>,
    lane: Lane,
    hub: Arc<Hub>,
    publisher: Publisher,
    /// Where more is taken from for a batch that had to wait for the log.
    queue: Arc<Queue<Command>>,
    clock: Clock,
}

/// Starts the task of a lane's writer.
pub(super) fn start(
    shared: Arc<Shared>,
    lane: Lane,
    queue: Arc<Queue<Command>>,
) -> JoinHandle<Result<()>> {
    let (lanes, follower) = (Arc::clone(&shared.lanes), Arc::clone(&shared.follower));
    let log = lanes.get(lane).unwrap_or_else(|| lanes.first());
    let hub = Arc::clone(&log.hub);
    let task = WriterTask {
        lane: log.lane,
        publisher: Publisher::start(Arc::clone(&lanes), log.lane, follower),
        queue: Arc::clone(&queue),
        hub,
        clock: Clock,
        shared,
    };
    tokio::spawn(task.run(Taken(queue)))
}

/// What a batch does, decided and written.
struct Planned {
    /// Where the log ended before it.
    head: Position,
    /// Whether tenants have come or gone since it was last read who is in the lane: then nothing was decided.
    is_stale: bool,
    outcomes: Vec<Outcome>,
    changes: Vec<Change>,
}

/// Takes out the drafts whose tenants are not in this lane: they have moved.
fn part(drafts: &mut Vec<Command>, lanes: &Lanes, lane: Lane) -> Vec<Command> {
    if !lanes.are_several() {
        return Vec::new();
    }
    let is_elsewhere = |command: &mut Command| lanes.lane_of(command.tenant()) != lane;
    drafts.extract_if(.., is_elsewhere).collect()
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
                () = self.shared.store.probe_due(), if self.probes() => self.probe().await,
            }
        }
    }

    /// Whether it is this task that finds out when writing works again. One of them is enough.
    fn probes(&self) -> bool {
        self.lane == Lane::FIRST && !self.shared.stop.is_cancelled()
    }

    /// What is known of the lane.
    fn log(&self) -> &LaneLog {
        let lanes = &self.shared.lanes;
        lanes.get(self.lane).unwrap_or_else(|| lanes.first())
    }

    /// Finds out whether writing works again, unless the server stops meanwhile.
    async fn probe(&self) {
        let probed = async {
            self.take_up().await?;
            self.shared.store.probe().await
        };
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => {}
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
        let (store, lanes) = (&self.shared.store, &self.shared.lanes);
        if !store.take_up_is_due() {
            return Ok(());
        }
        self.publisher.flush().await;
        let _alone = lanes.change().await;
        let begin = |epoch, begins| lanes.begin_epoch(epoch, &begins);
        store.take_up(begin).await
    }

    /// Writes a batch and has its callers answered. After an error the outcome of a commit is unknown, and nothing
    /// may be written.
    async fn process_batch(&mut self, mut commands: Vec<Command>) -> Result<()> {
        commands.retain(|command| !command.is_overdue());
        if let Err(error) = self.shared.store.writes_work() {
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
        let (written, commands) = self.write_ours(commands, queue).await;
        let tail = &self.log().tail;
        let (planned, is_published) = match written {
            Written::Committed(planned) => (planned, false),
            Written::Undone(error) => return Ok(Err((commands, error))),
            // Whatever becomes of this commit, a repeat finds things as they are.
            Written::Unknown(planned, error) if planned.changes.is_empty() => {
                tail.forget_own(planned.head);
                return Ok(Err((commands, error)));
            }
            Written::Unknown(planned, error) => {
                tail.forget_own(planned.head);
                if !self.settle(&planned.changes, &error).await? {
                    return Ok(Err((commands, error)));
                }
                (planned, true)
            }
        };
        let Planned {
            head: after,
            is_stale: _,
            outcomes,
            changes,
        } = planned;
        let last = changes.last();
        self.shared
            .store
            .note_head(last.map_or(after, |last| last.position));
        let messages = changes
            .iter()
            .filter(|c| matches!(c.what, crate::model::ChangeKind::Message(_)))
            .count();
        self.shared
            .observer
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

    /// Writes those drafts whose tenants are in this lane; hands the others on.
    async fn write_ours(
        &self,
        commands: Vec<Command>,
        queue: Option<Arc<Queue<Command>>>,
    ) -> (Written<Planned>, Vec<Command>) {
        let drafts = Arc::new(Mutex::new(commands));
        let mut written = self.write(&drafts, queue.clone()).await;
        for _ in 0..TRIES {
            let learned = match &written {
                Written::Committed(planned) if planned.is_stale => {
                    self.shared.follower.learn_lanes().await
                }
                Written::Unknown(planned, _) if written.has_idled() => {
                    self.log().tail.forget_own(planned.head);
                    Ok(())
                }
                Written::Undone(_) if written.has_idled() => Ok(()),
                _ => break,
            };
            written = match learned {
                Ok(()) => self.write(&drafts, queue.clone()).await,
                Err(error) => Written::Undone(error),
            };
        }
        if matches!(&written, Written::Committed(planned) if planned.is_stale) {
            written = Written::Undone(out_of_reach());
        }
        // The work that shared them has ended, so this is the only reference.
        let drafts = Arc::into_inner(drafts).map(Mutex::into_inner);
        (written, drafts.unwrap_or_default())
    }

    async fn write(
        &self,
        drafts: &Arc<Mutex<Vec<Command>>>,
        queue: Option<Arc<Queue<Command>>>,
    ) -> Written<Planned> {
        let (drafts, shared) = (Arc::clone(drafts), Arc::clone(&self.shared));
        let (lane, clock) = (self.lane, self.clock);
        let written = self.shared.store.write_batch(move |tx| {
            Box::pin(async move {
                let Locked { head, moves } = tx.lock_log(lane).await?;
                let mut drafts = drafts.try_lock().map_err(Error::internal)?;
                if let Some(queue) = queue {
                    // What came while another server had the log goes along: several servers flush as seldom as one.
                    drafts.extend(queue.more());
                }
                let lanes = &shared.lanes;
                let log = lanes.get(lane).unwrap_or_else(|| lanes.first());
                if log.moves() != moves {
                    return Ok(Planned {
                        head,
                        is_stale: true,
                        outcomes: Vec::new(),
                        changes: Vec::new(),
                    });
                }
                // Nobody comes or goes while the lane is locked. They go before what their senders send next.
                for command in part(&mut drafts, lanes, lane) {
                    shared.push(command);
                }
                let now = clock.now();
                let (outcomes, changes) = plan::process_batch(tx, &drafts, head, now).await?;
                if let Some(last) = changes.last()
                    && shared.store.is_shared()
                {
                    log.tail.expect_own(head, last.position);
                }
                Ok(Planned {
                    head,
                    is_stale: false,
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
        let (store, lane) = (&self.shared.store, self.lane);
        let locked = store.write_anyway(move |tx| Box::pin(async move { tx.lock_log(lane).await }));
        let head = locked.await?.head;
        let before = changes
            .first()
            .map_or(self.hub.head(), |first| first.position.plus(-1));
        let most = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let logged = store.changes(before, most).await?;
        self.shared.follower.catch_up(self.log(), head).await?;
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
            let error = self.shared.store.note_failed_write(error);
            if self.shared.stop.is_cancelled() {
                return Err(error);
            }
            if self.shared.lanes.are_several() && self.probes() {
                // It may be this lane alone that cannot be read, and the others wait for who finds that out.
                self.probe().await;
            }
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => {}
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
