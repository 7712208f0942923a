//! Long-polling: held GETs and POSTs, in both revisions.

use std::time::Duration;

use bytes::Bytes;
use parlance_socketio::engine::{DisconnectReason, Options};
use tokio::io::AsyncWriteExt;

use crate::{
    support::engine::{EchoSite, V3, V4, calm, echo},
    support::socketio_client::{http, read_answer, soon},
};

async fn post_octets(site: &EchoSite, session: &str, body: &'static [u8]) -> u16 {
    let request = http()
        .post(site.url(session))
        .header("content-type", "application/octet-stream")
        .body(Bytes::from_static(body));
    site.send(request).await.status
}

#[tokio::test]
async fn what_one_post_brings_one_poll_takes_home() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    for body in [
        "4hello",
        "4a\x1e4b",
        "4hello\x1ebAQIDBA==",
        "4\u{20ac}\u{1f600}",
        "4",
    ] {
        let answer = site.post(&session, body).await;
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        let home = site.get(&session).await;
        assert_eq!(home.text(), body);
        assert_eq!(
            home.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn revision_3_counts_and_sends_octets() {
    let site = echo(calm()).await;
    let session = site.open(V3).await;
    site.post(&session, "6:4hello3:4€€").await;
    assert_eq!(site.get(&session).await.text(), "6:4hello3:4€€");

    // A payload of text alone is text. With a binary packet the whole payload is binary.
    let body = b"\x00\x02\xff4a\x01\x04\xff\x04\x01\x02\x03";
    assert_eq!(post_octets(&site, &session, body).await, 200);
    let home = site.get(&session).await;
    assert_eq!(
        home.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(home.bytes.as_ref(), body);

    site.post(&session, "2:4a10:b4AQIDBA==").await;
    let home = site.get(&session).await;
    assert_eq!(
        home.bytes.as_ref(),
        b"\x00\x02\xff4a\x01\x05\xff\x04\x01\x02\x03\x04"
    );
}

#[tokio::test]
async fn revision_3_without_bytes_has_base64() {
    let site = echo(calm()).await;
    for flag in ["1", "true", "0"] {
        let session = site.open(&format!("{V3}&b64={flag}")).await;
        site.post(&session, "2:4a10:b4AQIDBA==").await;
        let home = site.get(&session).await;
        assert_eq!(home.text(), "2:4a10:b4AQIDBA==");
    }
}

#[tokio::test]
async fn an_empty_payload_of_revision_3_is_legal() {
    let site = echo(calm()).await;
    let session = site.open(V3).await;
    assert_eq!(site.post(&session, "0:").await.text(), "ok");
}

#[tokio::test]
async fn a_second_get_ends_the_session() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut first = site.raw_get(&session).await;
    site.held_poll().await;
    assert_eq!(site.get(&session).await.code(), 3);
    let farewell = read_answer(&mut first).await;
    assert!(farewell.ends_with("\r\n\r\n1"), "{farewell}");
    assert_eq!(site.end().await, DisconnectReason::TransportError);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_second_post_ends_the_session() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let head = format!(
        "POST /engine.io/?{session} HTTP/1.1\r\nHost: {}\r\nContent-Length: 30\r\n\r\n{}",
        site.address,
        // Rocket reads the first bytes of a body before it calls the handler.
        "4".repeat(20)
    );
    let mut first = site.raw(&head).await;
    // Until the first POST is being received, a second one succeeds. Then it is refused.
    while site.no_end_yet() {
        let answer = site.post(&session, "4b").await;
        if answer.status == 400 {
            break;
        }
        // Echoes must not accumulate in the outbox.
        site.get(&session).await;
    }
    first.write_all(b"4444444444").await.unwrap();
    assert!(read_answer(&mut first).await.starts_with("HTTP/1.1 400"));
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let site = echo(Options {
        max_payload: 1000,
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    let body = format!("4{}", "x".repeat(999));
    assert_eq!(site.post(&session, body.clone()).await.status, 200);
    assert_eq!(site.get(&session).await.text(), body);
    assert_eq!(site.post(&session, format!("{body}y")).await.status, 413);
}

#[tokio::test]
async fn octets_are_no_body_for_revision_4() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    assert_eq!(post_octets(&site, &session, b"4a").await, 400);
    assert_eq!(site.end().await, DisconnectReason::TransportError);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_payload_ends_the_session() {
    let mut site = echo(calm()).await;
    let too_many = vec!["4"; 10_001].join("\x1e");
    for body in ["abc", "", "4a\x1e", "b%", too_many.as_str()] {
        let session = site.open(V4).await;
        assert_eq!(site.post(&session, body.to_owned()).await.code(), 3);
        assert_eq!(site.end().await, DisconnectReason::ParseError);
        assert_eq!(site.get(&session).await.code(), 1);
    }
    let session = site.open(V4).await;
    assert_eq!(site.post(&session, vec![0xff, 0xfe]).await.code(), 3);
}

#[tokio::test]
async fn a_client_that_leaves_gets_its_poll_back() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    let answer = site.post(&session, "1").await;
    assert_eq!(answer.text(), "ok");
    assert!(read_answer(&mut held).await.ends_with("\r\n\r\n6"));
    assert_eq!(site.end().await, DisconnectReason::TransportClose);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_held_poll_hears_of_a_close() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    site.post(&session, "4close!").await;
    assert!(read_answer(&mut held).await.ends_with("\r\n\r\n1"));
    assert_eq!(site.end().await, DisconnectReason::ForcedClose);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_close_waits_for_the_next_poll() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    site.post(&session, "4close!").await;
    assert_eq!(site.end().await, DisconnectReason::ForcedClose);
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
    assert_eq!(site.get(&session).await.code(), 1);

    let session = site.open(V3).await;
    site.post(&session, "7:4close!").await;
    assert_eq!(site.get(&session).await.text(), "1:61:1");

    let session = site.open(V4).await;
    site.post(&session, "4say and close!").await;
    // Messages have a payload of their own: clients handle a close packet before messages.
    assert_eq!(site.get(&session).await.text(), "4said");
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_close_does_not_wait_for_ever() {
    let mut site = echo(Options {
        close_timeout: Duration::from_millis(50),
        ..calm()
    })
    .await;
    let session = site.open(V4).await;
    site.post(&session, "4close!").await;
    site.end().await;
    let gone = async {
        while site.engine.session_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn a_poll_whose_client_has_gone_ends_the_session() {
    let mut site = echo(calm()).await;
    let session = site.open(V4).await;
    let held = site.raw_get(&session).await;
    site.held_poll().await;
    drop(held);
    // The packets of the lost response must not be lost without notice.
    soon(async { while site.post(&session, "4lost").await.status == 200 {} }).await;
    assert_eq!(site.end().await, DisconnectReason::TransportError);
    assert_eq!(site.get(&session).await.code(), 1);
}

#[tokio::test]
async fn an_upgrade_request_of_http_is_no_trouble() {
    let site = echo(calm()).await;
    let request = format!(
        "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        site.address
    );
    let answer = read_answer(&mut site.raw(&request).await).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_poll_takes_home_so_many_bytes() {
    let options = Options {
        outbox_bytes: 10_000_000,
        ..calm()
    };
    let site = echo(options).await;
    let text = "x".repeat(400_000);
    for (revision, length) in [(V4, ""), (V3, "400001:")] {
        let session = site.open(revision).await;
        for _ in 0..5 {
            site.post(&session, format!("{length}4{text}")).await;
        }
        for count in [2, 2, 1] {
            let home = site.get(&session).await;
            assert_eq!(home.text().matches(&text).count(), count);
        }
    }
}

#[tokio::test]
async fn a_client_that_offends_is_told_with_its_next_poll() {
    let mut site = echo(calm()).await;
    // A heartbeat packet of the wrong direction, after a message that is answered first.
    for (revision, offence, said, end) in [
        (V4, "4said\x1e2", "4said", "6\x1e1"),
        (V3, "5:4said1:3", "5:4said", "1:61:1"),
    ] {
        let session = site.open(revision).await;
        assert_eq!(site.post(&session, offence).await.text(), "ok");
        assert_eq!(site.end().await, DisconnectReason::TransportError);
        // What the client sends before it has the close packet is not an error.
        assert_eq!(
            site.post(&session, if revision == V4 { "4x" } else { "2:4x" })
                .await
                .text(),
            "ok"
        );
        assert_eq!(site.get(&session).await.text(), said);
        assert_eq!(site.get(&session).await.text(), end);
        assert_eq!(site.get(&session).await.code(), 1);
    }
}

#[tokio::test]
async fn a_held_poll_brings_messages_home_before_the_close() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let mut held = site.raw_get(&session).await;
    site.held_poll().await;
    site.post(&session, "4say and close!").await;
    assert!(read_answer(&mut held).await.ends_with("\r\n\r\n4said"));
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
}
