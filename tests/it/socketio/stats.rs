//! The server's counters, and the metrics that they are exported as.

use parlance_socketio::{
    DisconnectReason, Overflow, Stats, StatsReader, Transport, engine::Revision,
};

use crate::{
    support::socketio::{Ends, builder, echo, joined, launch},
    support::world::World,
};

/// How many sessions of that kind are open.
fn open(stats: &StatsReader, revision: Revision, transport: Transport) -> usize {
    let sessions = stats.read().sessions;
    let mut kinds = sessions
        .iter()
        .filter(|kind| kind.0 == revision && kind.1 == transport);
    kinds.next().expect("every kind is counted").2
}

/// How many sessions were closed for that reason.
fn closed(stats: &StatsReader, reason: DisconnectReason) -> u64 {
    let closed = stats.read().closed;
    let mut reasons = closed.iter().filter(|(other, _)| *other == reason);
    reasons.next().expect("every reason is counted").1
}

#[tokio::test]
async fn sessions_are_counted_by_revision_and_transport() {
    let (events, mut ends) = Ends::of(echo());
    let (site, io) = launch(builder().namespace("/", events)).await;
    let stats = io.stats();
    site.open("EIO=3").await;
    let upgrading = site.open("EIO=4").await;
    let (ws, _) = joined(&site).await;
    assert_eq!(open(&stats, Revision::V3, Transport::Polling), 1);
    assert_eq!(open(&stats, Revision::V3, Transport::WebSocket), 0);
    assert_eq!(open(&stats, Revision::V4, Transport::Polling), 1);
    assert_eq!(open(&stats, Revision::V4, Transport::WebSocket), 1);

    let upgraded = upgrading.replace("polling", "websocket");
    let mut upgraded = site.websocket(&upgraded).await;
    upgraded.send("2probe").await;
    assert_eq!(upgraded.text().await, "3probe");
    upgraded.send("5").await;
    upgraded.send("40").await;
    assert!(upgraded.text().await.starts_with("40{"));
    assert_eq!(open(&stats, Revision::V4, Transport::Polling), 0);
    assert_eq!(open(&stats, Revision::V4, Transport::WebSocket), 2);
    assert_eq!(stats.read().upgrades, 1);

    drop(ws);
    assert_eq!(ends.next().await, DisconnectReason::TransportClose);
    upgraded.send("4no packet").await;
    assert_eq!(ends.next().await, DisconnectReason::ParseError);
    assert_eq!(open(&stats, Revision::V4, Transport::WebSocket), 0);
    assert_eq!(open(&stats, Revision::V3, Transport::Polling), 1);
    assert_eq!(closed(&stats, DisconnectReason::TransportClose), 1);
    assert_eq!(closed(&stats, DisconnectReason::ParseError), 1);
    assert_eq!(closed(&stats, DisconnectReason::PingTimeout), 0);
}

#[tokio::test]
async fn packets_and_their_bytes_are_counted_in_both_directions() {
    let (site, io) = launch(builder().namespace("/", echo())).await;
    let stats = io.stats();
    let (mut ws, _) = joined(&site).await;
    let before = stats.read();
    assert_eq!((before.packets_received, before.bytes_received), (1, 2));
    assert_eq!(before.packets_sent, 2);
    ws.send(r#"42["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
    let after = stats.read();
    assert_eq!((after.packets_received, after.bytes_received), (2, 17));
    assert_eq!(after.packets_sent, 3);
    // The frame's header has two bytes.
    assert_eq!(after.bytes_sent - before.bytes_sent, 22);

    let session = site.open("EIO=4").await;
    assert_eq!(site.post(&session, "40").await.text(), "ok");
    assert!(site.get(&session).await.text().starts_with("40{"));
    let Stats {
        packets_received,
        bytes_received,
        packets_sent,
        ..
    } = stats.read();
    assert_eq!((packets_received, bytes_received, packets_sent), (3, 19, 5));
}

#[tokio::test]
async fn an_outbox_that_is_full_is_counted() {
    let builder = builder().outbox_bytes(10_000).overflow(Overflow::Drop);
    let (site, io) = launch(builder.namespace("/", echo())).await;
    let session = site.open("EIO=4").await;
    site.post(&session, "40").await;
    assert!(site.get(&session).await.text().starts_with("40{"));
    let stats = io.stats();
    let text = "x".repeat(4000);
    for full in [0, 0, 1, 2] {
        io.of("/").unwrap().emit("x", text.as_str());
        assert_eq!(stats.read().outboxes_full, full);
    }
}

#[tokio::test]
async fn the_counters_are_exported_as_metrics() {
    let world = World::new().await;
    let _ws = world.websocket("", &[]).await;
    let metrics = world.get_with("/metrics", &[]).await.with(200).body;
    for line in [
        r#"parlance_socket_sessions{eio="4",transport="websocket"} 1"#,
        r#"parlance_socket_sessions{eio="3",transport="polling"} 0"#,
        r#"parlance_socket_sessions_closed_total{reason="ping timeout"} 0"#,
        "parlance_socket_upgrades_total 0",
        "parlance_socket_outboxes_full_total 0",
        "parlance_socket_recoveries_total 0",
        "parlance_socket_packets_received_total 0",
        "parlance_socket_packets_sent_total 1",
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line}: {metrics}"
        );
    }
}
