//! Telemetry: log lines, request ids and metrics.
//!
//! # Why
//! A line in the log and an answer to a caller are tied together by a request id. Nothing here is
//! global but the log's subscriber, which is a property of the process: metrics belong to one
//! server, so that tests may run many servers side by side.
//!
//! [`Metrics`] are plain atomics that any module may bump. Names and labels follow the conventions
//! of Prometheus; a route's label is its template, never the path that was asked for, which anybody
//! could vary without end and which may hold a secret.

mod access;
mod log;
mod metrics;
mod process;
mod request_id;
mod sockets;

pub use access::Access;
pub use log::{init, subscriber};
pub use metrics::{Metrics, RequestLabels, RouteLabels, TimeoutLabels};
pub use request_id::RequestId;
pub use sockets::{CloseLabels, SessionLabels, SocketMetrics};
