//! The echo server that the official protocol test suites expect.
//!
//! `--path /engine.io/` echoes Engine.IO messages; any other path is a Socket.IO server. `--tag a --peer b=127.0.0.1:3001`
//! names a server behind the same balancer, which has a tag of its own; there may be several.

use std::{net::IpAddr, sync::Arc, time::Duration};

use parlance_socketio::{
    engine::{Connection, Cors, DisconnectReason, Engine, Frame, Message, Options, Session},
    forwarder::{Fixed, Forwarder},
    server::{Events, Socket, SocketIo},
};
use rocket::{Build, Config, Rocket};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const PING_INTERVAL: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(200);
/// What servers behind one balancer show each other: nobody else reaches them here.
const SECRET: &str = "example";
const GREETING_DELAY: Duration = Duration::from_millis(5);

/// The command line's options.
struct Flags {
    address: IpAddr,
    port: u16,
    path: String,
    eio3: bool,
    ping_interval: Duration,
    ping_timeout: Duration,
    tag: String,
    peers: Vec<(String, String)>,
}

impl Flags {
    fn read() -> Result<Self, String> {
        let mut flags = Self {
            address: IpAddr::from([127, 0, 0, 1]),
            port: 3000,
            path: "/socket.io/".into(),
            eio3: false,
            ping_interval: PING_INTERVAL,
            ping_timeout: PING_TIMEOUT,
            tag: String::new(),
            peers: Vec::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--address" => flags.address = value()?.parse().map_err(|_| "not an address")?,
                "--port" => flags.port = value()?.parse().map_err(|_| "not a port")?,
                "--path" => flags.path = value()?,
                "--eio3" => flags.eio3 = true,
                "--ping-interval" => flags.ping_interval = milliseconds(&value()?)?,
                "--ping-timeout" => flags.ping_timeout = milliseconds(&value()?)?,
                "--tag" => flags.tag = value()?,
                "--peer" => {
                    let peer = value()?;
                    let (tag, address) = peer.split_once('=').ok_or("not tag=host:port")?;
                    flags.peers.push((tag.to_owned(), address.to_owned()));
                }
                other => return Err(format!("unknown flag {other}")),
            }
        }
        Ok(flags)
    }

    /// What passes requests on to the other servers.
    fn forwarder(&self) -> Forwarder {
        let peers = self.peers.iter();
        let others = peers.map(|(tag, address)| (tag.as_str(), address.as_str()));
        let directory = Fixed::new(&self.tag, SECRET, others);
        let longest_poll = self.ping_interval + self.ping_timeout;
        Forwarder::new(directory, longest_poll, CancellationToken::new())
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_millis)
        .map_err(|_| format!("{text} is no number of milliseconds"))
}

/// Echoes every message.
struct Echo(Arc<Session>);

impl Connection for Echo {
    fn on_message(&self, message: Message<'_>) {
        let echoed = self.0.send(&[match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(&bytes),
        }]);
        if echoed.is_err() {
            self.0.close(DisconnectReason::ForcedClose);
        }
    }

    fn on_close(&self, _reason: DisconnectReason) {}
}

fn engine_echo(flags: &Flags) -> Engine {
    let options = Options {
        ping_interval: flags.ping_interval,
        ping_timeout: flags.ping_timeout,
        max_payload: 1_000_000,
        allow_eio3: flags.eio3,
        cors: Cors::Any,
        peers: Some(Arc::new(flags.forwarder())),
        ..Options::default()
    };
    Engine::new(options, |session| Arc::new(Echo(session)) as _)
}

fn socketio_echo(flags: &Flags) -> SocketIo {
    let greets = |socket: Socket| async move {
        // The suite expects one message in each read of its WebSocket. This server combines messages in
        // one write, so the greeting is delayed until the client has read the reply to CONNECT.
        tokio::time::sleep(GREETING_DELAY).await;
        let auth = socket.auth().cloned().unwrap_or_default();
        // A client that has disconnected needs no greeting.
        let _ = socket.emit("auth", Value::Object(auth));
    };
    let main = Events::new()
        .on_connect(greets)
        .on("message", |socket, event| async move {
            let _ = socket.emit("message-back", event.args);
        })
        .on("message-with-ack", |_socket, mut event| async move {
            let args = std::mem::take(&mut event.args);
            event.acknowledge(args);
        });
    SocketIo::builder()
        .path(&flags.path)
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .connect_timeout(Duration::from_secs(1))
        .max_http_buffer_size(1_000_000)
        .allow_eio3(flags.eio3)
        .cors(Cors::Any)
        .peers(flags.forwarder())
        .namespace("/", main)
        .namespace("/custom", Events::new().on_connect(greets))
        .build()
}

fn server(flags: &Flags) -> Rocket<Build> {
    let config = Config {
        address: flags.address,
        port: flags.port,
        log_level: rocket::config::LogLevel::Off,
        ..Config::release_default()
    };
    let rocket = rocket::custom(config);
    if flags.path.trim_matches('/') == "engine.io" {
        rocket.attach(engine_echo(flags).fairing(&flags.path))
    } else {
        rocket.attach(socketio_echo(flags).fairing())
    }
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::read()?;
    server(&flags).launch().await?;
    Ok(())
}
