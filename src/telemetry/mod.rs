//! Telemetry: log lines, spans, request ids and metrics.
//!
//! # Why
//! A line in the log and an answer to a caller are tied together by a request id, which is in the span
//! of the request; an event of a connection has a span of its own, and so has a batch of the writer.
//! Spans and lines hold no token, no password and no text of a message. Nothing here is
//! global but the log's subscriber, which is a property of the process: metrics belong to one server, so
//! that tests may run many servers side by side.
//!
//! [`Metrics`] are plain atomics that any module may bump. Names and labels follow the conventions
//! of Prometheus; a route's label is its template, never the path that was asked for, which anybody
//! could vary without end and which may hold a secret.

mod access;
mod dialect_metrics;
mod failures;
mod fields;
mod log;
mod metrics;
mod process;
mod request_id;
mod sockets;
mod spans;

pub use access::Access;
pub use dialect_metrics::{
    DeliveryMetrics, DialectMetrics, EventMetrics, OpenWait, RecoveryOutcome, Transport,
};
pub use failures::log_failure;
pub use log::{init, subscriber};
pub use metrics::{
    ConnectionLabels, LaneLabels, Metrics, RequestLabels, RouteLabels, TimeoutLabels,
};
pub use request_id::RequestId;
pub use sockets::{CloseLabels, SessionLabels, SocketMetrics};
pub use spans::{traced, traced_catcher};
