//! The thread that writes to SQLite: it owns the one connection that does.
//!
//! # Why
//! A durable commit costs a flush of the disk, whatever is in it. All work that waits while one transaction
//! is flushed goes into the next one together, each piece in a savepoint of its own, so that one that is
//! refused leaves nothing behind and does not disturb the others.
//!
//! A thread instead of a task, because SQLite blocks its caller, and instead of a pool of
//! connections, because SQLite has one writer anyway: here it has no lock to wait for, keeps its prepared
//! statements, and a statement costs microseconds, for nothing is handed from thread to thread in between.
//! The work is written as for PostgreSQL, as futures; on this thread a future never has to wait.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    BUSY, explained,
    job::{End, Job, WorkJob},
};
use crate::{
    error::{Error, Result},
    store::{
        Either, Tx, Work, Written,
        failure::{Cause, displaced, failed},
        file::identity,
        writes::Writes,
    },
};

/// How many prepared statements the connection keeps: more than there are.
const STATEMENTS: usize = 256;

/// The handle by which work is handed to the thread, which ends when the handle is dropped.
#[derive(Debug)]
pub(in crate::store) struct Writer {
    queue: Arc<Queue>,
    ended: watch::Receiver<()>,
}

/// What a transaction has done, and what became of it.
type Ended = (Vec<Box<dyn Job>>, End);

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Waiting {
    /// What comes first in the next transaction.
    first: VecDeque<Box<dyn Job>>,
    rest: VecDeque<Box<dyn Job>>,
    background: VecDeque<Box<dyn Job>>,
    /// Whether the last transaction was done while something in the background waited.
    passed: bool,
    closed: bool,
}

/// What the next transaction does.
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    /// How many of the jobs come first.
    urgent: usize,
    /// A job in the background is alone in its transaction: what fails there fails nothing else.
    background: bool,
}

impl Waiting {
    /// All that waits, or else one job in the background, which at most one transaction passes.
    fn next(&mut self) -> Option<Batch> {
        let idle = self.first.is_empty() && self.rest.is_empty();
        if (idle || self.passed)
            && let Some(job) = self.background.pop_front()
        {
            self.passed = false;
            return Some(Batch {
                jobs: vec![job],
                urgent: 0,
                background: true,
            });
        }
        if idle {
            return None;
        }
        self.passed = !self.background.is_empty();
        let urgent = self.first.len();
        Some(Batch {
            jobs: self.first.drain(..).chain(self.rest.drain(..)).collect(),
            urgent,
            background: false,
        })
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.waiting().closed = true;
        self.arrived.notify_one();
    }

    /// What is to be done next; nothing once the queue is closed and empty.
    fn next(&self) -> Option<Batch> {
        let mut waiting = self.waiting();
        loop {
            let next = waiting.next();
            if next.is_some() || waiting.closed {
                return next;
            }
            let woken = self.arrived.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where a piece of work stands among the others of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Priority {
    /// Before all others.
    First,
    /// In the order they came.
    InOrder,
    /// In a transaction of its own, when nothing else waits or one transaction later; its failure says nothing of
    /// other writes.
    Background,
}

impl Writer {
    /// Opens the connection and starts the thread.
    pub(super) fn start(path: &Path, writes: Arc<Writes>) -> Result<Self> {
        let place = Place {
            path: path.to_owned(),
            identity: identity(path).map_err(Error::internal)?,
        };
        let connection = place.connect().map_err(|error| explained(path, error))?;
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
        });
        let (ends, ended) = watch::channel(());
        let (finished, outcomes) = mpsc::unbounded_channel();
        tokio::spawn(answer_all(outcomes, ends));
        let thread = Thread {
            place,
            tx: Some(Tx(Either::Sqlite(connection))),
            writes,
            finished,
        };
        let jobs = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.run(&jobs))
            .map_err(Error::internal)?;
        Ok(Self { queue, ended })
    }

    /// Does work in the next transaction, unless that begins too late. A caller that stops waiting
    /// does not stop it.
    pub(in crate::store) async fn run<T, W, G>(
        &self,
        priority: Priority,
        until: Instant,
        guard: G,
        work: W,
    ) -> Written<T>
    where
        T: Send + 'static,
        W: Work<T>,
        G: Send + 'static,
    {
        let (reply, written) = oneshot::channel();
        let job = Box::new(WorkJob {
            work: Some(work),
            outcome: None,
            until,
            span: tracing::Span::current(),
            reply,
            guard,
        });
        {
            let mut waiting = self.queue.waiting();
            if waiting.closed {
                return Written::Undone(Error::shutting_down());
            }
            match priority {
                Priority::First => waiting.first.push_back(job),
                Priority::InOrder => waiting.rest.push_back(job),
                Priority::Background => waiting.background.push_back(job),
            }
        }
        self.queue.arrived.notify_one();
        let lost = |_| Written::Undone(Error::internal("the thread that writes has ended"));
        written.await.unwrap_or_else(lost)
    }

