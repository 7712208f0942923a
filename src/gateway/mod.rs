//! Connects the event-style dialects to their transports: plain HTTP and Socket.IO.
//!
//! # Why
//! A dialect knows neither routes nor sockets, and the Socket.IO library knows no chat. Here they are joined:
//! credentials are read from requests and handshakes, events are passed to a dialect's handlers, and changes
//! of the log are sent in the dialect's encoding. What belongs to a socket of another server is passed on to it.

mod encodings;
pub mod http;
pub mod peers;
pub mod socketio;
