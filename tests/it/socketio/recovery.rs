//! Recovery of clients that reconnect: from memory, and from an application's own store.

use std::time::Duration;

use parlance_socketio::{
    engine::DisconnectReason,
    server::{Admission, ConnectError, Event, Events, Handler, Prepared, Socket, SocketId},
};
use serde_json::{Map, Value, json};

use crate::{
    support::socketio::{Ends, builder, echo, joined, joined_as, json_after, launch, opened},
    support::socketio_client::{Site, Ws},
};

const WINDOW: Duration = Duration::from_mins(2);

/// A client in the main namespace, its socket's id and its private id.
async fn recoverable(site: &Site) -> (Ws, String, String) {
    let mut ws = opened(site).await;
    ws.send("40").await;
    let reply = json_after(&ws.text().await, "40");
    let text = |name: &str| reply[name].as_str().expect("it is there").to_owned();
    (ws, text("sid"), text("pid"))
}

fn offset(event: &str) -> String {
    let event = json_after(event, "42");
    let last = event.as_array().and_then(|event| event.last());
    last.and_then(Value::as_str)
        .expect("it ends with an offset")
        .to_owned()
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed_after_the_reply() {
    let (events, mut ends) = Ends::of(echo().on("join", |socket, mut event| async move {
        socket.join(event.args.text(0).unwrap_or_default());
        socket.set_data(String::from("kept"));
        event.acknowledge(());
    }));
    let builder = builder()
        .connection_state_recovery(WINDOW)
        .namespace("/", events);
    let (site, io) = launch(builder).await;
    let (mut ws, sid, pid) = recoverable(&site).await;
    ws.send(r#"421["join","mine"]"#).await;
    assert_eq!(ws.text().await, "431[]");
    io.to("mine").emit("before", 1);
    let offset = offset(&ws.text().await);
    drop(ws);
    assert_eq!(ends.next().await, DisconnectReason::TransportClose);

    io.to("mine").emit("missed", 1);
    io.to("others").emit("not mine", 2);
    io.of("/").unwrap().emit("for all", 3);
    io.of("/").unwrap().except("mine").emit("but mine", 4);
    io.of("/").unwrap().volatile().emit("volatile", 5);
    io.to(sid.as_str()).emit("for me", 6);

    let mut ws = opened(&site).await;
    ws.send(&format!("40{}", json!({ "pid": pid, "offset": offset })))
        .await;
    // A client that got events and no reply would keep them, and get them again with the next connection.
    let reply = json_after(&ws.text().await, "40");
    assert_eq!(reply, json!({ "sid": sid, "pid": pid }));
    for name in ["missed", "for all", "for me"] {
        assert_eq!(json_after(&ws.text().await, "42")[0], name);
    }
    let socket = io.to("mine").sockets().remove(0);
    assert!(socket.is_recovered());
    assert_eq!(
        socket.data::<String>().as_deref().map(String::as_str),
        Some("kept")
    );
    io.to("mine").emit("again", 7);
    assert_eq!(json_after(&ws.text().await, "42")[0], "again");
    assert_eq!(io.stats().read().recoveries, 1);
}

#[tokio::test]
async fn who_cannot_be_placed_is_new() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder()
        .connection_state_recovery(WINDOW)
        .namespace("/", events);
    let (site, io) = launch(builder).await;
    let (mut ws, sid, pid) = recoverable(&site).await;
    io.of("/").unwrap().emit("x", 1);
    let offset = offset(&ws.text().await);
    for wrong in [
        json!({ "pid": pid, "offset": "never" }),
        json!({ "pid": "never", "offset": offset }),
        json!({ "pid": 1, "offset": 2 }),
        // It is still connected, so it cannot be recovered.
        json!({ "pid": pid, "offset": offset }),
    ] {
        let (_other, id) = joined_as(&site, &wrong.to_string()).await;
        assert_ne!(id, sid);
    }
    // A client that disconnects by itself is not recovered.
    ws.send("41").await;
    ends.next().await;
    let back = json!({ "pid": pid, "offset": offset }).to_string();
    let (_other, id) = joined_as(&site, &back).await;
    assert_ne!(id, sid);
}

#[tokio::test]
async fn a_return_happens_once() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder()
        .connection_state_recovery(WINDOW)
        .namespace("/", events);
    let (site, io) = launch(builder).await;
    let (mut ws, sid, pid) = recoverable(&site).await;
    io.of("/").unwrap().emit("x", 1);
    let offset = offset(&ws.text().await);
    drop(ws);
    ends.next().await;
    let back = json!({ "pid": pid, "offset": offset }).to_string();
    let (_first, id) = joined_as(&site, &back).await;
    assert_eq!(id, sid);
    let (_second, id) = joined_as(&site, &back).await;
    assert_ne!(id, sid);
}

