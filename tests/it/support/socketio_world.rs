//! Socket.IO at the whole server: clients by polling and by WebSocket, with headers.

use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{
    support::actor::Told,
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::world::World,
};

/// The path and query of polling clients of revision 5.
pub(crate) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Headers that a client sends with each request.
pub(crate) type Headers = [(&'static str, String)];

/// The transport of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    Polling,
    WebSocket,
}

/// Both transports.
pub(crate) const WAYS: [By; 2] = [By::Polling, By::WebSocket];

impl World {
    /// Sends a GET with these headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &Headers) -> Told {
        self.ask_with(reqwest::Method::GET, path, "", headers).await
    }

    /// Sends a request with these headers.
    pub(crate) async fn ask_with(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &str,
        headers: &Headers,
    ) -> Told {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base()))
            .body(body.to_owned());
        Told::of(headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        }))
        .await
    }

    /// A WebSocket that has received the open packet.
    pub(crate) async fn websocket(&self, query: &str, headers: &Headers) -> Ws {
        let server = self.base().replacen("http", "ws", 1);
        let url = format!("{server}/socket.io/?EIO=4&transport=websocket{query}");
        let mut request = url.into_client_request().expect("it is an address");
        for (name, value) in headers {
            let value = value.parse().expect("it is a header");
            request.headers_mut().insert(*name, value);
        }
        let opened = soon(tokio_tungstenite::connect_async(request)).await;
        let (stream, answer) = opened.expect("there is a WebSocket");
        assert_eq!(answer.status(), 101);
        let mut ws = Ws(stream);
        assert!(ws.text().await.starts_with("0{"));
        ws
    }

    /// Sends one event on a new connection, and returns its acknowledgement.
    pub(crate) async fn acknowledged(
        &self,
        by: By,
        headers: &Headers,
        auth: &str,
        event: &str,
    ) -> Value {
        let (connect, event) = (format!("40{auth}"), format!("420{event}"));
        let answer = match by {
            By::Polling => {
                let path = self.polled(headers).await;
                self.posted(&path, headers, &connect, "40{").await;
                self.posted(&path, headers, &event, "430").await
            }
            By::WebSocket => {
                let mut ws = self.websocket("", headers).await;
                ws.send(&connect).await;
                assert!(ws.text().await.starts_with("40{"));
                ws.send(&event).await;
                ws.text_after("430").await
            }
        };
        json_after(&answer, "430")[0].take()
    }

    /// Opens a session by polling, and returns the path for its requests.
    pub(crate) async fn polled(&self, headers: &Headers) -> String {
        let told = self.get_with(POLLING, headers).await.with(200);
        let open = json_after(&told.body, "0");
        let sid = open["sid"].as_str().expect("a session has an id");
        format!("{POLLING}&sid={sid}")
    }

    /// Posts a packet to a session, and polls until a packet with that prefix arrives.
    pub(crate) async fn posted(
        &self,
        path: &str,
        headers: &Headers,
        packet: &str,
        prefix: &str,
    ) -> String {
        let told = self.ask_with(reqwest::Method::POST, path, packet, headers);
        assert_eq!(told.await.with(200).body, "ok");
        loop {
            let told = soon(self.get_with(path, headers)).await.with(200);
            let found = told.body.split('\x1e').find(|it| it.starts_with(prefix));
            if let Some(found) = found {
                return found.to_owned();
            }
        }
    }
}

impl Ws {
    /// The next text with that prefix. Others are skipped.
    pub(crate) async fn text_after(&mut self, prefix: &str) -> String {
        loop {
            let text = self.text().await;
            if text.starts_with(prefix) {
                return text;
            }
        }
    }
}
