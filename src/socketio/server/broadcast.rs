//! Telling many sockets at once.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{AckError, Disconnect, Prepared, Socket, SocketId, hub::Hub, lock, members::Volatile};
use crate::packet::{Args, Encoded, Namespace};

/// Some sockets of a namespace, to be told something at once.
///
/// Without a room all are meant; with several, everybody in any of them, once. A socket's id is the
/// name of a room that only it is in.
#[derive(Clone)]
pub struct Broadcast {
    hub: Arc<Hub>,
    target: Target,
    volatile: Volatile,
}

/// Who is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    pub(super) rooms: Vec<String>,
    pub(super) except: Vec<String>,
    /// The socket that speaks and is not told.
    pub(super) without: Option<SocketId>,
}

impl Broadcast {
    pub(super) fn all(hub: &Arc<Hub>) -> Self {
        Self {
            hub: Arc::clone(hub),
            target: Target::default(),
            volatile: Volatile::No,
        }
    }

    pub(super) fn without(mut self, socket: &Socket) -> Self {
        self.target.without = Some(*socket.id());
        self
    }

    /// Means the sockets of this room, beside those of rooms named before.
    #[must_use]
    pub fn to(mut self, room: impl Into<String>) -> Self {
        self.target.rooms.push(room.into());
        self
    }

    /// Means nobody who is in this room.
    #[must_use]
    pub fn except(mut self, room: impl Into<String>) -> Self {
        self.target.except.push(room.into());
        self
    }

    /// Those who cannot take the event at once need not hear it.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.volatile = Volatile::Yes;
        self
    }

    /// The namespace, as [`Prepared::event`] wants it.
    pub fn namespace(&self) -> &Namespace {
        self.hub.name()
    }

    /// Sends an event, encoded once.
    pub fn emit(&self, name: &str, args: impl Into<Args>) {
        if self.hub.remembers() && self.volatile == Volatile::No {
            self.hub.send_and_keep(&self.target, name, args.into());
        } else {
            self.emit_prepared(&Prepared::event(self.hub.name(), name, args));
        }
    }

    /// Sends a ready-made event. It is not kept for those who come back.
    pub fn emit_prepared(&self, event: &Prepared) {
        self.hub.send(&self.target, event, self.volatile);
    }

    /// Sends an event and waits until all have answered or the time is up.
    pub async fn emit_with_ack(
        &self,
        name: &str,
        args: impl Into<Args>,
        timeout: Duration,
    ) -> Vec<(SocketId, Result<Args, AckError>)> {
        let deadline = Instant::now() + timeout;
        let id = self.hub.next_ack_id();
        let encoded = Encoded::event(self.hub.name(), Some(id), name, &args.into());
        let mut questions = Vec::new();
        self.hub.question(&self.target, &encoded, |socket| {
            let answered = lock(&socket.0.state).acks.ask(id);
            questions.push((socket.clone(), answered));
        });
        let mut answers = Vec::with_capacity(questions.len());
        for (socket, answered) in questions {
            let answer = match tokio::time::timeout_at(deadline, answered).await {
                Ok(Ok(args)) => Ok(args),
                Ok(Err(_)) => Err(AckError::Disconnected),
                Err(_) => Err(AckError::Timeout),
            };
            lock(&socket.0.state).acks.take(id);
            answers.push((*socket.id(), answer));
        }
        answers
    }

    /// The sockets that are meant just now.
    pub fn sockets(&self) -> Vec<Socket> {
        self.hub.targets(&self.target)
    }

    /// Makes them all join a room.
    pub fn join(&self, room: &str) {
        for socket in self.sockets() {
            socket.join(room);
        }
    }

    /// Makes them all leave a room.
    pub fn leave(&self, room: &str) {
        for socket in self.sockets() {
            socket.leave(room);
        }
    }

    /// Disconnects them all.
    pub fn disconnect(&self, how: Disconnect) {
        for socket in self.sockets() {
            socket.disconnect(how);
        }
    }
}
