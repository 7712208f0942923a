//! Every way to authenticate, and the connections that stay: both revisions of Socket.IO
//! by both transports, long-polls and streams.

use std::collections::VecDeque;

use futures_util::StreamExt;
use reqwest::{Method, Response, header::HeaderValue};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use crate::{
    support::actor::Actor,
    support::socketio_client::{Ws, soon},
    support::world::{FOREVER, World},
};

/// The credentials of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) query: String,
}

impl Credentials {
    /// One header beside the others.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// One pair of the query beside the others.
    pub(crate) fn asking(mut self, name: &str, value: &str) -> Self {
        let value = value.replace(' ', "%20");
        self.query = format!("{}&{name}={value}", self.query);
        self
    }

    /// Cookies as most clients send them.
    pub(crate) fn cookies(person: i64, token: &str) -> Self {
        Self::default().header("cookie", format!("user_id={person}; token={token}"))
    }

    /// An actor's own.
    pub(crate) fn of(actor: &Actor) -> Self {
        Self::cookies(actor.id, &actor.token)
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        self.headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value).expect("a header may hold these bytes");
            (*name, value)
        })
    }

    pub(crate) async fn request(
        &self,
        world: &World,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Response {
        let mark = if path.contains('?') { "" } else { "?" };
        let url = format!("{}{path}{mark}{}", world.base(), self.query);
        let mut request = world.http.request(method, url);
        for (name, value) in self.values() {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.expect("the server answers")
    }
}

/// A kind of request that authenticates.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    /// A plain request of the messenger's.
    Rest,
    /// Its long-poll and its stream.
    Receive { stream: bool },
    /// An event by plain HTTP.
    Send(SentEvent),
    /// A dialect's events, by long-poll and as a stream.
    ReceiveIn { dialect: &'static str, stream: bool },
    /// An event on a connection.
    Socket(By, SentEvent),
}

/// An event of a dialect that succeeds for everybody who is authenticated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SentEvent {
    Service,
    Embed,
}

/// Revision and transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Polling4,
    WebSocket4,
    Polling3,
    WebSocket3,
}

pub(crate) const CONNECTIONS: [By; 4] =
    [By::Polling4, By::WebSocket4, By::Polling3, By::WebSocket3];

/// Requests that take cookies, and those that take a token as well.
pub(crate) fn endpoints(with_rest: bool) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    if with_rest {
        endpoints.extend([
            Endpoint::Rest,
            Endpoint::Receive { stream: false },
            Endpoint::Receive { stream: true },
        ]);
    }
    for says in [SentEvent::Service, SentEvent::Embed] {
        endpoints.push(Endpoint::Send(says));
        endpoints.extend(CONNECTIONS.map(|by| Endpoint::Socket(by, says)));
    }
    for dialect in ["embed", "support", "service"] {
        endpoints.extend([false, true].map(|stream| Endpoint::ReceiveIn { dialect, stream }));
    }
    endpoints
}

impl SentEvent {
    fn event(self, person: i64) -> (&'static str, Value) {
        match self {
            Self::Service => ("leave", Value::Null),
            Self::Embed => ("list-chats", json!({"user": {"id": person}})),
        }
    }
}

impl Endpoint {
    /// Whether the request is accepted as that person's; a refusal must be 401 and nothing else. Of
    /// streams the newer supersedes the older: they are held for longer than this reads them.
    pub(crate) async fn opens(self, world: &World, person: i64, credentials: &Credentials) -> bool {
        let status = match self {
            Self::Rest => status(world, credentials, "/api/me", None).await,
            Self::Receive { stream } => {
                let credentials = streaming(credentials, stream);
                status(
                    world,
                    &credentials,
                    "/api/events?timeout=0&poll=endpoint",
                    None,
                )
                .await
            }
            Self::Send(says) => {
                let (event, argument) = says.event(person);
                let path = format!("/api/events/{event}");
                status(world, credentials, &path, Some(&argument)).await
            }
            Self::ReceiveIn { dialect, stream } => {
                let path = format!("/api/events?timeout=0&poll=endpoint&dialect={dialect}");
                status(world, &streaming(credentials, stream), &path, None).await
            }
            Self::Socket(by, says) => {
                let Some(mut line) = Connection::open(world, by, credentials).await else {
                    return false;
                };
                let (event, argument) = says.event(person);
                return line.is_answered(event, &argument).await;
            }
        };
        assert!(matches!(status, 200 | 401), "{self:?}: {status}");
        status == 200
    }
}

