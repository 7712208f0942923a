//! How soon everything that somebody has open ends, once what they had it by has ended.

use std::{fmt::Write as _, path::Path, time::Duration};

use bench_wire::masked_frame;
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    Outcome,
    client::Client,
    database::Engine,
    figures::{Times, milliseconds, written},
    options::Options,
    report::Section,
    server::{PASSWORD, Server, parlance},
};

const TARGET: Duration = Duration::from_millis(100);
/// Until then every request is held that was sent before.
const HELD_AFTER: Duration = Duration::from_millis(60);
/// The longest that something may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Logout,
    LogoutAll,
    Deactivated,
    AccountDeleted,
    Removed,
    ChatClosed,
    ChatDeleted,
}

const CAUSES: [(Cause, &str); 7] = [
    (Cause::Logout, "logout"),
    (Cause::LogoutAll, "all logins ended from another device"),
    (
        Cause::Deactivated,
        "account deactivated by an administrator",
    ),
    (Cause::AccountDeleted, "account deleted"),
    (Cause::Removed, "removed from a chat"),
    (Cause::ChatClosed, "chat closed to one who is no member"),
    (Cause::ChatDeleted, "chat deleted"),
];

impl Cause {
    /// Whether it ends all, and not only what is about one chat.
    fn ends_all(self) -> bool {
        !matches!(self, Self::Removed | Self::ChatClosed | Self::ChatDeleted)
    }
}

pub async fn measure(engine: Engine, folder: &Path, options: &Options) -> Outcome<Section> {
    let server = parlance(engine, folder, "endings", Vec::new()).await?;
    let scene = Scene {
        root: server.register("root").await?,
        ann: server.register("ann").await?,
        server,
    };
    scene.server.make_administrator("root").await?;
    let times_each = options.size(200, 10);
    let title = format!(
        "{}: from the answer to what ends it until each open request has ended, {times_each} times each",
        engine.title()
    );
    let mut table = "| | open requests | p50 | p99 | longest |\n|---|---|---|---|---|\n".to_owned();
    let (mut rows, mut met) = (Vec::new(), true);
    for (number, (cause, what)) in CAUSES.into_iter().enumerate() {
        let mut times = Times::default();
        for round in 0..times_each {
            let name = format!("p{number}x{round}");
            for time in scene.act(cause, &name).await? {
                times.add(time);
            }
        }
        let (count, longest) = (times.len(), times.at(1.0));
        met &= longest < TARGET;
        writeln!(
            table,
            "| {what} | {count} | {} | {} |",
            times.cells(),
            written(longest)
        )?;
        rows.push(json!({"what": what, "open": count,
            "p50_ms": milliseconds(times.at(0.5)), "p99_ms": milliseconds(times.at(0.99)),
            "longest_ms": milliseconds(longest)}));
    }
    writeln!(
        table,
        "\nOf a login there are at a time: long-polls of everything, of one chat and in three other dialects, streams of \
         three dialects, and sockets of both revisions by both transports. What is about one chat ends with that chat: its \
         long-poll, and the long-poll of everything is answered. Target: below {} for each.",
        written(TARGET)
    )?;
    scene.server.end().await?;
    Ok(Section {
        name: format!("endings-{}", engine.word()),
        title,
        markdown: table,
        json: json!(rows),
        met,
    })
}

/// The server, its administrator, and who makes the chats.
struct Scene {
    server: Server,
    root: String,
    ann: String,
}

type Open = JoinHandle<Outcome<Instant>>;

