//! Support for the Socket.IO tests: a server, and a client in a namespace.

use std::time::Duration;

use parlance_socketio::{
    engine::DisconnectReason,
    server::{Builder, Events, SocketIo},
};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::support::socketio_client::{Site, Ws, soon};

/// A builder with revision 3 allowed, and with the long default heartbeat, so that no test sees one.
pub(crate) fn builder() -> Builder {
    SocketIo::builder()
        .path("/socket.io/")
        .allow_eio3(true)
        .connect_timeout(Duration::from_secs(30))
}

/// Launches a server.
pub(crate) async fn launch(builder: Builder) -> (Site, SocketIo) {
    let io = builder.build();
    let mount = io.fairing();
    let site = Site::launch("/socket.io/", |rocket| rocket.attach(mount)).await;
    (site, io)
}

/// A WebSocket of revision 5 that has received the open packet.
pub(crate) async fn opened(site: &Site) -> Ws {
    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    assert!(ws.text().await.starts_with("0{"));
    ws
}

/// A client in the main namespace, and its socket's id.
pub(crate) async fn joined(site: &Site) -> (Ws, String) {
    joined_as(site, "").await
}

/// The same, with auth data.
pub(crate) async fn joined_as(site: &Site, auth: &str) -> (Ws, String) {
    let mut ws = opened(site).await;
    ws.send(&format!("40{auth}")).await;
    let reply = ws.text().await;
    let reply = json_after(&reply, "40");
    let id = reply["sid"].as_str().expect("a socket has an id");
    (ws, id.to_owned())
}

/// The JSON of a packet that begins with `prefix`.
pub(crate) fn json_after(packet: &str, prefix: &str) -> Value {
    let json = packet.strip_prefix(prefix);
    let json = json.unwrap_or_else(|| panic!("{packet} does not begin with {prefix}"));
    serde_json::from_str(json).expect("what follows is JSON")
}

/// The reasons why sockets were disconnected, as the handler gets them.
pub(crate) struct Ends(mpsc::UnboundedReceiver<DisconnectReason>);

impl Ends {
    /// Adds a callback that reports disconnects.
    pub(crate) fn of(events: Events) -> (Events, Self) {
        let (ends, ended) = mpsc::unbounded_channel();
        let events = events.on_disconnect(move |_, reason| {
            let _ = ends.send(reason);
            async {}
        });
        (events, Self(ended))
    }

    pub(crate) async fn next(&mut self) -> DisconnectReason {
        soon(self.0.recv()).await.expect("the server is there")
    }
}

/// The echo handler that the official protocol suites expect.
pub(crate) fn echo() -> Events {
    Events::new()
        .on("message", |socket, event| async move {
            let _ = socket.emit("message-back", event.args);
        })
        .on("message-with-ack", |_, mut event| async move {
            let args = std::mem::take(&mut event.args);
            event.acknowledge(args);
        })
}
