//! Several servers of one PostgreSQL: that each lives, that there is something new to read, and what is nowhere else.
//!
//! # Why
//! The log in the database is the truth for all of them, and each reads there what the others wrote. What is here
//! makes that fast, and may fail: a notification that is lost costs the time until the next look at the log, and a
//! server that cannot be seen is told nothing until it is.
//!
//! A notification is sent after the commit and on a connection of its own: inside of a writing transaction it would
//! take one lock for the whole database server, and hold it while the disk is flushed. Many of them are one, because
//! each only says that there is something to read. Datagrams, which say what no table has, go the same way, many lines in
//! one and many of them in one statement. Who is alone sends none of these.

mod carrier;
mod look;
mod notify;
mod peers;
mod postgres;
mod posts;

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::distr::{Alphanumeric, SampleString};
use sqlx::{Connection, PgPool, Postgres, pool::PoolConnection};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    Either, Store, Tx,
    failure::{failed, late},
    open::PROTOCOL,
};
use crate::error::{Error, Result};

pub use carrier::{Carrier, Hearing, Said};
pub use look::{Look, Seen};
pub use notify::{Notification, Notifications};
use notify::{RoundTrip, Unsaid};
use peers::Peers;
pub use posts::Datagram;

/// Connections for what is here: one that listens, one that notifies, one that looks.
pub(super) const CONNECTIONS: u32 = 3;
/// How often a server says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The longest that a statement may take, with the wait for a connection. Who looks has to know soon that it cannot.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(1);
/// Letters and digits in a server's id.
const ID_LENGTH: usize = 16;

/// Says that this server lives, and forgets those that do not and what ended long ago; which others live. A server
/// that was not heard of for three heartbeats does not.
const BEAT: &str = "with own as (insert into nodes (id, address, secret, protocol) values ($1, $2, $3, $4) \
       on conflict (id) do update set seen_at = now(), address = $2, secret = $3), \
     dead as (delete from nodes where seen_at < now() - interval '1 minute' and id <> $1), \
     old as (delete from endings where at < now() - interval '10 minutes') \
     select id, address, secret from nodes where seen_at > now() - interval '15 seconds' and id <> $1";
const LEAVE: &str = "delete from nodes where id = $1";

/// What this server has to do with others of its database.
pub(super) struct Nodes {
    id: String,
    pool: PgPool,
    /// By what servers tell each other what is new.
    carrier: Arc<dyn Carrier>,
    /// Whether that is heard just now.
    hears: AtomicBool,
    /// Whether this is a server, and not a command beside one.
    is_server: bool,
    /// Whether there may be others: else nobody is notified.
    others: AtomicBool,
    /// Where they are.
    peers: Peers,
    /// The ids of those that lived at the last heartbeat.
    living: Mutex<HashSet<String>>,
    /// What the others are to be told.
    unsaid: Arc<Unsaid>,
    /// How long notifications take.
    round_trip: Arc<RoundTrip>,
    /// Has it sent; one that is queued already is enough.
    wakes: Mutex<Option<mpsc::Sender<()>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").finish_non_exhaustive()
    }
}

impl Nodes {
    /// Begins to notify others, by PostgreSQL where nothing else carries it; a server also begins to say that it lives.
    pub(super) async fn start(
        pool: PgPool,
        carrier: Option<Arc<dyn Carrier>>,
        is_server: bool,
    ) -> Arc<Self> {
        let carrier = carrier.unwrap_or_else(|| Arc::new(postgres::Postgres(pool.clone())));
        let (wakes, queued) = mpsc::channel(1);
        let unsaid = Arc::<Unsaid>::default();
        let round_trip = Arc::<RoundTrip>::default();
        let nodes = Arc::new(Self {
            id: Alphanumeric.sample_string(&mut rand::rng(), ID_LENGTH),
            pool,
            carrier: Arc::clone(&carrier),
            hears: AtomicBool::default(),
            is_server,
            // A command knows of no server, and ends too soon to learn of one.
            others: AtomicBool::new(!is_server),
            peers: Peers::new(),
            living: Mutex::default(),
            unsaid: Arc::clone(&unsaid),
            round_trip: Arc::clone(&round_trip),
            wakes: Mutex::new(Some(wakes)),
            tasks: Mutex::default(),
        });
        let notifies = notify::run(carrier, nodes.id.clone(), unsaid, round_trip, queued);
        let mut tasks = vec![tokio::spawn(notifies)];
        if is_server {
            if let Err(error) = nodes.beat().await {
                tracing::warn!(cause = ?error, "It could not be said that this server lives.");
                // There may be some, until the next heartbeat tells.
                nodes.others.store(true, Ordering::Relaxed);
            }
            // The others know of this one now, and not when they next ask who lives: also those of whom it does not know
            // because they started meanwhile.
            nodes.queue_notification();
            tasks.push(tokio::spawn(live(Arc::downgrade(&nodes))));
        }
        lock(&nodes.tasks).extend(tasks);
        nodes
    }

