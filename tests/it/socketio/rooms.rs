//! Rooms, broadcasts, and disconnecting sockets.

use std::{collections::HashSet, time::Duration};

use parlance_socketio::{
    engine::DisconnectReason,
    server::{AckError, Disconnect, Events, SocketId},
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    support::socketio::{Ends, builder, echo, joined, launch, opened},
    support::socketio_client::{TIMEOUT, Ws, soon},
};

/// Joins and leaves rooms as the client asks, and broadcasts.
fn rooms() -> Events {
    echo()
        .on("join", |socket, mut event| async move {
            socket.join(event.args.text(0).unwrap_or_default());
            event.acknowledge(());
        })
        .on("leave", |socket, mut event| async move {
            socket.leave(event.args.text(0).unwrap_or_default());
            event.acknowledge(());
        })
        .on("to", |socket, event| async move {
            socket
                .to(event.args.text(0).unwrap_or_default())
                .emit("told", "others");
        })
}

async fn ask(ws: &mut Ws, name: &str, room: &str) {
    ws.send(&format!(r#"429["{name}","{room}"]"#)).await;
    assert_eq!(ws.text().await, "439[]");
}

/// Checks that `text` is the next packet.
async fn hears(ws: &mut Ws, text: &str) {
    assert_eq!(ws.text().await, text);
}

#[tokio::test]
async fn a_room_is_told_once_whatever_is_named() {
    let (site, io) = launch(builder().namespace("/", rooms())).await;
    let (mut ann, _) = joined(&site).await;
    let (mut bo, _) = joined(&site).await;
    let (mut cy, cy_id) = joined(&site).await;
    ask(&mut ann, "join", "a").await;
    ask(&mut ann, "join", "b").await;
    ask(&mut bo, "join", "b").await;

    io.to("a").to("b").emit("ab", 1);
    io.to("b").except("a").emit("b without a", 2);
    io.to(cy_id.as_str()).emit("cy", 3);
    io.of("/").unwrap().except(cy_id.as_str()).emit("not cy", 4);
    io.of("/").unwrap().emit("all", 5);

    for heard in [r#"42["ab",1]"#, r#"42["not cy",4]"#, r#"42["all",5]"#] {
        hears(&mut ann, heard).await;
    }
    for heard in [
        r#"42["ab",1]"#,
        r#"42["b without a",2]"#,
        r#"42["not cy",4]"#,
        r#"42["all",5]"#,
    ] {
        hears(&mut bo, heard).await;
    }
    for heard in [r#"42["cy",3]"#, r#"42["all",5]"#] {
        hears(&mut cy, heard).await;
    }
}

#[tokio::test]
async fn the_speaker_is_not_told_and_who_left_neither() {
    let (site, io) = launch(builder().namespace("/", rooms())).await;
    let (mut ann, _) = joined(&site).await;
    let (mut bo, _) = joined(&site).await;
    for ws in [&mut ann, &mut bo] {
        ask(ws, "join", "a").await;
    }
    ann.send(r#"42["to","a"]"#).await;
    hears(&mut bo, r#"42["told","others"]"#).await;
    ask(&mut ann, "leave", "a").await;
    io.to("a").emit("still", 1);
    hears(&mut bo, r#"42["still",1]"#).await;
    ann.send(r#"42["message",2]"#).await;
    hears(&mut ann, r#"42["message-back",2]"#).await;
    drop(bo);
    let empty = async {
        while !io.to("a").sockets().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(empty).await;
}

#[tokio::test]
async fn namespaces_do_not_hear_each_other() {
    let builder = builder()
        .namespace("/", rooms())
        .namespace("/other", rooms());
    let (site, io) = launch(builder).await;
    let (mut ws, _) = joined(&site).await;
    ws.send("40/other,").await;
    ws.text().await;
    ask(&mut ws, "join", "a").await;
    ws.send(r#"42/other,1["join","a"]"#).await;
    assert_eq!(ws.text().await, "43/other,1[]");
    io.of("/other").unwrap().to("a").emit("x", 1);
    io.to("a").emit("x", 2);
    hears(&mut ws, r#"42/other,["x",1]"#).await;
    hears(&mut ws, r#"42["x",2]"#).await;
}

#[tokio::test]
async fn everybody_hears_the_same_order_and_the_same_bytes() {
    let (site, io) = launch(builder().namespace("/", rooms())).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(joined(&site).await.0);
    }
    let tasks = (0..4).map(|session| {
        let room = io.of("/").unwrap();
        tokio::task::spawn_blocking(move || {
            for number in 0..100 {
                room.emit("n", (session, number));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let mut orders = HashSet::new();
    for ws in &mut all {
        let mut order = Vec::new();
        for _ in 0..400 {
            order.push(ws.text().await);
        }
        orders.insert(order);
    }
    assert_eq!(orders.len(), 1);
}

#[tokio::test]
async fn a_broadcast_collects_answers() {
    let (site, io) = launch(builder().namespace("/", rooms())).await;
    let (mut ann, ann_id) = joined(&site).await;
    let (_bo, bo_id) = joined(&site).await;
    let asked = tokio::spawn({
        let all = io.of("/").unwrap();
        async move { all.emit_with_ack("who", (), Duration::from_secs(1)).await }
    });
    let question = ann.text().await;
    let id = question
        .strip_prefix("42")
        .unwrap()
        .strip_suffix(r#"["who"]"#)
        .unwrap();
    ann.send(&format!(r#"43{id}["ann"]"#)).await;
    let answers = soon(asked).await.unwrap();
    assert_eq!(answers.len(), 2);
    let of = |id: &str| {
        let id = SocketId::parse(id).unwrap();
        answers
            .iter()
            .find(|(who, _)| *who == id)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(of(&ann_id).unwrap().text(0), Some("ann"));
    assert_eq!(of(&bo_id), Err(AckError::Timeout));
}

#[tokio::test]
async fn putting_out_has_a_reason_and_may_spare_the_connection() {
    let (events, mut ends) = Ends::of(echo());
    let builder = builder().namespace("/", events).namespace("/other", echo());
    let (site, io) = launch(builder).await;
    let (mut ws, _) = joined(&site).await;
    ws.send("40/other,").await;
    ws.text().await;
    io.of("/").unwrap().disconnect(Disconnect::Namespace);
    hears(&mut ws, "41").await;
    assert_eq!(
        ends.next().await,
        DisconnectReason::ServerNamespaceDisconnect
    );
    ws.send(r#"42/other,["message",1]"#).await;
    hears(&mut ws, r#"42/other,["message-back",1]"#).await;

    let (mut ws, _) = joined(&site).await;
    io.of("/").unwrap().disconnect(Disconnect::Connection);
    hears(&mut ws, "41").await;
    let said = ws.closed().await.expect("it is told why");
    assert_eq!((said.code, said.reason.as_str()), (CloseCode::Normal, ""));
    assert_eq!(
        ends.next().await,
        DisconnectReason::ServerNamespaceDisconnect
    );
}

#[tokio::test]
async fn what_is_volatile_is_forgotten_by_who_cannot_take_it() {
    let (site, io) = launch(builder().namespace("/", echo())).await;
    let session = site.open("EIO=4").await;
    site.post(&session, "40").await;
    site.get(&session).await;
    let all = io.of("/").unwrap();
    // No poll is held, so the event cannot be written at once.
    all.clone().volatile().emit("lost", 1);
    all.emit("kept", 2);
    assert_eq!(site.get(&session).await.text(), r#"42["kept",2]"#);

    let (mut ws, _) = joined(&site).await;
    all.volatile().emit("heard", 3);
    hears(&mut ws, r#"42["heard",3]"#).await;
}

#[tokio::test]
async fn sockets_are_found_moved_and_carry_data() {
    let events = Events::new().on_connect(|socket| async move {
        socket.set_data(String::from("mine"));
        let _ = socket.emit("ready", ());
    });
    let (site, io) = launch(builder().namespace("/", events)).await;
    let (mut ws, id) = joined(&site).await;
    ws.text().await;
    let all = io.of("/").unwrap();
    all.join("room");
    let found = io.to("room").sockets();
    assert_eq!(found[0].id().as_str(), id);
    assert_eq!(
        found[0].data::<String>().as_deref().map(String::as_str),
        Some("mine")
    );
    assert!(found[0].data::<u8>().is_none());
    all.leave("room");
    assert!(io.to("room").sockets().is_empty());
    let answers = io.to("nobody").emit_with_ack("x", (), TIMEOUT).await;
    assert!(answers.is_empty());
}

#[tokio::test]
async fn one_server_on_two_ports_is_one_server() {
    let io = builder().namespace("/", rooms()).build();
    let (first, second) = (io.fairing(), io.fairing());
    let path = "/socket.io/";
    let first =
        crate::support::socketio_client::Site::launch(path, |rocket| rocket.attach(first)).await;
    let second =
        crate::support::socketio_client::Site::launch(path, |rocket| rocket.attach(second)).await;
    let (mut ann, _) = joined(&first).await;
    let (mut bo, _) = joined(&second).await;
    for ws in [&mut ann, &mut bo] {
        ask(ws, "join", "a").await;
    }
    ann.send(r#"42["to","a"]"#).await;
    hears(&mut bo, r#"42["told","others"]"#).await;
    // Both Rockets know the session, so a proxy may send its requests to either.
    let session = first.open("EIO=4").await;
    second.post(&session, "40").await;
    assert!(first.get(&session).await.text().starts_with("40{"));
}

#[tokio::test]
async fn a_shutdown_is_a_close_with_a_reason_for_everybody() {
    let (events, mut ends) = Ends::of(echo());
    let (mut site, io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    let mut idle = opened(&site).await;
    site.shutdown.clone().notify();
    for ws in [&mut ws, &mut idle] {
        let said = ws.closed().await.expect("it is told why");
        assert_eq!((said.code, said.reason.as_str()), (CloseCode::Away, ""));
    }
    assert_eq!(ends.next().await, DisconnectReason::ServerShuttingDown);
    soon(&mut site.over).await.unwrap();
    assert_eq!(io.engine().session_count(), 0);
}

#[tokio::test]
async fn reasons_are_spelled_as_socket_io_does() {
    let (events, mut ends) = Ends::of(echo());
    let lively = builder()
        .ping_interval(Duration::from_millis(200))
        .ping_timeout(Duration::from_millis(200));
    let (site, _io) = launch(lively.namespace("/", events)).await;
    let mut silent = opened(&site).await;
    silent.send("40").await;
    assert_eq!(ends.next().await.as_str(), "ping timeout");

    let (events, mut ends) = Ends::of(echo());
    let (site, io) = launch(builder().namespace("/", events)).await;
    let (ws, _) = joined(&site).await;
    drop(ws);
    assert_eq!(ends.next().await.as_str(), "transport close");
    let (mut ws, _) = joined(&site).await;
    ws.send("2").await;
    assert_eq!(ends.next().await.as_str(), "transport error");
    let (mut ws, _) = joined(&site).await;
    ws.send("1").await;
    assert_eq!(ends.next().await.as_str(), "transport close");
    let (mut ws, _) = joined(&site).await;
    ws.send("41").await;
    assert_eq!(ends.next().await.as_str(), "client namespace disconnect");
    let (_ws, _) = joined(&site).await;
    io.of("/").unwrap().disconnect(Disconnect::Namespace);
    assert_eq!(ends.next().await.as_str(), "server namespace disconnect");
}