fn streaming(credentials: &Credentials, stream: bool) -> Credentials {
    let credentials = credentials.clone();
    if stream {
        credentials.header("accept", "text/event-stream")
    } else {
        credentials
    }
}

async fn status(world: &World, credentials: &Credentials, path: &str, body: Option<&Value>) -> u16 {
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let response = credentials.request(world, method, path, body).await;
    response.status().as_u16()
}

/// A connection in the main namespace.
pub(crate) struct Connection {
    by: By,
    credentials: Credentials,
    base: String,
    http: reqwest::Client,
    carrier: Carrier,
    asked: u32,
}

enum Carrier {
    WebSocket(Box<Ws>),
    Polling(String, VecDeque<String>),
}

impl Connection {
    /// A connection that is accepted, or none.
    pub(crate) async fn open(world: &World, by: By, credentials: &Credentials) -> Option<Self> {
        let revision = match by {
            By::Polling4 | By::WebSocket4 => 4,
            By::Polling3 | By::WebSocket3 => 3,
        };
        let query = format!("EIO={revision}{}", credentials.query);
        let carrier = match by {
            By::WebSocket4 | By::WebSocket3 => {
                let server = world.base().replacen("http", "ws", 1);
                let url = format!("{server}/socket.io/?transport=websocket&{query}");
                let mut request = url.into_client_request().expect("it is an address");
                for (name, value) in credentials.values() {
                    let headers = request.headers_mut();
                    if name == "host" {
                        headers.remove(name);
                    }
                    headers.append(name, value);
                }
                let opened = soon(tokio_tungstenite::connect_async(request)).await;
                Carrier::WebSocket(Box::new(Ws(opened.expect("there is a WebSocket").0)))
            }
            By::Polling4 | By::Polling3 => {
                let path = format!("/socket.io/?transport=polling&{query}");
                Carrier::Polling(path, VecDeque::new())
            }
        };
        let mut line = Self {
            by,
            credentials: Credentials {
                query: String::new(),
                ..credentials.clone()
            },
            base: world.base().to_owned(),
            http: world.http.clone(),
            carrier,
            asked: 0,
        };
        let open = line.packet().await.expect("an open packet");
        if let Carrier::Polling(path, _) = &mut line.carrier {
            let open: Value = serde_json::from_str(&open[1..]).expect("it is JSON");
            let sid = open["sid"].as_str().expect("a session has an id");
            path.push_str("&sid=");
            path.push_str(sid);
        }
        if revision == 4 {
            line.send("40").await;
        }
        loop {
            let packet = line.packet().await?;
            match packet.get(..2) {
                Some("40") => return Some(line),
                Some("44") => return None,
                _ => {}
            }
        }
    }

    async fn send(&mut self, packet: &str) {
        let is_old = self.by == By::Polling3;
        match &mut self.carrier {
            Carrier::WebSocket(ws) => ws.send(packet).await,
            Carrier::Polling(path, _) => {
                let length = packet.encode_utf16().count();
                let body = if is_old {
                    format!("{length}:{packet}")
                } else {
                    packet.to_owned()
                };
                let mut request = self.http.post(format!("{}{path}", self.base)).body(body);
                for (name, value) in self.credentials.values() {
                    request = request.header(name, value);
                }
                let response = soon(request.send()).await.expect("it answers");
                assert_eq!(response.status(), 200);
            }
        }
    }

