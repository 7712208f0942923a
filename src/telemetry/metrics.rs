//! The figures of one server, in atomics that are read when somebody asks.

use std::{
    fmt,
    sync::{PoisonError, RwLock, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use super::{
    dialect_metrics::{DeliveryMetrics, DialectFamilies, DialectMetrics},
    process::Process,
    sockets::SocketMetrics,
};
use crate::error::{Error, Result};

/// A time.
type Seconds = Gauge<f64, AtomicU64>;

/// Sets metrics that are known elsewhere.
type Look = Box<dyn Fn(&Metrics) + Send + Sync>;

/// The figures of one server. Cloning a field shares it.
pub struct Metrics {
    registry: Registry,
    looks: RwLock<Vec<Look>>,
    /// Requests answered.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from a request's arrival to the start of its answer.
    pub request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Requests whose answer is not yet sent whole, held ones among them.
    pub requests_in_flight: Gauge,
    /// Open connections, WebSockets among them.
    pub connections_open: Gauge,
    /// Connections that were closed because their client took too long.
    pub connections_timed_out: Family<TimeoutLabels, Counter>,
    /// Places that long-polls and event streams take in the limits of waits.
    pub waiters_held: Gauge,
    /// Messages that were stored and answered.
    pub messages_accepted: Counter,
    /// Transactions of the writer that were committed.
    pub batches_committed: Counter,
    /// Drafts in each of those transactions.
    pub batch_size: Histogram,
    /// Seconds from the first statement of such a transaction until it was durable.
    pub commit_seconds: Histogram,
    /// Drafts that wait for the writer.
    pub drafts_waiting: Gauge,
    /// The newest position of each lane that was published.
    pub head_position: Family<LaneLabels, Gauge>,
    /// Positions of the log that the search index has yet to come to.
    pub search_lag: Gauge,
    /// 1 while what is written arrives, 0 while writes are refused.
    pub writes_work: Gauge,
    /// Connections to the database for reading.
    pub database_connections: Family<ConnectionLabels, Gauge>,
    /// Other servers of the database that were heard of.
    pub other_servers: Gauge,
    /// Whether what other servers say is heard.
    pub bus_heard: Gauge,
    /// Positions that other servers have written and this one has yet to publish.
    pub tail_lag: Gauge,
    /// Seconds since this server last saw what others have ended.
    pub lease_age: Seconds,
    /// Seconds that this server's last notification took to come back.
    pub notification: Seconds,
    /// Logins held in memory.
    pub logins_cached: Gauge,
    /// Statements that read, beside those of writing transactions.
    pub database_reads: Counter,
    /// The Socket.IO server.
    pub sockets: SocketMetrics,
    dialects: DialectFamilies,
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// GET, POST, …
    pub method: &'static str,
    /// The route's template, such as `/api/chats/<id>`; `none` where no route took it.
    pub route: String,
    /// `2xx`, `4xx`, …
    pub status: &'static str,
}

/// What connections that were closed by a timeout are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TimeoutLabels {
    /// What the server waited for: `header`, `keep_alive` (the next request), `body`, or `write` (that
    /// the client takes its answer).
    pub waited_for: &'static str,
}

impl TimeoutLabels {
    /// All that the server waits for: a series that only appears when it moves hides its first step.
    const ALL: [&'static str; 4] = ["header", "keep_alive", "body", "write"];

    /// A counter each, at nought.
    fn counters() -> Family<Self, Counter> {
        let family = Family::<Self, Counter>::default();
        for waited_for in Self::ALL {
            drop(family.get_or_create(&Self { waited_for }));
        }
        family
    }
}

/// What connections to the database are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ConnectionLabels {
    /// `used` or `idle`.
    pub state: &'static str,
}

/// What positions are told by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LaneLabels {
    /// The lane's number.
    pub lane: i64,
}

/// What requests are timed by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// The route's template.
    pub route: String,
}

