//! A server that uses all features, for the real clients in `tests/clients/socketio`.
//!
//! `--port N [--recovery]`. It behaves as `reference.mjs` there, which runs on Node's server.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use parlance_socketio::{
    engine::{Cors, DisconnectReason},
    packet::Args,
    server::{
        BroadcastOperator, Builder, ConnectError, Disconnect, Event, Events, Socket, SocketIo,
    },
};
use rocket::Config;
use serde_json::{Map, Value, json};

const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// The numbers that one socket has sent, in order.
type Numbers = Mutex<Vec<Value>>;

fn main_namespace() -> Events {
    let handler = Events::new()
        .on_connect(|socket| async move {
            socket.set_data(Numbers::default());
            send(
                &socket,
                "welcome",
                json!({ "recovered": socket.is_recovered() }),
            );
        })
        .on_disconnect(|socket, reason: DisconnectReason| async move {
            let watchers = socket.to("watchers");
            watchers.emit("left", (socket.id().as_str(), reason.as_str()));
        })
        .on("kick", |socket, _| async move {
            socket.disconnect(Disconnect::Namespace);
        })
        .on("hang-up", |socket, _| async move {
            socket.disconnect(Disconnect::Connection);
        })
        .on("drop", |socket, _| async move {
            socket.session().close(DisconnectReason::ForcedClose);
        });
    people(questions(binary(plain(handler))))
}

/// Events with text.
fn plain(handler: Events) -> Events {
    handler
        .on("echo", |socket, mut event| async move {
            let args = std::mem::take(&mut event.args);
            match event.ack.take() {
                Some(ack) => drop(ack.send(args)),
                None => send(&socket, "echo", args),
            }
        })
        .on("sum", |_, mut event| async move {
            if let Ok((a, b)) = parsed::<(i64, i64)>(&event) {
                event.acknowledge(a + b);
            }
        })
        .on("upper", |socket, event| async move {
            if let Some(text) = event.args.text(0) {
                send(&socket, "upper", text.to_uppercase());
            }
        })
        .on("whoami", |socket, mut event| async move {
            event.acknowledge(who_is(&socket));
        })
        .on("volatile", |socket, event| async move {
            socket.emit_volatile("volatile", event.args);
        })
        .on("number", |socket, event| async move {
            if let (Some(numbers), Some(number)) = (socket.data::<Numbers>(), event.args.get(0)) {
                lock(&numbers).push(number.clone());
            }
        })
        .on("numbers", |socket, mut event| async move {
            let numbers = socket
                .data::<Numbers>()
                .map(|numbers| lock(&numbers).clone());
            event.acknowledge(Value::from(numbers.unwrap_or_default()));
        })
}

/// Events with binary.
fn binary(handler: Events) -> Events {
    handler
        .on("reverse", |_, mut event| async move {
            if let Some(bytes) = event.args.binary(0) {
                let reversed: Bytes = bytes.iter().rev().copied().collect();
                event.acknowledge(reversed);
            }
        })
        .on("file", |_, mut event| async move {
            let file = event.args.get(0).unwrap_or(&Value::Null);
            if let Some(data) = event.args.resolve(&file["data"]) {
                let (size, head) = (data.len(), data.slice(..data.len().min(4)));
                let mut answer = Args::new();
                let head = answer.attach(head);
                answer.push(json!({ "name": file["name"], "size": size, "head": head }));
                event.acknowledge(answer);
            }
        })
        .on("pack", |socket, event| async move {
            let count = count(&event).min(8);
            let mut args = Args::from("text");
            let parts: Vec<Value> = (0..count).map(|at| args.attach(byte(at))).collect();
            args.push(json!({ "parts": parts }));
            args.push(Bytes::new());
            send(&socket, "pack", args);
        })
        .on("big", |_, mut event| async move {
            let size = count(&event).min(500_000);
            event.acknowledge(("x".repeat(size), Bytes::from(vec![7; size])));
        })
        .on("burst", |socket, mut event| async move {
            let count = count(&event);
            for at in 0..count {
                let args = Args::from(at);
                let whole = if at % 10 == 0 {
                    args.with(byte(at))
                } else {
                    args.with(Value::Null)
                };
                send(&socket, "burst", whole);
            }
            event.acknowledge(count);
        })
}

/// Acknowledgements that the server awaits.
fn questions(handler: Events) -> Events {
    handler
        .on("ask", |socket, event| async move {
            match socket
                .emit_with_ack("question", event.args, ACK_TIMEOUT)
                .await
            {
                Ok(answer) => send(&socket, "answered", answer),
                Err(_) => send(&socket, "unanswered", true),
            }
        })
        .on("ask-in-vain", |socket, event| async move {
            let wait =
                Duration::from_millis(event.args.get(0).and_then(Value::as_u64).unwrap_or(50));
            let answer = socket.emit_with_ack("question-in-vain", (), wait).await;
            send(&socket, "unanswered", answer.is_err());
        })
        .on("poll-room", |socket, mut event| async move {
            let Some(room) = event.args.text(0) else {
                return;
            };
            let answers = all_in(&socket, room)
                .emit_with_ack("vote", (), ACK_TIMEOUT)
                .await;
            let votes = answers.into_iter().filter_map(|(_, answer)| answer.ok());
            let mut votes: Vec<String> = votes
                .filter_map(|args| args.text(0).map(str::to_owned))
                .collect();
            votes.sort();
            event.acknowledge(json!(votes));
        })
}

