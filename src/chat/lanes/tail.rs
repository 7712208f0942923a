//! How what is in the log of a lane comes to its hub: what this server writes by its publisher, the rest by reading.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    chat::{logins::Logins, renamed::Renamed},
    error::Result,
    model::{Change, ChangeKind, Epoch, Position},
    pubsub::{Hub, log_tail},
    store::Store,
};

/// How long changes of this server may be on their way from the database to the hub before they are read instead.
const OWN_CHANGES: Duration = Duration::from_millis(200);

/// Who is called otherwise since a moment ago, here or elsewhere.
#[derive(Debug)]
pub(in crate::chat) struct Names {
    renamed: Mutex<Renamed>,
    logins: Arc<Logins>,
}

impl Names {
    pub(in crate::chat) fn new(logins: Arc<Logins>) -> Self {
        Self {
            renamed: Mutex::default(),
            logins,
        }
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
    pub(in crate::chat) fn renamed(&self) -> MutexGuard<'_, Renamed> {
        self.renamed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::chat) struct Tail {
    hub: Arc<Hub>,
    /// The end of the lane as a look found it last.
    found: AtomicI64,
    /// What this server writes and is about to publish, which need not be read: after which position, and up to which.
    own: Mutex<BTreeMap<Position, Position>>,
    /// Held by who reads the log for the hub.
    reading: tokio::sync::Mutex<()>,
}

impl Tail {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            found: AtomicI64::new(0),
            own: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Publishes what a look has found. What is of this server is about to be published.
    pub(in crate::chat) async fn read_found(
        &self,
        (store, names): (&Store, &Names),
        (epoch, head): (&Epoch, Position),
    ) -> Result<()> {
        self.found.store(head.get(), Ordering::Relaxed);
        // Another epoch is taken up by the writer.
        while *epoch == self.hub.epoch().epoch && self.hub.head() < head {
            match self.next_own() {
                Some((after, last)) if after <= self.hub.head() => {
                    if !self.hub.reaches(last, OWN_CHANGES).await {
                        return self.catch_up(store, names, head).await;
                    }
                }
                Some((after, _)) if after < head => self.catch_up(store, names, after).await?,
                Some(_) | None => return self.catch_up(store, names, head).await,
            }
        }
        Ok(())
    }

    /// Notes what this server is about to commit and then publishes.
    pub(in crate::chat) fn expect_own(&self, after: Position, last: Position) {
        let head = self.hub.head();
        let mut own = self.own();
        own.retain(|_, last| *last > head);
        own.insert(after, last);
    }

    /// Forgets it: it may not be in the log.
    pub(in crate::chat) fn forget_own(&self, after: Position) {
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

    /// Publishes the changes of the lane up to a position that is committed.
    pub(in crate::chat) async fn catch_up(
        &self,
        store: &Store,
        names: &Names,
        until: Position,
    ) -> Result<()> {
        let _alone = self.reading.lock().await;
        let note = |changes: &[Change]| names.note(changes);
        log_tail::catch_up(store, &self.hub, until, note).await
    }

    /// How many positions a look has found that are not published here.
    pub(in crate::chat) fn lag(&self) -> i64 {
        (self.found.load(Ordering::Relaxed) - self.hub.head().get()).max(0)
    }
}
