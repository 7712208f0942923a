//! Upgrades from polling to WebSocket.

use std::time::Duration;

use parlance_socketio::engine::{DisconnectReason, Options, Transport};
use tokio::time::Instant;

use crate::{
    support::engine::{EchoSite, V3, V4, calm, echo},
    support::socketio_client::{TIMEOUT, Ws, read_answer},
};

fn as_websocket(session: &str) -> String {
    session.replace("transport=polling", "transport=websocket")
}

async fn probe(site: &EchoSite, session: &str) -> Ws {
    let mut ws = site.websocket(&as_websocket(session)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    ws
}

#[tokio::test]
async fn a_probed_websocket_takes_over() {
    let site = echo(calm()).await;
    for revision in [V3, V4] {
        let session = site.open(revision).await;
        let mut ws = probe(&site, &session).await;
        ws.send("5").await;
        ws.send("4hello").await;
        assert_eq!(ws.text().await, "4hello");
        assert_eq!(site.latest().transport(), Transport::WebSocket);
        assert_eq!(site.get(&session).await.code(), 3);
        assert_eq!(site.post(&session, "4a").await.code(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_overtakes_the_end_of_an_upgrade_comes_too_late() {
    let site = echo(calm()).await;
    for revision in [V3, V4].repeat(10) {
        let session = site.open(revision).await;
        let mut ws = probe(&site, &session).await;
        ws.send("5").await;
        assert_eq!(site.get(&session).await.code(), 3);
        ws.send("4hello").await;
        assert_eq!(ws.text().await, "4hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_overtakes_a_whole_upgrade_comes_too_late() {
    let site = echo(calm()).await;
    for revision in [V3, V4].repeat(50) {
        let session = site.open(revision).await;
        let mut ws = site.websocket(&as_websocket(&session)).await;
        ws.send("2probe").await;
        ws.send("5").await;
        // On its own connection the poll may come before both: then it is held, and told to go to the WebSocket.
        let mut poll = site.get(&session).await;
        while ["6", "1:6"].contains(&poll.text()) {
            poll = site.get(&session).await;
        }
        assert_eq!(poll.code(), 3);
        assert_eq!(ws.text().await, "3probe");
    }
}

#[tokio::test]
async fn after_the_step_up_revision_3_still_pings() {
    let site = echo(calm()).await;
    let session = site.open(V3).await;
    let mut ws = probe(&site, &session).await;
    ws.send("5").await;
    // The ping may have data, as in the probe. This pong has none.
    for ping in ["2", "2probe"] {
        ws.send(ping).await;
        assert_eq!(ws.text().await, "3");
    }
}

#[tokio::test]
async fn a_held_poll_goes_home_at_the_probe() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    let _ws = probe(&site, &session).await;
    assert!(read_answer(&mut held).await.ends_with("\r\n\r\n6"));
}

#[tokio::test]
async fn while_probing_a_poll_is_held_a_tenth_of_a_second() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let _ws = probe(&site, &session).await;
    for _ in 0..2 {
        let before = Instant::now();
        assert_eq!(site.get(&session).await.text(), "6");
        assert!(before.elapsed() >= Duration::from_millis(99));
        assert!(before.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn while_probing_polls_still_carry_and_nothing_is_out_of_order() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    site.post(&session, "4one\x1e4two").await;
    assert_eq!(site.get(&session).await.text(), "4one\x1e4two");
    site.post(&session, "4three").await;
    site.post(&session, "4four").await;
    ws.send("5").await;
    ws.send("4five").await;
    for expected in ["4three", "4four", "4five"] {
        assert_eq!(ws.text().await, expected);
    }
}

#[tokio::test]
async fn a_poll_held_to_the_end_gets_a_last_packet() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    // Longer than the time in which a poll counts as reordered with the end of the upgrade.
    tokio::time::sleep(Duration::from_millis(70)).await;
    ws.send("5").await;
    assert!(read_answer(&mut held).await.ends_with("\r\n\r\n6"));
}

#[tokio::test]
async fn a_bad_probe_closes_only_its_websocket() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    for wrong in ["4hello", "2", "5", "2prob"] {
        let mut ws = site.websocket(&as_websocket(&session)).await;
        ws.send(wrong).await;
        ws.closed().await;
    }
    let mut ws = probe(&site, &session).await;
    ws.send("4hello").await;
    ws.closed().await;
    let ws = probe(&site, &session).await;
    drop(ws);
    site.post(&session, "4alive").await;
    assert_eq!(site.get(&session).await.text(), "4alive");
    assert!(site.no_end_yet());
}

#[tokio::test]
async fn a_stalled_probe_closes_only_its_websocket() {
    let mut site = echo(Options {
        upgrade_timeout: Duration::from_millis(100),
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let mut silent = site.websocket(&as_websocket(&session)).await;
    silent.closed().await;
    let mut stalled = probe(&site, &session).await;
    stalled.closed().await;
    site.post(&session, "4alive").await;
    assert_eq!(site.get(&session).await.text(), "4alive");
    assert!(site.no_end_yet());
}

#[tokio::test]
async fn a_second_websocket_is_closed_and_the_first_lives() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut first = probe(&site, &session).await;
    let mut second = site.websocket(&as_websocket(&session)).await;
    second.closed().await;
    first.send("5").await;
    first.send("4a").await;
    assert_eq!(first.text().await, "4a");
    let mut third = site.websocket(&as_websocket(&session)).await;
    third.closed().await;
    first.send("4b").await;
    assert_eq!(first.text().await, "4b");

    let mut direct = site.websocket("EIO=4&transport=websocket").await;
    direct.text().await;
    let query = format!(
        "{V4}&transport=websocket&sid={}",
        site.latest().sid().as_str()
    );
    site.websocket(&query).await.closed().await;
    direct.send("4c").await;
    assert_eq!(direct.text().await, "4c");
}

#[tokio::test]
async fn a_session_that_ends_takes_its_probe_along() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    site.post(&session, "1").await;
    assert_eq!(site.end().await, DisconnectReason::TransportClose);
    ws.closed().await;
}

#[tokio::test]
async fn upgrades_may_be_forbidden() {
    let site = echo(Options {
        allow_upgrades: false,
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let refused = site.try_websocket(&as_websocket(&session), &[]).await;
    match refused {
        Ok(mut ws) => assert!(ws.closed().await.is_some()),
        Err(status) => assert_eq!(status, 400),
    }
    site.post(&session, "4alive").await;
    assert_eq!(site.get(&session).await.text(), "4alive");
}

#[tokio::test]
async fn each_transport_says_for_itself_whether_it_reads_bytes() {
    let site = echo(calm()).await;
    let session = site.open("EIO=3&b64=1").await;
    let as_bytes = as_websocket(&session).replace("&b64=1", "");
    let mut ws = site.websocket(&as_bytes).await;
    ws.send("2probe").await;
    ws.text().await;
    ws.send("5").await;
    ws.send_binary(&[4, 1, 2]).await;
    assert_eq!(ws.binary().await, [4, 1, 2]);
}

#[tokio::test]
async fn a_session_that_is_closed_in_the_middle_of_a_step_up_is_told_on_the_websocket() {
    let mut site = echo(calm()).await;
    for (revision, offence) in [(V4, "4close!"), (V4, "2"), (V3, "7:4close!"), (V3, "1:3")] {
        // No poll is held: the client has paused polling for the upgrade.
        let session = site.open(revision).await;
        let mut ws = probe(&site, &session).await;
        assert_eq!(site.post(&session, offence).await.text(), "ok");
        site.end().await;
        ws.send("5").await;
        assert!(ws.closed().await.is_some());
        assert_eq!(site.get(&session).await.status, 400);
    }
}

#[tokio::test]
async fn a_session_that_is_closed_in_the_middle_of_a_step_up_sends_what_waits_first() {
    // So long that only the close of the session can close the WebSocket within the test's limit.
    let mut site = echo(Options {
        upgrade_timeout: 6 * TIMEOUT,
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    site.post(&session, "4say and close!").await;
    assert_eq!(site.end().await, DisconnectReason::ForcedClose);
    ws.send("5").await;
    assert_eq!(ws.text().await, "4said");
    assert!(ws.closed().await.is_some());

    // A client that continues to poll gets the close packet.
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    site.post(&session, "4say and close!").await;
    assert_eq!(site.get(&session).await.text(), "4said");
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
    ws.closed().await;
}

#[tokio::test]
async fn a_closed_session_that_nobody_fetches_takes_its_probe_along() {
    let mut site = echo(Options {
        upgrade_timeout: 6 * TIMEOUT,
        close_timeout: Duration::from_millis(200),
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let mut ws = probe(&site, &session).await;
    site.post(&session, "4close!").await;
    assert_eq!(site.end().await, DisconnectReason::ForcedClose);
    ws.closed().await;
    assert_eq!(site.get(&session).await.status, 400);
}
