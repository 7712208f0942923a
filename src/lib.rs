//! Parlance: one chat server that speaks four published chat APIs on one durable log.

pub mod chat;
pub mod error;
pub mod live;
pub mod model;
pub mod store;

pub use error::{Error, Kind, Result};
