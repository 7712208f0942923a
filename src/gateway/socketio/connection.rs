//! The state of one connection: its session, and what it needs for delivery and recovery.

use std::sync::{Arc, OnceLock, PoisonError};

use parlance_socketio::{engine::SendError, server::Socket};
use tokio::sync::Mutex;

use super::{
    recovery::{self, NOTHING},
    turn::{DeliveryWaker, Turn, TurnGuard},
};
use crate::{dialect::ClientSession, model::Position, pubsub::Waker};

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
    /// Everything up to this position has been sent, and it is the offset sent last. It is locked while a
    /// frame with an offset is sent, so that offsets never decrease.
    told: std::sync::Mutex<Position>,
    /// Whom it acts for, as it was stored last; `None` if it was never stored.
    pub(super) kept: std::sync::Mutex<Option<String>>,
}

impl Recovery {
    pub(super) fn new(private: String, told: Position) -> Self {
        Self {
            private,
            told: std::sync::Mutex::new(told),
            kept: std::sync::Mutex::new(None),
        }
    }

    /// The same for a recovered connection, of which something is stored.
    pub(super) fn returned(private: String, told: Position) -> Self {
        Self {
            kept: std::sync::Mutex::new(Some(String::new())),
            ..Self::new(private, told)
        }
    }

    /// Whether that is stored already, or need not be.
    pub(super) fn is_kept(&self, identity: &str) -> bool {
        lock(&self.kept).as_deref().unwrap_or(NOTHING) == identity
    }

    pub(super) fn told(&self) -> Position {
        *lock(&self.told)
    }

    /// Whether the connection acts for nobody and never did. Then there is nothing to be recovered or
    /// stored.
    pub(super) fn is_nobodys(&self, session: &ClientSession) -> bool {
        lock(&self.kept).is_none() && recovery::encode_identities(session) == NOTHING
    }

    /// Sends a frame that has the last offset again.
    pub(super) fn repeat<T>(&self, send: impl FnOnce(Position) -> T) -> T {
        let told = lock(&self.told);
        send(*told)
    }

    /// Sends a frame whose offset is that position.
    pub(super) fn advance(
        &self,
        position: Position,
        send: impl FnOnce() -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let mut told = lock(&self.told);
        send()?;
        *told = position.max(*told);
        Ok(())
    }

    /// Everything up to that position has been sent.
    pub(super) fn has_told(&self, position: Position) {
        let mut told = lock(&self.told);
        *told = position.max(*told);
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

    /// Waits for the turn. What is noted until it is given back is delivered then.
    pub(super) async fn turn<'c>(&'c self, socket: &'c Socket) -> TurnGuard<'c> {
        TurnGuard::wait(self, socket).await
    }

    /// Has delivery look again, once the turn is given back.
    pub(super) fn note_delivery(&self) {
        // Whoever has the turn looks for it themselves.
        let _ = self.waker.note();
    }
}

pub(super) fn lock<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
