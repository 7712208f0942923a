//! Engine.IO 3 and 4 on Rocket: sessions that carry text and binary messages over polling and
//! WebSocket, with heartbeats and upgrades from one to the other.
//!
//! An application is an [`Application`]. It makes a [`Connection`] for each [`Session`] that opens. This
//! one echoes all messages:
//!
//! ```
//! use std::sync::Arc;
//! use parlance_socketio::engine::{
//!     Connection, DisconnectReason, Engine, Frame, Message, Options, Session,
//! };
//!
//! struct Echo(Arc<Session>);
//!
//! impl Connection for Echo {
//!     fn on_message(&self, message: Message<'_>) {
//!         let _ = self.0.send(&[match message {
//!             Message::Text(text) => Frame::text(text),
//!             Message::Binary(bytes) => Frame::binary(&bytes),
//!         }]);
//!     }
//!
//!     fn on_close(&self, _reason: DisconnectReason) {}
//! }
//!
//! let engine = Engine::new(Options::default(), |session| Arc::new(Echo(session)) as _);
//! let rocket = rocket::build().attach(engine.fairing("/engine.io"));
//! # let _ = rocket;
//! ```
//!
//! # Why
//! - An upgraded stream is moved into a task of its own, and Rocket's handler returns at once. A handler
//!   that keeps running keeps the whole request in memory: 17 KiB for each WebSocket.
//! - One timer wheel serves all sessions. A timer for each would cost more than the rest of a session.
//! - An outbox is a queue of shared, encoded frames with a limit in bytes. Frames that belong together
//!   are queued in one call, so no other frame gets between them.
//! - A reply to the client ([`Session::send_reply`]) is queued whatever the outbox holds. The next
//!   message is handled only when the outbox is below its limit. So no reply is too large, and a client
//!   that sends and does not read costs at most a full outbox and one reply.
//! - A close packet is never in the same payload as messages: clients handle it at once and messages
//!   later, so they would drop the messages and report a transport error.
//! - Little of the opening request is kept ([`Handshake`]): its query, and some headers up to a limit. A
//!   request's head may have hundreds of kilobytes, and idle sessions live for days.
//! - Frames are written to the stream directly. The write buffer of a WebSocket library would be a copy
//!   for each receiver, and it keeps the capacity of the largest burst.
//! - Beside the kernel, most of the cost of a broadcast to thousands is cache misses. So the fields of a
//!   session that a broadcast reads are adjacent, an outbox of one frame needs no allocation, and a
//!   WebSocket's task that is woken only for its outbox does not try to read.
//! - Rocket runs a handler to its end even if its client has gone, so a handler cannot know whether the
//!   answer to a poll arrived. The body of the answer knows: it is dropped before it was read.
//! - Files import each other in one direction only. [`Session`] refers to what all sessions share, so
//!   that part (`shared`, `registry`, `wheel`) is generic over the session.

mod connection;

mod cors;
mod fairing;
#[cfg(test)]
pub(crate) mod fixture;
mod frame;
mod handle;
mod handshake;
mod heartbeat;
mod options;
mod packet;
mod params;
mod payload;
mod peers;
mod poll_mark;
mod polling;
mod protocol;
mod reason;
mod registry;
mod request_error;
mod routes;
mod session;
mod shared;
mod sid;
mod state;
mod stats;
mod websocket;
mod wheel;

pub use connection::Connection;
pub use cors::Cors;
pub use fairing::EngineFairing;
pub use frame::{Body, Frame};
pub use handle::{Application, Engine, StatsReader};
pub use handshake::Handshake;
pub use options::Options;
pub use packet::Message;
pub use peers::{Peers, RemoteSession};
pub use protocol::{Revision, Transport};
pub use reason::DisconnectReason;
pub use session::{SendError, Session};
pub use sid::Sid;
pub use stats::Stats;
