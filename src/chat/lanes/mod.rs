//! The lanes of the database as this server has them: the hub of each, and which tenant's changes go where.
//!
//! # Why
//! Within a lane everything is what it is in a database of one log: positions without gaps, a writer, a hub. So what
//! there is one of for each lane is here, and is found by the tenant. Lanes are only added, and a tenant only moves to a
//! lane of a higher number, so what was found once stays good enough to ask again.
//!
//! A tenant that has moved has its log in parts, one for each lane that it was in. It goes on behind its last part as a
//! log does over an epoch's gap: nothing of it is in between. Where nobody has moved nothing is looked up.

mod tail;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use tokio::sync::Mutex;

use crate::{
    chat::search::Index,
    error::Result,
    model::{Epoch, Lane, Move, Position, Positions, TenantId},
    pubsub::{Hub, log_tail},
    store::{LaneHead, LanesRead, Store},
};

pub(super) use tail::{Names, Tail};

/// What there is one of for each lane.
#[derive(Debug)]
pub(super) struct LaneLog {
    pub(super) lane: Lane,
    /// Who listens.
    pub(super) hub: Arc<Hub>,
    /// What comes from the database to the hub.
    pub(super) tail: Tail,
    /// How far the search index has come.
    pub(super) index: Index,
    /// How many tenants had come to the lane or left it when it was last read who.
    moves: AtomicI64,
}

impl LaneLog {
    fn new(hub: Arc<Hub>, index: Index) -> Self {
        Self {
            lane: Lane::of(hub.head()),
            tail: Tail::new(Arc::clone(&hub)),
            hub,
            index,
            moves: AtomicI64::new(0),
        }
    }

    /// How many tenants had come to the lane or left it when it was last read who.
    pub(super) fn moves(&self) -> i64 {
        self.moves.load(Ordering::Acquire)
    }
}

/// The moves of tenants, each with its own in their order.
type Moves = HashMap<TenantId, Arc<[Move]>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Lanes {
    /// In the order of their numbers; the first is always there.
    logs: Box<[OnceLock<LaneLog>]>,
    count: AtomicUsize,
    /// Whether any tenant is in another lane than the first.
    has_moves: AtomicBool,
    /// The tenants that are, each with its moves in their order.
    moved: RwLock<Moves>,
    /// Held by who adds lanes, notes moves or begins an epoch.
    changing: Mutex<()>,
}

impl Lanes {
    /// The lanes of a database.
    pub(super) async fn open(store: &Store) -> Result<Arc<Self>> {
        let read = store.lanes().await?;
        let missing = || crate::error::Error::internal("the log has no row");
        let first = read.lanes.first().ok_or_else(missing)?;
        let hub = Hub::new(first.head, read.epoch.clone());
        log_tail::fill(store, &hub).await?;
        let index = Index::open(store, Lane::FIRST).await?;
        let lanes = Self::of_one(hub, index);
        for head in &read.lanes {
            lanes.add(store, head).await?;
        }
        lanes.note(&read);
        Ok(Arc::new(lanes))
    }

    /// One lane.
    fn of_one(hub: Arc<Hub>, index: Index) -> Self {
        let lanes = Self {
            logs: (0..Lane::MOST).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(1),
            has_moves: AtomicBool::new(false),
            moved: RwLock::default(),
            changing: Mutex::default(),
        };
        lanes.logs[0].get_or_init(|| LaneLog::new(hub, index));
        lanes
    }

