//! A Socket.IO server on Rocket: namespaces, rooms, events and their answers.
//!
//! ```
//! use parlance_socketio::server::{Events, SocketIo};
//!
//! let io = SocketIo::builder()
//!     .namespace("/", Events::new()
//!         .connected(|socket| async move {
//!             let _ = socket.emit("welcome", socket.id().as_str());
//!         })
//!         .on("shout", |socket, event| async move {
//!             socket.broadcast().emit("shouted", event.args);
//!         }))
//!     .build();
//! io.to("some room").emit("news", "nobody is here yet");
//! let rocket = rocket::build().attach(io.fairing());
//! # let _ = rocket;
//! ```
//!
//! Attached to two Rockets, a [`SocketIo`] serves both, and their clients are in the same rooms.
//!
//! # Why
//! - A socket has a task only while there is something to do for it. What there is to do waits in a
//!   queue, so the events of one socket are handled in order, and those of others meanwhile.
//! - Answers do not wait in that queue: a handler may ask its own client something and await it.
//! - A client that sends faster than its handlers work is read no further, instead of being queued.
//! - What a client asked for always arrives, however large; what it did not ask for meets the outbox's
//!   limit. So a handler is called only while the outbox has room: a client that asks and does not
//!   read waits for its answers, and costs one of them.
//! - An event is encoded once for all who hear it ([`Prepared`]), since every revision spells it alike.
//! - The public id of a socket has nothing to do with the session's: a session's id is a key.

mod ack;
mod admission;
mod broadcast;
mod builder;
mod client;
mod event;
mod events;
mod handler;
mod hub;
mod id;
mod members;
mod prepared;
mod recovery;
mod reply;
#[expect(
    clippy::module_inception,
    reason = "it holds the server, among what makes one up"
)]
mod server;
mod socket;
mod task_queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use ack::AckError;
pub use admission::{Admission, Refusal};
pub use broadcast::Broadcast;
pub use builder::{Builder, Overflow};
pub use event::{Event, Responder};
pub use events::Events;
pub use handler::Handler;
pub use id::SocketId;
pub use prepared::Prepared;
pub use reply::Reply;
pub use socket::{Disconnect, Socket, WeakSocket};

use super::{
    engine::{Engine, Mount},
    packet::Namespace,
};
use server::Server;

/// A Socket.IO server. Clones are the same server.
#[derive(Clone)]
pub struct SocketIo {
    server: Arc<Server>,
    engine: Engine,
    path: Arc<str>,
}

impl SocketIo {
    /// Begins a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Attaches to a Rocket: serves the path, and closes all connections when that Rocket stops.
    pub fn fairing(&self) -> Mount {
        self.engine.fairing(&self.path)
    }

    /// The routes, to be mounted under a path, for those who do without the fairing.
    pub fn routes(&self) -> Vec<rocket::Route> {
        self.engine.routes()
    }

    /// The engine under it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All sockets of a namespace; `None` if it is not there.
    pub fn of(&self, namespace: &str) -> Option<Broadcast> {
        let hub = self.server.existing(&Namespace::new(namespace))?;
        Some(Broadcast::all(&hub))
    }

    /// A room of the main namespace.
    pub fn to(&self, room: impl Into<String>) -> Broadcast {
        Broadcast::all(self.server.main()).to(room)
    }
}

/// Locks, whoever panicked before: no invariant here is ever broken across statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