impl Scene {
    /// Somebody new opens everything, and loses it; how long each open request outlived the answer to that.
    async fn act(&self, cause: Cause, name: &str) -> Outcome<Vec<Duration>> {
        let cookies = self.server.register(name).await?;
        let person = cookie(&cookies, "user_id")?;
        let chat = self.chat_for(cause, name, person).await?;
        let open = self.open(cause, &cookies, chat).await?;
        let (by, method, path, form) = self.request(cause, name, person, chat).await?;
        let mut client = Client::connect(self.server.port, by.as_ref().unwrap_or(&cookies)).await?;
        sleep(HELD_AFTER).await;
        client.send(method, &path, FORM, Some(&form)).await?;
        client.receive().await?.expect(200)?;
        let answered = Instant::now();
        let mut times = Vec::new();
        for (what, open) in open {
            let ended = timeout(PATIENCE, open).await;
            let ended = ended.map_err(|_| format!("{name}: {what} does not end"))???;
            times.push(ended.saturating_duration_since(answered));
        }
        Ok(times)
    }

    async fn chat_for(&self, cause: Cause, name: &str, person: &str) -> Outcome<i64> {
        if cause == Cause::ChatClosed {
            return self.server.open_chat(&self.ann, name).await;
        }
        let form = format!("title={name}&private=true&members={person}");
        let mut client = Client::connect(self.server.port, &self.ann).await?;
        let answer = client.post("/api/chats", &form).await?.expect(201)?;
        let place = answer.header("location")?;
        Ok(place.rsplit('/').next().unwrap_or_default().parse()?)
    }

    /// What ends it: whose cookies, unless their own, and the request.
    async fn request(
        &self,
        cause: Cause,
        name: &str,
        person: &str,
        chat: i64,
    ) -> Outcome<(Option<String>, &'static str, String, String)> {
        let (root, ann) = (Some(self.root.clone()), Some(self.ann.clone()));
        let none = String::new();
        Ok(match cause {
            Cause::Logout => (None, "POST", "/api/logout".to_owned(), none),
            Cause::LogoutAll => {
                let other = Some(self.server.sign_in(name).await?);
                (other, "POST", "/api/logout-all".to_owned(), none)
            }
            Cause::Deactivated => {
                let path = format!("/api/admin/people/{person}/deactivate");
                (root, "POST", path, none)
            }
            Cause::AccountDeleted => {
                let form = format!("password={PASSWORD}");
                (None, "DELETE", "/api/me".to_owned(), form)
            }
            Cause::Removed => {
                let path = format!("/api/chats/{chat}/members/{person}");
                (ann, "DELETE", path, none)
            }
            Cause::ChatClosed => {
                let form = "private=true".to_owned();
                (ann, "PATCH", format!("/api/chats/{chat}"), form)
            }
            Cause::ChatDeleted => (ann, "DELETE", format!("/api/chats/{chat}"), none),
        })
    }

    async fn open(
        &self,
        cause: Cause,
        cookies: &str,
        chat: i64,
    ) -> Outcome<Vec<(&'static str, Open)>> {
        let port = self.server.port;
        let mut client = Client::connect(port, cookies).await?;
        let now = client.get("/api/events?after=now&timeout=0").await?;
        let now = now.expect(200)?.json()?;
        let now = now["cursor"].as_str().ok_or("no cursor")?;
        let path = format!("/api/events?after={now}&timeout=50");
        let service = format!("{path}&dialect=service&room=chat-{chat}");
        let mut polls = vec![
            ("a poll of everything", path.clone()),
            (
                "a poll of the chat",
                format!("/api/chats/{chat}?after={now}&timeout=50"),
            ),
        ];
        let mut open = Vec::new();
        if cause.ends_all() {
            polls.extend([
                ("a poll of embed", format!("{path}&dialect=embed")),
                ("a poll of support", format!("{path}&dialect=support")),
                ("a poll of service", service.clone()),
            ]);
            for (what, path) in [
                ("a stream of everything", path.clone()),
                ("a stream of embed", format!("{path}&dialect=embed")),
                ("a stream of service", service),
            ] {
                let client = Client::connect(port, cookies).await?;
                open.push((what, tokio::task::spawn_local(stream(client, path))));
            }
            for (what, revision) in [("Engine.IO 4", 4), ("Engine.IO 3", 3)] {
                let client = web_socket(port, cookies, revision).await?;
                open.push((what, tokio::task::spawn_local(socket_end(client))));
                let (client, path) = polling(port, cookies, revision).await?;
                open.push((what, tokio::task::spawn_local(polling_end(client, path))));
            }
        }
        for (what, path) in polls {
            let client = Client::connect(port, cookies).await?;
            open.push((what, tokio::task::spawn_local(poll(client, path))));
        }
        Ok(open)
    }
}

