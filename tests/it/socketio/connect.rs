//! Joining a namespace: middleware, the reply, and errors.

use std::time::Duration;

use parlance_socketio::{
    engine::DisconnectReason,
    server::{ConnectError, Events},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    support::socketio::{Ends, builder, echo, joined, json_after, launch, opened},
    support::socketio_client::soon,
};

#[tokio::test]
async fn nothing_is_implicit_in_revision_5() {
    let (ends, mut ended) = mpsc::unbounded_channel();
    let events = Events::new().on_connect(move |_| {
        let _ = ends.send(());
        async {}
    });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let mut ws = opened(&site).await;
    assert!(ended.try_recv().is_err());
    ws.send("40").await;
    ws.text().await;
    soon(ended.recv()).await.unwrap();
}

#[tokio::test]
async fn the_reply_is_an_id_alone_and_not_the_sessions() {
    let (site, io) = launch(builder()).await;
    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    let open = json_after(&ws.text().await, "0");
    ws.send("40").await;
    let reply = json_after(&ws.text().await, "40");
    let id = reply["sid"].as_str().unwrap();
    assert_eq!(reply, json!({ "sid": id }));
    assert_ne!(open["sid"], reply["sid"]);
    assert_eq!(io.of("/").unwrap().sockets()[0].id().as_str(), id);

    ws.send("40/,{}").await;
    ws.closed().await;
}

#[tokio::test]
async fn each_namespace_has_an_id_of_its_own() {
    let (site, _io) = launch(builder().namespace("/custom", Events::new())).await;
    let (mut ws, id) = joined(&site).await;
    ws.send("40/custom,").await;
    let reply = json_after(&ws.text().await, "40/custom,");
    assert_ne!(reply["sid"], id);
}

#[tokio::test]
async fn who_joins_nothing_is_closed() {
    let builder = builder().connect_timeout(Duration::from_millis(600));
    let (site, io) = launch(builder).await;
    let mut idle = opened(&site).await;
    let (mut busy, _) = joined(&site).await;
    let said = idle.closed().await.expect("it is told why");
    assert_eq!((said.code, said.reason.as_str()), (CloseCode::Normal, ""));
    busy.send("41").await;
    busy.send("40").await;
    assert!(busy.text().await.starts_with("40{"));
    assert_eq!(io.engine().session_count(), 1);
}

