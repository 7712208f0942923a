//! Exports the counters of the Socket.IO server as metrics.

use parlance_socketio::{SocketIo, Stats, Transport, engine::Revision};

use crate::telemetry::{CloseLabels, Metrics, SessionLabels, SocketMetrics};

/// Has the counters of a server read each time that the metrics are.
pub fn export(sockets: &SocketIo, metrics: &Metrics) {
    let stats = sockets.stats();
    metrics.look_up(move |metrics| set(&metrics.sockets, &stats.read()));
}

fn set(metrics: &SocketMetrics, stats: &Stats) {
    for (revision, transport, count) in stats.sessions {
        let labels = SessionLabels {
            eio: match revision {
                Revision::V3 => "3",
                Revision::V4 => "4",
            },
            transport: match transport {
                Transport::Polling => "polling",
                Transport::WebSocket => "websocket",
            },
        };
        let gauge = metrics.sessions.get_or_create(&labels);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    for (reason, count) in stats.closed {
        let labels = CloseLabels {
            reason: reason.as_str(),
        };
        SocketMetrics::set(&metrics.closed.get_or_create(&labels), count);
    }
    for (counter, total) in [
        (&metrics.upgrades, stats.upgrades),
        (&metrics.outboxes_full, stats.outboxes_full),
        (&metrics.recoveries, stats.recoveries),
        (&metrics.packets_received, stats.packets_received),
        (&metrics.bytes_received, stats.bytes_received),
        (&metrics.packets_sent, stats.packets_sent),
        (&metrics.bytes_sent, stats.bytes_sent),
    ] {
        SocketMetrics::set(counter, total);
    }
}
