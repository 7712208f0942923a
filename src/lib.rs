//! Parlance: one chat server with four published chat APIs on one durable log.
//!
//! [`Server`] is the whole of it: read the settings, build, run until a signal stops it.
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | plain data that passed inspection |
//! | [`json`] | JSON read by value |
//! | [`store`] | the only module that contains SQL |
//! | [`pubsub`] | who is subscribed, and how a change reaches them |
//! | [`chat`] | the verbs: everything that people do, by whichever API |
//! | [`dialect`] | one folder for each API |
//! | [`gateway`] | the event-style dialects on plain HTTP and on Socket.IO |
//! | [`http`] | what HTTP routes share |
//! | [`openapi`] | the descriptions of requests and events, and the pages that show them |
//! | [`cli`] | the command line, and how the process ends |
//! | [`admin`] | what the command line does beside serving |
//! | [`maintenance`] | what it does with the whole database |
//! | [`nats`] | NATS between servers of one database |
//! | [`config`] | everything an operator may set |
//! | [`error`] | every way to be refused or to fail |
//! | [`telemetry`] | log lines, request ids, metrics |
//! | [`parlance_socketio`] | a Socket.IO server on Rocket, a crate of its own |
//!
//! # Glossary
//! The words that a newcomer would not guess; all of them are in `docs/glossary.md`.
//!
//! | word | meaning |
//! |---|---|
//! | change | anything after which a snapshot differs |
//! | position | a change's place in the log: without gaps, in the order of commits |
//! | cursor | a position with the log's epoch, as clients see it |
//! | signal | something told and never stored, such as typing |
//! | tenant | who shares one directory of people and chats |
//! | conversation | a chat between a guest and the agents of a site |
//! | command, batch | what is submitted to the writer, and what it writes in one transaction |
//! | topic log, subscriber | the newest changes of a topic, and a place in them |
//! | client session, identity | one connection of an event-style dialect, and whom it acts for |
//! | encoding | a change as one dialect writes it, made once for all who receive it |

pub mod admin;
pub mod chat;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod error;
pub mod gateway;
pub mod http;
pub mod json;
pub mod maintenance;
pub mod model;
pub mod nats;
pub mod openapi;
pub mod pubsub;
mod server;
mod signals;
pub mod store;
pub mod telemetry;

pub use error::{Error, Kind, Result};
pub use server::Server;