impl Metrics {
    /// The media type of [`Metrics::text`].
    pub const MEDIA_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Figures that all stand at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("parlance"),
            looks: RwLock::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            requests_in_flight: Gauge::default(),
            connections_open: Gauge::default(),
            connections_timed_out: TimeoutLabels::counters(),
            waiters_held: Gauge::default(),
            messages_accepted: Counter::default(),
            batches_committed: Counter::default(),
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            commit_seconds: seconds(),
            head_position: Family::default(),
            drafts_waiting: Gauge::default(),
            search_lag: Gauge::default(),
            writes_work: Gauge::default(),
            database_connections: Family::default(),
            other_servers: Gauge::default(),
            bus_heard: Gauge::default(),
            tail_lag: Gauge::default(),
            lease_age: Seconds::default(),
            notification: Seconds::default(),
            logins_cached: Gauge::default(),
            database_reads: Counter::default(),
            sockets: SocketMetrics::default(),
            dialects: DialectFamilies::default(),
        };
        metrics.register();
        metrics
    }

    /// Has `look` set the metrics that are known elsewhere, each time before they are read.
    pub fn look_up(&self, look: impl Fn(&Self) + Send + Sync + 'static) {
        let mut looks = self.looks.write().unwrap_or_else(PoisonError::into_inner);
        looks.push(Box::new(look));
    }

    fn look(&self) {
        for look in &*self.looks.read().unwrap_or_else(PoisonError::into_inner) {
            look(self);
        }
    }

    /// How many sessions of the Socket.IO server are open.
    pub fn open_sockets(&self) -> i64 {
        self.look();
        self.sockets.open()
    }

    /// Every figure in the text format of OpenMetrics.
    pub fn text(&self) -> Result<String> {
        self.look();
        let mut text = String::new();
        text::encode(&mut text, &self.registry).map_err(Error::internal)?;
        Ok(text)
    }

    /// The metrics of a dialect that has these events.
    pub fn dialect(&self, name: &'static str, events: &[&'static str]) -> DialectMetrics {
        self.dialects.dialect(name, events)
    }

    /// What is counted of deliveries whatever the dialect.
    pub fn delivery(&self) -> DeliveryMetrics {
        self.dialects.delivery()
    }

    fn register(&mut self) {
        self.register_requests();
        self.register_writer();
        self.register_nodes();
        let registry = &mut self.registry;
        self.sockets.register(registry);
        self.dialects.register(registry);
        registry.register(
            "build",
            "The version that is running",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register_collector(Box::new(Process));
    }

    /// What is counted of requests and connections.
    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "http_request",
            "Seconds from a request's arrival to the start of its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests whose answer is not yet sent whole",
            self.requests_in_flight.clone(),
        );
        registry.register(
            "connections_open",
            "Open connections, WebSockets among them",
            self.connections_open.clone(),
        );
        registry.register(
            "connections_timed_out",
            "Connections closed because their client took too long",
            self.connections_timed_out.clone(),
        );
        registry.register(
            "waiters_held",
            "Places that long-polls and event streams take in the limits of waits",
            self.waiters_held.clone(),
        );
    }

    /// What this server knows of others of its database.
    fn register_nodes(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "other_servers",
            "Other servers of the database that live",
            self.other_servers.clone(),
        );
        registry.register(
            "bus_heard",
            "1 while what other servers of the database say is heard",
            self.bus_heard.clone(),
        );
        registry.register(
            "tail_lag",
            "Positions that were seen in the log and have yet to be published here",
            self.tail_lag.clone(),
        );
        registry.register_with_unit(
            "lease_age",
            "Seconds since the last look at what other servers have ended; from 2 on logins are refused",
            Unit::Seconds,
            self.lease_age.clone(),
        );
        registry.register_with_unit(
            "notification",
            "Seconds that the last notification of this server took to come back to it",
            Unit::Seconds,
            self.notification.clone(),
        );
    }

    /// What is counted of the writer, the log and the logins.
    fn register_writer(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "messages_accepted",
            "Messages that were stored and answered",
            self.messages_accepted.clone(),
        );
        registry.register(
            "batches_committed",
            "Transactions of the writer that were committed",
            self.batches_committed.clone(),
        );
        registry.register(
            "batch_size",
            "Drafts in a transaction of the writer",
            self.batch_size.clone(),
        );
        registry.register_with_unit(
            "commit",
            "Seconds that a transaction of the writer took",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        registry.register(
            "drafts_waiting",
            "Drafts that wait for the writer",
            self.drafts_waiting.clone(),
        );
        registry.register(
            "head_position",
            "The newest position of a lane that was published",
            self.head_position.clone(),
        );
        registry.register(
            "search_lag",
            "Positions of the log that the search index has yet to come to",
            self.search_lag.clone(),
        );
        registry.register(
            "writes_work",
            "1 while what is written arrives, 0 while writes are refused",
            self.writes_work.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to the database for reading",
            self.database_connections.clone(),
        );
        registry.register(
            "logins_cached",
            "Logins held in memory",
            self.logins_cached.clone(),
        );
        registry.register(
            "database_reads",
            "Statements run to read, beside those of writing transactions",
            self.database_reads.clone(),
        );
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From half a millisecond to about half a minute.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}
