//! Connection state recovery in memory, as Node's in-memory adapter has it.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{id::SocketId, member::Member, prepared::Prepared, target::Target};
use crate::{engine::DisconnectReason, sync::lock};

/// How many events are kept at most, even if they are younger than the window.
const MAX_EVENTS: usize = 10_000;

/// The events and the lost sockets of one namespace, each kept for the recovery window.
pub(super) struct RecoveryStore {
    window: Duration,
    events: VecDeque<KeptEvent>,
    sessions: HashMap<Box<str>, SavedSession>,
    /// The sessions in the order in which they were saved.
    order: VecDeque<(Instant, Box<str>)>,
    count: u64,
    epoch: SocketId,
}

struct KeptEvent {
    offset: String,
    at: Instant,
    target: Target,
    event: Prepared,
}

struct SavedSession {
    id: SocketId,
    rooms: Vec<Arc<str>>,
    data: Option<Arc<dyn Any + Send + Sync>>,
    at: Instant,
}

/// What a recovered socket gets back.
pub(super) struct Restored {
    pub(super) id: SocketId,
    pub(super) rooms: Vec<Arc<str>>,
    pub(super) data: Option<Arc<dyn Any + Send + Sync>>,
    pub(super) missed: Vec<Prepared>,
}

impl RecoveryStore {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            events: VecDeque::new(),
            sessions: HashMap::new(),
            order: VecDeque::new(),
            count: 0,
            epoch: SocketId::random(),
        }
    }

    /// The offset of the next event: an opaque string, different for all events of all processes.
    pub(super) fn next_offset(&mut self) -> String {
        self.count += 1;
        self.last_offset()
    }

    fn last_offset(&self) -> String {
        format!("{}{:x}", &self.epoch.as_str()[..8], self.count)
    }

    /// Keeps the event that has the offset returned last.
    pub(super) fn keep(&mut self, target: &Target, event: Prepared) {
        self.evict();
        self.events.push_back(KeptEvent {
            offset: self.last_offset(),
            at: Instant::now(),
            target: target.clone(),
            event,
        });
    }

    /// Saves a socket that was disconnected, if it can be recovered.
    pub(super) fn save(&mut self, member: &Member, reason: DisconnectReason) {
        let is_recoverable = match reason {
            DisconnectReason::TransportError
            | DisconnectReason::TransportClose
            | DisconnectReason::ForcedClose
            | DisconnectReason::PingTimeout
            | DisconnectReason::ServerShuttingDown
            | DisconnectReason::ForcedServerClose => true,
            DisconnectReason::ParseError
            | DisconnectReason::ClientNamespaceDisconnect
            | DisconnectReason::ServerNamespaceDisconnect => false,
        };
        self.evict();
        let (pid, rooms) = {
            let state = lock(&member.state);
            (state.pid.clone(), state.rooms.clone())
        };
        let Some(pid) = pid.filter(|_| is_recoverable) else {
            return;
        };
        let at = Instant::now();
        self.order.push_back((at, pid.clone()));
        let saved = SavedSession {
            id: *member.id(),
            rooms,
            data: member.data(),
            at,
        };
        self.sessions.insert(pid, saved);
    }

    /// Takes out a saved socket, with the events since `offset` that were for it; `None` if the socket
    /// or the event with that offset is not kept any more.
    pub(super) fn restore(&mut self, pid: &str, offset: &str) -> Option<Restored> {
        self.evict();
        let position = self.events.iter().position(|kept| kept.offset == offset)?;
        let saved = self.sessions.remove(pid)?;
        let missed = self.events.range(position + 1..);
        let missed = missed.filter(|kept| saved.is_in(&kept.target));
        Some(Restored {
            missed: missed.map(|kept| kept.event.clone()).collect(),
            id: saved.id,
            rooms: saved.rooms,
            data: saved.data,
        })
    }

    /// Removes what is older than the window, and the oldest events if there are too many.
    fn evict(&mut self) {
        let now = Instant::now();
        let is_old = |at: Instant| now.duration_since(at) > self.window;
        while self.events.len() >= MAX_EVENTS
            || self.events.front().is_some_and(|kept| is_old(kept.at))
        {
            self.events.pop_front();
        }
        while let Some((_, pid)) = self.order.pop_front_if(|(at, _)| is_old(*at)) {
            // The socket may have been recovered and saved again since.
            if self
                .sessions
                .get(&pid)
                .is_some_and(|saved| is_old(saved.at))
            {
                self.sessions.remove(&pid);
            }
        }
    }
}

impl SavedSession {
    /// Whether the socket was in the target of a broadcast.
    fn is_in(&self, target: &Target) -> bool {
        let is_in_room = |name: &String| {
            self.id.as_str() == name || self.rooms.iter().any(|room| **room == **name)
        };
        target.except_socket != Some(self.id)
            && (target.rooms.is_empty() || target.rooms.iter().any(is_in_room))
            && !target.except.iter().any(is_in_room)
    }
}
