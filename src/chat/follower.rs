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
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{bus::Bus, keys::Keys, logins::Logins, renamed::Renamed},
    error::{Error, Result},
    model::{Change, ChangeKind, Cursor, Ending, EpochMark, Position},
    pubsub::{Hub, log_tail},
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
/// How long changes of this server may be on their way from the database to the hub before they are read instead.
const OWN_CHANGES: Duration = Duration::from_millis(200);
/// After so long without a look what has ended may be forgotten in the database.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// When to try again while this server is behind.
const SOON: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Follower {
    store: Store,
    hub: Arc<Hub>,
    /// To which it hands what others say beside that there is something to read.
    bus: Arc<Bus>,
    logins: Arc<Logins>,
    keys: Arc<Keys>,
    /// Who has been renamed a moment ago, here or elsewhere.
    renamed: Mutex<Renamed>,
    /// When the last look that succeeded began; nothing where nobody follows.
    looked_at: watch::Sender<Option<Instant>>,
    /// Somebody wants a look now.
    asked: Notify,
    /// The end of the log as a look found it last.
    found: AtomicI64,
    /// What this server writes and is about to publish, which need not be read: after which position, and up to which.
    own: Mutex<BTreeMap<Position, Position>>,
    /// Held by who reads the log for the hub.
    reading: tokio::sync::Mutex<()>,
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
        (hub, bus): (Arc<Hub>, Arc<Bus>),
        logins: Arc<Logins>,
        keys: Arc<Keys>,
    ) -> Self {
        Self {
            store,
            hub,
            bus,
            logins,
            keys,
            renamed: Mutex::default(),
            looked_at: watch::Sender::new(None),
            asked: Notify::new(),
            found: AtomicI64::new(0),
            own: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
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
            let interval = if self.hub.is_heard() {
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
        let epoch = self.hub.epoch();
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
        self.found.store(found.head.get(), Ordering::Relaxed);
        self.read_changes(&found).await
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

    /// Publishes what a look has found in the log. What is of this server is about to be published.
    async fn read_changes(&self, found: &Look) -> Result<()> {
        // Another epoch is taken up by the writer.
        while found.epoch == self.hub.epoch().epoch && self.hub.head() < found.head {
            match self.next_own() {
                Some((after, last)) if after <= self.hub.head() => {
                    if !self.hub.reaches(last, OWN_CHANGES).await {
                        return self.catch_up(found.head).await;
                    }
                }
                Some((after, _)) if after < found.head => self.catch_up(after).await?,
                Some(_) | None => return self.catch_up(found.head).await,
            }
        }
        Ok(())
    }

    /// Notes what this server is about to commit and then publishes.
    pub(super) fn expect_own(&self, after: Position, last: Position) {
        if self.store.is_shared() {
            let head = self.hub.head();
            let mut own = self.own();
            own.retain(|_, last| *last > head);
            own.insert(after, last);
        }
    }

    /// Forgets it: it may not be in the log.
    pub(super) fn forget_own(&self, after: Position) {
        self.own().remove(&after);
    }

    /// The first that is not published.
    fn next_own(&self) -> Option<(Position, Position)> {
        let head = self.hub.head();
        let own = self.own();
        let own = own.iter().find(|(_, last)| **last > head);
        own.map(|(after, last)| (*after, *last))
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<Position, Position>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the changes of the log up to a position that is committed.
    pub(super) async fn catch_up(&self, until: Position) -> Result<()> {
        let _alone = self.reading.lock().await;
        let note = |changes: &[Change]| self.note(changes);
        log_tail::catch_up(&self.store, &self.hub, until, note).await
    }

    /// Notes who is called otherwise: by whom nothing is told under the old name afterwards.
    fn note(&self, changes: &[Change]) {
        let mut renamed = self.renamed();
        for change in changes {
            if let ChangeKind::Person(_) = change.what {
                renamed.note(change.position, &change.actor);
                self.logins.renamed(change.position, &change.actor);
            }
        }
    }

    /// Who has been renamed a moment ago.
    pub(super) fn renamed(&self) -> MutexGuard<'_, Renamed> {
        self.renamed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many positions a look has found that are not published here.
    pub(super) fn lag(&self) -> i64 {
        (self.found.load(Ordering::Relaxed) - self.hub.head().get()).max(0)
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

    /// The place of a cursor in what this server has published: what another server has told is waited for. What nobody
    /// has told is not, and `unknown` is the refusal.
    pub(super) async fn reach(
        &self,
        cursor: &Cursor,
        unknown: impl Fn() -> Error,
    ) -> Result<Position> {
        let is_here = cursor.epoch == self.hub.epoch().epoch;
        if is_here && cursor.position <= self.hub.head() {
            return Ok(cursor.position);
        }
        if !self.store.is_shared() {
            return Err(unknown());
        }
        let (epoch, head) = self.store.place().await?;
        if epoch != cursor.epoch || cursor.position > head {
            return Err(unknown());
        }
        self.asked.notify_one();
        let is_reached = is_here && self.hub.reaches(cursor.position, TAIL_PATIENCE).await;
        if is_reached && cursor.epoch == self.hub.epoch().epoch {
            return Ok(cursor.position);
        }
        let sentence = "this server has yet to read what another one has told, please try again";
        Err(Error::unavailable(sentence, SOON))
    }
}
