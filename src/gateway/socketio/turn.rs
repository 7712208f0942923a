//! The turn of a connection: a lock by which its events and its delivery exclude each other.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering, fence},
    },
};

use parlance_socketio::server::{Socket, WeakSocket};
use tokio::sync::{Mutex, MutexGuard};

use super::{connection::ConnectionState, cursor::DeliveryCursor, delivery};
use crate::{
    chat::messages::UnderWay,
    dialect::ClientSession,
    model::{Change, ChatId, PersonId, Position},
    pubsub::Waker,
};

/// The state that a connection's events and its delivery share; holding it is having the turn.
pub(super) struct Turn {
    pub(super) session: ClientSession,
    pub(super) unanswered: Unanswered,
    pub(super) cursor: DeliveryCursor,
    pub(super) mode: Mode,
}

/// How a connection is delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not at all: it has no identity, or is disconnected.
    Off,
    /// In step: by the task that publishes a change.
    InStep,
    /// By its catch-up task, which reads the log.
    CatchingUp,
    /// Its outbox is full: delivery continues when it is empty.
    Full,
}

/// The messages of a connection that are not answered yet, in their order. What they have caused is delivered
/// after their answers.
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
    /// Notes a message that was submitted.
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
            // A person's messages come to be in the log in the order in which they were submitted.
            let later = self.messages.iter_mut();
            let later = later.filter(|later| later.actor == answered.actor);
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

impl Turn {
    pub(super) fn new(session: ClientSession) -> Self {
        Self {
            session,
            unanswered: Unanswered::default(),
            cursor: DeliveryCursor::default(),
            mode: Mode::Off,
        }
    }
}

/// The turn, until it is dropped. Then what was noted meanwhile is delivered.
pub(super) struct TurnGuard<'c> {
    // Dropped in this order.
    turn: MutexGuard<'c, Turn>,
    _recheck: Recheck<'c>,
}

/// Delivers what was noted, after the turn was released.
struct Recheck<'c> {
    connection: &'c ConnectionState,
    socket: &'c Socket,
}

impl<'c> TurnGuard<'c> {
    pub(super) async fn wait(connection: &'c ConnectionState, socket: &'c Socket) -> Self {
        Self {
            turn: connection.turn.lock().await,
            _recheck: Recheck { connection, socket },
        }
    }
}

impl Deref for TurnGuard<'_> {
    type Target = Turn;

    fn deref(&self) -> &Turn {
        &self.turn
    }
}

impl DerefMut for TurnGuard<'_> {
    fn deref_mut(&mut self) -> &mut Turn {
        &mut self.turn
    }
}

impl Drop for Recheck<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A panic while this thread delivers would end the process.
            let (waker, socket) = (Arc::clone(&self.connection.waker), self.socket.clone());
            tokio::spawn(async move {
                waker.deliver();
                drop(socket);
            });
        } else {
            deliver_noted(self.connection, self.socket);
        }
    }
}

/// Notifies a connection of something new.
pub(super) struct DeliveryWaker {
    /// Weak, because the socket owns the session whose subscriptions have this.
    socket: WeakSocket,
    /// A task that sets it then tries to take the turn, and one that releases the turn then checks it: one of them delivers.
    noted: AtomicBool,
}

impl DeliveryWaker {
    pub(super) fn new(socket: &Socket) -> Self {
        Self {
            socket: socket.downgrade(),
            noted: AtomicBool::new(false),
        }
    }
}

impl Waker for DeliveryWaker {
    fn note(&self) -> bool {
        !self.noted.swap(true, Ordering::SeqCst)
    }

    fn deliver(&self) {
        if let Some(socket) = self.socket.upgrade()
            && let Some(connection) = socket.data::<ConnectionState>()
        {
            deliver_noted(&connection, &socket);
        }
    }
}

/// Delivers what was noted, unless another task has the turn, which then does so on release.
fn deliver_noted(connection: &ConnectionState, socket: &Socket) {
    work_off(&connection.waker.noted, &connection.turn, |turn| {
        delivery::in_step(socket, connection, turn);
    });
}

/// Works as long as something is noted, unless another task has the turn. That task has to call this after releasing
/// it.
fn work_off<T>(noted: &AtomicBool, turn: &Mutex<T>, mut work: impl FnMut(&mut T)) {
    loop {
        // The note precedes the attempt to take the turn, and the release precedes the check for notes: one of the
        // two tasks sees what the other did.
        fence(Ordering::SeqCst);
        if !noted.load(Ordering::SeqCst) {
            return;
        }
        let Ok(mut turn) = turn.try_lock() else {
            return;
        };
        // Cleared before the work, so that a later note causes another round.
        noted.swap(false, Ordering::SeqCst);
        work(&mut turn);
    }
}

#[cfg(test)]
mod tests;
