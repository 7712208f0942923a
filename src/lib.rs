//! Parlance: one chat server that speaks four published chat APIs on one durable log.

pub mod chat;
pub mod config;
pub mod dialect;
pub mod error;
pub mod http;
pub mod live;
pub mod model;
pub mod store;
pub mod telemetry;

pub use error::{Error, Kind, Result};
