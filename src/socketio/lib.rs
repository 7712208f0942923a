//! A Socket.IO server on Rocket 0.5, for clients of protocol revisions 4 and 5 (socket.io-client 2, 3
//! and 4).
//!
//! # Quick start
//! Attach a server to a Rocket. Clients then connect to `/socket.io/`.
//!
//! ```
//! use parlance_socketio::{Events, SocketIo};
//!
//! #[rocket::launch]
//! fn launch() -> _ {
//!     let chat = Events::new()
//!         .on_connect(|socket| async move {
//!             socket.join("lobby");
//!             socket.to("lobby").emit("joined", socket.id().as_str());
//!         })
//!         .on("say", |socket, mut event| async move {
//!             if let Some(text) = event.args.text(0) {
//!                 socket.to("lobby").emit("said", text);
//!                 event.acknowledge(true);
//!             }
//!         });
//!     let io = SocketIo::builder().namespace("/", chat).build();
//!     rocket::build().attach(io.fairing())
//! }
//! ```
//!
//! The same as a program to run is `examples/chat_room.rs`.
//!
//! # Names
//! They follow Node's server and socketioxide where the meaning is the same.
//!
//! | Node | here |
//! |---|---|
//! | `new Server(options)` | [`SocketIo::builder`] |
//! | `io.of("/x").use(f)`, `.on("connection", f)` | [`Builder::namespace`] with [`Events::middleware`], [`Events::on_connect`] |
//! | `socket.on("x", f)`, `"disconnect"` | [`Events::on`], [`Events::on_disconnect`] |
//! | `connect_error` | [`ConnectError`] |
//! | `socket.emit`, `.volatile.emit`, `.timeout(t).emitWithAck` | [`Socket::emit`], [`Socket::emit_volatile`], [`Socket::emit_with_ack`] |
//! | `socket.broadcast`, `socket.to(r)`, `io.in(r)`, `.except(r)` | [`Socket::broadcast`], [`Socket::to`], [`Socket::within`], [`BroadcastOperator::except`] |
//! | `socket.join`, `socket.leave`, `socket.disconnect(close)` | [`Socket::join`], [`Socket::leave`], [`Socket::disconnect`] |
//! | `io.in(r).fetchSockets()`, `socketsJoin`, `disconnectSockets` | [`BroadcastOperator::sockets`], [`BroadcastOperator::join`], [`BroadcastOperator::disconnect`] |
//! | `socket.handshake`, `socket.data`, `socket.recovered` | [`Socket::handshake`], [`Socket::data`], [`Socket::is_recovered`] |
//! | `connectionStateRecovery` | [`Builder::connection_state_recovery`], or [`Admission::recovered`] for a store of one's own |
//!
//! # Why
//! Each layer can be used and tested without the one above. [`engine`] carries text and binary messages
//! and knows nothing of Socket.IO. [`packet`] encodes and decodes packets without I/O. [`server`] has
//! namespaces, rooms and acknowledgements. [`forwarder`] passes requests on between servers behind a balancer that
//! keeps no client to one of them. No layer knows anything of an application.

pub mod engine;
pub mod forwarder;
pub mod packet;
pub mod server;
mod sync;

pub use engine::{Cors, DisconnectReason, SendError, Stats, StatsReader, Transport};
pub use packet::{Args, NamespaceName};
pub use server::{
    AckError, AckSender, Admission, BroadcastOperator, Builder, ConnectError, Disconnect, Event,
    Events, Handler, MAX_OPEN, Overflow, PipelinedAnswer, Prepared, Reply, Socket, SocketId,
    SocketIo, WeakSocket,
};