    /// One lane without a database.
    #[cfg(test)]
    pub(super) fn alone(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self::of_one(hub, Index::empty()))
    }

    /// The first lane.
    pub(super) fn first(&self) -> &LaneLog {
        let first = self.logs[0].get();
        first.expect("it is there from the beginning")
    }

    /// A lane, if it is known.
    pub(super) fn get(&self, lane: Lane) -> Option<&LaneLog> {
        self.logs.get(lane.index())?.get()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &LaneLog> {
        let count = self.count.load(Ordering::Acquire);
        self.logs[..count].iter().filter_map(OnceLock::get)
    }

    /// Whether there are several.
    pub(super) fn are_several(&self) -> bool {
        self.count.load(Ordering::Acquire) > 1
    }

    /// Where a tenant's changes go.
    pub(super) fn of(&self, tenant: TenantId) -> &LaneLog {
        self.get(self.lane_of(tenant))
            .unwrap_or_else(|| self.first())
    }

    /// The lane that a tenant's changes go to.
    pub(super) fn lane_of(&self, tenant: TenantId) -> Lane {
        if !self.has_moves.load(Ordering::Acquire) {
            return Lane::FIRST;
        }
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        let last = moved.get(&tenant).and_then(|moves| moves.last());
        last.map_or(Lane::FIRST, |last| Lane::of(last.head))
    }

    /// The moves of a tenant, in their order.
    fn moves_of(&self, tenant: TenantId) -> Option<Arc<[Move]>> {
        if !self.has_moves.load(Ordering::Acquire) {
            return None;
        }
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        moved.get(&tenant).cloned()
    }

    /// The next positions that may be of a tenant after one: at most so many, and up to which they are in one lane.
    pub(super) fn window(
        &self,
        tenant: TenantId,
        after: Position,
        most: i64,
    ) -> (Position, Position) {
        let head = self.of(tenant).hub.head();
        let (mut after, mut end) = (after, head);
        for moved in self.moves_of(tenant).iter().flat_map(|moves| moves.iter()) {
            if after < moved.after {
                end = end.min(moved.after);
                break;
            }
            after = after.max(moved.head);
        }
        (after, after.max(end.min(after.plus(most))))
    }

    /// The parts of a tenant's log, the newest first: each after a position and up to another.
    pub(super) fn parts(&self, tenant: TenantId) -> Vec<(Position, Position)> {
        let (mut parts, mut after) = (Vec::new(), Position::START);
        for moved in self.moves_of(tenant).iter().flat_map(|moves| moves.iter()) {
            parts.push((after, moved.after));
            after = moved.head;
        }
        parts.push((after, self.of(tenant).hub.head().max(after)));
        parts.reverse();
        parts
    }

    /// The heads of all.
    pub(super) fn heads(&self) -> Positions {
        let mut heads = Positions::from(self.first().hub.head());
        self.all().for_each(|log| heads.raise(log.hub.head()));
        heads
    }

    /// Whether these are other lanes than those that are known, or other moves.
    pub(super) fn differ(&self, found: &[LaneHead]) -> bool {
        found.iter().any(|found| {
            let known = self.get(found.lane);
            known.is_none_or(|known| known.moves() != found.moves)
        })
    }

    /// Who holds it adds lanes, notes moves or begins an epoch, alone.
    pub(super) async fn change(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Adds a lane if it is not known. Its hub stands where the lane ended when that was read.
    pub(super) async fn add(&self, store: &Store, found: &LaneHead) -> Result<()> {
        if self.get(found.lane).is_some() {
            return Ok(());
        }
        let hub = self.first().hub.beside(found.head);
        log_tail::fill(store, &hub).await?;
        let index = Index::open(store, found.lane).await?;
        if let Some(place) = self.logs.get(found.lane.index()) {
            place.get_or_init(|| LaneLog::new(hub, index));
            let count = found.lane.index() + 1;
            self.count.fetch_max(count, Ordering::AcqRel);
            // Who follows those that were known looks for others then.
            self.first().hub.wake_followers();
        }
        Ok(())
    }

    /// The moves that are not known.
    pub(super) fn unknown(&self, read: &LanesRead) -> Vec<(TenantId, Move)> {
        let all = read.moves.iter().copied();
        let unknown = all.filter(|(tenant, moved)| {
            let known = self.moves_of(*tenant);
            !known.is_some_and(|known| known.contains(moved))
        });
        unknown.collect()
    }

    /// Notes who is where. Who listens in a lane that their tenant has left learns of it. A failover may have lost moves: who
    /// had moved by them is where they were before.
    pub(super) fn note(&self, read: &LanesRead) {
        let mut found = HashMap::<TenantId, Vec<Move>>::new();
        for (tenant, moved) in &read.moves {
            found.entry(*tenant).or_default().push(*moved);
        }
        let found: Moves = found
            .into_iter()
            .map(|(tenant, moves)| (tenant, moves.into()))
            .collect();
        let left: Vec<_> = {
            let known = self.moved.read().unwrap_or_else(PoisonError::into_inner);
            let tenants: HashSet<_> = known.keys().chain(found.keys()).copied().collect();
            let others = tenants
                .into_iter()
                .filter(|tenant| known.get(tenant) != found.get(tenant));
            others.collect()
        };
        let left: Vec<_> = left
            .into_iter()
            .map(|tenant| (tenant, self.of(tenant)))
            .collect();
        if !left.is_empty() {
            let has_moves = !found.is_empty();
            *self.moved.write().unwrap_or_else(PoisonError::into_inner) = found;
            self.has_moves.store(has_moves, Ordering::Release);
        }
        for found in &read.lanes {
            if let Some(log) = self.get(found.lane) {
                log.moves.store(found.moves, Ordering::Release);
            }
        }
        for (tenant, log) in left {
            log.hub.drop_tenant(tenant).notify();
        }
    }

    /// Begins another epoch in all of them.
    pub(super) fn begin_epoch(&self, epoch: Epoch, begins: &Positions) {
        let hubs: Vec<_> = self
            .all()
            .map(|log| {
                let begin = begins.of(log.lane);
                (&*log.hub, begin.unwrap_or_else(|| log.hub.head()))
            })
            .collect();
        Hub::begin_epoch_in(&hubs, epoch).notify();
    }
}

#[cfg(test)]
mod tests;
