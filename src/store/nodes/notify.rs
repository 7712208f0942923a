//! Notifications between servers of a PostgreSQL: that there is something to read, and by whom; and datagrams.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{PgPool, postgres::PgListener};
use tokio::{sync::mpsc, time::Instant};

use super::{Datagram, Nodes, STATEMENT_TIMEOUT, lock, posts::Posts};
use crate::{
    error::Result,
    store::{Store, failed, failure::late},
};

/// Where it is said that there is something to read.
const NEWS: &str = "parlance";
/// Where datagrams are. A version that knows none does not listen there.
const BUS: &str = "parlance_bus";
const NOTIFY: &str = "select pg_notify(told.channel, told.payload) from unnest($1::text[], $2::text[]) as told (channel, payload)";
/// Those that would follow sooner are one with the next.
const APART: Duration = Duration::from_millis(2);

/// How long this server's notifications take to come back to it: as long as to the others, if these are not further away.
#[derive(Default)]
pub(super) struct RoundTrip(Mutex<Times>);

#[derive(Default)]
struct Times {
    /// When the first one was sent that is not back.
    sent: Option<Instant>,
    last: Duration,
}

impl RoundTrip {
    fn begin(&self) {
        lock(&self.0).sent.get_or_insert_with(Instant::now);
    }

    fn end(&self) {
        let mut times = lock(&self.0);
        if let Some(sent) = times.sent.take() {
            times.last = sent.elapsed();
        }
    }

    /// What is under way is not heard any more.
    fn forget(&self) {
        lock(&self.0).sent = None;
    }

    pub(super) fn last(&self) -> Duration {
        lock(&self.0).last
    }
}

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    pub(super) posts: Posts,
    /// There is something to read.
    pub(super) has_news: AtomicBool,
}

/// Sends notifications, until nobody may wake this any more and nothing waits.
pub(super) async fn run(
    pool: PgPool,
    id: String,
    unsaid: Arc<Unsaid>,
    round_trip: Arc<RoundTrip>,
    mut queued: mpsc::Receiver<()>,
) {
    while queued.recv().await.is_some() {
        loop {
            let mut payloads = unsaid.posts.take(&id);
            let mut channels = vec![BUS; payloads.len()];
            if unsaid.has_news.swap(false, Ordering::AcqRel) {
                round_trip.begin();
                channels.push(NEWS);
                payloads.push(id.clone());
            }
            if payloads.is_empty() {
                break;
            }
            send(&pool, &channels, &payloads).await;
            tokio::time::sleep(APART).await;
        }
    }
}

async fn send(pool: &PgPool, channels: &[&str], payloads: &[String]) {
    let sent = sqlx::query(NOTIFY)
        .bind(channels)
        .bind(payloads)
        .execute(pool);
    match tokio::time::timeout(STATEMENT_TIMEOUT, sent).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "Other servers could not be notified."),
        Err(elapsed) => tracing::debug!(%elapsed, "Other servers could not be notified."),
    }
}

/// What another server says.
#[derive(Debug)]
pub enum Notification {
    /// There is something to read.
    News,
    /// Something that is nowhere else.
    Datagram(Datagram),
}

/// The notifications of other servers.
pub struct Notifications {
    listener: PgListener,
    nodes: Arc<Nodes>,
}

impl std::fmt::Debug for Notifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}

impl Notifications {
    /// The next one of another server, or one that may be: it was lost with its connection.
    pub async fn next(&mut self) -> Result<Notification> {
        loop {
            let Some(told) = self.listener.try_recv().await.map_err(failed)? else {
                self.nodes.round_trip.forget();
                return Ok(Notification::News);
            };
            let said = if told.channel() == BUS {
                Datagram::read(told.payload(), &self.nodes.id).map(Notification::Datagram)
            } else if told.payload() == self.nodes.id {
                self.nodes.round_trip.end();
                None
            } else {
                Some(Notification::News)
            };
            if let Some(said) = said {
                self.nodes.others.store(true, Ordering::Relaxed);
                return Ok(said);
            }
        }
    }
}

impl Store {
    /// Begins to listen to other servers.
    pub async fn notifications(&self) -> Result<Notifications> {
        let nodes = Arc::clone(self.shared()?);
        let listening = async {
            let mut listener = PgListener::connect_with(&nodes.pool).await?;
            listener.listen_all([NEWS, BUS]).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        let listener = tokio::time::timeout(STATEMENT_TIMEOUT, listening);
        let listener = listener.await.map_err(late)?.map_err(failed)?;
        Ok(Notifications { listener, nodes })
    }
}
