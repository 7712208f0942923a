//! How the event-style dialects reach the world: by plain HTTP and on Socket.IO.
//!
//! # Why
//! A dialect knows neither HTTP routes nor sockets, and the Socket.IO library knows no chat. Here the
//! three meet: credentials are read from a request or a handshake, events go to a dialect's handlers,
//! and changes of the log come back in the dialect's own encoding.

mod encodings;
pub mod http;
pub mod socketio;
