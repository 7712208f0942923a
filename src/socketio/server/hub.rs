//! One namespace: its handler, its sockets and their rooms.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicU64, Ordering},
};

use super::{
    Overflow, Prepared, Socket, SocketId,
    broadcast::Target,
    handler::AnyHandler,
    lock,
    members::{Members, Volatile},
    recovery::RecoveryStore,
    server::Server,
    socket::Phase,
    task_queue::TaskQueue,
};
use crate::{
    engine::{Reason, SendError},
    packet::{Args, Encoded, Namespace, Version},
};

/// One namespace. Everything that is told to its sockets is told under one lock, so that all of them
/// hear it in the same order.
pub(super) struct Hub {
    name: Namespace,
    handler: Box<dyn AnyHandler>,
    members: Mutex<Members>,
    memory: Option<Mutex<RecoveryStore>>,
    ack_ids: AtomicU64,
    /// Set for a namespace that is forgotten when its last socket leaves.
    server: Option<Weak<Server>>,
    overflow: Overflow,
}

impl Hub {
    pub(super) fn new(
        name: Namespace,
        handler: Box<dyn AnyHandler>,
        memory: Option<RecoveryStore>,
        overflow: Overflow,
        server: Option<Weak<Server>>,
    ) -> Self {
        Self {
            name,
            handler,
            members: Mutex::default(),
            memory: memory.map(Mutex::new),
            ack_ids: AtomicU64::new(0),
            server,
            overflow,
        }
    }

    pub(super) fn name(&self) -> &Namespace {
        &self.name
    }

