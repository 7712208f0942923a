//! The sockets of a namespace, and its rooms.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    id::SocketId,
    member::{Member, Phase},
    prepared::Prepared,
    target::{Target, Volatile},
};
use crate::{
    engine::{Frame, SendError, Session},
    packet::{Encoded, NamespaceName},
    sync::lock,
};

/// The sockets of a namespace, and its rooms.
#[derive(Default)]
pub(super) struct Members {
    sockets: HashMap<SocketId, Entry>,
    rooms: HashMap<Arc<str>, Room>,
    /// How many clients have asked to join and have no answer yet.
    pub(super) connecting: usize,
}

/// A socket and its session. A broadcast uses the session directly: one more pointer to follow for
/// each of a thousand sockets would cost as much as queueing the frame.
struct Entry {
    member: Arc<Member>,
    session: Arc<Session>,
}

/// The sockets in a room, by [`Member::address`].
type Room = HashMap<usize, Entry>;

impl Members {
    /// Whether the namespace has no sockets and none that connect.
    pub(super) fn is_empty(&self) -> bool {
        self.sockets.is_empty() && self.connecting == 0
    }

    /// Connects a socket: sends the `CONNECT` packet and then the events it has missed, and from then
    /// on it is a target of broadcasts. Returns the socket that had the same id until now, if any.
    ///
    /// Node sends the events first. Its client holds back what comes before `CONNECT`, without noting the offsets: if
    /// the connection is lost between them, the events come again with the next one, and its application is told them twice.
    pub(super) fn connect(
        &mut self,
        namespace: &NamespaceName,
        member: &Arc<Member>,
        pid: Option<&str>,
        missed: &[Prepared],
    ) -> Result<Option<Arc<Member>>, SendError> {
        if member.phase() != Phase::Connecting {
            return Err(SendError::Closed);
        }
        let id = member.id();
        let connect = Encoded::connect(member.version(), namespace, id.as_str(), pid);
        let mut frames: Vec<Frame> = Vec::with_capacity(missed.len() + 1);
        frames.extend(Prepared::from(&connect).frames().iter().cloned());
        frames.extend(missed.iter().flat_map(Prepared::frames).cloned());
        // The client may answer before `send_reply` returns.
        member.set_phase(Phase::Confirming);
        if let Err(error) = member.session().send_reply(&frames) {
            member.set_phase(Phase::Connecting);
            return Err(error);
        }
        member.set_phase(Phase::Connected);
        member.owner().note_joined();
        let rooms = {
            let mut state = lock(&member.state);
            state.pid = pid.map(Into::into);
            state.rooms.clone()
        };
        for room in rooms {
            self.add_to_room(room, member);
        }
        let replaced = self.sockets.insert(*id, Entry::of(member));
        Ok(replaced.map(|entry| entry.member))
    }

    /// Removes a socket from the namespace and all its rooms.
    pub(super) fn remove(&mut self, member: &Arc<Member>) {
        // Another socket may have been recovered under the same id.
        let entry = self.sockets.get(member.id());
        if entry.is_some_and(|entry| Arc::ptr_eq(&entry.member, member)) {
            self.sockets.remove(member.id());
        }
        let rooms = lock(&member.state).rooms.clone();
        for room in rooms {
            self.remove_from_room(&room, member);
        }
    }

    /// The room's name as an allocation that its sockets share.
    pub(super) fn room_name(&self, room: &str) -> Arc<str> {
        match self.rooms.get_key_value(room) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(room),
        }
    }

    pub(super) fn add_to_room(&mut self, room: Arc<str>, member: &Arc<Member>) {
        let room = self.rooms.entry(room).or_default();
        room.insert(member.address(), Entry::of(member));
    }

    pub(super) fn remove_from_room(&mut self, name: &str, member: &Arc<Member>) {
        if let Some(room) = self.rooms.get_mut(name) {
            room.remove(&member.address());
            if room.is_empty() {
                self.rooms.remove(name);
            }
        }
    }

    /// The sockets of a target.
    pub(super) fn of_target(&self, target: &Target) -> Vec<Arc<Member>> {
        let mut members = Vec::new();
        self.each(target, |entry| members.push(Arc::clone(&entry.member)));
        members
    }

    /// Sends frames to the sockets of a target, and returns those whose outbox is full.
    pub(super) fn send(
        &self,
        target: &Target,
        frames: &[Frame],
        volatile: Volatile,
    ) -> Vec<Arc<Member>> {
        let mut full = Vec::new();
        self.each(target, |Entry { member, session }| {
            if volatile == Volatile::Yes && !session.is_writable() {
                return;
            }
            if session.send(frames) == Err(SendError::Full) && volatile == Volatile::No {
                full.push(Arc::clone(member));
            }
        });
        full
    }

    /// Calls `visit` once for each socket of a target.
    fn each(&self, target: &Target, mut visit: impl FnMut(&Entry)) {
        // Compared by address: reading the id of every socket would be another memory access.
        let sender = target.except_socket.and_then(|id| self.sockets.get(&id));
        let sender = sender.map(|entry| entry.member.address());
        let is_excepted = |entry: &Entry| {
            let member = &entry.member;
            sender == Some(member.address())
                || target.except.iter().any(|name| self.is_in(member, name))
        };
        match &target.rooms[..] {
            [] => {
                let all = self.sockets.values();
                all.filter(|entry| !is_excepted(entry)).for_each(visit);
            }
            [name] => self.each_in(name, |entry| {
                if !is_excepted(entry) {
                    visit(entry);
                }
            }),
            names => {
                let mut visited = HashSet::new();
                for name in names {
                    self.each_in(name, |entry| {
                        if !is_excepted(entry) && visited.insert(entry.member.address()) {
                            visit(entry);
                        }
                    });
                }
            }
        }
    }

    /// Calls `visit` for each socket of a room. A socket's id is the name of a room of its own.
    fn each_in(&self, name: &str, mut visit: impl FnMut(&Entry)) {
        if let Some(room) = self.rooms.get(name) {
            room.values().for_each(&mut visit);
        }
        if let Some(entry) = SocketId::parse(name).and_then(|id| self.sockets.get(&id)) {
            visit(entry);
        }
    }

    fn is_in(&self, member: &Member, name: &str) -> bool {
        member.id().as_str() == name
            || self
                .rooms
                .get(name)
                .is_some_and(|room| room.contains_key(&member.address()))
    }
}

impl Entry {
    fn of(member: &Arc<Member>) -> Self {
        Self {
            member: Arc::clone(member),
            session: Arc::clone(member.session()),
        }
    }
}