    /// The next packet; none at the end.
    async fn packet(&mut self) -> Option<String> {
        let is_old = self.by == By::Polling3;
        let (path, packets) = match &mut self.carrier {
            Carrier::WebSocket(ws) => {
                let heard = tokio::time::timeout(FOREVER, ws.0.next()).await;
                return match heard.expect("it hears something, or ends") {
                    Some(Ok(Message::Text(text))) => Some(text.to_string()),
                    _ => None,
                };
            }
            Carrier::Polling(path, packets) => (path, packets),
        };
        if packets.is_empty() {
            let mut request = self.http.get(format!("{}{path}", self.base));
            for (name, value) in self.credentials.values() {
                request = request.header(name, value);
            }
            let response = request.send().await.expect("it answers");
            if response.status() != 200 {
                return None;
            }
            let payload = response.text().await.expect("it is text");
            *packets = if is_old {
                divided(&payload)
            } else {
                payload.split('\x1e').map(str::to_owned).collect()
            };
        }
        packets.pop_front().filter(|packet| packet != "1")
    }

    /// Sends an event, and returns its acknowledgement; none when the connection ends instead.
    pub(crate) async fn ask(&mut self, event: &str, argument: &Value) -> Option<Value> {
        self.asked += 1;
        let number = self.asked;
        let said = json!([event, argument]);
        self.send(&format!("42{number}{said}")).await;
        let prefix = format!("43{number}[");
        loop {
            let packet = self.packet().await?;
            if packet.starts_with(&prefix) {
                let told: Value =
                    serde_json::from_str(&packet[prefix.len() - 1..]).expect("it is JSON");
                return Some(told[0].clone());
            }
        }
    }

    /// Whether an event succeeds; a refusal must be for a lack of authentication.
    pub(crate) async fn is_answered(&mut self, event: &str, argument: &Value) -> bool {
        let told = self.ask(event, argument).await.expect("it stands");
        let is_well = told["status"] == "ok";
        assert!(is_well || told["code"] == "unauthenticated", "{told}");
        is_well
    }

    /// What comes, up to a packet with this word.
    pub(crate) async fn until(&mut self, word: &str) -> Vec<String> {
        let mut heard = Vec::new();
        while !heard
            .last()
            .is_some_and(|packet: &String| packet.contains(word))
        {
            heard.push(self.packet().await.expect("it stands"));
        }
        heard
    }

    /// Returns when the server has ended it.
    pub(crate) async fn ended(self) {
        self.heard_to_the_end().await;
    }

    /// What comes until the server has ended it.
    pub(crate) async fn heard_to_the_end(mut self) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some(packet) = self.packet().await {
            heard.push(packet);
        }
        heard
    }
}

/// The packets of a payload of revision 3, which has no characters outside of ASCII here.
fn divided(payload: &str) -> VecDeque<String> {
    let mut packets = VecDeque::new();
    let mut rest = payload;
    while let Some((length, after)) = rest.split_once(':') {
        let length: usize = length.parse().expect("a length is a number");
        packets.push_back(after[..length].to_owned());
        rest = &after[length..];
    }
    packets
}

/// A request that is held.
pub(crate) struct Held(JoinHandle<(u16, String)>);

impl Held {
    /// Begins one and returns once it is held: so many are then.
    pub(crate) async fn begin(
        world: &World,
        credentials: &Credentials,
        path: &str,
        count: usize,
    ) -> Self {
        let (base, http) = (world.base().to_owned(), world.http.clone());
        let (credentials, path) = (credentials.clone(), path.to_owned());
        let held = tokio::spawn(async move {
            let mut request = http.get(format!("{base}{path}{}", credentials.query));
            for (name, value) in credentials.values() {
                request = request.header(name, value);
            }
            let response = request.send().await.expect("the server answers");
            let status = response.status().as_u16();
            (status, response.text().await.expect("it is text"))
        });
        world.waiting(count).await;
        Self(held)
    }

    /// Whether it is held still.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_finished()
    }

    /// The status and the body, once it has ended.
    pub(crate) async fn ended(self) -> (u16, String) {
        let ended = tokio::time::timeout(FOREVER, self.0).await;
        ended.expect("it ends in time").expect("it does not panic")
    }
}
