//! Heartbeats: who sends pings, when, and the timeout.

use std::time::Duration;

use parlance_socketio::engine::{DisconnectReason, Transport};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::engine::{V3, V4, calm, echo, lively};

#[tokio::test]
async fn the_first_ping_comes_after_the_interval_and_not_at_once() {
    let site = echo(lively()).await;
    let interval = lively().ping_interval;
    let before = Instant::now();
    let session = site.open(V4).await;
    assert_eq!(site.get(&session).await.text(), "2");
    assert!(before.elapsed() >= interval, "{:?}", before.elapsed());

    let before = Instant::now();
    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    ws.text().await;
    assert_eq!(ws.text().await, "2");
    assert!(before.elapsed() >= interval, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_pong_keeps_a_session_and_is_followed_by_a_ping_after_the_interval() {
    let site = echo(lively()).await;
    let session = site.open(V4).await;
    for _ in 0..3 {
        assert_eq!(site.get(&session).await.text(), "2");
        let pong = Instant::now();
        assert_eq!(site.post(&session, "3").await.text(), "ok");
        assert_eq!(site.get(&session).await.text(), "2");
        assert!(pong.elapsed() >= lively().ping_interval);
        site.post(&session, "3").await;
    }
}

#[tokio::test]
async fn silence_ends_a_session() {
    let mut site = echo(lively()).await;
    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    let said = ws.closed().await.expect("it is told why");
    assert_eq!((said.code, said.reason.as_str()), (CloseCode::Normal, ""));
    assert_eq!(site.end().await, DisconnectReason::PingTimeout);

    let session = site.open(V4).await;
    assert_eq!(site.get(&session).await.text(), "2");
    assert_eq!(site.get(&session).await.text(), "1");
    assert_eq!(site.end().await, DisconnectReason::PingTimeout);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn the_deadline_holds_on_access() {
    let mut site = echo(calm()).await;
    let patience = calm().ping_interval + calm().ping_timeout;
    let session = site.open(V4).await;
    // The clock jumps, so the wheel has turned at most once: it has sent a ping and nothing else.
    tokio::time::pause();
    tokio::time::advance(patience).await;
    tokio::time::resume();
    assert!(!site.latest().is_closed());
    assert_eq!(site.get(&session).await.code(), 1);
    assert_eq!(site.end().await, DisconnectReason::PingTimeout);
}

#[tokio::test]
async fn in_revision_3_the_client_pings() {
    let mut site = echo(lively()).await;
    let session = site.open(V3).await;
    // The pong has no data, whether the ping has data or not, on both transports.
    for ping in ["1:2", "6:2hello"] {
        site.post(&session, ping).await;
        assert_eq!(site.get(&session).await.text(), "1:3");
    }
    let mut ws = site.websocket("EIO=3&transport=websocket").await;
    ws.text().await;
    ws.send("2").await;
    assert_eq!(ws.text().await, "3");
    let silent = Instant::now();
    assert!(ws.closed().await.is_some());
    let patience = lively().ping_interval + lively().ping_timeout;
    assert!(silent.elapsed() + Duration::from_millis(20) >= patience);
    assert_eq!(site.end().await, DisconnectReason::PingTimeout);
}

#[tokio::test]
async fn a_ping_from_the_wrong_side_is_an_error() {
    let mut site = echo(calm()).await;
    for (query, wrong, end) in [(V4, "2", "6\x1e1"), (V3, "1:3", "1:61:1")] {
        let session = site.open(query).await;
        site.post(&session, wrong).await;
        assert_eq!(site.end().await, DisconnectReason::TransportError);
        assert_eq!(site.get(&session).await.text(), end);
        assert_eq!(site.get(&session).await.code(), 1);
    }
    for (query, wrong) in [(V4, "2"), (V3, "3")] {
        let mut ws = site
            .websocket(&format!("{query}&transport=websocket"))
            .await;
        ws.text().await;
        ws.send(wrong).await;
        ws.closed().await;
        assert_eq!(site.end().await, DisconnectReason::TransportError);
    }
}

#[tokio::test]
async fn a_session_knows_its_transport() {
    let site = echo(calm()).await;
    let _session = site.open(V4).await;
    assert_eq!(site.latest().transport(), Transport::Polling);
    assert_eq!(site.latest().handshake().transport(), Transport::Polling);
}
