//! Following what other servers of the database wrote: their changes, and what they have ended.
//!
//! # Why
//! Everything that other servers write is in the database, so what they say to each other only makes it faster. A look
//! is one statement: where the log ends, and what has ended. Changes are published like those of this server, in the one
//! order of the log; what has ended is ended here.
//!
//! A server that cannot look does not know which logins have ended elsewhere. So there is a lease: when the last look
//! that succeeded began too long ago, all that needs a login is refused, and a login that was ended is accepted nowhere
//! later than that. On SQLite there are no other servers, and nothing of this happens.

use std::{
    sync::{Arc, MutexGuard},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{
        bus::Bus,
        keys::Keys,
        lanes::{LaneLog, Lanes, Names},
        logins::Logins,
        renamed::Renamed,
    },
    error::{Error, Result},
    model::{Cursor, Ending, EpochMark, Lane, Place, Position, TenantId},
    store::{Look, Notification, Seen, Store},
};

/// How often there is a look while somebody listens, should no notification come.
const INTERVAL: Duration = Duration::from_millis(250);
/// The same while nobody does.
const IDLE_INTERVAL: Duration = Duration::from_millis(500);
/// How often the first look is tried.
const TRIES: u32 = 5;
/// When to listen again after the connection for it was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// For how long it is believed that nothing has ended elsewhere, from the beginning of a look on.
const LEASE: Duration = Duration::from_secs(2);
/// How long a request waits for a look when that is over.
const LOOK_PATIENCE: Duration = Duration::from_secs(1);
/// How long a client waits for what another server has told it.
const TAIL_PATIENCE: Duration = Duration::from_secs(2);
/// After so long without a look what has ended may be forgotten in the database.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// When to try again while this server is behind.
const SOON: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Follower {
    store: Store,
    lanes: Arc<Lanes>,
    /// To which it hands what others say beside that there is something to read.
    bus: Arc<Bus>,
    logins: Arc<Logins>,
    keys: Arc<Keys>,
    /// Who has been renamed a moment ago, here or elsewhere.
    pub(super) names: Arc<Names>,
    /// When the last look that succeeded began; nothing where nobody follows.
    looked_at: watch::Sender<Option<Instant>>,
    /// Somebody wants a look now.
    asked: Notify,
    seen: tokio::sync::Mutex<Looks>,
    stopped: CancellationToken,
}

/// What looks have seen, and in which epoch.
#[derive(Debug, Default)]
struct Looks {
    seen: Seen,
    epoch: Option<EpochMark>,
}

impl Follower {
    pub(super) fn new(
        store: Store,
        (lanes, bus): (Arc<Lanes>, Arc<Bus>),
        logins: Arc<Logins>,
        keys: Arc<Keys>,
    ) -> Self {
        Self {
            store,
            lanes,
            bus,
            names: Arc::new(Names::new(Arc::clone(&logins))),
            logins,
            keys,
            looked_at: watch::Sender::new(None),
            asked: Notify::new(),
            seen: tokio::sync::Mutex::default(),
            stopped: CancellationToken::new(),
        }
    }

