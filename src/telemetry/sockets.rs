//! Metrics of the Socket.IO server.

use std::sync::atomic::Ordering;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Metrics of the Socket.IO server. The server itself counts; these are set before they are read.
#[derive(Debug, Default)]
pub struct SocketMetrics {
    /// Open sessions.
    pub sessions: Family<SessionLabels, Gauge>,
    /// Sessions that were closed.
    pub closed: Family<CloseLabels, Counter>,
    /// Sessions that were upgraded from polling to WebSocket.
    pub upgrades: Counter,
    /// Times that an outbox was full.
    pub outboxes_full: Counter,
    /// Sockets that were recovered after a lost connection.
    pub recoveries: Counter,
    /// Packets received.
    pub packets_received: Counter,
    /// Bytes received.
    pub bytes_received: Counter,
    /// Packets sent.
    pub packets_sent: Counter,
    /// Bytes sent.
    pub bytes_sent: Counter,
}

/// What open sessions are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SessionLabels {
    /// The revision of Engine.IO: `3` or `4`.
    pub eio: &'static str,
    /// `polling` or `websocket`.
    pub transport: &'static str,
}

/// What closed sessions are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CloseLabels {
    /// The reason, as `ping timeout`.
    pub reason: &'static str,
}

impl SocketMetrics {
    /// Sets a counter to a total that was counted elsewhere.
    pub fn set(counter: &Counter, total: u64) {
        counter.inner().store(total, Ordering::Relaxed);
    }

    /// How many sessions are open, by whichever revision and transport.
    pub(super) fn open(&self) -> i64 {
        let labels = ["3", "4"].into_iter().flat_map(|eio| {
            let transports = ["polling", "websocket"].into_iter();
            transports.map(move |transport| SessionLabels { eio, transport })
        });
        labels
            .map(|labels| self.sessions.get_or_create(&labels).get())
            .sum()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "socket_sessions",
            "Open Engine.IO sessions",
            self.sessions.clone(),
        );
        registry.register(
            "socket_sessions_closed",
            "Engine.IO sessions that were closed",
            self.closed.clone(),
        );
        for (name, help, counter) in [
            (
                "socket_upgrades",
                "Sessions upgraded from polling to WebSocket",
                &self.upgrades,
            ),
            (
                "socket_outboxes_full",
                "Times that the outbox of a session was full",
                &self.outboxes_full,
            ),
            (
                "socket_recoveries",
                "Sockets recovered after a lost connection",
                &self.recoveries,
            ),
            (
                "socket_packets_received",
                "Engine.IO packets received",
                &self.packets_received,
            ),
            (
                "socket_bytes_received",
                "Bytes of packets received",
                &self.bytes_received,
            ),
            (
                "socket_packets_sent",
                "Engine.IO packets sent",
                &self.packets_sent,
            ),
            (
                "socket_bytes_sent",
                "Bytes of packets sent",
                &self.bytes_sent,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}
