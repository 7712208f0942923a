//! What one person receives: caught up with from memory or from the log, by whichever transport.

use std::sync::Arc;

use tokio::sync::futures::Notified;

use crate::{
    chat::{Services, access, online::Attendance},
    error::Result,
    model::{Lane, Person, Position, policy},
    pubsub::{Backlog, Published, PublishedSignal, Subscriber, Topic, Waker},
};

/// How many places of the log one look at the store covers.
const WINDOW: i64 = 4096;

/// What a person receives, from its beginning on.
#[derive(Debug)]
pub struct Subscription {
    person: Arc<Person>,
    subscriber: Subscriber,
    lane: Lane,
    _attendance: Attendance,
}

/// What a person received after a position.
#[derive(Debug)]
pub struct CaughtUp {
    /// The changes, ascending.
    pub changes: Vec<Arc<Published>>,
    /// Everything up to here is among them.
    pub complete: Position,
    /// Whether the log was read, because memory did not reach back that far.
    pub is_from_log: bool,
}

impl Subscription {
    /// Subscribes to everything that a person receives, from now on.
    pub async fn open(services: &Services, person: &Arc<Person>) -> Result<Self> {
        Self::open_made(services, person, None).await
    }

    /// The same; of somebody who was made when the head was at a position or later, the chats need not be read.
    pub async fn open_made(
        services: &Services,
        person: &Arc<Person>,
        made_after: Option<Position>,
    ) -> Result<Self> {
        let topic = Topic::Person(Arc::clone(person));
        let (subscriber, lane) = access::subscribe_where(services, person.tenant, &topic);
        let is_known = || made_after.is_some_and(|made_after| subscriber.seed_newcomer(made_after));
        if subscriber.needs_memberships() && !is_known() {
            subscriber.seed_memberships(services.store.memberships(person.id).await?);
        }
        Ok(Self {
            person: Arc::clone(person),
            subscriber,
            lane,
            _attendance: services.online.attend(person),
        })
    }

    /// The lane in which it listens.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Notifies a waker of every new change and signal: one waker may serve many subscriptions.
    pub fn wake_with(&mut self, waker: Arc<dyn Waker>) {
        self.subscriber.wake_with(waker);
    }

    /// From now on hears who comes online and who goes, of those who share a small chat; guests of live support do
    /// not.
    pub fn hear_presence(&mut self) {
        if policy::has_presence(&self.person) {
            self.subscriber.hear_presence();
        }
    }

    /// The signals since the last call.
    pub fn signals(&self) -> Vec<Arc<PublishedSignal>> {
        self.subscriber.signals()
    }

    /// A future that is ready after the next change. Create and `enable` it before reading the backlog.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.subscriber.changed()
    }

    /// The changes after a position, if the topic log reaches back that far.
    pub fn recent(&self, after: Position) -> Option<CaughtUp> {
        match self.subscriber.backlog(after) {
            Backlog::Complete(changes, complete) => Some(CaughtUp {
                changes,
                complete,
                is_from_log: false,
            }),
            Backlog::Lagged => None,
        }
    }

    /// The changes after a position: all of them from memory or, where that does not reach back so far,
    /// at most `limit` changes out of one window of the log, so that it costs the same however far back
    /// the position is. Where their tenant has moved, a window is within one lane.
    pub async fn catch_up(
        &self,
        services: &Services,
        after: Position,
        limit: usize,
    ) -> Result<CaughtUp> {
        if let Some(recent) = self.recent(after) {
            return Ok(recent);
        }
        let range = services.lanes.window(self.person.tenant, after, WINDOW);
        let (_, until) = range;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = services
            .store
            .changes_for(&self.person, range, most)
            .await?;
        // A window with as many as were asked for is complete only up to its last change.
        let complete = match found.last() {
            Some(last) if found.len() >= limit => last.position,
            Some(_) | None => until,
        };
        let published = found.into_iter().map(Published::new).map(Arc::new);
        Ok(CaughtUp {
            changes: published.collect(),
            complete,
            is_from_log: true,
        })
    }
}
