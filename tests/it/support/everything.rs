//! Everything that a login can have open at once: polls and streams in all four dialects, and sockets of both
//! revisions by both transports.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::Actor,
    support::poll::but_presence,
    support::security_world::{CONNECTIONS, Connection, Credentials, Held},
    support::world::World,
};

/// Who has it open, and the chat that they look at, with its name as a room.
pub(crate) struct Viewer {
    pub(crate) cookies: Credentials,
    pub(crate) person: i64,
    pub(crate) chat: i64,
    pub(crate) room: String,
}

impl Viewer {
    /// Somebody at home.
    pub(crate) fn of(actor: &Actor, chat: i64) -> Self {
        Self {
            cookies: Credentials::of(actor),
            person: actor.id,
            chat,
            room: format!("chat-{chat}"),
        }
    }
}

/// A login has eight waits at most: so these are of one, and those of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waits {
    Polls,
    Streams,
}

/// See the module.
pub(crate) struct Everything {
    held: Vec<(String, Held)>,
    sockets: Vec<(String, Connection)>,
    waits: Waits,
}

impl Everything {
    /// Opens it all, and returns once every request is held: `count` says how many are.
    pub(crate) async fn open(
        world: &World,
        viewer: &Viewer,
        waits: Waits,
        count: &mut usize,
    ) -> Self {
        let mut sockets = Vec::new();
        for by in CONNECTIONS {
            // One that has sent nothing, and one that has said something in each dialect of sockets.
            for dialect in ["none", "embed", "service", "support"] {
                let opened = Connection::open(world, by, &viewer.cookies).await;
                let mut socket = opened.expect("it is let in");
                let argument = match dialect {
                    "embed" => Some(("list-chats", json!({"user": {"id": viewer.person}}))),
                    "service" => Some(("join", json!(viewer.room))),
                    "support" => Some(("getWaitingChats", json!({}))),
                    _ => None,
                };
                if let Some((event, argument)) = argument {
                    socket.ask(event, &argument).await.expect("an answer");
                }
                sockets.push((format!("{by:?} {dialect}"), socket));
            }
        }
        let mut held = Vec::new();
        for path in Self::paths(world, viewer, waits).await {
            *count += 1;
            let cookies = viewer.cookies.clone();
            let cookies = match waits {
                Waits::Polls => cookies,
                Waits::Streams => cookies.header("accept", "text/event-stream"),
            };
            held.push((
                path.clone(),
                Held::begin(world, &cookies, &path, *count).await,
            ));
        }
        Self {
            held,
            sockets,
            waits,
        }
    }

    async fn paths(world: &World, viewer: &Viewer, waits: Waits) -> Vec<String> {
        let now = viewer
            .cookies
            .request(world, Method::GET, "/api/events?after=now&timeout=0", None)
            .await;
        let now: Value = now.json().await.expect("it is JSON");
        let now = now["cursor"].as_str().expect("a cursor").to_owned();
        let path = but_presence(&format!("/api/events?after={now}&timeout=50"));
        let mut paths = vec![
            path.clone(),
            format!("{path}&dialect=embed"),
            format!("{path}&dialect=support"),
            format!("{path}&dialect=service&room={}", viewer.room),
        ];
        if let Waits::Polls = waits {
            let chat = viewer.chat;
            paths.push(format!("/api/chats/{chat}?after={now}&timeout=50"));
        }
        paths
    }

    /// Takes out the poll of the chat.
    pub(crate) fn take_chat_poll(&mut self) -> Option<Held> {
        let place = self
            .held
            .iter()
            .position(|(path, _)| path.starts_with("/api/chats/"))?;
        Some(self.held.remove(place).1)
    }

    /// Returns all that was told, once everything has ended: polls that were not answered before with 401.
    pub(crate) async fn ended(self, why: &str) -> Vec<String> {
        let mut heard = Vec::new();
        for (path, held) in self.held {
            let (status, body) = held.ended().await;
            let is_poll = matches!(self.waits, Waits::Polls);
            let is_answered = status == 200 && body.starts_with(r#"{"events":[{"#);
            assert!(
                is_answered || status == if is_poll { 401 } else { 200 },
                "{why}: {status} {path} {body}"
            );
            heard.push(body);
        }
        for (_, socket) in self.sockets {
            heard.extend(socket.heard_to_the_end().await);
        }
        heard
    }

    /// Returns once everything has ended with the epoch of the log; who acts for nobody was told nothing of it.
    pub(crate) async fn ended_with_epoch(self) {
        for (path, held) in self.held {
            let (status, body) = held.ended().await;
            let is_gone = |line: &str| line.replace(' ', "") == "event:gone";
            let is_told = match self.waits {
                Waits::Polls => status == 410 && body.contains("\"gone\""),
                Waits::Streams => status == 200 && body.lines().any(is_gone),
            };
            assert!(is_told, "{path}: {status} {body}");
        }
        for (what, socket) in self.sockets {
            if !what.ends_with(" none") {
                socket.heard_to_the_end().await;
            }
        }
    }

    /// Whether all of it is still open.
    pub(crate) async fn stands(&mut self) {
        for (path, held) in &self.held {
            assert!(held.is_open(), "{path}");
        }
        for (what, socket) in &mut self.sockets {
            let told = socket.ask("leave", &Value::Null).await;
            assert!(told.is_some(), "{what}");
        }
    }
}
