//! Metrics of the dialects: sockets, events, deliveries, waits, catch-ups and recoveries.
//!
//! Every label is one of a fixed set, and each counter is looked up once, when the server is built: what
//! happens per event or per delivery is an increment.

use std::sync::Arc;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// How a client receives changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Socket.IO connection.
    Socket,
    /// A held request.
    LongPoll,
    /// Server-sent events.
    Stream,
}

const TRANSPORTS: [&str; 3] = ["socket", "long_poll", "stream"];
const EVENT_OUTCOMES: [&str; 4] = ["ok", "refused", "limited", "failed"];
const RECOVERY_OUTCOMES: [&str; 3] = ["recovered", "refused", "failed"];
const CATCH_UP_OUTCOMES: [&str; 2] = ["ok", "failed"];

/// The name under which events are counted that a dialect has not.
const OTHER: &str = "other";
/// The dialect under which events are counted that no dialect has.
const NO_DIALECT: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialectLabels {
    dialect: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    dialect: &'static str,
    event: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabels {
    dialect: &'static str,
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The metrics of all dialects, by their labels.
#[derive(Debug, Default)]
pub(super) struct DialectFamilies {
    sockets: Family<DialectLabels, Gauge>,
    events: Family<EventLabels, Counter>,
    deliveries: Family<TransportLabels, Counter>,
    waits: Family<TransportLabels, Gauge>,
    catch_ups: Family<OutcomeLabels, Counter>,
    recoveries: Family<OutcomeLabels, Counter>,
}

impl DialectFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "dialect_sockets",
            "Sockets that act for somebody in a dialect",
            self.sockets.clone(),
        );
        registry.register(
            "events",
            "Events of clients that were answered",
            self.events.clone(),
        );
        registry.register(
            "deliveries",
            "Changes that clients received in a dialect",
            self.deliveries.clone(),
        );
        registry.register(
            "waits_open",
            "Long-polls and streams that wait for changes",
            self.waits.clone(),
        );
        registry.register(
            "catch_ups",
            "Reads of the log for a socket that had fallen behind",
            self.catch_ups.clone(),
        );
        registry.register(
            "recoveries",
            "Clients that asked for the recovery of their connection",
            self.recoveries.clone(),
        );
    }

    pub(super) fn dialect(&self, dialect: &'static str, events: &[&'static str]) -> DialectMetrics {
        let by_transport = |transport| TransportLabels { dialect, transport };
        // The messenger has no events of clients, and none are counted for it.
        let other = (!events.is_empty()).then_some(OTHER);
        let events = events.iter().copied().chain(other);
        DialectMetrics {
            sockets: self.sockets.get_or_create_owned(&DialectLabels { dialect }),
            events: events.map(|event| self.event(dialect, event)).collect(),
            deliveries: TRANSPORTS
                .map(|name| self.deliveries.get_or_create_owned(&by_transport(name))),
            waits: TRANSPORTS.map(|name| self.waits_of(dialect, name)),
        }
    }

    /// Sockets do not wait: there is no gauge of them.
    fn waits_of(&self, dialect: &'static str, transport: &'static str) -> Gauge {
        if transport == TRANSPORTS[Transport::Socket as usize] {
            return Gauge::default();
        }
        self.waits
            .get_or_create_owned(&TransportLabels { dialect, transport })
    }

    fn event(&self, dialect: &'static str, event: &'static str) -> EventMetrics {
        let outcomes = EVENT_OUTCOMES.map(|outcome| {
            self.events.get_or_create_owned(&EventLabels {
                dialect,
                event,
                outcome,
            })
        });
        EventMetrics {
            name: event,
            outcomes,
        }
    }

    pub(super) fn delivery(&self) -> DeliveryMetrics {
        DeliveryMetrics {
            unknown_events: self.event(NO_DIALECT, OTHER),
            recoveries: RECOVERY_OUTCOMES.map(|outcome| {
                self.recoveries
                    .get_or_create_owned(&OutcomeLabels { outcome })
            }),
            catch_ups: CATCH_UP_OUTCOMES.map(|outcome| {
                self.catch_ups
                    .get_or_create_owned(&OutcomeLabels { outcome })
            }),
        }
    }
}

/// The metrics of one dialect.
#[derive(Debug, Clone)]
pub struct DialectMetrics {
    /// Sockets that act for somebody in it.
    pub sockets: Gauge,
    events: Arc<[EventMetrics]>,
    deliveries: [Counter; 3],
    waits: [Gauge; 3],
}

impl DialectMetrics {
    /// The counters of an event, or those of all that the dialect has not.
    pub fn event(&self, name: &str) -> Option<&EventMetrics> {
        let known = self.events.iter().find(|event| event.name == name);
        known.or_else(|| self.events.last())
    }

    /// Counts changes that a client received.
    pub fn delivered(&self, transport: Transport, changes: u64) {
        self.deliveries[transport as usize].inc_by(changes);
    }

    /// Counts a wait until what is returned is dropped.
    pub fn wait(&self, transport: Transport) -> OpenWait {
        let gauge = self.waits[transport as usize].clone();
        gauge.inc();
        OpenWait(gauge)
    }
}

/// A long-poll or a stream that is open.
#[derive(Debug)]
pub struct OpenWait(Gauge);

impl Drop for OpenWait {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The counters of one event, by its outcome.
#[derive(Debug)]
pub struct EventMetrics {
    name: &'static str,
    outcomes: [Counter; 4],
}

impl EventMetrics {
    /// The event's name; `other` for one that its dialect has not.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Counts an answer by its HTTP status.
    pub fn answered(&self, status: u16) {
        let outcome = match status {
            ..400 => 0,
            429 => 2,
            400..500 => 1,
            500.. => 3,
        };
        self.outcomes[outcome].inc();
    }
}

/// What became of a client that asked for the recovery of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryOutcome {
    /// It goes on where it was.
    Recovered,
    /// It begins anew: what it showed was unknown, too old or not its own.
    Refused,
    /// It begins anew, for a fault of ours.
    Failed,
}

/// What is counted of deliveries whatever the dialect.
#[derive(Debug)]
pub struct DeliveryMetrics {
    /// Events that no dialect has.
    pub unknown_events: EventMetrics,
    recoveries: [Counter; 3],
    catch_ups: [Counter; 2],
}

impl DeliveryMetrics {
    /// Counts a client that asked for recovery.
    pub fn recovery(&self, outcome: RecoveryOutcome) {
        self.recoveries[outcome as usize].inc();
    }

    /// Counts a read of the log for a socket that had fallen behind.
    pub fn catch_up(&self, is_ok: bool) {
        self.catch_ups[usize::from(!is_ok)].inc();
    }
}