#[tokio::test]
async fn a_return_has_to_be_in_time() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder()
        .connection_state_recovery(Duration::from_millis(50))
        .namespace("/", events);
    let (site, io) = launch(builder).await;
    let (mut stays, ..) = recoverable(&site).await;
    let (mut ws, sid, pid) = recoverable(&site).await;
    io.of("/").unwrap().emit("x", 1);
    let heard = offset(&ws.text().await);
    stays.text().await;
    drop(ws);
    ends.next().await;
    // The test is about time that passes.
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The event with the offset is still kept, but the session is not.
    io.of("/").unwrap().emit("y", 2);
    let fresh = offset(&stays.text().await);
    for offset in [heard, fresh] {
        let back = json!({ "pid": pid, "offset": offset }).to_string();
        let (_ws, id) = joined_as(&site, &back).await;
        assert_ne!(id, sid);
    }
}

#[tokio::test]
async fn without_recovery_there_is_no_private_id_and_no_offset() {
    let (site, io) = launch(builder().namespace("/", echo())).await;
    let (mut ws, _) = joined(&site).await;
    io.of("/").unwrap().emit("x", 1);
    assert_eq!(ws.text().await, r#"42["x",1]"#);
}

/// A handler with a log of its own: a client with a pid and a number gets what comes after that number.
struct Log;

impl Handler for Log {
    async fn admit(
        &self,
        socket: &Socket,
        auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, ConnectError> {
        let Some(pid) = auth.and_then(|auth| auth.get("pid")?.as_str()) else {
            return Ok(Admission::recoverable(format!("pid-{}", socket.id())));
        };
        let id = pid.strip_prefix("pid-").and_then(SocketId::parse);
        let id = id.ok_or_else(|| ConnectError::new("who?"))?;
        let missed = |number| Prepared::event(socket.namespace(), "missed", number);
        Ok(Admission::recovered(id, pid, (1..=3).map(missed).collect()))
    }

    async fn on_connect(&self, socket: &Socket) {
        let _ = socket.emit("back", socket.is_recovered());
    }

    async fn on_event(&self, _socket: &Socket, _event: Event) {}
}

#[tokio::test]
async fn an_application_may_keep_its_own_log() {
    let (site, io) = launch(builder().namespace("/", Log)).await;
    let (mut ws, sid, pid) = recoverable(&site).await;
    assert_eq!(pid, format!("pid-{sid}"));
    assert_eq!(ws.text().await, r#"42["back",false]"#);
    // It reconnects before the server has noticed that the old connection is lost.
    let mut again = opened(&site).await;
    again.send(&format!("40{}", json!({ "pid": pid }))).await;
    let reply = json_after(&again.text().await, "40");
    assert_eq!(reply, json!({ "sid": sid, "pid": pid }));
    for number in 1..=3 {
        assert_eq!(again.text().await, format!(r#"42["missed",{number}]"#));
    }
    assert_eq!(again.text().await, r#"42["back",true]"#);
    // The old connection is closed, the new one has the id.
    ws.closed().await;
    let sockets = io.of("/").unwrap().sockets();
    assert_eq!(sockets.len(), 1);
    assert_eq!(sockets[0].id().as_str(), sid);
    io.to(sid.as_str()).emit("x", 1);
    assert_eq!(again.text().await, r#"42["x",1]"#);
}

#[tokio::test]
async fn revision_4_is_offered_no_recovery() {
    let builder = builder()
        .connection_state_recovery(WINDOW)
        .namespace("/", Events::new());
    let (site, _io) = launch(builder).await;
    let mut ws = site.websocket("EIO=3&transport=websocket").await;
    ws.text().await;
    assert_eq!(ws.text().await, "40");
}
