//! Delivery to sockets that are in step, fall behind, are full, come back: everything once, in order.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::tenants::post,
    support::world::World,
};

/// How many messages each of the senders sends.
const EACH: usize = 300;
const SENDERS: usize = 3;
/// As many are under way at a time: of short messages, and of long ones, so that a sender who does not read meanwhile
/// does not stop itself.
const WINDOW: usize = 64;
const LONG_WINDOW: usize = 4;

/// People of an app, all in one room.
struct Room {
    world: World,
    id: String,
    people: Vec<String>,
}

impl Room {
    async fn new(people: usize) -> Arc<Self> {
        let world = World::new().await;
        let owner = world.owner("localhost").await;
        let key = &owner.application_id;
        let mut ids = Vec::new();
        let names: Vec<_> = (0..people).map(|number| format!("p{number}")).collect();
        for name in &names {
            let user = json!({"appId": key, "appUserId": name, "firstName": name, "lastName": "x", "token": format!("token of {name}")});
            ids.push(post(&world, "/user", &user).await["id"].to_string());
        }
        let room = json!({"room": "tea", "appId": key, "users": names});
        let id = post(&world, "/room", &room).await["id"].to_string();
        Arc::new(Self {
            world,
            id,
            people: ids,
        })
    }

    /// A socket of a person, which hears the room.
    async fn socket(&self, person: usize, auth: Value) -> (Ws, Value) {
        let server = self.world.base().replacen("http", "ws", 1);
        let url = format!(
            "{server}/socket.io/?EIO=4&transport=websocket&recovery=1&token=token%20of%20p{person}"
        );
        let (stream, _) = soon(tokio_tungstenite::connect_async(url))
            .await
            .expect("it listens");
        let mut ws = Ws(stream);
        assert!(ws.text().await.starts_with("0{"));
        ws.send(&format!("40{auth}")).await;
        let mut missed = Vec::new();
        let connected = loop {
            let text = ws.text().await;
            if text.starts_with("40") {
                break json_after(&text, "40");
            }
            missed.push(text);
        };
        if auth.get("pid").is_none() {
            let list = json!(["list-chats", {"user": {"id": self.people[person]}}]);
            ws.send(&format!("42999{list}")).await;
            ws.text_after("43999").await;
        }
        (ws, json!({"connected": connected, "missed": missed}))
    }

    fn message(&self, person: usize, number: usize, padding: &str) -> String {
        let argument = json!({"chat": {"id": self.id}, "user": {"id": self.people[person]},
            "message": {"value": format!("{person}/{number}{padding}"), "type": "text"}});
        format!("42{number}{}", json!(["new-message", argument]))
    }

    /// Sends so many messages of a person, a window of them under way all the time.
    async fn send(
        &self,
        person: usize,
        (count, window): (usize, usize),
        padding: &str,
        begun: &tokio::sync::Barrier,
    ) {
        let (mut ws, _) = self.socket(person, json!({})).await;
        // A client that has not joined yet would miss the first messages of the others.
        begun.wait().await;
        let mut sent = 0;
        let mut heard = Heard::default();
        let mut answered = 0;
        while answered < count || heard.0.len() < count * SENDERS {
            while sent < count && sent < answered + window {
                ws.send(&self.message(person, sent, padding)).await;
                sent += 1;
            }
            let text = ws.text().await;
            if text.starts_with("43") {
                answered += 1;
            }
            heard.take(&text);
        }
    }
}

/// The messages that one client was told, by their ids: each once, in order.
#[derive(Default)]
struct Heard(Vec<i64>);

impl Heard {
    /// Takes a packet; the offset that it ends with.
    fn take(&mut self, packet: &str) -> Option<String> {
        if !packet.starts_with("42[") {
            return None;
        }
        let event = json_after(packet, "42");
        let offset = event.as_array()?.last()?.as_str().map(str::to_owned);
        if event[0] == "new-message" {
            let id = event[1]["id"].as_str().and_then(|id| id.parse().ok());
            let id: i64 = id.expect("an id");
            assert!(
                self.0.last().is_none_or(|last| *last < id),
                "{id} after {:?}",
                self.0.last()
            );
            self.0.push(id);
        }
        offset
    }

    async fn until(mut self, ws: &mut Ws, count: usize) -> Vec<i64> {
        while self.0.len() < count {
            self.take(&ws.text().await);
        }
        self.0
    }
}