/// Rooms and broadcasts.
fn people(handler: Events) -> Events {
    handler
        .on("join", |socket, mut event| async move {
            event.args.text(0).inspect(|room| socket.join(room));
            event.acknowledge(rooms(&socket));
        })
        .on("leave", |socket, mut event| async move {
            event.args.text(0).inspect(|room| socket.leave(room));
            event.acknowledge(rooms(&socket));
        })
        .on("watch", |socket, mut event| async move {
            socket.join("watchers");
            event.acknowledge(());
        })
        .on("say", |socket, event| async move {
            if let Some((room, args)) = addressed(event, 1) {
                socket.to(&room[0]).emit("said", args);
            }
        })
        .on("shout", |socket, event| async move {
            if let Some((room, args)) = addressed(event, 1) {
                all_in(&socket, &room[0]).emit("said", args);
            }
        })
        .on("say-except", |socket, event| async move {
            if let Some((rooms, args)) = addressed(event, 2) {
                all_in(&socket, &rooms[0])
                    .except(&rooms[1])
                    .emit("said", args);
            }
        })
}

fn admin_namespace() -> Events {
    Events::new()
        .middleware(|_, auth| async move {
            let token = auth.and_then(|auth| auth.get("token").cloned());
            if token == Some(json!("letmein")) {
                return Ok(());
            }
            let data = json!({ "code": 403, "given": token });
            Err(ConnectError::new("that is not the word").with_data(data))
        })
        .on("echo", |_, mut event| async move {
            let args = std::mem::take(&mut event.args);
            event.acknowledge(args);
        })
}

fn team_namespace(name: &str) -> Option<Events> {
    let number = name.strip_prefix("/team-")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        Events::new().on("where", |socket, mut event| async move {
            event.acknowledge(socket.namespace().as_str());
        })
    })
}

fn who_is(socket: &Socket) -> Value {
    let handshake = socket.handshake();
    let query: Map<String, Value> = ["colour", "EIO"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), json!(handshake.query_value(name)?))))
        .collect();
    json!({
        "id": socket.id().as_str(),
        "query": query,
        "lab": handshake.header("x-lab"),
        "auth": socket.auth(),
    })
}

/// The sockets in a room, the sender included.
fn all_in(socket: &Socket, room: &str) -> BroadcastOperator {
    socket.within(room)
}

fn rooms(socket: &Socket) -> Value {
    let rooms = socket.rooms();
    json!(rooms.iter().map(|room| &**room).collect::<Vec<_>>())
}

/// Splits off the first arguments, which are names of rooms. The rest is the event to emit there.
fn addressed(event: Event, count: usize) -> Option<(Vec<String>, Args)> {
    let rooms = (0..count).map(|at| event.args.text(at).map(str::to_owned));
    let rooms = rooms.collect::<Option<Vec<_>>>()?;
    Some((rooms, event.args.skip(count)))
}

fn parsed<T: serde::de::DeserializeOwned>(event: &Event) -> serde_json::Result<T> {
    event.args.clone().parse()
}

fn count(event: &Event) -> usize {
    let number = event.args.get(0).and_then(Value::as_u64);
    usize::try_from(number.unwrap_or(0)).unwrap_or(0)
}

/// The lowest byte of a number.
fn byte(number: usize) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes()[..1])
}

fn send(socket: &Socket, name: &str, args: impl Into<Args>) {
    // A client that has disconnected does not need the event.
    let _ = socket.emit(name, args);
}

fn lock(numbers: &Arc<Numbers>) -> std::sync::MutexGuard<'_, Vec<Value>> {
    numbers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn server(recovery: bool) -> SocketIo {
    let builder: Builder = SocketIo::builder()
        .ping_interval(Duration::from_millis(500))
        .ping_timeout(Duration::from_secs(5))
        .allow_eio3(true)
        .cors(Cors::Any)
        .keep_header("x-lab")
        .namespace("/", main_namespace())
        .namespace("/admin", admin_namespace())
        .namespace(
            "/closed",
            Events::new().middleware(|_, _| async { Err(ConnectError::new("we are closed")) }),
        )
        .dynamic_namespace(team_namespace);
    if recovery {
        builder
            .connection_state_recovery(Duration::from_mins(1))
            .build()
    } else {
        builder.build()
    }
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let port = words.iter().skip_while(|word| *word != "--port").nth(1);
    let config = Config {
        port: port.ok_or("--port is missing")?.parse()?,
        log_level: rocket::config::LogLevel::Off,
        ..Config::release_default()
    };
    let recovery = words.iter().any(|word| word == "--recovery");
    rocket::custom(config)
        .attach(server(recovery).fairing())
        .launch()
        .await?;
    Ok(())
}
