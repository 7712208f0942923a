//! The state of one connection: its session, and what it needs for delivery and recovery.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use parlance_socketio::engine::SendError;
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use super::recovery::{self, NOTHING};
use crate::{
    chat::messages::UnderWay,
    dialect::ClientSession,
    model::{Change, ChatId, PersonId, Position},
};

/// The state of one connection. Its events and its delivery take turns.
pub(super) struct ConnectionState {
    turn: Mutex<Turn>,
    waker: Arc<Notify>,
    drained: Notify,
    ended: CancellationToken,
    is_delivering: AtomicBool,
    recovery: OnceLock<Box<Recovery>>,
}

/// What a connection's events and its delivery share: who holds it has the turn.
pub(super) struct Turn {
    pub(super) session: ClientSession,
    pub(super) unanswered: Unanswered,
}

/// The messages of a connection that are not answered yet, in their order. What they have caused is delivered after their
/// answers.
#[derive(Default)]
pub(super) struct Unanswered {
    messages: VecDeque<Unknown>,
    /// Delivery waits for an answer.
    holds_delivery: bool,
}

/// A message whose outcome its sender does not know.
struct Unknown {
    actor: PersonId,
    chat: ChatId,
    /// It causes nothing up to here.
    after: Position,
}

impl Unanswered {
    /// Notes a message that was handed in.
    pub(super) fn push(&mut self, message: &UnderWay) {
        self.messages.push_back(Unknown {
            actor: message.actor,
            chat: message.chat,
            after: message.after,
        });
    }

    /// The first one is being answered; `sent` is its position, if it is new in the log. Whether delivery
    /// waited for it.
    pub(super) fn pop(&mut self, sent: Option<Position>) -> bool {
        if let (Some(answered), Some(sent)) = (self.messages.pop_front(), sent) {
            // A person's messages come to be in the log in the order in which they were handed in.
            let mut later = self.messages.iter_mut();
            let later = later.by_ref().filter(|later| later.actor == answered.actor);
            later.for_each(|later| later.after = later.after.max(sent));
        }
        std::mem::take(&mut self.holds_delivery)
    }

    /// Whether one of them may have caused this change. Then delivery is to be tried again after an answer.
    pub(super) fn hold(&mut self, change: &Change) -> bool {
        let mut messages = self.messages.iter();
        let holds = messages.any(|message| {
            message.actor == change.actor.id
                && message.chat == change.chat
                && message.after < change.position
        });
        self.holds_delivery |= holds;
        holds
    }
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
    pub(super) fn new(session: impl FnOnce(Arc<Notify>) -> ClientSession) -> Self {
        let waker = Arc::new(Notify::new());
        Self {
            turn: Mutex::new(Turn {
                session: session(Arc::clone(&waker)),
                unanswered: Unanswered::default(),
            }),
            waker,
            drained: Notify::new(),
            ended: CancellationToken::new(),
            is_delivering: AtomicBool::new(false),
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

    pub(super) async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }

    /// Has the delivery task look again.
    pub(super) fn wake_delivery(&self) {
        self.waker.notify_one();
    }

    /// Whether the delivery task has to be started. True once.
    pub(super) fn begin_delivery(&self) -> bool {
        !self.is_delivering.swap(true, Ordering::AcqRel)
    }

    /// Waits until there may be changes. False if the socket is disconnected.
    pub(super) async fn notified(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.waker.notified() => true,
        }
    }

    /// Waits until the outbox is empty. False if the socket is disconnected.
    pub(super) async fn wait_drained(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.drained.notified() => true,
        }
    }

    pub(super) fn note_drained(&self) {
        self.drained.notify_one();
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }
}

pub(super) fn lock<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
