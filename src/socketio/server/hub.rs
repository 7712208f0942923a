//! One namespace: its handler, its sockets and their rooms.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Overflow, Prepared, Socket, SocketId, broadcast::Target, handler::AnyHandler, lock,
    memory::Memory, server::Server, socket::Phase, work::Work,
};
use crate::socketio::{
    engine::{Frame, Reason, Unsent},
    packet::{Args, Encoded, Namespace, Version},
};

/// One namespace. Everything that is told to its sockets is told under one lock, so that all of them
/// hear it in the same order.
pub(super) struct Hub {
    name: Namespace,
    handler: Box<dyn AnyHandler>,
    members: Mutex<Members>,
    memory: Option<Mutex<Memory>>,
    ack_ids: AtomicU64,
    /// Set for a namespace that is forgotten when its last socket leaves.
    server: Option<Weak<Server>>,
    overflow: Overflow,
}

/// Who is in a namespace.
#[derive(Default)]
pub(super) struct Members {
    sockets: HashMap<SocketId, Socket>,
    rooms: HashMap<Arc<str>, Room>,
    /// How many ask to be let in just now.
    asking: usize,
}

/// Sockets by their addresses.
type Room = HashMap<usize, Socket>;

impl Hub {
    pub(super) fn new(
        name: Namespace,
        handler: Box<dyn AnyHandler>,
        memory: Option<Memory>,
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
        self.settle(socket, replaced)
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
        self.settle(socket, replaced)
    }

    /// Whether a socket is in. Closes the one it replaces, if it came back before that was missed.
    fn settle(&self, socket: &Socket, replaced: Result<Option<Socket>, Unsent>) -> bool {
        match replaced {
            Ok(Some(old)) => {
                old.session().close(Reason::ForcedServerClose);
                self.remove(&old, Reason::ForcedServerClose);
                true
            }
            Ok(None) => true,
            Err(Unsent::Closed) => false,
            Err(Unsent::Full) => {
                socket.session().close(Reason::ForcedServerClose);
                false
            }
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
            socket.give(Work::Gone(reason));
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
        lock(&self.members).each(target, |socket| sockets.push(socket.clone()));
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
            members.each(target, &mut before);
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

/// Whether an event may be forgotten by those who cannot take it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volatile {
    No,
    Yes,
}

impl Members {
    fn admit(
        &mut self,
        socket: &Socket,
        pid: Option<&str>,
        missed: &[Prepared],
    ) -> Result<Option<Socket>, Unsent> {
        if socket.phase() != Phase::Asking {
            return Err(Unsent::Closed);
        }
        let client = &socket.0.client;
        let (version, id) = (client.version(), socket.id());
        let reply = Encoded::connect(version, socket.namespace(), id.as_str(), pid);
        let mut frames: Vec<Frame> = Vec::with_capacity(missed.len() + 1);
        frames.extend(missed.iter().flat_map(Prepared::frames).cloned());
        frames.extend(Prepared::from(&reply).frames().iter().cloned());
        client.session().send(&frames)?;
        socket.enter(Phase::In);
        let rooms = {
            let mut state = lock(&socket.0.state);
            state.pid = pid.map(Into::into);
            state.rooms.clone()
        };
        for room in rooms {
            self.add_to_room(room, socket);
        }
        Ok(self.sockets.insert(*id, socket.clone()))
    }

    fn take_out(&mut self, socket: &Socket) {
        // One that came back under the same id stays.
        if self.sockets.get(socket.id()).is_some_and(|s| s.is(socket)) {
            self.sockets.remove(socket.id());
        }
        let rooms = lock(&socket.0.state).rooms.clone();
        for room in rooms {
            self.remove_from_room(&room, socket);
        }
    }

    fn add_to_room(&mut self, room: Arc<str>, socket: &Socket) {
        let room = self.rooms.entry(room).or_default();
        room.insert(socket.address(), socket.clone());
    }

    fn remove_from_room(&mut self, name: &str, socket: &Socket) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.remove(&socket.address());
            if room.is_empty() {
                self.rooms.remove(name);
            }
        }
    }

    /// Calls `tell` once for each socket that is meant.
    fn each(&self, target: &Target, mut tell: impl FnMut(&Socket)) {
        let excepted = |socket: &Socket| {
            target.without == Some(socket.address())
                || target.except.iter().any(|name| self.is_in(socket, name))
        };
        match &target.rooms[..] {
            [] => {
                let all = self.sockets.values();
                all.filter(|socket| !excepted(socket)).for_each(tell);
            }
            [name] => self.each_in(name, |socket| {
                if !excepted(socket) {
                    tell(socket);
                }
            }),
            names => {
                let mut told = std::collections::HashSet::new();
                for name in names {
                    self.each_in(name, |socket| {
                        if !excepted(socket) && told.insert(socket.address()) {
                            tell(socket);
                        }
                    });
                }
            }
        }
    }

    /// A room's sockets. Every socket is a room of its own, named by its id.
    fn each_in(&self, name: &str, mut tell: impl FnMut(&Socket)) {
        if let Some(room) = self.rooms.get(name) {
            room.values().for_each(&mut tell);
        }
        if let Some(socket) = SocketId::parse(name).and_then(|id| self.sockets.get(&id)) {
            tell(socket);
        }
    }

    fn is_in(&self, socket: &Socket, name: &str) -> bool {
        socket.id().as_str() == name
            || self
                .rooms
                .get(name)
                .is_some_and(|room| room.contains_key(&socket.address()))
    }

    /// Sends frames to all that are meant and returns those that could take no more.
    fn send(&mut self, target: &Target, frames: &[Frame], volatile: Volatile) -> Vec<Socket> {
        let mut full = Vec::new();
        self.each(target, |socket| {
            let session = socket.session();
            if volatile == Volatile::Yes && !session.is_idle() {
                return;
            }
            if session.send(frames) == Err(Unsent::Full) && volatile == Volatile::No {
                full.push(socket.clone());
            }
        });
        full
    }
}

/// A private id to come back with: as secret as a session's.
fn new_pid() -> String {
    SocketId::random().as_str().to_owned()
}
