//! Counters of a server, for its metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::{
    protocol::{Revision, Transport},
    reason::DisconnectReason,
};

/// The counters of a server at one moment. All but `sessions` only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Open sessions, for each revision and transport.
    pub sessions: [(Revision, Transport, usize); 4],
    /// Closed sessions, for each reason that a session can be closed with.
    pub closed: [(DisconnectReason, u64); 7],
    /// Sessions that were upgraded from polling to WebSocket.
    pub upgrades: u64,
    /// Times that an outbox was full and frames were refused.
    pub outboxes_full: u64,
    /// Sockets of Socket.IO that were recovered after a lost connection.
    pub recoveries: u64,
    /// Engine.IO packets received, heartbeats included.
    pub packets_received: u64,
    /// Bytes of POST bodies and WebSocket messages received.
    pub bytes_received: u64,
    /// Engine.IO packets sent, heartbeats included.
    pub packets_sent: u64,
    /// Bytes of these packets, counted as WebSocket frames on both transports.
    pub bytes_sent: u64,
}

/// The combinations that open sessions are counted by.
const KINDS: [(Revision, Transport); 4] = [
    (Revision::V3, Transport::Polling),
    (Revision::V3, Transport::WebSocket),
    (Revision::V4, Transport::Polling),
    (Revision::V4, Transport::WebSocket),
];

/// The reasons that a session can be closed with; the others are reasons of a socket.
const REASONS: [DisconnectReason; 7] = [
    DisconnectReason::TransportError,
    DisconnectReason::TransportClose,
    DisconnectReason::ForcedClose,
    DisconnectReason::PingTimeout,
    DisconnectReason::ParseError,
    DisconnectReason::ServerShuttingDown,
    DisconnectReason::ForcedServerClose,
];

/// The counters. They are relaxed atomics: a reader may see one event counted and another not yet.
#[derive(Debug, Default)]
pub(super) struct Counters {
    sessions: [AtomicUsize; 4],
    closed: [AtomicU64; 7],
    upgrades: AtomicU64,
    outboxes_full: AtomicU64,
    recoveries: AtomicU64,
    packets_received: AtomicU64,
    bytes_received: AtomicU64,
    packets_sent: AtomicU64,
    bytes_sent: AtomicU64,
}

fn kind(revision: Revision, transport: Transport) -> usize {
    match (revision, transport) {
        (Revision::V3, Transport::Polling) => 0,
        (Revision::V3, Transport::WebSocket) => 1,
        (Revision::V4, Transport::Polling) => 2,
        (Revision::V4, Transport::WebSocket) => 3,
    }
}

impl Counters {
    pub(super) fn opened(&self, revision: Revision, transport: Transport) {
        self.sessions[kind(revision, transport)].fetch_add(1, Relaxed);
    }

    pub(super) fn closed(
        &self,
        revision: Revision,
        transport: Transport,
        reason: DisconnectReason,
    ) {
        self.sessions[kind(revision, transport)].fetch_sub(1, Relaxed);
        if let Some(index) = REASONS.iter().position(|other| *other == reason) {
            self.closed[index].fetch_add(1, Relaxed);
        }
    }

    /// An open session has been upgraded from polling to WebSocket.
    pub(super) fn upgraded(&self, revision: Revision, is_open: bool) {
        self.upgrades.fetch_add(1, Relaxed);
        if is_open {
            self.sessions[kind(revision, Transport::Polling)].fetch_sub(1, Relaxed);
            self.sessions[kind(revision, Transport::WebSocket)].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn outbox_full(&self) {
        self.outboxes_full.fetch_add(1, Relaxed);
    }

    pub(super) fn recovered(&self) {
        self.recoveries.fetch_add(1, Relaxed);
    }

    pub(super) fn received_packet(&self) {
        self.packets_received.fetch_add(1, Relaxed);
    }

    pub(super) fn received_bytes(&self, bytes: usize) {
        self.bytes_received.fetch_add(bytes as u64, Relaxed);
    }

    /// Called once for a batch of packets, when it is handed to the transport.
    pub(super) fn sent(&self, packets: usize, bytes: usize) {
        self.packets_sent.fetch_add(packets as u64, Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let session = |index: usize| {
            let (revision, transport) = KINDS[index];
            (revision, transport, self.sessions[index].load(Relaxed))
        };
        let closed = |index: usize| (REASONS[index], self.closed[index].load(Relaxed));
        Stats {
            sessions: std::array::from_fn(session),
            closed: std::array::from_fn(closed),
            upgrades: self.upgrades.load(Relaxed),
            outboxes_full: self.outboxes_full.load(Relaxed),
            recoveries: self.recoveries.load(Relaxed),
            packets_received: self.packets_received.load(Relaxed),
            bytes_received: self.bytes_received.load(Relaxed),
            packets_sent: self.packets_sent.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_session_has_a_counter_of_its_own() {
        for (index, (revision, transport)) in KINDS.into_iter().enumerate() {
            assert_eq!(kind(revision, transport), index);
        }
    }

    #[test]
    fn an_upgrade_moves_a_session_and_a_close_removes_it() {
        let counters = Counters::default();
        let open = || counters.stats().sessions.map(|(_, _, count)| count);
        counters.opened(Revision::V4, Transport::Polling);
        assert_eq!(open(), [0, 0, 1, 0]);
        counters.upgraded(Revision::V4, true);
        assert_eq!(open(), [0, 0, 0, 1]);
        let reason = DisconnectReason::PingTimeout;
        counters.closed(Revision::V4, Transport::WebSocket, reason);
        assert_eq!(open(), [0; 4]);
        assert_eq!(counters.stats().closed[3], (reason, 1));
        assert_eq!(counters.stats().upgrades, 1);
    }
}
