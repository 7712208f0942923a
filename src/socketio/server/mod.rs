//! A Socket.IO server on Rocket: namespaces, rooms, events and acknowledgements.
//!
//! ```
//! use parlance_socketio::{Events, SocketIo};
//!
//! let io = SocketIo::builder()
//!     .namespace("/", Events::new()
//!         .on_connect(|socket| async move {
//!             let _ = socket.emit("welcome", socket.id().as_str());
//!         })
//!         .on("shout", |socket, event| async move {
//!             socket.broadcast().emit("shouted", event.args);
//!         }))
//!     .build();
//! io.to("some room").emit("news", "sent to every socket in the room");
//! let rocket = rocket::build().attach(io.fairing());
//! # let _ = rocket;
//! ```
//!
//! A [`SocketIo`] that is attached to two Rockets serves both, and their clients share its rooms.
//!
//! # Why
//! - Files import each other in one direction only: `member` (one socket's state), `members` (the
//!   sockets of a namespace and its rooms), `namespace`, `broadcast`, `socket` (the public handle),
//!   `handler`, `worker` (calls the handler), `namespaces`, `client` (the packets of one connection).
//!   Where a lower file has to call a higher one it defines a trait: `Dispatcher` and `Owner`.
//! - A socket has a task only while it has work. The work is queued, so the handler is called for the
//!   events of one socket in order, and for those of different sockets concurrently. A handler may have
//!   events pipelined: while some wait for their outcomes the next ones begin, and answers keep the order.
//! - Acknowledgements from the client bypass that queue: a handler may await one from its own client.
//! - While the events that wait for handlers exceed a limit, nothing more is read from that client.
//! - A reply to a client's event is always queued, whatever its size. All else is subject to the
//!   outbox's limit. The handler is called only while the outbox is below its limit, so a client
//!   that sends events and does not read causes at most one reply above it; answers to pipelined events
//!   wait in the same way, each before it is made.
//! - A broadcast event is encoded once for all its receivers ([`Prepared`]): both protocol revisions
//!   encode events in the same way.
//! - A socket's public id is independent of the session's id, which is a secret.

mod ack;
mod admission;
mod broadcast;
mod builder;
mod client;
mod event;
mod events;
mod handler;
mod id;
mod io;
mod member;
mod members;
mod namespace;
mod namespaces;
mod options;
mod prepared;
mod recovery;
mod reply;
mod socket;
mod target;
mod task;
mod worker;

pub use ack::AckError;
pub use admission::{Admission, ConnectError};
pub use broadcast::BroadcastOperator;
pub use builder::Builder;
pub use event::{AckSender, Event};
pub use events::Events;
pub use handler::{Handler, MAX_OPEN, PipelinedAnswer};
pub use id::SocketId;
pub use io::SocketIo;
pub use namespace::Disconnect;
pub use options::Overflow;
pub use prepared::Prepared;
pub use reply::Reply;
pub use socket::{Socket, WeakSocket};
