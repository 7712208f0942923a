//! A server on a port of its own, and plain clients that share no code with it.

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use rocket::{Build, Rocket, Shutdown, fairing::AdHoc};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};

/// The timeout of every wait, longer than anything takes on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Awaits a future within the timeout.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future)
        .await
        .expect("it happens in time")
}

/// One HTTP client for all tests, because making one is slow. It keeps no connections, because each test
/// has a runtime of its own.
pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        crate::with_tls();
        let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
        builder.build().expect("it can be made")
    })
}

/// A Rocket on a port of its own.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) over: JoinHandle<()>,
    path: String,
}

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.bytes).expect("the body is text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The code of an error response, which has to have the status 400.
    pub(crate) fn code(&self) -> u64 {
        assert_eq!(self.status, 400, "{self:?}");
        let body: Value = serde_json::from_slice(&self.bytes).expect("an error is JSON");
        body["code"].as_u64().expect("an error has a number")
    }
}

impl Site {
    /// Launches what `attach` makes of an empty Rocket.
    pub(crate) async fn launch(
        path: &str,
        attach: impl FnOnce(Rocket<Build>) -> Rocket<Build>,
    ) -> Self {
        let config = rocket::Config {
            port: 0,
            log_level: rocket::config::LogLevel::Off,
            shutdown: rocket::config::Shutdown {
                ctrlc: false,
                signals: std::collections::HashSet::new(),
                grace: 1,
                mercy: 1,
                ..rocket::config::Shutdown::default()
            },
            ..rocket::Config::release_default()
        };
        let (up, is_up) = oneshot::channel();
        let up = std::sync::Mutex::new(Some(up));
        let tell = AdHoc::on_liftoff("tell", move |rocket| {
            let about = (rocket.config().port, rocket.shutdown());
            let up = up.lock().expect("one thread tells").take();
            Box::pin(async move {
                let _ = up.expect("it lifts off once").send(about);
            })
        });
        let rocket = attach(rocket::custom(config)).attach(tell);
        let over = tokio::spawn(async move {
            // Rocket reports clients that stay connected as a failed shutdown. Here they are not.
            let _ = rocket.launch().await;
        });
        let (port, shutdown) = soon(is_up).await.expect("it lifts off");
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            shutdown,
            over,
            path: path.to_owned(),
        }
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("http://{}{}?{query}", self.address, self.path)
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = soon(request.send()).await.expect("there is an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: soon(response.bytes()).await.expect("the answer is whole"),
        }
    }

    pub(crate) async fn get(&self, query: &str) -> Answer {
        self.send(http().get(self.url(query))).await
    }

    pub(crate) async fn post(&self, query: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = http()
            .post(self.url(query))
            .header("content-type", "text/plain;charset=UTF-8")
            .body(body);
        self.send(request).await
    }

    /// Opens a session by polling, and returns the query for its requests.
    pub(crate) async fn open(&self, query: &str) -> String {
        let query = format!("{query}&transport=polling");
        let answer = self.get(&query).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = answer.text();
        let json = &text[text.find('{').expect("an open packet has JSON")..];
        let open: Value = serde_json::from_str(json).expect("an open packet is JSON");
        let sid = open["sid"].as_str().expect("a session has an id");
        format!("{query}&sid={sid}")
    }

    pub(crate) async fn websocket(&self, query: &str) -> Ws {
        self.try_websocket(query, &[])
            .await
            .expect("there is a WebSocket")
    }

    /// A WebSocket, or the status of the response if there is none.
    pub(crate) async fn try_websocket(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Ws, u16> {
        let url = self.url(query).replacen("http", "ws", 1);
        let mut request = url.into_client_request().expect("it is an address");
        for (name, value) in headers {
            let value = value.parse().expect("it is a header");
            request.headers_mut().insert(*name, value);
        }
        match soon(tokio_tungstenite::connect_async(request)).await {
            Ok((stream, _)) => Ok(Ws(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// A TCP connection on which `text` has been sent.
    pub(crate) async fn raw(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(text.as_bytes()).await.expect("it reads");
        stream
    }

    /// A GET on a connection of its own, whose response the caller reads.
    pub(crate) async fn raw_get(&self, query: &str) -> TcpStream {
        let (path, host) = (&self.path, self.address);
        let request = format!("GET {path}?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.raw(&request).await
    }
}

/// Reads a response with a Content-Length.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().expect("a length is a number"));
            if body.len() >= length {
                return text.into_owned();
            }
        }
        let mut more = [0; 4096];
        let count = soon(stream.read(&mut more)).await.expect("it answers");
        assert!(count > 0, "the answer is cut short: {text}");
        read.extend_from_slice(&more[..count]);
    }
}

/// A WebSocket client.
#[derive(Debug)]
pub(crate) struct Ws(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ws {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("it is open");
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        let message = Message::binary(bytes.to_vec());
        self.0.send(message).await.expect("it is open");
    }

    /// The next message, whatever it is; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        soon(self.0.next()).await.and_then(Result::ok)
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("no text but {other:?}"),
        }
    }

    /// The next binary message.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        match self.next().await {
            Some(Message::Binary(bytes)) => bytes.to_vec(),
            other => panic!("no bytes but {other:?}"),
        }
    }

    /// Waits until the server closes, and returns its close frame. Other messages are skipped.
    pub(crate) async fn closed(&mut self) -> Option<CloseFrame> {
        let mut said = None;
        while let Some(message) = self.next().await {
            if let Message::Close(frame) = message {
                said = frame;
            }
        }
        said
    }
}
