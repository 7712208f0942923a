//! Notifications between servers of a PostgreSQL: that there is something to read, and by whom; and datagrams.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::{
    Datagram, Nodes,
    carrier::{Carrier, Hearing, Said},
    lock,
    posts::Posts,
};
use crate::{error::Result, store::Store};

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
    carrier: Arc<dyn Carrier>,
    id: String,
    unsaid: Arc<Unsaid>,
    round_trip: Arc<RoundTrip>,
    mut queued: mpsc::Receiver<()>,
) {
    while queued.recv().await.is_some() {
        loop {
            let datagrams = unsaid.posts.take(&id).into_iter();
            let mut said: Vec<_> = datagrams.map(Said::Datagram).collect();
            if unsaid.has_news.swap(false, Ordering::AcqRel) {
                round_trip.begin();
                said.push(Said::News(id.clone()));
            }
            if said.is_empty() {
                break;
            }
            if let Err(error) = carrier.say(said).await {
                tracing::debug!(cause = ?error, "Other servers could not be notified.");
            }
            tokio::time::sleep(APART).await;
        }
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
    hearing: Box<dyn Hearing>,
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
            let said = match self.hearing.next().await? {
                None => {
                    self.nodes.round_trip.forget();
                    return Ok(Notification::News);
                }
                Some(Said::Datagram(datagram)) => {
                    Datagram::read(&datagram, &self.nodes.id).map(Notification::Datagram)
                }
                Some(Said::News(node)) if node == self.nodes.id => {
                    self.nodes.round_trip.end();
                    None
                }
                Some(Said::News(_)) => Some(Notification::News),
            };
            if let Some(said) = said {
                self.nodes.others.store(true, Ordering::Relaxed);
                return Ok(said);
            }
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.nodes.hears.store(false, Ordering::Relaxed);
        self.nodes.round_trip.forget();
    }
}

impl Store {
    /// Begins to listen to other servers: returns once they can be heard.
    pub async fn notifications(&self) -> Result<Notifications> {
        let nodes = Arc::clone(self.shared()?);
        let hearing = nodes.carrier.hear().await?;
        nodes.hears.store(true, Ordering::Relaxed);
        Ok(Notifications { hearing, nodes })
    }

    /// Whether what other servers say is heard just now.
    pub fn hears_others(&self) -> bool {
        let nodes = self.nodes();
        nodes.is_some_and(|nodes| nodes.hears.load(Ordering::Relaxed))
    }
}
