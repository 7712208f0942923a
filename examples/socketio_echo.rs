//! The server that protocol suites expect: it sends back what it hears.
//!
//! `--path /engine.io/` echoes Engine.IO messages; any other path is a Socket.IO server.

use std::{net::IpAddr, sync::Arc, time::Duration};

use parlance::socketio::engine::{Connection, Engine, Frame, Message, Options, Reason, Session};
use rocket::{Build, Config, Rocket};

/// What the command line says.
struct Flags {
    address: IpAddr,
    port: u16,
    path: String,
    eio3: bool,
}

impl Flags {
    fn read() -> Result<Self, String> {
        let mut flags = Self {
            address: IpAddr::from([127, 0, 0, 1]),
            port: 3000,
            path: "/socket.io/".into(),
            eio3: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--address" => flags.address = value()?.parse().map_err(|_| "not an address")?,
                "--port" => flags.port = value()?.parse().map_err(|_| "not a port")?,
                "--path" => flags.path = value()?,
                "--eio3" => flags.eio3 = true,
                other => return Err(format!("unknown flag {other}")),
            }
        }
        Ok(flags)
    }
}

/// Sends every message back.
struct Echo(Arc<Session>);

impl Connection for Echo {
    fn message(&self, message: Message<'_>) {
        let echoed = self.0.send(&[match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(&bytes),
        }]);
        if echoed.is_err() {
            self.0.close(Reason::ForcedClose);
        }
    }

    fn closed(&self, _reason: Reason) {}
}

fn engine_echo(flags: &Flags) -> Engine {
    let options = Options {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        max_payload: 1_000_000,
        allow_eio3: flags.eio3,
        ..Options::default()
    };
    Engine::new(options, |session| Arc::new(Echo(session)) as _)
}

fn server(flags: &Flags) -> Rocket<Build> {
    let config = Config {
        address: flags.address,
        port: flags.port,
        log_level: rocket::config::LogLevel::Off,
        ..Config::release_default()
    };
    let rocket = rocket::custom(config);
    rocket.attach(engine_echo(flags).fairing(&flags.path))
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::read()?;
    server(&flags).launch().await?;
    Ok(())
}