/// Comes back again and again, with what it has been told, until it has heard everything.
async fn come_and_go(room: Arc<Room>, person: usize, begun: Arc<tokio::sync::Barrier>) -> Vec<i64> {
    let (mut ws, told) = room.socket(person, json!({})).await;
    begun.wait().await;
    let private = told["connected"]["pid"].clone();
    let mut heard = Heard::default();
    let mut offset = None;
    let mut round = 0;
    loop {
        round += 1;
        // More each time, so that some are back while a batch is published and others far behind.
        let until = heard.0.len() + round * 7 % 40 + 1;
        while heard.0.len() < until.min(EACH * SENDERS) {
            offset = heard.take(&ws.text().await).or(offset);
        }
        if heard.0.len() >= EACH * SENDERS {
            return heard.0;
        }
        drop(ws);
        // The server may not have noticed yet: then the new connection takes the old one's place.
        let back = json!({"pid": private, "offset": offset});
        let (again, told) = room.socket(person, back).await;
        ws = again;
        assert_eq!(
            told["connected"]["pid"], private,
            "it is taken back: {told}"
        );
        for packet in told["missed"].as_array().expect("a list") {
            let packet = packet.as_str().expect("a packet");
            offset = heard.take(packet).or(offset);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sockets_in_step_behind_and_back_are_told_everything_once_in_order() {
    let room = Room::new(10).await;
    let total = EACH * SENDERS;
    let (steady, changing) = (150, 4);
    let begun = Arc::new(tokio::sync::Barrier::new(steady + changing + SENDERS));
    let mut hearing = JoinSet::new();
    for number in 0..steady {
        let (room, begun) = (Arc::clone(&room), Arc::clone(&begun));
        hearing.spawn(async move {
            // Many of one person's, and some of each other's.
            let person = if number < 140 { 4 } else { number % 10 };
            let (mut ws, _) = room.socket(person, json!({})).await;
            begun.wait().await;
            Heard::default().until(&mut ws, total).await
        });
    }
    for number in 0..changing {
        hearing.spawn(come_and_go(
            Arc::clone(&room),
            5 + number,
            Arc::clone(&begun),
        ));
    }
    let mut sending = JoinSet::new();
    for person in 0..SENDERS {
        let (room, begun) = (Arc::clone(&room), Arc::clone(&begun));
        sending.spawn(async move { room.send(person, (EACH, WINDOW), "", &begun).await });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("everything is answered and heard");
    }
    let mut all = Vec::new();
    while let Some(heard) = hearing.join_next().await {
        all.push(heard.expect("everything is heard"));
    }
    assert_eq!(all[0].len(), total);
    assert!(
        all.iter().all(|heard| *heard == all[0]),
        "everybody hears the same"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_does_not_read_goes_on_where_they_were_and_is_in_step_again() {
    let room = Room::new(4).await;
    let (mut slow, _) = room.socket(3, json!({})).await;
    let (mut fast, _) = room.socket(3, json!({})).await;
    // More than an outbox and the system's buffers hold.
    let padding = "x".repeat(15_000);
    let reading = tokio::spawn(async move {
        let heard = Heard::default().until(&mut fast, EACH * SENDERS).await;
        (fast, heard)
    });
    let mut sending = JoinSet::new();
    let begun = Arc::new(tokio::sync::Barrier::new(SENDERS));
    for person in 0..SENDERS {
        let (room, padding, begun) = (Arc::clone(&room), padding.clone(), Arc::clone(&begun));
        sending.spawn(async move {
            room.send(person, (EACH, LONG_WINDOW), &padding, &begun)
                .await;
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("everything is answered");
    }
    let (mut fast, heard) = reading.await.expect("it hears everything");
    let metrics = room.world.get("/metrics").await.with(200).body;
    let full = metrics
        .lines()
        .find(|line| line.starts_with("parlance_socket_outboxes_full_total"));
    assert!(
        full.is_some_and(|line| !line.ends_with(" 0")),
        "nobody's outbox was full: {full:?}"
    );
    // The slow one reads only now.
    assert_eq!(
        Heard::default().until(&mut slow, EACH * SENDERS).await,
        heard
    );
    // Both are in step again.
    let (mut sender, _) = room.socket(0, json!({})).await;
    let text = room.message(0, 0, "");
    sender.send(&text).await;
    for ws in [&mut slow, &mut fast] {
        assert_eq!(Heard::default().until(ws, 1).await.len(), 1);
    }
}
