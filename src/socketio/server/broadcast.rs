//! Emitting to many sockets at once.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    ack::AckError,
    id::SocketId,
    namespace::{Disconnect, Namespace},
    prepared::Prepared,
    target::{Target, Volatile},
};
use crate::{
    packet::{Args, Encoded, NamespaceName},
    sync::lock,
};

/// Selects sockets of a namespace, and emits to them.
///
/// Without a room it selects all sockets; with several rooms, each socket that is in any of them, once.
/// A socket's id is the name of a room that only it is in.
#[derive(Clone)]
pub struct BroadcastOperator {
    pub(super) namespace: Arc<Namespace>,
    pub(super) target: Target,
    volatile: Volatile,
}

impl BroadcastOperator {
    pub(super) fn all(namespace: &Arc<Namespace>) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            target: Target::default(),
            volatile: Volatile::No,
        }
    }

    pub(super) fn except_socket(mut self, id: SocketId) -> Self {
        self.target.except_socket = Some(id);
        self
    }

    /// Selects the sockets in this room, in addition to those of rooms named before.
    #[must_use]
    pub fn to(mut self, room: impl Into<String>) -> Self {
        self.target.rooms.push(room.into());
        self
    }

    /// Leaves out the sockets in this room.
    #[must_use]
    pub fn except(mut self, room: impl Into<String>) -> Self {
        self.target.except.push(room.into());
        self
    }

    /// The event is dropped for sockets to which it could not be written at once.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.volatile = Volatile::Yes;
        self
    }

    /// The namespace's name, as [`Prepared::event`] takes it.
    pub fn namespace(&self) -> &NamespaceName {
        self.namespace.name()
    }

    /// Emits an event, encoded once.
    pub fn emit(&self, name: &str, args: impl Into<Args>) {
        if self.namespace.keeps_events() && self.volatile == Volatile::No {
            let namespace = &self.namespace;
            namespace.send_and_keep(&self.target, name, args.into());
        } else {
            self.emit_prepared(&Prepared::event(self.namespace.name(), name, args));
        }
    }

    /// Emits an event that is encoded already. It is not kept for recovery.
    pub fn emit_prepared(&self, event: &Prepared) {
        self.namespace.send(&self.target, event, self.volatile);
    }

    /// Emits an event, and waits until all sockets have acknowledged it or the timeout has passed.
    pub async fn emit_with_ack(
        &self,
        name: &str,
        args: impl Into<Args>,
        timeout: Duration,
    ) -> Vec<(SocketId, Result<Args, AckError>)> {
        let deadline = Instant::now() + timeout;
        let id = self.namespace.next_ack_id();
        let encoded = Encoded::event(self.namespace.name(), Some(id), name, &args.into());
        let mut pending = Vec::new();
        self.namespace
            .send_with_ack(&self.target, &encoded, |member| {
                let ack = lock(&member.state).acks.register(id);
                pending.push((Arc::clone(member), ack));
            });
        let mut acks = Vec::with_capacity(pending.len());
        for (member, ack) in pending {
            let ack = match tokio::time::timeout_at(deadline, ack).await {
                Ok(Ok(args)) => Ok(args),
                Ok(Err(_)) => Err(AckError::Disconnected),
                Err(_) => Err(AckError::Timeout),
            };
            lock(&member.state).acks.remove(id);
            acks.push((*member.id(), ack));
        }
        acks
    }

    /// Makes the selected sockets join a room.
    pub fn join(&self, room: &str) {
        for member in self.namespace.members_of(&self.target) {
            self.namespace.join(&member, room);
        }
    }

    /// Makes the selected sockets leave a room.
    pub fn leave(&self, room: &str) {
        for member in self.namespace.members_of(&self.target) {
            self.namespace.leave(&member, room);
        }
    }

    /// Disconnects the selected sockets.
    pub fn disconnect(&self, how: Disconnect) {
        for member in self.namespace.members_of(&self.target) {
            self.namespace.disconnect(&member, how);
        }
    }
}
