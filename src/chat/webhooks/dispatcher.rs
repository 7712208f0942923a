//! Whose turn it is: every webhook that is behind the log gets one, and none holds up others.

use std::{collections::HashMap, sync::Arc, sync::Weak, time::Duration};

use futures_util::future::select_all;
use tokio::{
    sync::{Semaphore, watch},
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Encoder,
    round::{End, Reached, Round},
};
use crate::{
    chat::Services,
    error::Result,
    model::{Position, Positions, TenantId, Webhook, WebhookId},
};

/// How often there is a look for webhooks that others have made, changed or let go on.
const INTERVAL: Duration = Duration::from_secs(10);
/// The pause after a failure of ours.
const PAUSE: Duration = Duration::from_secs(5);

/// How many webhooks have their turn at a time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Of those whose receivers answer at once.
    pub prompt: usize,
    /// Of those whose receivers failed last or were slow: they wait for each other alone.
    pub slow: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            prompt: 256,
            slow: 64,
        }
    }
}

/// A webhook that is told of something.
#[derive(Debug)]
struct Entry {
    tenant: TenantId,
    revision: i64,
    /// The last change that it is done with.
    position: Position,
    /// Whether there may be something new for it.
    behind: bool,
    /// Whether its receiver failed last, or was slow.
    slow: bool,
    /// The task of its turn.
    busy: Option<task::Id>,
    /// When its next turn may begin at the earliest.
    not_before: Option<Instant>,
    /// When its last turn ended, counted in turns.
    turn: u64,
}

/// See the module.
pub(super) struct Dispatcher {
    services: Weak<Services>,
    encoder: Arc<dyn Encoder>,
    prompt: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    entries: HashMap<WebhookId, Entry>,
    rounds: JoinSet<(WebhookId, End)>,
    turns: u64,
    /// Up to where is known who has something new, in each lane.
    looked: Positions,
    /// When the webhooks are read again.
    reload_at: Instant,
}

impl Entry {
    fn new(webhook: &Webhook, now: crate::model::Timestamp) -> Self {
        let due = webhook.next_attempt_at;
        Self {
            tenant: webhook.tenant,
            revision: webhook.revision,
            position: webhook.position,
            behind: true,
            slow: webhook.failures > 0,
            busy: None,
            not_before: due.map(|due| Instant::now() + due.since(now)),
            turn: 0,
        }
    }

    fn is_ready(&self, now: Instant) -> bool {
        self.behind && self.busy.is_none() && self.not_before.is_none_or(|at| at <= now)
    }

    fn note(&mut self, reached: Reached) {
        if reached.revision == self.revision {
            self.position = self.position.max(reached.position);
            self.slow = reached.slow;
        }
    }
}

impl Dispatcher {
    pub(super) fn new(services: &Arc<Services>, encoder: Arc<dyn Encoder>, bounds: Bounds) -> Self {
        Self {
            services: Arc::downgrade(services),
            encoder,
            prompt: Arc::new(Semaphore::new(bounds.prompt)),
            slow: Arc::new(Semaphore::new(bounds.slow)),
            entries: HashMap::new(),
            rounds: JoinSet::new(),
            turns: 0,
            looked: services.heads(),
            reload_at: Instant::now(),
        }
    }

