//! Bounds on connections: how many are open, and for how long one may be silent or slow.
//!
//! # Why
//! A connection that is accepted holds memory and a file descriptor. So each wait for a client has an end: for the head
//! of a request, for the next request, for the rest of a body, for room to send on. Only while the server
//! itself keeps a client waiting (a long-poll, a quiet stream) and after an upgrade is silence legitimate.
//! Long-polls and streams have an end or a heartbeat of their own, and so have WebSockets.
//!
//! Rocket tells where requests begin and answers end (`rocket::connection`, see `vendor/README.md`); what
//! follows from it is decided here. One connection costs a timer, which is moved only when it fires: a
//! request costs a look at the clock.

mod descriptors;
mod stream;
mod watch;

use std::{
    io,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rocket::{
    connection::{Bounds, ByteStream, ConnectionBounds, Watch},
    futures::future::BoxFuture,
};
use tokio::{sync::Notify, time::Instant};

use self::{stream::WatchedStream, watch::ConnectionWatch};
use crate::{config::Settings, telemetry::Metrics};

/// The pause after the first attempt to accept that failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A line about a condition that goes on is not repeated for this long.
const BETWEEN_LINES: Duration = Duration::from_mins(1);

/// How long a connection may keep the server waiting, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For the head of a request: from the accept, or from its first byte.
    header: Duration,
    /// For the next request after an answer.
    keep_alive: Duration,
    /// For any progress of a body.
    body_idle: Duration,
    /// For a whole body.
    body: Duration,
    /// For any room to send on.
    write: Duration,
    /// Most open connections.
    connections: usize,
}

impl Limits {
    fn of(settings: &Settings, keep_alive: u32) -> Self {
        let keep_alive = match keep_alive {
            // The connection ends with its answer: what is left to wait for is that it does.
            0 => settings.header_timeout,
            seconds => Duration::from_secs(seconds.into()),
        };
        let connections = match settings.connections_max {
            0 => descriptors::most_connections(),
            number => number,
        };
        Self {
            header: settings.header_timeout,
            keep_alive,
            body_idle: settings.body_idle_timeout,
            body: settings.body_timeout,
            write: settings.write_timeout,
            connections,
        }
    }
}

/// The connections of one server, over all its ports. Clones are one.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    metrics: Arc<Metrics>,
    /// Notified when a connection has closed.
    closed: Notify,
    /// Attempts to accept that failed in a row.
    failures: AtomicU32,
    full_line: LineLimit,
    failure_line: LineLimit,
}

impl Connections {
    /// No connection yet. `keep_alive` is Rocket's own setting, in seconds.
    pub fn new(settings: &Settings, keep_alive: u32, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Shared {
            limits: Limits::of(settings, keep_alive),
            metrics,
            closed: Notify::new(),
            failures: AtomicU32::new(0),
            full_line: LineLimit::default(),
            failure_line: LineLimit::default(),
        }))
    }

    /// To be managed by each Rocket that shares these bounds.
    pub fn bounds(&self) -> ConnectionBounds {
        ConnectionBounds::new(Arc::new(self.clone()))
    }

    fn is_full(&self) -> bool {
        let open = usize::try_from(self.0.metrics.connections_open.get()).unwrap_or(0);
        open >= self.0.limits.connections
    }
}

impl Bounds for Connections {
    fn admit(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                // Registered before the count is read: a close in between is not missed.
                let mut closed = pin!(self.0.closed.notified());
                closed.as_mut().enable();
                if !self.is_full() {
                    return;
                }
                if self.0.full_line.is_due() {
                    let connections = self.0.limits.connections;
                    tracing::warn!(
                        connections,
                        "As many connections are open as may be: new ones wait. See connections_max."
                    );
                }
                closed.await;
            }
        })
    }

    fn accept_failed(&self, error: &io::Error) -> Duration {
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed);
        if self.0.failure_line.is_due() {
            tracing::warn!(
                %error,
                "No connection can be accepted: it is tried again. Where files run out, raise the \
                 process's limit of open files or lower connections_max."
            );
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(10));
        doubled.min(LONGEST_PAUSE)
    }

    fn opened(&self, stream: Box<dyn ByteStream>) -> (Box<dyn ByteStream>, Arc<dyn Watch>) {
        self.0.failures.store(0, Ordering::Relaxed);
        let watch = Arc::new(ConnectionWatch::new(
            self.0.limits,
            Arc::clone(&self.0.metrics),
        ));
        let slot = Slot::take(self.clone());
        let stream = WatchedStream::new(stream, Arc::clone(&watch), slot);
        (Box::new(stream), watch)
    }
}

/// A connection's place among those that are open, held until its stream is dropped, also by whom it was
/// upgraded for.
struct Slot(Connections);

impl Slot {
    fn take(connections: Connections) -> Self {
        connections.0.metrics.connections_open.inc();
        Self(connections)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let shared = &self.0.0;
        shared.metrics.connections_open.dec();
        shared.closed.notify_waiters();
    }
}

/// Limits a repeated log line: when it was written last.
#[derive(Debug, Default)]
struct LineLimit(Mutex<Option<Instant>>);

impl LineLimit {
    /// Whether the line may be written now; if so, it counts as written.
    fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = last.is_none_or(|at| now.duration_since(at) >= BETWEEN_LINES);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(most: usize) -> Connections {
        let settings = Settings {
            connections_max: most,
            ..Settings::default()
        };
        Connections::new(&settings, 75, Arc::new(Metrics::new()))
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_all_places_are_taken_waits_for_one() {
        let connections = connections(2);
        let places = [(); 2].map(|()| Slot::take(connections.clone()));
        let mut waiting = pin!(connections.admit());
        let waited = tokio::time::timeout(Duration::from_secs(99), &mut waiting).await;
        assert!(waited.is_err());
        let [one, _other] = places;
        drop(one);
        waiting.await;
        let _one = Slot::take(connections.clone());
        let waited = tokio::time::timeout(Duration::from_secs(99), connections.admit()).await;
        assert!(waited.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_to_accept_are_retried_ever_more_slowly() {
        let connections = connections(2);
        let error = io::Error::from(io::ErrorKind::Other);
        let fail = || connections.accept_failed(&error);
        let pauses: Vec<_> = (0..40).map(|_| fail().as_millis()).collect();
        assert_eq!(pauses[..6], [50, 100, 200, 400, 800, 1_000]);
        assert!(pauses[6..].iter().all(|pause| *pause == 1_000));
        drop(connections.opened(Box::new(tokio::io::empty())));
        assert_eq!(connections.accept_failed(&error), FIRST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_told_once_a_minute() {
        let limit = LineLimit::default();
        assert!(limit.is_due() && !limit.is_due());
        tokio::time::advance(BETWEEN_LINES).await;
        assert!(limit.is_due() && !limit.is_due());
    }
}
