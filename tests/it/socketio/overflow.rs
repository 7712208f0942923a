//! Clients whose outbox is full.

use std::sync::Arc;

use parlance_socketio::{
    engine::{DisconnectReason, SendError},
    server::{Event, Events, Handler, Overflow, Prepared, Socket},
};
use tokio::sync::{Semaphore, mpsc};

use crate::{
    support::socketio::{Ends, builder, echo, joined, launch},
    support::socketio_client::{Site, soon},
};

/// A client that has joined by polling and has no poll under way, so all packets stay in its outbox.
async fn waiting(site: &Site) -> String {
    let session = site.open("EIO=4").await;
    site.post(&session, "40").await;
    assert!(site.get(&session).await.text().starts_with("40{"));
    session
}

#[tokio::test]
async fn who_does_not_read_is_closed() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder().outbox_bytes(10_000).namespace("/", events);
    let (site, io) = launch(builder).await;
    let session = waiting(&site).await;
    let (mut other, _) = joined(&site).await;
    let text = "x".repeat(1000);
    for _ in 0..20 {
        io.of("/").unwrap().emit("x", text.as_str());
        assert!(other.text().await.len() > 1000);
    }
    assert_eq!(ends.next().await, DisconnectReason::ForcedServerClose);
    // What was queued before is still sent, and then the close packet.
    let home = site.get(&session).await;
    assert_eq!(home.text().matches("42[").count(), 9);
    assert_eq!(site.get(&session).await.text(), "6\x1e1");
}

#[tokio::test]
async fn who_does_not_read_may_miss_things_instead() {
    let builder = builder().outbox_bytes(10_000).overflow(Overflow::Drop);
    let (site, io) = launch(builder.namespace("/", echo())).await;
    let session = waiting(&site).await;
    let text = "x".repeat(1000);
    for _ in 0..20 {
        io.of("/").unwrap().emit("x", text.as_str());
    }
    assert!(site.get(&session).await.text().len() < 12_000);
    io.of("/").unwrap().emit("on", 1);
    assert_eq!(site.get(&session).await.text(), r#"42["on",1]"#);
}

/// Reports that the outbox is empty again.
struct Drains(mpsc::UnboundedSender<()>);

impl Handler for Drains {
    async fn on_event(&self, _socket: &Socket, _event: Event) {}

    async fn on_drain(&self, _socket: &Socket) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn an_offer_too_many_is_told_and_so_is_the_drain() {
    let (drains, mut drained) = mpsc::unbounded_channel();
    let builder = builder()
        .outbox_bytes(10_000)
        .namespace("/", Drains(drains));
    let (site, io) = launch(builder).await;
    let session = waiting(&site).await;
    let all = io.of("/").unwrap();
    let event = Prepared::event(all.namespace(), "x", "x".repeat(1000).as_str());
    let socket = all.sockets().remove(0);
    let mut queued = 0;
    while socket.try_emit(&event) == Ok(()) {
        queued += 1;
    }
    assert_eq!(socket.try_emit(&event), Err(SendError::Full));
    assert!(drained.try_recv().is_err());
    let home = site.get(&session).await;
    assert_eq!(home.text().split('\x1e').count(), queued);
    soon(drained.recv()).await.unwrap();
    assert_eq!(socket.try_emit(&event), Ok(()));
    site.post(&session, "1").await;
    assert_eq!(socket.try_emit(&event), Err(SendError::Closed));
}

#[tokio::test]
async fn a_drain_is_told_on_a_websocket_too() {
    let (drains, mut drained) = mpsc::unbounded_channel();
    let builder = builder()
        .outbox_bytes(100_000)
        .namespace("/", Drains(drains));
    let (site, io) = launch(builder).await;
    let (mut ws, _) = joined(&site).await;
    let all = io.of("/").unwrap();
    let event = Prepared::event(all.namespace(), "x", "x".repeat(50_000).as_str());
    let socket = all.sockets().remove(0);
    let mut queued = 0;
    while socket.try_emit(&event) == Ok(()) {
        queued += 1;
        tokio::task::yield_now().await;
    }
    for _ in 0..queued {
        ws.text().await;
    }
    soon(drained.recv()).await.unwrap();
    assert_eq!(socket.try_emit(&event), Ok(()));
}

#[tokio::test]
async fn a_post_that_has_to_wait_ends_though_the_client_steps_up_meanwhile() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let events = Events::new().on("work", move |_, mut event| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.expect("it is never closed").forget();
            event.acknowledge(());
        }
    });
    let builder = builder().max_http_buffer_size(1000).namespace("/", events);
    let (site, _io) = launch(builder).await;
    let session = waiting(&site).await;
    // More than may wait for handlers: the rest of the body is read when some events were handled.
    let body = [r#"42["work"]"#; 20].join("\x1e");
    let post = site.post(&session, body);
    let upgrade = async {
        let query = session.replace("transport=polling", "transport=websocket");
        let mut ws = site.websocket(&query).await;
        ws.send("2probe").await;
        assert_eq!(ws.text().await, "3probe");
        ws.send("5").await;
        ws.send(r#"420["work"]"#).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        gate.add_permits(100);
        ws
    };
    let (posted, mut ws) = Box::pin(soon(async { tokio::join!(post, upgrade) })).await;
    assert_eq!(posted.text(), "ok");
    assert_eq!(ws.text().await, "430[]");
}
