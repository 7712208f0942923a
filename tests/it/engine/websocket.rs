//! Messages on a WebSocket, and how it is closed.

use std::time::Duration;

use futures_util::SinkExt;
use parlance_socketio::engine::{DisconnectReason, Frame, Options, SendError};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame as RawFrame,
        coding::{CloseCode, Data, OpCode},
    },
};

use crate::{
    support::engine::{EchoSite, V3, V4, calm, echo},
    support::socketio_client::{Ws, soon},
};

const DIRECT: &str = "transport=websocket";

#[tokio::test]
async fn binary_is_raw_in_revision_4_and_typed_in_3() {
    let site = echo(calm()).await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    ws.send_binary(&[1, 2, 3]).await;
    assert_eq!(ws.binary().await, [1, 2, 3]);
    ws.send_binary(&[]).await;
    assert!(ws.binary().await.is_empty());
    let mut ws = site.websocket(&format!("{V3}&{DIRECT}")).await;
    ws.text().await;
    ws.send_binary(&[4, 1, 2, 3]).await;
    assert_eq!(ws.binary().await, [4, 1, 2, 3]);
}

#[tokio::test]
async fn binary_may_come_as_base64_and_go_as_such() {
    let site = echo(calm()).await;
    for (revision, packet) in [(V4, "bAQIDBA=="), (V3, "b4AQIDBA==")] {
        let query = format!("{revision}&{DIRECT}&b64=1");
        let mut ws = site.websocket(&query).await;
        ws.text().await;
        ws.send(packet).await;
        assert_eq!(ws.text().await, packet);
    }
}

#[tokio::test]
async fn what_is_no_packet_ends_the_session() {
    let mut site = echo(calm()).await;
    for (revision, wrong) in [(V4, "abc"), (V4, ""), (V4, "b%"), (V3, "7"), (V3, "bAQID")] {
        let mut ws = site.websocket(&format!("{revision}&{DIRECT}")).await;
        ws.text().await;
        ws.send(wrong).await;
        let said = ws.closed().await.expect("it is told why");
        assert_eq!((said.code, said.reason.as_str()), (CloseCode::Protocol, ""));
        assert_eq!(site.end().await, DisconnectReason::ParseError);
    }
    let mut ws = site.websocket(&format!("{V3}&{DIRECT}")).await;
    ws.text().await;
    ws.send_binary(&[1, 2]).await;
    ws.closed().await;
    assert_eq!(site.end().await, DisconnectReason::ParseError);
}

