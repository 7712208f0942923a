//! Parlance: one chat server that speaks four published chat APIs on one durable log.
//!
//! [`Server`] is the whole of it: read the settings, build, run until a signal stops it.
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | nouns: plain data that passed inspection |
//! | [`store`] | memory: the only module that speaks SQL |
//! | [`live`] | ears: who listens, and how a change reaches them |
//! | [`chat`] | verbs: everything people do, whichever API they speak |
//! | [`dialect`] | tongues: one folder for each API |
//! | [`http`] | the front door: what HTTP routes share |
//! | [`admin`] | what the command line does beside serving |
//! | [`config`] | everything an operator may set |
//! | [`socketio`] | the side door: a Socket.IO server on Rocket's own upgrade |
//! | [`json`] | reading JSON that clients write, by value |
//! | [`error`] | every way to be refused or to fail |
//! | [`telemetry`] | log lines, request ids, metrics |

pub mod admin;
pub mod chat;
pub mod config;
pub mod dialect;
pub mod error;
pub mod http;
pub mod json;
pub mod live;
pub mod model;
mod server;
mod signals;
pub mod socketio;
pub mod store;
pub mod telemetry;

pub use error::{Error, Kind, Result};
pub use server::Server;
