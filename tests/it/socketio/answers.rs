//! Replies: they are sent whatever their size, and whatever the outbox holds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parlance_socketio::{
    engine::DisconnectReason,
    server::{Event, Events, Handler, Prepared, Reply, Socket},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    support::socketio::{Ends, builder, echo, joined, json_after, launch},
    support::socketio_client::{Site, soon},
};

/// Replies to `big` with an event and an acknowledgement of the size that the client asks for.
#[derive(Clone, Default)]
struct Big {
    /// How many events were handled.
    asked: Arc<AtomicUsize>,
}

impl Handler for Big {
    async fn on_event(&self, socket: &Socket, mut event: Event) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let length = event.args.get(0).and_then(Value::as_u64);
        let length = usize::try_from(length.unwrap_or_default()).unwrap();
        let data = json!({"text": "é".repeat(length / 2)}).to_string();
        let mut reply = Reply::new(socket, &data);
        reply.event_with("before", "1", None);
        reply.event(&event.name, None);
        if let Some(ack) = event.ack.take() {
            reply.acknowledge(ack);
        }
        let _ = reply.send();
    }
}

/// The packets that a client gets that asked for so many bytes, in order.
fn assert_answered(packets: &[String], id: usize, length: usize) {
    assert_eq!(packets[0], r#"42["before",1]"#);
    let event = json_after(&packets[1], "42");
    assert_eq!(event[0], "big");
    assert_eq!(event[1]["text"].as_str().unwrap().len(), length);
    assert_eq!(event.as_array().unwrap().len(), 2);
    let acknowledged = json_after(&packets[2], &format!("43{id}"));
    assert_eq!(acknowledged, json!([event[1]]));
}

/// Decodes a payload as a client of that revision does.
fn packets(revision: u8, payload: &str) -> Vec<String> {
    if revision == 4 {
        return payload.split('\x1e').map(str::to_owned).collect();
    }
    let (mut rest, mut packets) = (payload, Vec::new());
    while let Some((length, after)) = rest.split_once(':') {
        // Each of these characters is one UTF-16 unit.
        let length: usize = length.parse().unwrap();
        let end = after
            .char_indices()
            .nth(length)
            .map_or(after.len(), |at| at.0);
        packets.push(after[..end].to_owned());
        rest = &after[end..];
    }
    packets
}

/// Encodes a payload as a client of that revision does.
fn body(revision: u8, packet: &str) -> String {
    match revision {
        4 => packet.to_owned(),
        _ => format!("{}:{packet}", packet.len()),
    }
}

/// Joins the main namespace by polling.
async fn polling(site: &Site, revision: u8) -> String {
    let session = site.open(&format!("EIO={revision}")).await;
    if revision == 4 {
        site.post(&session, "40").await;
    }
    let home = site.get(&session).await;
    assert!(packets(revision, home.text())[0].starts_with("40"));
    session
}

#[tokio::test]
async fn an_answer_larger_than_the_outbox_arrives() {
    let (events, length) = (Big::default(), 300_000);
    let builder = builder().outbox_bytes(10_000).namespace("/", events);
    let (site, _io) = launch(builder).await;
    let asked = format!(r#"427["big",{length}]"#);
    for revision in [3, 4] {
        let session = polling(&site, revision).await;
        site.post(&session, body(revision, &asked)).await;
        let mut told = Vec::new();
        while told.len() < 3 {
            told.extend(packets(revision, site.get(&session).await.text()));
        }
        assert_answered(&told, 7, length);

        let mut ws = site
            .websocket(&format!("EIO={revision}&transport=websocket"))
            .await;
        ws.text().await;
        if revision == 4 {
            ws.send("40").await;
        }
        assert!(ws.text().await.starts_with("40"));
        ws.send(&asked).await;
        let told = [ws.text().await, ws.text().await, ws.text().await];
        assert_answered(&told, 7, length);
    }
}

#[tokio::test]
async fn an_answer_arrives_though_the_outbox_is_full_of_pushes() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder().outbox_bytes(10_000).namespace("/", events);
    let (site, io) = launch(builder).await;
    let session = polling(&site, 4).await;
    let all = io.of("/").unwrap();
    let push = Prepared::event(all.namespace(), "x", "x".repeat(1000).as_str());
    let socket = all.sockets().remove(0);
    while socket.try_emit(&push).is_ok() {}
    let argument = "y".repeat(20_000);
    let asked = format!(r#"423["message-with-ack","{argument}"]"#);
    assert_eq!(site.post(&session, asked).await.text(), "ok");
    let mut told = String::new();
    while !told.contains("433[") {
        told = site.get(&session).await.text().to_owned();
    }
    assert!(told.contains(&argument));
    site.post(&session, "1").await;
    assert_eq!(ends.next().await, DisconnectReason::TransportClose);
}

#[tokio::test]
async fn who_asks_and_does_not_read_waits_for_room() {
    let (big, asked) = {
        let big = Big::default();
        (big.clone(), big.asked)
    };
    let builder = builder().outbox_bytes(10_000).namespace("/", big);
    let (site, _io) = launch(builder).await;
    let session = polling(&site, 4).await;
    // The last event of the body is read, but not handled yet.
    let lookups: Vec<_> = (0..5).map(|id| format!(r#"42{id}["big",20000]"#)).collect();
    let posts = site.post(&session, lookups[..2].join("\x1e"));
    assert_eq!(soon(posts).await.text(), "ok");
    let taken_up = async {
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(taken_up).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // What the client sends now is not read until the outbox is below its limit.
    let rest = site.post(&session, lookups[2..].join("\x1e"));
    let polls = async {
        let mut told = Vec::new();
        while told.len() < 15 {
            told.extend(packets(4, site.get(&session).await.text()));
        }
        told
    };
    let (rest, told) = Box::pin(soon(async { tokio::join!(rest, polls) })).await;
    assert_eq!(rest.text(), "ok");
    for (id, told) in told.chunks(3).enumerate() {
        assert_answered(told, id, 20_000);
    }
}

#[tokio::test]
async fn many_questions_at_once_are_all_answered() {
    let builder = builder()
        .outbox_bytes(10_000)
        .namespace("/", Big::default());
    let (site, _io) = launch(builder).await;
    let (mut ws, _) = joined(&site).await;
    for id in 0..20 {
        ws.send(&format!(r#"42{id}["big",50000]"#)).await;
    }
    for id in 0..20 {
        let told = [ws.text().await, ws.text().await, ws.text().await];
        assert_answered(&told, id, 50_000);
    }
}

#[tokio::test]
async fn who_is_let_in_is_told_so_though_the_outbox_is_full() {
    let builder = builder().outbox_bytes(1_000);
    let (site, io) = launch(builder.namespace("/", echo()).namespace("/b", echo())).await;
    let session = polling(&site, 4).await;
    let all = io.of("/").unwrap();
    let push = Prepared::event(all.namespace(), "x", "x".repeat(2000).as_str());
    assert_eq!(all.sockets().remove(0).try_emit(&push), Ok(()));
    // The client reads, since otherwise its events are not handled.
    let post = site.post(&session, "40/b,\x1e40/c,");
    let polls = async {
        let mut told = String::new();
        while !(told.contains("40/b,") && told.contains("44/c,")) {
            told.push_str(site.get(&session).await.text());
        }
    };
    Box::pin(soon(async { tokio::join!(post, polls) })).await;
}

#[tokio::test]
async fn who_is_gone_does_not_hold_up_its_handler() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let events = Events::new()
        .on("big", |_, mut event| async move {
            event.acknowledge("x".repeat(20_000));
        })
        .on_disconnect(move |_, _| {
            opened.add_permits(1);
            async {}
        });
    let builder = builder().outbox_bytes(10_000).namespace("/", events);
    let (site, _io) = launch(builder).await;
    let session = polling(&site, 4).await;
    site.post(&session, "420[\"big\"]\x1e421[\"big\"]").await;
    site.post(&session, "1").await;
    // The event is handled first, and that waits for room in an outbox that is never read.
    soon(gate.acquire()).await.unwrap().forget();
}
