//! Telemetry: log lines, request ids and metrics.
//!
//! # Why
//! A line in the log and an answer to a caller are tied together by a request id. Nothing here is
//! global but the log's subscriber, which is a property of the process: metrics belong to one
//! server, so that tests may run many servers side by side.

mod request_id;

pub use request_id::RequestId;