    /// Gives turns until the server stops.
    pub(super) async fn run(
        mut self,
        mut changed: watch::Receiver<()>,
        closing: CancellationToken,
    ) {
        // Held only while there are webhooks: then each batch that is published is told, in each lane.
        let mut published = Vec::new();
        loop {
            let Some(services) = self.services.upgrade() else {
                return;
            };
            if Instant::now() >= self.reload_at {
                self.reload_at = Instant::now() + INTERVAL;
                if let Err(error) = self.reload(&services).await {
                    tracing::warn!(cause = ?error, "The webhooks could not be read.");
                }
            }
            if self.entries.is_empty() {
                published.clear();
            } else {
                // Subscribe, look, then wait.
                let known = published.len();
                let more = services.lanes.all().skip(known);
                published.extend(more.map(|log| log.hub.follow()));
            }
            self.look(&services);
            self.begin_rounds(&services);
            drop(services);
            let next = self.next_due();
            tokio::select! {
                () = closing.cancelled() => return,
                Ok(()) = changed.changed() => self.reload_at = Instant::now(),
                () = news(&mut published) => {}
                Some(ended) = self.rounds.join_next_with_id() => self.end_round(ended),
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Reads which webhooks there are.
    async fn reload(&mut self, services: &Services) -> Result<()> {
        let found = services.store.due_webhooks().await?;
        let now = services.clock.now();
        let mut known = std::mem::take(&mut self.entries);
        for webhook in &found {
            let entry = match known.remove(&webhook.id) {
                Some(entry) if entry.revision == webhook.revision => entry,
                Some(Entry { busy, turn, .. }) => Entry {
                    busy,
                    turn,
                    ..Entry::new(webhook, now)
                },
                None => Entry::new(webhook, now),
            };
            self.entries.insert(webhook.id, entry);
        }
        // A turn that has begun ends by itself; until then the webhook gets no other.
        let busy = known.into_iter().filter(|(_, entry)| entry.busy.is_some());
        self.entries.extend(busy);
        Ok(())
    }

    /// Notes who has something new.
    fn look(&mut self, services: &Services) {
        if self.entries.is_empty() {
            self.looked = services.heads();
            return;
        }
        for log in services.lanes.all() {
            let looked = self.looked.of(log.lane);
            let (newest, head) = match looked {
                Some(looked) => log.hub.tenants_after(looked),
                // It was added since.
                None => (None, log.hub.head()),
            };
            for entry in self.entries.values_mut() {
                let is_new = match &newest {
                    Some(newest) => newest
                        .get(&entry.tenant)
                        .is_some_and(|newest| *newest > entry.position),
                    // Who has moved on since may have written there before.
                    None => services.lane_of(entry.tenant) >= log.lane && head > entry.position,
                };
                entry.behind |= is_new;
            }
            self.looked.raise(head);
        }
    }

    /// Begins the turns that are due: those of who waits longest first.
    fn begin_rounds(&mut self, services: &Arc<Services>) {
        let now = Instant::now();
        let ready = self.entries.iter().filter(|(_, entry)| entry.is_ready(now));
        let mut ready: Vec<_> = ready.map(|(id, entry)| (entry.turn, *id)).collect();
        ready.sort_unstable();
        for (_, id) in ready {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let pool = if entry.slow { &self.slow } else { &self.prompt };
            let Ok(permit) = Arc::clone(pool).try_acquire_owned() else {
                continue;
            };
            let known = (entry.revision, entry.position);
            let round = Round::new(services, &self.encoder, id, known);
            let begun = self.rounds.spawn(async move {
                let end = round.run().await;
                drop(permit);
                (id, end)
            });
            entry.busy = Some(begun.id());
            entry.behind = false;
            entry.not_before = None;
        }
    }

    /// Notes how a turn ended.
    fn end_round(&mut self, ended: Result<(task::Id, (WebhookId, End)), JoinError>) {
        self.turns += 1;
        let (task, end) = match ended {
            Ok((task, (_, end))) => (task, end),
            Err(error) => (error.id(), End::Failed(None, PAUSE)),
        };
        let found = self.entries.iter_mut();
        let mut found = found.filter(|(_, entry)| entry.busy == Some(task));
        let Some((id, entry)) = found.next() else {
            return;
        };
        let id = *id;
        entry.busy = None;
        entry.turn = self.turns;
        match end {
            End::CaughtUp(reached) => entry.note(reached),
            End::More(reached) => {
                entry.note(reached);
                entry.behind = true;
            }
            End::Failed(reached, wait) => {
                let is_same = reached.is_none_or(|it| it.revision == entry.revision);
                if let Some(reached) = reached {
                    entry.note(reached);
                }
                if is_same {
                    entry.not_before = Some(Instant::now() + wait);
                }
                entry.behind = true;
            }
            End::Stale => {
                self.entries.remove(&id);
                self.reload_at = Instant::now();
            }
        }
    }

    /// When there is something to do without an event.
    fn next_due(&self) -> Instant {
        let waiting = self.entries.values();
        let waiting = waiting.filter(|entry| entry.behind && entry.busy.is_none());
        let due = waiting.filter_map(|entry| entry.not_before);
        let now = Instant::now();
        // Those that are due already wait for the end of another turn.
        let due = due.filter(|due| *due > now);
        due.min()
            .map_or(self.reload_at, |due| due.min(self.reload_at))
    }
}

/// Returns once something was published; never, where nobody wants to know.
async fn news(published: &mut [watch::Receiver<()>]) {
    if let [only] = published
        && only.changed().await.is_ok()
    {
        return;
    }
    let changed = published.iter_mut().map(|hub| Box::pin(hub.changed()));
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() || select_all(changed).await.0.is_err() {
        std::future::pending::<()>().await;
    }
}
