//! Who is in a namespace, and in which of its rooms.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Prepared, Socket, SocketId, broadcast::Target, lock, socket::Phase};
use crate::{
    engine::{Frame, SendError, Session},
    packet::Encoded,
};

/// Who is in a namespace.
#[derive(Default)]
pub(super) struct Members {
    pub(super) sockets: HashMap<SocketId, Member>,
    pub(super) rooms: HashMap<Arc<str>, Room>,
    /// How many ask to be let in just now.
    pub(super) asking: usize,
}

/// A socket, and the session it is reached by. A broadcast goes from here to the session at once: to
/// look it up through each of a thousand sockets costs as much as to queue the frame.
pub(super) struct Member {
    pub(super) socket: Socket,
    session: Arc<Session>,
}

/// Sockets by their addresses.
type Room = HashMap<usize, Member>;

/// Whether an event may be forgotten by those who cannot take it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volatile {
    No,
    Yes,
}

impl Members {
    pub(super) fn admit(
        &mut self,
        socket: &Socket,
        pid: Option<&str>,
        missed: &[Prepared],
    ) -> Result<Option<Socket>, SendError> {
        if socket.phase() != Phase::Asking {
            return Err(SendError::Closed);
        }
        let client = &socket.0.client;
        let (version, id) = (client.version(), socket.id());
        let reply = Encoded::connect(version, socket.namespace(), id.as_str(), pid);
        let mut frames: Vec<Frame> = Vec::with_capacity(missed.len() + 1);
        frames.extend(missed.iter().flat_map(Prepared::frames).cloned());
        frames.extend(Prepared::from(&reply).frames().iter().cloned());
        client.session().answer(&frames)?;
        socket.enter(Phase::In);
        client.note_joined();
        let rooms = {
            let mut state = lock(&socket.0.state);
            state.pid = pid.map(Into::into);
            state.rooms.clone()
        };
        for room in rooms {
            self.add_to_room(room, socket);
        }
        let replaced = self.sockets.insert(*id, Member::of(socket));
        Ok(replaced.map(|member| member.socket))
    }

    pub(super) fn take_out(&mut self, socket: &Socket) {
        // One that came back under the same id stays.
        let member = self.sockets.get(socket.id());
        if member.is_some_and(|member| member.socket.is(socket)) {
            self.sockets.remove(socket.id());
        }
        let rooms = lock(&socket.0.state).rooms.clone();
        for room in rooms {
            self.remove_from_room(&room, socket);
        }
    }

    pub(super) fn add_to_room(&mut self, room: Arc<str>, socket: &Socket) {
        let room = self.rooms.entry(room).or_default();
        room.insert(socket.address(), Member::of(socket));
    }

    pub(super) fn remove_from_room(&mut self, name: &str, socket: &Socket) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.remove(&socket.address());
            if room.is_empty() {
                self.rooms.remove(name);
            }
        }
    }

    /// Calls `tell` once for each socket that is meant.
    pub(super) fn each(&self, target: &Target, mut tell: impl FnMut(&Member)) {
        // Known by its address, which takes no look at the others.
        let session = target.without.and_then(|id| self.sockets.get(&id));
        let session = session.map(|member| member.socket.address());
        let excepted = |member: &Member| {
            let socket = &member.socket;
            session == Some(socket.address())
                || target.except.iter().any(|name| self.is_in(socket, name))
        };
        match &target.rooms[..] {
            [] => {
                let all = self.sockets.values();
                all.filter(|member| !excepted(member)).for_each(tell);
            }
            [name] => self.each_in(name, |member| {
                if !excepted(member) {
                    tell(member);
                }
            }),
            names => {
                let mut told = HashSet::new();
                for name in names {
                    self.each_in(name, |member| {
                        if !excepted(member) && told.insert(member.socket.address()) {
                            tell(member);
                        }
                    });
                }
            }
        }
    }

    /// A room's sockets. Every socket is a room of its own, named by its id.
    fn each_in(&self, name: &str, mut tell: impl FnMut(&Member)) {
        if let Some(room) = self.rooms.get(name) {
            room.values().for_each(&mut tell);
        }
        if let Some(member) = SocketId::parse(name).and_then(|id| self.sockets.get(&id)) {
            tell(member);
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
    pub(super) fn send(
        &mut self,
        target: &Target,
        frames: &[Frame],
        volatile: Volatile,
    ) -> Vec<Socket> {
        let mut full = Vec::new();
        self.each(target, |Member { socket, session }| {
            if volatile == Volatile::Yes && !session.is_idle() {
                return;
            }
            if session.send(frames) == Err(SendError::Full) && volatile == Volatile::No {
                full.push(socket.clone());
            }
        });
        full
    }
}

impl Member {
    fn of(socket: &Socket) -> Self {
        Self {
            socket: socket.clone(),
            session: Arc::clone(socket.session()),
        }
    }
}
