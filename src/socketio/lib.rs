//! A Socket.IO server on Rocket: what clients of protocol revisions 4 and 5 reach.
//!
//! [`server`] is where an application begins; [`engine`] and [`packet`] are what it is built on.
//!
//! # Why
//! Each layer is usable and tested without the next: the engine carries text and bytes and knows no
//! Socket.IO, packets know no network, and the server knows no chat.

pub mod engine;
pub mod packet;
pub mod server;

pub use server::SocketIo;