#[tokio::test]
async fn what_the_client_shows_is_seen() {
    let events = Events::new().on_connect(|socket| async move {
        let auth = socket.auth().cloned().unwrap_or_default();
        let _ = socket.emit("auth", Value::Object(auth));
    });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    for (shown, seen) in [
        ("", "{}"),
        ("{}", "{}"),
        (r#"{"token":"123"}"#, r#"{"token":"123"}"#),
    ] {
        let mut ws = opened(&site).await;
        ws.send(&format!("40{shown}")).await;
        assert!(ws.text().await.starts_with("40{"));
        assert_eq!(ws.text().await, format!(r#"42["auth",{seen}]"#));
    }
    for wrong in ["abc", "[]", "\"a\"", "1", "null"] {
        let mut ws = opened(&site).await;
        ws.send(&format!("40{wrong}")).await;
        ws.closed().await;
    }
}

#[tokio::test]
async fn the_handshake_is_there_to_be_read() {
    let events = Events::new().on("who", |socket, mut event| async move {
        let handshake = socket.handshake();
        event.acknowledge(json!([
            handshake.query_value("token"),
            handshake.cookies(),
            handshake.header("X-Shop"),
            handshake.origin(),
            handshake.is_own_origin(),
            handshake.peer().is_some(),
        ]));
    });
    let (site, _io) = launch(builder().keep_header("X-Shop").namespace("/", events)).await;
    let own = format!("http://{}", site.address);
    let headers = [
        ("cookie", "a=b; c=d"),
        ("x-shop", "7"),
        ("origin", own.as_str()),
    ];
    let query = "EIO=4&transport=websocket&token=a%20b";
    let mut ws = site.try_websocket(query, &headers).await.unwrap();
    ws.text().await;
    ws.send("40").await;
    ws.text().await;
    ws.send(r#"421["who"]"#).await;
    let who = json_after(&ws.text().await, "431");
    assert_eq!(who, json!([["a b", "a=b; c=d", "7", own, true, true]]));
}

#[tokio::test]
async fn an_unknown_namespace_is_an_error_and_the_connection_lives() {
    let (site, _io) = launch(builder().namespace("/", echo())).await;
    let mut ws = opened(&site).await;
    ws.send("40/random").await;
    assert_eq!(
        ws.text().await,
        r#"44/random,{"message":"Invalid namespace"}"#
    );
    ws.send("40").await;
    ws.text().await;
    ws.send(r#"42["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
}

fn refusing() -> Events {
    Events::new().middleware(|_, auth| async move {
        match auth.as_ref().and_then(|auth| auth.get("token")) {
            Some(token) if token == "good" => Ok(()),
            Some(_) => Err(ConnectError::new("bad token").with_data(json!({ "code": 7 }))),
            None => Err(ConnectError::new("who are you?")),
        }
    })
}

#[tokio::test]
async fn a_refusal_has_a_message_and_data() {
    let (site, io) = launch(builder().namespace("/admin", refusing())).await;
    let mut ws = opened(&site).await;
    ws.send("40/admin,").await;
    assert_eq!(ws.text().await, r#"44/admin,{"message":"who are you?"}"#);
    ws.send(r#"40/admin,{"token":"bad"}"#).await;
    let refusal = json_after(&ws.text().await, "44/admin,");
    assert_eq!(
        refusal,
        json!({ "message": "bad token", "data": { "code": 7 } })
    );
    assert!(io.of("/admin").unwrap().sockets().is_empty());
    ws.send(r#"40/admin,{"token":"good"}"#).await;
    assert!(ws.text().await.starts_with(r#"40/admin,{"sid":"#));
}

#[tokio::test]
async fn in_revision_4_everybody_is_in_the_main_namespace() {
    let (events, mut ends) = Ends::of(echo());
    let (site, io) = launch(builder().namespace("/", events)).await;
    let mut ws = site.websocket("EIO=3&transport=websocket").await;
    let open = json_after(&ws.text().await, "0");
    assert_eq!(ws.text().await, "40");
    ws.send(r#"42["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
    // The client uses its session's id as its own. No other client learns it.
    let public = *io.of("/").unwrap().sockets()[0].id();
    assert_ne!(open["sid"], public.as_str());
    drop(ws);
    assert_eq!(ends.next().await, DisconnectReason::TransportClose);
}

#[tokio::test]
async fn revision_4_shows_a_query_and_is_refused_with_a_string() {
    let (site, _io) = launch(builder().namespace("/admin", refusing())).await;
    let mut ws = site.websocket("EIO=3&transport=websocket").await;
    ws.text().await;
    assert_eq!(ws.text().await, "40");
    ws.send("40/admin").await;
    assert_eq!(ws.text().await, r#"44/admin,"who are you?""#);
    ws.send("40/admin?token=bad,").await;
    assert_eq!(ws.text().await, r#"44/admin,{"code":7}"#);
    ws.send("40/random").await;
    assert_eq!(ws.text().await, r#"44/random,"Invalid namespace""#);
    ws.send("40/admin?token=good").await;
    let reply = ws.text().await;
    assert!(reply == "40/admin" || reply == "40/admin,", "{reply}");
}

#[tokio::test]
async fn the_reply_comes_before_anything_else() {
    let events = Events::new()
        .middleware(|socket, _| async move {
            // No socket gets this: the client has not joined yet.
            let _ = socket.emit("too", "soon");
            socket.join("room");
            socket.within("room").emit("too", "soon");
            Ok(())
        })
        .on_connect(|socket| async move {
            let _ = socket.emit("welcome", ());
        });
    let (site, io) = launch(builder().namespace("/", events)).await;
    let mut ws = opened(&site).await;
    ws.send("40").await;
    assert!(ws.text().await.starts_with("40{"));
    assert_eq!(ws.text().await, r#"42["welcome"]"#);
    io.to("room").emit("heard", 1);
    assert_eq!(ws.text().await, r#"42["heard",1]"#);
}

#[tokio::test]
async fn namespaces_may_be_made_when_asked_for() {
    let builder = builder().dynamic_namespace(|name| name.starts_with("/chat-").then(echo));
    let (site, io) = launch(builder).await;
    let mut ws = opened(&site).await;
    ws.send("40/else,").await;
    assert!(ws.text().await.starts_with("44/else,"));
    assert!(io.of("/chat-7").is_none());
    ws.send("40/chat-7,").await;
    assert!(ws.text().await.starts_with("40/chat-7,"));
    ws.send(r#"42/chat-7,["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42/chat-7,["message-back",1]"#);
    assert!(io.of("/chat-7").is_some());
    drop(ws);
    let forgotten = async {
        while io.of("/chat-7").is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(forgotten).await;
}

#[tokio::test]
async fn one_connection_may_not_be_in_endless_namespaces() {
    let builder = builder().dynamic_namespace(|_| Some(Events::new()));
    let (site, io) = launch(builder).await;
    let mut ws = opened(&site).await;
    for number in 0..200 {
        ws.send(&format!("40/{number},")).await;
    }
    ws.closed().await;
    assert!(io.of("/199").is_none());
}