fn cookie<'c>(cookies: &'c str, name: &str) -> Outcome<&'c str> {
    let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    Ok(found.ok_or("a cookie is missing")?.1)
}

async fn poll(mut client: Client, path: String) -> Outcome<Instant> {
    client.get(&path).await?;
    Ok(Instant::now())
}

async fn stream(mut client: Client, path: String) -> Outcome<Instant> {
    let accept = "Accept: text/event-stream\r\n";
    client.send("GET", &path, accept, None).await?;
    client.head().await?.expect(200)?;
    let mut told = Vec::new();
    // A connection that is closed ends a stream as well.
    while client.chunk(&mut told).await.unwrap_or(false) {}
    Ok(Instant::now())
}

async fn web_socket(port: u16, cookies: &str, revision: u8) -> Outcome<Client> {
    let mut client = Client::connect(port, cookies).await?;
    let path = format!("/socket.io/?EIO={revision}&transport=websocket");
    client.send("GET", &path, UPGRADE, None).await?;
    client.head().await?.expect(101)?;
    if revision == 4 {
        client.write(&masked_frame("40")?).await?;
    }
    Ok(client)
}

async fn socket_end(mut client: Client) -> Outcome<Instant> {
    let mut told = Vec::new();
    while !has_close(&told) && client.some(&mut told).await.unwrap_or(false) {}
    Ok(Instant::now())
}

/// Whether a frame says that the WebSocket is closed; what a server says here is short.
fn has_close(mut bytes: &[u8]) -> bool {
    while let [head, length, rest @ ..] = bytes {
        if head & 0x0f == 8 {
            return true;
        }
        let (skip, length) = match (*length, rest) {
            (126, [high, low, ..]) => (2, usize::from(u16::from_be_bytes([*high, *low]))),
            (length, _) => (0, usize::from(length)),
        };
        let Some(next) = rest.get(skip + length..) else {
            return false;
        };
        bytes = next;
    }
    false
}

/// A session by polling, and the path of its requests.
async fn polling(port: u16, cookies: &str, revision: u8) -> Outcome<(Client, String)> {
    let mut client = Client::connect(port, cookies).await?;
    let path = format!("/socket.io/?EIO={revision}&transport=polling");
    let open = client.get(&path).await?.expect(200)?;
    let open = String::from_utf8(open.body)?;
    let sid = open.split(r#""sid":""#).nth(1).ok_or("no session")?;
    let sid = sid.split('"').next().unwrap_or_default();
    let path = format!("{path}&sid={sid}");
    if revision == 4 {
        let kind = "Content-Type: text/plain\r\n";
        client.send("POST", &path, kind, Some("40")).await?;
        client.receive().await?.expect(200)?;
        client.get(&path).await?.expect(200)?;
    }
    Ok((client, path))
}

async fn polling_end(mut client: Client, path: String) -> Outcome<Instant> {
    loop {
        let answer = client.get(&path).await?;
        let is_end =
            |body: &[u8]| body == b"1" || body.ends_with(b"\x1e1") || body.ends_with(b"1:1");
        if answer.status != 200 || is_end(&answer.body) {
            return Ok(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_is_found_behind_other_frames() {
        let text = bench_wire::frame(r#"40{"sid":"x"}"#).expect("a frame");
        let long = bench_wire::frame(&"x".repeat(300)).expect("a frame");
        let close = [0x88, 2, 3, 0xe8];
        assert!(!has_close(&[]) && !has_close(&text) && !has_close(&close[..1]));
        assert!(!has_close(&[&text[..], &long[..200]].concat()));
        assert!(has_close(&[&text[..], &long, &close].concat()));
    }
}
