//! The bus: what servers of one database tell each other that is in no table.
//!
//! # Why
//! Messages, and everything else that must not be lost, are in the log, and each server reads them there. Who types, who
//! is online, who is in a room and which wait is the newest is known to the server that has the connection, and is of no
//! use a minute later. Of that the bus tells the others at once. It may lose, double, delay and reorder: then somebody
//! is told late, or not, who types, and that is all.
//!
//! What lasts is a fact, which belongs to the server that has told it. Every few seconds that server tells a digest of all
//! its facts; who knows others asks for a snapshot, and has what is right again (`replica`). A server that is heard
//! of no more loses its facts. What does not last is an event.
//!
//! There are two buses. One is for a server that has the database for itself, as on SQLite: it does nothing. The other is
//! PostgreSQL's notifications, many lines in one and one statement every two milliseconds at most
//! ([`Store::post`]); while no other server lives it sends nothing either, and only keeps the facts.

mod fact;
mod fields;
mod line;
mod outcome;
mod replica;
mod task;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::Services,
    model::{ChatId, PersonId, Signal},
    store::{Datagram, Store},
};

pub(super) use fact::{Fact, Key, OnlineFact, PresentFact};
use line::Line;
pub use line::RoomEvent;
pub(super) use line::{Event, NamedWait};
use replica::Facts;
pub(super) use task::run;

/// How many datagrams wait to be read. More are lost, as any may be.
const UNREAD: usize = 4_096;
/// How many events for connections wait for the one who tells them.
const UNTOLD: usize = 4_096;

/// Something at another server that concerns connections here.
#[derive(Debug, Clone)]
pub enum Relayed {
    /// Connections have entered a chat there, or have left it.
    Moved(Movement),
    /// An event for the connections in a room.
    Room(RoomEvent),
    /// The connection of this public id has come back there.
    Returned(String),
}

/// Connections to another server that have entered a chat or left it.
#[derive(Debug, Clone)]
pub struct Movement {
    /// The chat.
    pub chat: ChatId,
    /// Whose have entered it.
    pub entered: Vec<PersonId>,
    /// Whose have left it.
    pub left: Vec<PersonId>,
}

/// Receives what happens at other servers and concerns connections here.
#[derive(Debug)]
pub struct Relays {
    receiver: broadcast::Receiver<Relayed>,
    closing: CancellationToken,
}

impl Relays {
    /// From now on.
    pub fn of(services: &Services) -> Self {
        Self {
            receiver: services.bus.relayed.subscribe(),
            closing: services.closing.clone(),
        }
    }

    /// The next; none when the server stops.
    pub async fn next(&mut self) -> Option<Relayed> {
        loop {
            let received = tokio::select! {
                () = self.closing.cancelled() => return None,
                received = self.receiver.recv() => received,
            };
            match received {
                Ok(relayed) => return Some(relayed),
                // What was missed is told with what happens next.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Tells an event to the connections in a room at other servers.
pub fn tell_room(services: &Services, event: RoomEvent) {
    services.bus.tell(Event::Room(event));
}

/// See the module.
#[derive(Debug)]
pub(super) struct Bus {
    /// By whom it is carried; by nobody where there is one server.
    carrier: Option<Store>,
    /// The facts of this server. What tells of them is handed in under this lock.
    own: Mutex<Facts>,
    received: mpsc::Sender<Datagram>,
    /// Taken by the task that reads it.
    unread: Mutex<Option<mpsc::Receiver<Datagram>>>,
    relayed: broadcast::Sender<Relayed>,
}

impl Bus {
    /// The bus of a server's database.
    pub(super) fn of(store: &Store) -> Arc<Self> {
        Self::carried_by(store.is_shared().then(|| store.clone()))
    }

    /// That of a server which has no others.
    #[cfg(test)]
    pub(super) fn alone() -> Arc<Self> {
        Self::carried_by(None)
    }

    fn carried_by(carrier: Option<Store>) -> Arc<Self> {
        let (received, unread) = mpsc::channel(UNREAD);
        Arc::new(Self {
            carrier,
            own: Mutex::default(),
            received,
            unread: Mutex::new(Some(unread)),
            relayed: broadcast::Sender::new(UNTOLD),
        })
    }

    /// This is so from now on.
    pub(super) fn begin(&self, fact: Fact) {
        if self.carrier.is_some() {
            let mut own = self.own();
            own.begin(fact.clone());
            self.post(&Line::Begins(fact));
        }
    }

    /// This is so no more.
    pub(super) fn end(&self, key: Key) {
        if self.carrier.is_some() {
            let mut own = self.own();
            if own.end(&key).is_some() {
                self.post(&Line::Ends(key));
            }
        }
    }

    /// Tells that somebody types or has stopped, and whether they type after that.
    pub(super) fn typing(&self, signal: &Signal, lasts: bool) {
        if self.carrier.is_none() {
            return;
        }
        let line = Line::Typing(signal.clone(), lasts);
        if line.encode().len() > Store::LONGEST_POST {
            return;
        }
        let fact = Fact::Types(signal.clone());
        let mut own = self.own();
        if lasts {
            own.begin(fact);
        } else if let Some(key) = fact.key() {
            own.end(&key);
        }
        self.post(&line);
    }

    /// Tells something that does not last.
    pub(super) fn tell(&self, event: Event) {
        self.post(&Line::Event(event));
    }

    /// Takes what another server has told.
    pub(super) fn receive(&self, datagram: Datagram) {
        // What there is no room for is lost, and missed by its number.
        let _ = self.received.try_send(datagram);
    }

    /// Asks all other servers for their facts: they can be heard from now on.
    pub(super) fn ask_all(&self) {
        self.post(&Line::Ask(None));
    }

    /// Asks another server for its facts.
    fn ask(&self, node: String) {
        self.post(&Line::Ask(Some(node)));
    }

    /// Hands on what concerns connections.
    fn relay(&self, relayed: Relayed) {
        // Nobody may be there to be told.
        let _ = self.relayed.send(relayed);
    }

    /// Tells all facts of this server.
    fn tell_all(&self) {
        let own = self.own();
        self.post(&Line::SnapshotBegins);
        for fact in own.all() {
            self.post(&Line::Begins(fact.clone()));
        }
        self.post(&Line::SnapshotEnds);
    }

    fn tell_digest(&self) {
        let own = self.own();
        self.post(&Line::Digest(own.sum()));
    }

    fn post(&self, line: &Line) {
        if let Some(store) = self.carrier.as_ref().filter(|store| store.has_others()) {
            store.post(line.encode());
        }
    }

    fn own(&self) -> MutexGuard<'_, Facts> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
