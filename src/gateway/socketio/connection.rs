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
    model::{Cursor, EpochMark, Position},
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
    /// Everything up to this position has been sent, and it is the offset sent last. It is locked while a
    /// frame with an offset is sent, so that offsets never decrease.
    delivered: std::sync::Mutex<Position>,
    /// Its identities as they were stored last; `None` if they were never stored.
    pub(super) kept: std::sync::Mutex<Option<String>>,
}

impl Recovery {
    pub(super) fn new(private: String, epoch: EpochMark, delivered: Position) -> Self {
        Self {
            private,
            holder: connections::new_holder(),
            epoch,
            delivered: std::sync::Mutex::new(delivered),
            kept: std::sync::Mutex::new(None),
        }
    }

    /// The same for a recovered connection, of which something is stored.
    pub(super) fn returned(private: String, epoch: EpochMark, delivered: Position) -> Self {
        Self {
            kept: std::sync::Mutex::new(Some(String::new())),
            ..Self::new(private, epoch, delivered)
        }
    }

    /// Whether that is stored already, or need not be.
    pub(super) fn is_kept(&self, identity: &str) -> bool {
        lock(&self.kept).as_deref().unwrap_or(NOTHING) == identity
    }

    pub(super) fn delivered(&self) -> Position {
        *lock(&self.delivered)
    }

    /// Whether the connection has no identity and never had one. Then there is nothing to recover or store.
    pub(super) fn is_nobodys(&self, session: &ClientSession) -> bool {
        lock(&self.kept).is_none() && recovery::encode_identities(session) == NOTHING
    }

    /// Sends a frame that has the last offset again.
    pub(super) fn repeat<T>(&self, send: impl FnOnce(Cursor) -> T) -> T {
        let delivered = lock(&self.delivered);
        send(self.epoch.cursor_at(*delivered))
    }

    /// Sends a frame whose offset is that position.
    pub(super) fn advance(
        &self,
        position: Position,
        send: impl FnOnce() -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let mut delivered = lock(&self.delivered);
        send()?;
        *delivered = position.max(*delivered);
        Ok(())
    }

    /// Everything up to that position has been sent.
    pub(super) fn has_told(&self, position: Position) {
        let mut delivered = lock(&self.delivered);
        *delivered = position.max(*delivered);
    }
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