    /// Begins to follow, where there may be other servers.
    pub(super) async fn start(self: &Arc<Self>) -> Result<()> {
        if !self.store.is_shared() {
            return Ok(());
        }
        let mut tries = 1;
        while let Err(error) = self.look().await {
            if tries == TRIES {
                return Err(error);
            }
            tries += 1;
        }
        let follower = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = follower.stopped.cancelled() => {}
                () = follower.listen() => {}
                () = follower.follow() => {}
            }
        });
        Ok(())
    }

    /// Looks no more: the database is about to be closed.
    pub(super) fn stop(&self) {
        self.stopped.cancel();
    }

    /// Asks for a look at each notification of another server, and takes what is in it.
    async fn listen(&self) {
        loop {
            if let Err(error) = self.listen_once().await {
                tracing::debug!(cause = ?error, "Other servers cannot be listened to.");
            }
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn listen_once(&self) -> Result<()> {
        let mut notifications = self.store.notifications().await?;
        self.bus.ask_all();
        // What was said before that was not heard.
        self.asked.notify_one();
        loop {
            match notifications.next().await? {
                Notification::News => self.asked.notify_one(),
                Notification::Datagram(datagram) => self.bus.receive(datagram),
            }
        }
    }

    async fn follow(&self) {
        let mut fails = false;
        loop {
            let interval = if self.lanes.all().any(|log| log.hub.is_heard()) {
                INTERVAL
            } else {
                IDLE_INTERVAL
            };
            tokio::select! {
                () = self.asked.notified() => {}
                () = tokio::time::sleep(interval) => {}
            }
            let looked = self.look().await;
            if let Err(error) = &looked
                && !fails
            {
                tracing::warn!(cause = ?error, "What other servers wrote cannot be read.");
            }
            fails = looked.is_err();
        }
    }

    /// Looks at what other servers wrote, and publishes and ends it.
    async fn look(&self) -> Result<()> {
        let mut looks = self.seen.lock().await;
        let began = Instant::now();
        let epoch = self.lanes.first().hub.epoch();
        let is_same = looks
            .epoch
            .as_ref()
            .is_some_and(|it| it.number == epoch.number);
        let last = *self.looked_at.borrow();
        let is_late = last.is_some_and(|last| last.elapsed() >= FORGOTTEN);
        let is_first = looks.seen.is_nothing() || is_late || !is_same;
        if is_first {
            looks.seen = Seen::default();
        }
        let found = self.store.look(&mut looks.seen).await?;
        if is_first {
            // What is read from here on is newer than this look, and what ends from here on is seen by the next one.
            self.begin_anew(is_late);
            looks.epoch = Some(epoch);
        }
        drop(looks);
        self.end(&found.endings);
        self.looked_at.send_replace(Some(began));
        self.take_in(&found).await
    }

    /// Forgets what was read before the first look; after a pause that was too long it ends as well.
    fn begin_anew(&self, is_late: bool) {
        if is_late {
            self.logins.end_all();
            self.keys.end_all();
        } else {
            self.logins.forget_all();
            self.keys.forget_all();
        }
    }

    fn end(&self, endings: &[Ending]) {
        for ending in endings {
            match ending {
                Ending::Login(login) => self.logins.end(&[*login]),
                Ending::Replaced(login) => self.logins.replace(&[*login]),
                Ending::Person(person) => self.logins.end_replaced(*person),
                Ending::Tenant(tenant) => {
                    self.keys.end(*tenant);
                    self.logins.end_in(*tenant);
                }
            }
        }
    }

    /// Takes up what a look has found in the lanes, each by itself.
    async fn take_in(&self, found: &Look) -> Result<()> {
        if self.lanes.differ(&found.lanes) {
            self.learn_lanes().await?;
        }
        let of = (&self.store, &*self.names);
        if let [only] = &found.lanes[..] {
            let read = self
                .lanes
                .first()
                .tail
                .read_found(of, (&found.epoch, only.head));
            return read.await;
        }
        let read = found.lanes.iter().filter_map(|lane| {
            let tail = &self.lanes.get(lane.lane)?.tail;
            Some(tail.read_found(of, (&found.epoch, lane.head)))
        });
        let read = futures_util::future::join_all(read).await;
        read.into_iter().collect()
    }

    /// Takes up lanes that were added, and tenants that have moved. A hub knows of everything up to where a tenant came
    /// to its lane before the tenant's changes are looked for there.
    pub(super) async fn learn_lanes(&self) -> Result<()> {
        let _alone = self.lanes.change().await;
        let read = self.store.lanes().await?;
        if read.epoch != self.lanes.first().hub.epoch().epoch {
            let sentence = "the log goes on in another epoch, please try again";
            return Err(Error::unavailable(sentence, SOON));
        }
        for lane in &read.lanes {
            self.lanes.add(&self.store, lane).await?;
        }
        for (_, moved) in self.lanes.unknown(&read) {
            if let Some(log) = self.lanes.get(Lane::of(moved.head)) {
                let until = log.tail.catch_up(&self.store, &self.names, moved.head);
                until.await?;
            }
        }
        self.lanes.note(&read);
        Ok(())
    }

    /// Has the hub of a lane publish what is committed up to a position.
    pub(super) async fn catch_up(&self, log: &LaneLog, until: Position) -> Result<()> {
        let caught_up = log.tail.catch_up(&self.store, &self.names, until);
        caught_up.await
    }

    /// Who has been renamed a moment ago.
    pub(super) fn renamed(&self) -> MutexGuard<'_, Renamed> {
        self.names.renamed()
    }

    /// How many positions a look has found that are not published here.
    pub(super) fn lag(&self) -> i64 {
        self.lanes.all().map(|log| log.tail.lag()).sum()
    }

    /// How long ago the last look began that succeeded; nothing where nobody follows.
    pub(super) fn age(&self) -> Duration {
        let looked_at = *self.looked_at.borrow();
        looked_at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// Refuses while it is not known what has ended elsewhere.
    pub(super) async fn prove(&self) -> Result<()> {
        let is_valid = |at: &Option<Instant>| at.is_none_or(|at| at.elapsed() < LEASE);
        if is_valid(&self.looked_at.borrow()) {
            return Ok(());
        }
        let mut looked_at = self.looked_at.subscribe();
        self.asked.notify_one();
        let renewed = tokio::time::timeout(LOOK_PATIENCE, looked_at.wait_for(is_valid));
        match renewed.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::unavailable(
                "this server cannot see just now which logins are good, please try again",
                SOON,
            )),
        }
    }

    /// The place of a tenant's cursor in what this server has published: what another server has told is waited for. What
    /// nobody has told is not, and `unknown` is the refusal. A place in a lane that the tenant has left is an old one.
    pub(super) async fn reach(
        &self,
        tenant: TenantId,
        cursor: &Cursor,
        unknown: impl Fn() -> Error,
    ) -> Result<Position> {
        if Lane::of(cursor.position) > self.lanes.lane_of(tenant) && self.store.is_shared() {
            // Another server may know by now that the tenant has moved.
            self.look().await?;
        }
        self.reach_in(self.lanes.of(tenant), cursor, unknown).await
    }

    /// The same in a lane.
    pub(super) async fn reach_in(
        &self,
        log: &LaneLog,
        cursor: &Cursor,
        unknown: impl Fn() -> Error,
    ) -> Result<Position> {
        let hub = &log.hub;
        let is_here = cursor.epoch == hub.epoch().epoch;
        if is_here && cursor.position <= hub.head() {
            return Ok(cursor.position);
        }
        if !self.store.is_shared() {
            return Err(unknown());
        }
        let (epoch, head) = self.store.place(log.lane).await?;
        if epoch != cursor.epoch || cursor.position > head {
            return Err(unknown());
        }
        self.asked.notify_one();
        let is_reached = is_here && hub.reaches(cursor.position, TAIL_PATIENCE).await;
        if is_reached && cursor.epoch == hub.epoch().epoch {
            return Ok(cursor.position);
        }
        let sentence = "this server has yet to read what another one has told, please try again";
        Err(Error::unavailable(sentence, SOON))
    }

    /// The place of a socket in what this server has published, in each of its lanes.
    pub(super) async fn reach_all(&self, place: &Place) -> Result<()> {
        for position in place.positions.iter() {
            let lane = Lane::of(position);
            if self.lanes.get(lane).is_none() && self.store.is_shared() {
                self.look().await?;
            }
            let log = self.lanes.get(lane).ok_or_else(Error::gone)?;
            let cursor = Cursor {
                epoch: place.epoch.clone(),
                position,
            };
            self.reach_in(log, &cursor, Error::gone).await?;
        }
        Ok(())
    }
}
