//! Parlance: one chat server that speaks four published chat APIs on one durable log.

pub mod error;
pub mod socketio;

pub use error::{Error, Kind, Result};