/// A WebSocket on which messages may have 1,000 bytes.
async fn limited() -> (EchoSite, Ws) {
    let site = echo(Options {
        max_payload: 1000,
        ..calm()
    })
    .await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    (site, ws)
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_session() {
    let (mut site, mut ws) = limited().await;
    let longest = format!("4{}", "x".repeat(999));
    ws.send(&longest).await;
    assert_eq!(ws.text().await, longest);
    ws.send(&format!("{longest}y")).await;
    let said = ws.closed().await.expect("it is told why");
    assert_eq!(said.code, CloseCode::Size);
    assert_eq!(site.end().await, DisconnectReason::TransportError);
}

/// Sends one text in two fragments.
async fn send_in_two(ws: &mut Ws, begin: &str, end: &str) {
    for (kind, part, is_last) in [(Data::Text, begin, false), (Data::Continue, end, true)] {
        let frame = RawFrame::message(part.to_owned(), OpCode::Data(kind), is_last);
        ws.0.send(Message::Frame(frame)).await.unwrap();
    }
}

#[tokio::test]
async fn the_limit_is_for_all_fragments_of_a_message() {
    let (mut site, mut ws) = limited().await;
    let begin = format!("4{}", "x".repeat(599));
    send_in_two(&mut ws, &begin, &"y".repeat(400)).await;
    assert_eq!(ws.text().await.len(), 1000);
    send_in_two(&mut ws, &begin, &"y".repeat(600)).await;
    let said = ws.closed().await.expect("it is told why");
    assert_eq!(said.code, CloseCode::Size);
    assert_eq!(site.end().await, DisconnectReason::TransportError);
}

#[tokio::test]
async fn many_messages_come_back_in_order() {
    let site = echo(Options {
        outbox_bytes: 64 << 20,
        ..calm()
    })
    .await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    for round in 0..500 {
        let text = format!("4{round} {}", "x".repeat(round * 7 % 3000));
        ws.0.feed(Message::text(text)).await.unwrap();
    }
    ws.0.flush().await.unwrap();
    for round in 0..500 {
        let text = ws.text().await;
        assert!(text.starts_with(&format!("4{round} ")), "{text}");
        assert_eq!(text.len(), format!("4{round} ").len() + round * 7 % 3000);
    }
}

#[tokio::test]
async fn a_ping_of_the_websocket_is_answered_between_frames() {
    let site = echo(calm()).await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    for round in 0..50_u8 {
        ws.0.feed(Message::text("4a")).await.unwrap();
        ws.0.feed(Message::Ping(vec![round].into())).await.unwrap();
    }
    ws.0.flush().await.unwrap();
    let (mut texts, mut last_pong) = (0, None);
    while texts < 50 || last_pong != Some(49) {
        match ws.next().await.expect("it goes on") {
            Message::Text(_) => texts += 1,
            Message::Pong(data) => last_pong = data.first().copied(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn each_side_may_close() {
    let mut site = echo(calm()).await;
    let query = format!("{V4}&{DIRECT}");
    let mut ws = site.websocket(&query).await;
    ws.text().await;
    ws.send("4say and close!").await;
    assert_eq!(ws.text().await, "4said");
    let said = ws.closed().await.expect("it is told why");
    assert_eq!((said.code, said.reason.as_str()), (CloseCode::Normal, ""));
    assert_eq!(site.end().await, DisconnectReason::ForcedClose);

    let mut ws = site.websocket(&query).await;
    ws.0.close(None).await.unwrap();
    ws.closed().await;
    assert_eq!(site.end().await, DisconnectReason::TransportClose);

    let mut ws = site.websocket(&query).await;
    ws.text().await;
    ws.send("1").await;
    ws.closed().await;
    assert_eq!(site.end().await, DisconnectReason::TransportClose);

    drop(site.websocket(&query).await);
    assert_eq!(site.end().await, DisconnectReason::TransportClose);
    assert_eq!(site.engine.session_count(), 0);
}

#[tokio::test]
async fn a_reader_that_stops_costs_a_bounded_outbox() {
    let mut site = echo(Options {
        outbox_bytes: 100_000,
        ping_interval: Duration::from_secs(1),
        ping_timeout: Duration::from_millis(500),
        ..calm()
    })
    .await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    let session = site.latest();
    let frame = [Frame::text(&"x".repeat(50_000))];
    // First the kernel's buffers become full, then the outbox, and then the heartbeat times out.
    let mut was_full = false;
    loop {
        match session.send(&frame) {
            Ok(()) => {}
            Err(SendError::Full) => was_full = true,
            Err(SendError::Closed) => break,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(was_full);
    assert_eq!(site.end().await, DisconnectReason::PingTimeout);
    assert_eq!(session.send(&frame), Err(SendError::Closed));
}

#[tokio::test]
async fn a_first_frame_may_be_of_any_size_and_a_drain_is_told() {
    let site = echo(Options {
        outbox_bytes: 10,
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let latest = site.latest();
    assert_eq!(latest.send(&[Frame::text("longer than ten")]), Ok(()));
    assert_eq!(latest.send(&[Frame::text("x")]), Err(SendError::Full));
    assert_eq!(site.get(&session).await.text(), "4longer than ten");
    assert_eq!(latest.send(&[Frame::text("x")]), Ok(()));
}

#[tokio::test]
async fn a_shutdown_tells_everybody() {
    let mut site = echo(calm()).await;
    let mut ws = site.websocket(&format!("{V4}&{DIRECT}")).await;
    ws.text().await;
    let session = site.open(V4).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    site.site.shutdown.clone().notify();
    let said = ws.closed().await.expect("it is told why");
    assert_eq!((said.code, said.reason.as_str()), (CloseCode::Away, ""));
    assert!(
        crate::support::socketio_client::read_answer(&mut held)
            .await
            .ends_with("\r\n\r\n1")
    );
    assert_eq!(site.end().await, DisconnectReason::ServerShuttingDown);
    assert_eq!(site.end().await, DisconnectReason::ServerShuttingDown);
    soon(&mut site.site.over).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_the_next_poll_of_who_holds_none() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let engine = site.engine.clone();
    let stopping = tokio::spawn(async move {
        let patience = Duration::from_mins(1);
        engine.shut_down(patience).await;
        // A second call waits no longer.
        engine.shut_down(patience).await;
    });
    assert_eq!(site.end().await, DisconnectReason::ServerShuttingDown);
    assert!(!stopping.is_finished());
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
    soon(stopping).await.unwrap();

    let site = echo(calm()).await;
    let _silent = site.open(V4).await;
    soon(site.engine.shut_down(Duration::from_millis(50))).await;
}

#[tokio::test]
async fn sessions_are_closed_over_a_time_and_those_that_come_meanwhile_stay() {
    const SESSIONS: u32 = 20;
    let mut site = echo(calm()).await;
    for _ in 0..SESSIONS {
        site.open(V4).await;
    }
    let time = Duration::from_millis(400);
    let (engine, began) = (site.engine.clone(), tokio::time::Instant::now());
    let closing = tokio::spawn(async move { engine.close_over(time).await });
    for number in 1..=SESSIONS {
        assert_eq!(site.end().await, DisconnectReason::ServerShuttingDown);
        assert!(
            began.elapsed() >= time * number / SESSIONS,
            "{number} too early"
        );
        if number == 1 {
            site.open(V4).await;
        }
    }
    soon(closing).await.unwrap();
    let sessions = site.engine.stats().read().sessions;
    let open: usize = sessions.iter().map(|(_, _, count)| count).sum();
    assert_eq!(open, 1, "the one that came meanwhile");
}

#[tokio::test]
async fn garbage_on_a_websocket_hurts_nobody_else() {
    let site = echo(calm()).await;
    let query = format!("{V4}&{DIRECT}");
    let mut well = site.websocket(&query).await;
    well.text().await;
    let long = [&b"\xff\x80\x00\x00\x00\x00"[..], &vec![0; 100_000]].concat();
    for (bytes, code) in [
        (&b"\x81\x05hello"[..], CloseCode::Protocol),
        (&long, CloseCode::Protocol),
        (b"\x83\x80\x00\x00\x00\x00", CloseCode::Protocol),
        (b"\x81\x82\x00\x00\x00\x00\xff\xff", CloseCode::Invalid),
    ] {
        let mut ill = site.websocket(&query).await;
        ill.text().await;
        tokio::io::AsyncWriteExt::write_all(ill.0.get_mut(), bytes)
            .await
            .unwrap();
        let said = ill.closed().await.expect("it is told why");
        assert_eq!(said.code, code);
    }
    well.send("4a").await;
    assert_eq!(well.text().await, "4a");
}