    /// Takes no more work, and returns once what waits is done and the connection is closed.
    pub(in crate::store) async fn close(&self) {
        self.queue.close();
        let mut ended = self.ended.clone();
        // The sender is dropped, and nothing is ever sent.
        while ended.changed().await.is_ok() {}
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Where the database is, and which file that was when it was opened.
struct Place {
    path: PathBuf,
    identity: crate::store::file::Identity,
}

impl Place {
    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
             pragma temp_store = memory;",
        )?;
        Ok(connection)
    }

    fn reconnect(&self) -> Result<Connection> {
        if identity(&self.path).ok() != Some(self.identity) {
            return Err(displaced(Cause("another file is in its place".to_owned())));
        }
        self.connect().map_err(failed)
    }
}

struct Thread {
    place: Place,
    /// None after a transaction that could not be ended.
    tx: Option<Tx>,
    writes: Arc<Writes>,
    finished: mpsc::UnboundedSender<Ended>,
}

/// Sends the outcomes of transactions, until the thread has ended. This is a task because to wake hundreds of
/// tasks costs the thread that writes more than what it has written for them.
async fn answer_all(mut finished: mpsc::UnboundedReceiver<Ended>, ends: watch::Sender<()>) {
    while let Some((jobs, end)) = finished.recv().await {
        for job in jobs {
            job.end(&end);
        }
    }
    drop(ends);
}

impl Thread {
    fn run(mut self, queue: &Queue) {
        while let Some(mut batch) = queue.next() {
            let end = self.transaction(&mut batch);
            let mut jobs = batch.jobs;
            let rest = jobs.split_off(batch.urgent);
            for job in jobs {
                job.end(&end);
            }
            if !rest.is_empty()
                && let Err(lost) = self.finished.send((rest, end))
            {
                // The runtime is shutting down.
                drop(lost);
            }
        }
        if let Some(Tx(Either::Sqlite(connection))) = self.tx
            && let Err(error) = connection.execute_batch("pragma optimize")
        {
            tracing::debug!(%error, "The database's statistics are not updated.");
        }
    }

    fn transaction(&mut self, batch: &mut Batch) -> End {
        let background = batch.background;
        if let Err(error) = self.writes.look_at_file() {
            return End::Undone(error);
        }
        let tx = self.tx.take().map(Ok);
        let tx = tx.unwrap_or_else(|| Ok(Tx(Either::Sqlite(self.place.reconnect()?))));
        let mut tx = match tx {
            Ok(tx) => tx,
            Err(error) => return self.undone(error, background),
        };
        if let Err(error) = run(&tx, "begin immediate") {
            self.tx = Some(tx);
            return self.undone(failed(error), background);
        }
        let end = match write_all(&mut tx, &mut batch.jobs) {
            Err(error) => End::Undone(error),
            Ok(0) => End::Committed,
            Ok(_) => self.commit(&tx, background),
        };
        if is_over(&tx) || rolled_back(&tx) {
            self.tx = Some(tx);
        }
        end
    }

    fn commit(&self, tx: &Tx, background: bool) -> End {
        let committed = run(tx, "commit").map_err(failed);
        // What is flushed into a deleted file is lost, so it must not be acknowledged.
        let committed = committed.and_then(|()| self.writes.look_at_file());
        if !background {
            self.writes.note(&committed);
        }
        match committed {
            Ok(()) => End::Committed,
            Err(error) => End::Unknown(error),
        }
    }

    fn undone(&self, error: Error, background: bool) -> End {
        End::Undone(if background {
            error
        } else {
            self.writes.failed_with(error)
        })
    }
}

/// Does all work of a transaction, and returns how many pieces of it are to be kept; fails when SQLite has
/// ended the transaction by itself, as it does on a full disk, with all that was done in it.
fn write_all(tx: &mut Tx, jobs: &mut [Box<dyn Job>]) -> Result<usize> {
    let alone = jobs.len() == 1;
    let mut kept = 0;
    for job in jobs {
        if !alone {
            run(tx, "savepoint job").map_err(failed)?;
        }
        match job.run(tx) {
            Ok(()) => kept += 1,
            Err(error) if is_over(tx) => return Err(error.duplicate()),
            Err(_) if alone => return Ok(0),
            Err(_) => run(tx, "rollback to job").map_err(failed)?,
        }
        if !alone {
            run(tx, "release job").map_err(failed)?;
        }
    }
    Ok(kept)
}

fn run(tx: &Tx, sql: &str) -> rusqlite::Result<()> {
    match &tx.0 {
        Either::Sqlite(connection) => connection.prepare_cached(sql)?.raw_execute().map(drop),
        Either::Postgres(_) => Ok(()),
    }
}

/// Whether no transaction is open.
fn is_over(tx: &Tx) -> bool {
    match &tx.0 {
        Either::Sqlite(connection) => connection.is_autocommit(),
        Either::Postgres(_) => true,
    }
}

/// Undoes an open transaction; a connection on which that fails is closed.
fn rolled_back(tx: &Tx) -> bool {
    match run(tx, "rollback") {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(cause = %error, "A transaction could not be undone: its connection is closed.");
            false
        }
    }
}