    pub(super) fn handler(&self) -> &dyn AnyHandler {
        &*self.handler
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Whether what is emitted is kept for those who come back.
    pub(super) fn remembers(&self) -> bool {
        self.memory.is_some()
    }

    pub(super) fn next_ack_id(&self) -> u64 {
        self.ack_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody will ask to be let in.
    pub(super) fn asking(&self) {
        lock(&self.members).asking += 1;
    }

    /// Somebody has asked and has been answered.
    pub(super) fn asked(&self) {
        lock(&self.members).asking -= 1;
        self.forget_if_empty();
    }

    /// Whether nobody is in and nobody asks.
    pub(super) fn is_deserted(&self) -> bool {
        let members = lock(&self.members);
        members.sockets.is_empty() && members.asking == 0
    }

    fn forget_if_empty(&self) {
        let server = self.server.as_ref().and_then(Weak::upgrade);
        if let Some(server) = server {
            server.forget_if_deserted(&self.name);
        }
    }

    /// Lets a socket in: sends what it missed, then the reply, and only then is it told anything else.
    /// False if it has gone meanwhile.
    pub(super) fn enter(&self, socket: &Socket, pid: Option<&str>, missed: &[Prepared]) -> bool {
        let recovers = self.remembers() && socket.0.client.version() == Version::V5;
        let fresh = (recovers && pid.is_none()).then(new_pid);
        let pid = pid.or(fresh.as_deref());
        let replaced = {
            let mut members = lock(&self.members);
            members.admit(socket, pid, missed)
        };
        self.settle(replaced)
    }

    /// Lets a socket back in, if the memory knows it. Nothing can be said between what it missed and
    /// its return.
    pub(super) fn restore(&self, socket: &Socket) -> bool {
        let Some(memory) = &self.memory else {
            return false;
        };
        let ids = socket.auth().and_then(|auth| {
            let pid = auth.get("pid")?.as_str()?;
            Some((pid, auth.get("offset")?.as_str()?))
        });
        let Some((pid, offset)) = ids else {
            return false;
        };
        let replaced = {
            let mut members = lock(&self.members);
            let Some(saved) = lock(memory).restore(pid, offset) else {
                return false;
            };
            socket.restore_id(saved.id);
            if let Some(data) = saved.data {
                socket.set_data_any(data);
            }
            socket.0.recovered.store(true, Ordering::Relaxed);
            lock(&socket.0.state).rooms = saved.rooms;
            members.admit(socket, Some(pid), &saved.missed)
        };
        self.settle(replaced)
    }

    /// Whether a socket is in. Closes the one it replaces, if it came back before that was missed.
    fn settle(&self, replaced: Result<Option<Socket>, SendError>) -> bool {
        match replaced {
            Ok(Some(old)) => {
                old.session().close(Reason::ForcedServerClose);
                self.remove(&old, Reason::ForcedServerClose);
                true
            }
            Ok(None) => true,
            // An answer is never too much; so the client is gone.
            Err(SendError::Closed | SendError::Full) => false,
        }
    }

    /// Takes a socket out and tells the handler.
    pub(super) fn remove(&self, socket: &Socket, reason: Reason) {
        let was_in = {
            let mut members = lock(&self.members);
            let was_in = socket.enter(Phase::Gone) == Phase::In;
            if was_in {
                members.take_out(socket);
                if let Some(memory) = &self.memory {
                    lock(memory).save(socket, reason);
                }
            }
            was_in
        };
        lock(&socket.0.state).acks.clear();
        if was_in {
            socket.give(TaskQueue::Gone(reason));
            self.forget_if_empty();
        }
    }

    pub(super) fn join(&self, socket: &Socket, room: &str) {
        let mut members = lock(&self.members);
        if socket.phase() == Phase::Gone {
            return;
        }
        let name = match members.rooms.get_key_value(room) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(room),
        };
        {
            let mut state = lock(&socket.0.state);
            if state.rooms.contains(&name) {
                return;
            }
            state.rooms.push(Arc::clone(&name));
        }
        // One that is not in yet hears nothing yet.
        if socket.phase() == Phase::In {
            members.add_to_room(name, socket);
        }
    }

    pub(super) fn leave(&self, socket: &Socket, room: &str) {
        let mut members = lock(&self.members);
        lock(&socket.0.state).rooms.retain(|name| **name != *room);
        members.remove_from_room(room, socket);
    }

    /// The sockets that are meant.
    pub(super) fn targets(&self, target: &Target) -> Vec<Socket> {
        let mut sockets = Vec::new();
        lock(&self.members).each(target, |member| sockets.push(member.socket.clone()));
        sockets
    }

    /// Sends an event to all that are meant.
    pub(super) fn send(&self, target: &Target, event: &Prepared, volatile: Volatile) {
        let full = lock(&self.members).send(target, event.frames(), volatile);
        self.close_full(full);
    }

    /// Sends an event to all that are meant, and keeps it for those who come back.
    pub(super) fn send_and_keep(&self, target: &Target, name: &str, mut args: Args) {
        let Some(memory) = &self.memory else { return };
        let full = {
            let mut members = lock(&self.members);
            let mut memory = lock(memory);
            args.push(memory.next_offset());
            let event = Prepared::event(&self.name, name, args);
            memory.keep(target, event.clone());
            members.send(target, event.frames(), Volatile::No)
        };
        self.close_full(full);
    }

    /// Sends a question to all that are meant, and says to whom it has gone. `before` is called for
    /// each of them first.
    pub(super) fn question(
        &self,
        target: &Target,
        encoded: &Encoded,
        mut before: impl FnMut(&Socket),
    ) {
        let event = Prepared::from(encoded);
        let full = {
            let mut members = lock(&self.members);
            members.each(target, |member| before(&member.socket));
            members.send(target, event.frames(), Volatile::No)
        };
        self.close_full(full);
    }

    /// Closes those whose outbox is full, if the options say so.
    fn close_full(&self, full: Vec<Socket>) {
        if self.overflow == Overflow::Close {
            for socket in full {
                socket.session().close(Reason::ForcedServerClose);
            }
        }
    }
}

/// A private id to come back with: as secret as a session's.
fn new_pid() -> String {
    SocketId::random().as_str().to_owned()
}
