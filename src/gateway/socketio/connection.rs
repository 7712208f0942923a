//! One socket's life: who speaks on it, and how far it has heard.

use std::sync::{
    Arc, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use parlance_socketio::engine::SendError;
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use super::recovery::{self, NOTHING};
use crate::{dialect::ClientSession, model::Position};

/// See the module. Its turn is held by an event while it is handled, and by the delivery while it tells
/// what is new: never both, so an answer comes before what it caused.
pub(super) struct ConnectionState {
    session: Mutex<ClientSession>,
    waker: Arc<Notify>,
    drained: Notify,
    ended: CancellationToken,
    is_delivering: AtomicBool,
    recovery: OnceLock<Box<Recovery>>,
}

/// What a connection needs that may come back.
pub(super) struct Recovery {
    /// The private id by which it does.
    pub(super) private: String,
    /// Up to here it has been told everything, and so says the offset that was sent last. It is held
    /// while something with an offset is sent, so that offsets never go back.
    told: std::sync::Mutex<Position>,
    /// Whom it acted for when that was last written down; none if it never was.
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

    /// The same of a connection that came back, of which something is written down.
    pub(super) fn returned(private: String, told: Position) -> Self {
        Self {
            kept: std::sync::Mutex::new(Some(String::new())),
            ..Self::new(private, told)
        }
    }

    /// Whether that is written down already, or nothing needs to be.
    pub(super) fn is_kept(&self, identity: &str) -> bool {
        lock(&self.kept).as_deref().unwrap_or(NOTHING) == identity
    }

    pub(super) fn told(&self) -> Position {
        *lock(&self.told)
    }

    /// Whether the connection acts for nobody and never did: then there is nothing to come back to,
    /// and nothing to be written down.
    pub(super) fn is_nobodys(&self, session: &ClientSession) -> bool {
        lock(&self.kept).is_none() && recovery::write_down(session) == NOTHING
    }

    /// Sends something that repeats the last offset.
    pub(super) fn repeat<T>(&self, send: impl FnOnce(Position) -> T) -> T {
        let told = lock(&self.told);
        send(*told)
    }

    /// Sends something whose offset is that position.
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

    /// Up to that position nothing is left to be told.
    pub(super) fn has_told(&self, position: Position) {
        let mut told = lock(&self.told);
        *told = position.max(*told);
    }
}

impl ConnectionState {
    pub(super) fn new(session: impl FnOnce(Arc<Notify>) -> ClientSession) -> Self {
        let waker = Arc::new(Notify::new());
        Self {
            session: Mutex::new(session(Arc::clone(&waker))),
            waker,
            drained: Notify::new(),
            ended: CancellationToken::new(),
            is_delivering: AtomicBool::new(false),
            recovery: OnceLock::new(),
        }
    }

    /// What it needs to come back, if it may.
    pub(super) fn recovery(&self) -> Option<&Recovery> {
        self.recovery.get().map(|recovery| &**recovery)
    }

    pub(super) fn set_recovery(&self, recovery: Recovery) {
        // Said once, while it is let in.
        let _ = self.recovery.set(Box::new(recovery));
    }

    pub(super) async fn lock_session(&self) -> MutexGuard<'_, ClientSession> {
        self.session.lock().await
    }

    /// Whether the delivery is yet to be started; says so once.
    pub(super) fn begin_delivery(&self) -> bool {
        !self.is_delivering.swap(true, Ordering::AcqRel)
    }

    /// Waits until there may be something to hear; says no when the socket is gone.
    pub(super) async fn notified(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.waker.notified() => true,
        }
    }

    /// Waits until the outbox is empty; says no when the socket is gone.
    pub(super) async fn wait_drained(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.drained.notified() => true,
        }
    }

    pub(super) fn drained(&self) {
        self.drained.notify_one();
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }
}

pub(super) fn lock<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
