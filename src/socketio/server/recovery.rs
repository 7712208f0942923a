//! Connection state recovery as Node's server has it: in memory, for a while.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{Prepared, Socket, SocketId, broadcast::Target, lock};
use crate::engine::Reason;

/// How many events are kept at most, however short the time.
const MAX_EVENTS: usize = 10_000;

/// What is kept for those who come back.
pub(super) struct RecoveryStore {
    window: Duration,
    events: VecDeque<Kept>,
    sessions: HashMap<Box<str>, Saved>,
    /// Sessions in the order in which they were saved.
    order: VecDeque<(Instant, Box<str>)>,
    count: u64,
    epoch: SocketId,
}

struct Kept {
    offset: String,
    at: Instant,
    target: Target,
    event: Prepared,
}

struct Saved {
    id: SocketId,
    rooms: Vec<Arc<str>>,
    data: Option<Arc<dyn Any + Send + Sync>>,
    at: Instant,
}

/// What somebody gets back.
pub(super) struct Returned {
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

    /// The offset of the next event: an opaque word that no other event of this server has had.
    pub(super) fn next_offset(&mut self) -> String {
        self.count += 1;
        format!("{}{:x}", &self.epoch.as_str()[..8], self.count)
    }

    /// Keeps an event, which carries the offset given last.
    pub(super) fn keep(&mut self, target: &Target, event: Prepared) {
        self.tidy();
        let offset = format!("{}{:x}", &self.epoch.as_str()[..8], self.count);
        self.events.push_back(Kept {
            offset,
            at: Instant::now(),
            target: target.clone(),
            event,
        });
    }

    /// Keeps a socket that may come back.
    pub(super) fn save(&mut self, socket: &Socket, reason: Reason) {
        let may_return = match reason {
            Reason::TransportError
            | Reason::TransportClose
            | Reason::ForcedClose
            | Reason::PingTimeout
            | Reason::ServerShuttingDown
            | Reason::ForcedServerClose => true,
            Reason::ParseError
            | Reason::ClientNamespaceDisconnect
            | Reason::ServerNamespaceDisconnect => false,
        };
        self.tidy();
        let (pid, rooms) = {
            let state = lock(&socket.0.state);
            (state.pid.clone(), state.rooms.clone())
        };
        let Some(pid) = pid.filter(|_| may_return) else {
            return;
        };
        let at = Instant::now();
        self.order.push_back((at, pid.clone()));
        let saved = Saved {
            id: *socket.id(),
            rooms,
            data: socket.data_any(),
            at,
        };
        self.sessions.insert(pid, saved);
    }

    /// Gives a socket back what it was and what it missed since `offset`; `None` if that is not
    /// known any more.
    pub(super) fn restore(&mut self, pid: &str, offset: &str) -> Option<Returned> {
        self.tidy();
        let position = self.events.iter().position(|kept| kept.offset == offset)?;
        let saved = self.sessions.remove(pid)?;
        let missed = self.events.range(position + 1..);
        let missed = missed.filter(|kept| saved.was_meant(&kept.target));
        Some(Returned {
            missed: missed.map(|kept| kept.event.clone()).collect(),
            id: saved.id,
            rooms: saved.rooms,
            data: saved.data,
        })
    }

    /// Forgets what is too old.
    fn tidy(&mut self) {
        let now = Instant::now();
        let is_old = |at: Instant| now.duration_since(at) > self.window;
        while self.events.len() >= MAX_EVENTS
            || self.events.front().is_some_and(|kept| is_old(kept.at))
        {
            self.events.pop_front();
        }
        while let Some((_, pid)) = self.order.pop_front_if(|(at, _)| is_old(*at)) {
            // It may have come and gone again since.
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

impl Saved {
    fn was_meant(&self, target: &Target) -> bool {
        let is_in = |name: &String| {
            self.id.as_str() == name || self.rooms.iter().any(|room| **room == **name)
        };
        target.without != Some(self.id)
            && (target.rooms.is_empty() || target.rooms.iter().any(is_in))
            && !target.except.iter().any(is_in)
    }
}
