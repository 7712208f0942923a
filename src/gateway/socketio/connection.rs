//! The state of one connection: its session, and what it needs for delivery and recovery.

use std::sync::{Arc, OnceLock, PoisonError, atomic::AtomicBool};

use parlance_socketio::{engine::SendError, server::Socket};
use tokio::sync::Mutex;

use super::{
    keeping::UNKNOWN,
    recovery::{self, NOTHING},
    turn::{DeliveryWaker, Turn, TurnGuard},
};
use crate::{
    chat::connections,
    dialect::ClientSession,
    model::{EpochMark, Lane, PartTold, Place, Position, Positions, place::MOST_LANES},
    pubsub::Waker,
};

/// The state of one connection. Its events and its delivery take turns.
pub(super) struct ConnectionState {
    pub(super) turn: Mutex<Turn>,
    pub(super) waker: Arc<DeliveryWaker>,
    recovery: OnceLock<Box<Recovery>>,
}

/// What a connection needs that can be recovered.
pub(super) struct Recovery {
    /// The private id by which it is recovered.
    pub(super) private: String,
    /// What tells this connection from those that had the same private id before, or will.
    pub(super) holder: i64,
    /// The same of the connection that came back as this one.
    before: Option<i64>,
    /// The epoch of the log that its positions belong to.
    epoch: EpochMark,
    /// What has been sent, which is the offset sent last. It is locked while a frame with an offset is sent, so that
    /// offsets never decrease.
    told: std::sync::Mutex<Told>,
    /// Where the log ended before it was looked at what it may hear, when it came back.
    checked: Option<Positions>,
    /// Its identities as they were stored last; `None` if they were never stored.
    pub(super) kept: std::sync::Mutex<Option<String>>,
    /// Whether it is tried again to store them.
    pub(super) keeps_later: AtomicBool,
}

/// What a connection was told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// Everything up to here.
    pub(super) positions: Positions,
    /// Some frames of the change after one of them.
    pub(super) part: Option<PartTold>,
}

impl From<Place> for Told {
    fn from(place: Place) -> Self {
        Self {
            positions: place.positions,
            part: place.part,
        }
    }
}

impl Told {
    fn raise(&mut self, lane: Lane, position: Position) {
        self.positions.raise_in(lane, position);
        let positions = &self.positions;
        self.part.take_if(|part| {
            let told = positions.of(Lane::of(part.position));
            told.is_none_or(|told| told >= part.position)
        });
    }
}

impl Recovery {
    pub(super) fn new(private: String, epoch: EpochMark, positions: Positions) -> Self {
        let part = None;
        Self::at(private, epoch, Told { positions, part })
    }

    fn at(private: String, epoch: EpochMark, told: Told) -> Self {
        Self {
            private,
            holder: connections::new_holder(),
            before: None,
            epoch,
            told: std::sync::Mutex::new(told),
            checked: None,
            kept: std::sync::Mutex::new(None),
            keeps_later: AtomicBool::new(false),
        }
    }

    /// The same for a recovered connection, of which something is stored, by the connection before it.
    pub(super) fn returned(
        (private, before): (String, i64),
        epoch: EpochMark,
        told: Told,
        checked: Option<Positions>,
    ) -> Self {
        Self {
            before: Some(before),
            checked,
            kept: std::sync::Mutex::new(Some(UNKNOWN.to_owned())),
            ..Self::at(private, epoch, told)
        }
    }

    /// Whether the connection is the newest of its private id, if this is what is stored of which one that is: what
    /// was there when it came back is, until it is stored itself.
    pub(super) fn is_newest(&self, holder: i64) -> bool {
        let is_unknown = || lock(&self.kept).as_deref() == Some(UNKNOWN);
        holder == self.holder || (self.before == Some(holder) && is_unknown())
    }

    /// Whether a change came before it was looked at what the connection may hear, when it came back.
    pub(super) fn has_checked(&self, lane: Lane, position: Position) -> bool {
        let checked = self.checked.as_ref().and_then(|checked| checked.of(lane));
        checked.is_some_and(|checked| position <= checked)
    }

    /// Whether that is stored already, or need not be.
    pub(super) fn is_kept(&self, identity: &str) -> bool {
        lock(&self.kept).as_deref().unwrap_or(NOTHING) == identity
    }

    pub(super) fn told(&self) -> Told {
        lock(&self.told).clone()
    }

    /// The offset sent last; none where there are more lanes than have room in one.
    pub(super) fn offset(&self) -> Option<String> {
        self.offset_of(&lock(&self.told))
    }

    fn offset_of(&self, told: &Told) -> Option<String> {
        offset(&self.epoch, &told.positions, told.part)
    }

    /// From now on it acts in these lanes, in each of which everything up to a position was sent, or is not for it.
    pub(super) fn follow(&self, lanes: &Positions) {
        let mut told = lock(&self.told);
        let mut now = lanes.clone();
        for (lane, position) in told.positions.entries() {
            if now.of(lane).is_some() {
                now.raise_in(lane, position);
            }
        }
        told.positions = now;
    }

    /// Whether the connection has no identity and never had one. Then there is nothing to recover or store.
    pub(super) fn is_nobodys(&self, session: &ClientSession) -> bool {
        lock(&self.kept).is_none() && recovery::encode_identities(session) == NOTHING
    }

    /// Sends a frame that has the last offset again.
    pub(super) fn repeat<T>(&self, send: impl FnOnce(Option<String>) -> T) -> T {
        let told = lock(&self.told);
        send(self.offset_of(&told))
    }

    /// Sends a frame whose offset has that position for a lane, and that change as one that is told in part.
    pub(super) fn advance(
        &self,
        (lane, position, part): (Lane, Position, Option<PartTold>),
        send: impl FnOnce() -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let mut told = lock(&self.told);
        send()?;
        told.raise(lane, position);
        told.part = part.or(told.part);
        Ok(())
    }

    /// Everything up to that position has been sent for a lane.
    pub(super) fn has_told(&self, lane: Lane, position: Position) {
        lock(&self.told).raise(lane, position);
    }
}

/// Positions as clients are told them.
pub(super) fn offset(
    epoch: &EpochMark,
    positions: &Positions,
    part: Option<PartTold>,
) -> Option<String> {
    let has_room = positions.lanes() <= MOST_LANES;
    has_room.then(|| epoch.place_at(positions.clone(), part).to_string())
}

impl ConnectionState {
    pub(super) fn new(
        socket: &Socket,
        session: impl FnOnce(Arc<dyn Waker>) -> ClientSession,
    ) -> Self {
        let waker = Arc::new(DeliveryWaker::new(socket));
        Self {
            turn: Mutex::new(Turn::new(session(Arc::clone(&waker) as Arc<dyn Waker>))),
            waker,
            recovery: OnceLock::new(),
        }
    }

    /// What it needs for recovery, if it can be recovered.
    pub(super) fn recovery(&self) -> Option<&Recovery> {
        self.recovery.get().map(|recovery| &**recovery)
    }

    pub(super) fn set_recovery(&self, recovery: Recovery) {
        // Called once, while it connects.
        let _ = self.recovery.set(Box::new(recovery));
    }

    /// Waits for the turn. What is noted until it is released is delivered then.
    pub(super) async fn turn<'c>(&'c self, socket: &'c Socket) -> TurnGuard<'c> {
        TurnGuard::wait(self, socket).await
    }

    /// Has delivery run again once the turn is released.
    pub(super) fn note_delivery(&self) {
        // The holder of the turn checks for it on release.
        let _ = self.waker.note();
    }
}

pub(super) fn lock<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
