//! The state of one connection: its session, and what it needs for delivery and recovery.

use std::sync::{Arc, OnceLock, PoisonError};

use parlance_socketio::{engine::SendError, server::Socket};
use tokio::sync::Mutex;

use super::{
    recovery::{self, NOTHING},
    turn::{DeliveryWaker, Turn, TurnGuard},
};
use crate::{
    chat::connections,
    dialect::ClientSession,
    model::{EpochMark, Lane, Position, Positions, cursor::MOST_LANES},
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
    /// The epoch of the log that its positions belong to.
    epoch: EpochMark,
    /// Everything up to these positions has been sent, and they are the offset sent last. It is locked while a
    /// frame with an offset is sent, so that offsets never decrease.
    delivered: std::sync::Mutex<Positions>,
    /// Where the log ended before it was looked at what it may hear, when it came back.
    checked: Option<Positions>,
    /// Its identities as they were stored last; `None` if they were never stored.
    pub(super) kept: std::sync::Mutex<Option<String>>,
}

impl Recovery {
    pub(super) fn new(private: String, epoch: EpochMark, delivered: Positions) -> Self {
        Self {
            private,
            holder: connections::new_holder(),
            epoch,
            delivered: std::sync::Mutex::new(delivered),
            checked: None,
            kept: std::sync::Mutex::new(None),
        }
    }

    /// The same for a recovered connection, of which something is stored.
    pub(super) fn returned(
        private: String,
        epoch: EpochMark,
        delivered: Positions,
        checked: Option<Positions>,
    ) -> Self {
        Self {
            checked,
            kept: std::sync::Mutex::new(Some(String::new())),
            ..Self::new(private, epoch, delivered)
        }
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

    pub(super) fn delivered(&self) -> Positions {
        lock(&self.delivered).clone()
    }

    /// The offset sent last; none where there are more lanes than have room in one.
    pub(super) fn offset(&self) -> Option<String> {
        offset(&self.epoch, &lock(&self.delivered))
    }

    /// From now on it acts in these lanes, in each of which everything up to a position was sent, or is not for it.
    pub(super) fn follow(&self, lanes: &Positions) {
        let mut delivered = lock(&self.delivered);
        let mut now = lanes.clone();
        for (lane, position) in delivered.entries() {
            if now.of(lane).is_some() {
                now.raise_in(lane, position);
            }
        }
        *delivered = now;
    }

    /// Whether the connection has no identity and never had one. Then there is nothing to recover or store.
    pub(super) fn is_nobodys(&self, session: &ClientSession) -> bool {
        lock(&self.kept).is_none() && recovery::encode_identities(session) == NOTHING
    }

    /// Sends a frame that has the last offset again.
    pub(super) fn repeat<T>(&self, send: impl FnOnce(Option<String>) -> T) -> T {
        let delivered = lock(&self.delivered);
        send(offset(&self.epoch, &delivered))
    }

    /// Sends a frame whose offset has that position for a lane.
    pub(super) fn advance(
        &self,
        (lane, position): (Lane, Position),
        send: impl FnOnce() -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let mut delivered = lock(&self.delivered);
        send()?;
        delivered.raise_in(lane, position);
        Ok(())
    }

    /// Everything up to that position has been sent for a lane.
    pub(super) fn has_told(&self, lane: Lane, position: Position) {
        lock(&self.delivered).raise_in(lane, position);
    }
}

/// Positions as clients are told them.
pub(super) fn offset(epoch: &EpochMark, positions: &Positions) -> Option<String> {
    let has_room = positions.lanes() <= MOST_LANES;
    has_room.then(|| epoch.place_at(positions.clone()).to_string())
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