    /// Has the others notified that there is something to read.
    pub(super) fn notify(&self) {
        if self.others.load(Ordering::Relaxed) {
            self.queue_notification();
        }
    }

    fn queue_notification(&self) {
        self.unsaid.has_news.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(wakes) = &*lock(&self.wakes) {
            // Full: one is queued, and what waits is sent then.
            let _ = wakes.try_send(());
        }
    }

    /// Says that this server lives, and notes whether others do.
    async fn beat(&self) -> Result<()> {
        let mut connection = self.connection().await?;
        let asked = sqlx::query_as(BEAT).bind(&self.id);
        let asked = asked.bind(self.peers.address()).bind(&self.peers.secret);
        let asked = asked.bind(PROTOCOL);
        let asked = tokio::time::timeout(STATEMENT_TIMEOUT, asked.fetch_all(&mut *connection));
        let rows: Vec<peers::Row> = answered(asked.await, connection)?;
        let others = rows.len();
        *lock(&self.living) = rows.iter().map(|(id, _, _)| id.clone()).collect();
        self.peers.note(rows);
        let had_others = self.others.swap(others > 0, Ordering::Relaxed);
        if others > 0 && !had_others {
            tracing::info!(
                others,
                "Other servers have this database too: what one of them writes is told at all of them."
            );
        }
        Ok(())
    }

    /// A connection, within the time of a statement.
    async fn connection(&self) -> Result<PoolConnection<Postgres>> {
        let connection = tokio::time::timeout(STATEMENT_TIMEOUT, self.pool.acquire());
        connection.await.map_err(late)?.map_err(failed)
    }

    /// Sends what is queued, says that this server lives no more, and closes the connections.
    pub(super) async fn close(&self) {
        // The task that notifies ends when it has sent what is queued.
        drop(lock(&self.wakes).take());
        let mut tasks = std::mem::take(&mut *lock(&self.tasks)).into_iter();
        if let Some(notifies) = tasks.next() {
            drop(tokio::time::timeout(STATEMENT_TIMEOUT, notifies).await);
        }
        for task in tasks {
            task.abort();
            drop(task.await);
        }
        drop(tokio::time::timeout(STATEMENT_TIMEOUT, self.carrier.close()).await);
        if self.is_server {
            let left = sqlx::query(LEAVE).bind(&self.id).execute(&self.pool);
            drop(tokio::time::timeout(STATEMENT_TIMEOUT, left).await);
        }
        self.pool.close().await;
    }
}

/// The answer to a statement; the connection that gave none in time is closed.
fn answered<T>(
    asked: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    connection: PoolConnection<Postgres>,
) -> Result<T> {
    match asked {
        Ok(answer) => answer.map_err(failed),
        Err(elapsed) => {
            drop(tokio::spawn(connection.detach().close_hard()));
            Err(late(elapsed))
        }
    }
}

/// Says that this server lives, as long as it does.
async fn live(nodes: Weak<Nodes>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let Some(nodes) = nodes.upgrade() else {
            return;
        };
        if let Err(error) = nodes.beat().await {
            tracing::debug!(cause = ?error, "It could not be said that this server lives.");
        }
    }
}

impl Store {
    /// Whether the database may have several servers.
    pub fn is_shared(&self) -> bool {
        self.nodes().is_some()
    }

    /// Whether it is thought to have others now.
    pub fn has_others(&self) -> bool {
        let nodes = self.nodes();
        nodes.is_some_and(|nodes| nodes.others.load(Ordering::Relaxed))
    }

    /// Whether that is this server's id.
    pub fn is_own_node(&self, node: &str) -> bool {
        self.nodes().is_some_and(|nodes| nodes.id == node)
    }

    /// Whether another server lived when that was last asked.
    pub fn is_living(&self, node: &str) -> bool {
        let nodes = self.nodes();
        nodes.is_some_and(|nodes| lock(&nodes.living).contains(node))
    }

    /// How many others lived when that was last asked.
    pub fn other_servers(&self) -> usize {
        let nodes = self.nodes();
        nodes.map_or(0, |nodes| lock(&nodes.living).len())
    }

    /// How long the last notification of this server took to come back.
    pub fn last_notification(&self) -> Duration {
        let nodes = self.nodes();
        nodes.map_or(Duration::ZERO, |nodes| nodes.round_trip.last())
    }

    fn nodes(&self) -> Option<&Arc<Nodes>> {
        match &self.inner.write {
            Either::Sqlite(_) => None,
            Either::Postgres(writer) => Some(&writer.nodes),
        }
    }

    fn shared(&self) -> Result<&Arc<Nodes>> {
        let alone = || Error::internal("this database has one server");
        self.nodes().ok_or_else(alone)
    }
}

impl Tx {
    /// Has other servers notified once this is committed.
    pub(super) fn note_news(&mut self) {
        if let Either::Postgres(transaction) = &mut self.0 {
            transaction.note_news();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
