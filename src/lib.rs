//! Parlance: one chat server that speaks four published chat APIs on one durable log.

pub mod config;
pub mod error;
pub mod http;
pub mod telemetry;

pub use error::{Error, Kind, Result};
