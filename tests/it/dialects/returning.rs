//! A crowd whose connections broke comes back to what it missed without a statement for each, and new people are made
//! without one that reads.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    support::actor::Told,
    support::place::Beside,
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::tenants::{post, send},
    support::world::World,
};

const CROWD: usize = 60;
const MISSED: usize = 3;
/// Statements that run without a pause, and a few more: see how lookups are gathered.
const FEW_READS: u64 = 30;

/// One of the crowd.
struct Member {
    ws: Ws,
    user: String,
    sid: Value,
    back: Value,
}

impl Member {
    /// Connects with the app's key, and makes a user.
    async fn connect(world: &World, key: &str, number: usize) -> Self {
        let mut ws = world
            .websocket(&format!("&recovery=1&key={key}"), &[])
            .await;
        ws.send("40").await;
        let reply = json_after(&ws.text_after("40").await, "40");
        let user = json!({"user": {"external_id": number.to_string(), "name": "x", "photo": ""}});
        ws.send(&format!("42{}", json!(["create-user", user])))
            .await;
        let told = json_after(&ws.text_after("42[\"create-user\"").await, "42");
        Self {
            ws,
            user: told[1]["user"]["id"].as_str().expect("an id").to_owned(),
            sid: reply["sid"].clone(),
            back: json!({"pid": reply["pid"]}),
        }
    }

    /// Hears a message, and goes on from there.
    async fn hear(&mut self) {
        let told = json_after(&self.ws.text_after("42[\"new-message\"").await, "42");
        self.back["offset"] = told[2].clone();
    }
}

/// Who comes back: the socket's id, and the messages that it is told at once.
async fn recover(world: &World, key: &str, back: &Value) -> (Ws, Value, Vec<String>) {
    let query = format!("&recovery=1&key={key}");
    let mut ws = world.websocket(&query, &[]).await;
    ws.send(&format!("40{back}")).await;
    let sid = json_after(&ws.text_after("40").await, "40")["sid"].clone();
    // The answer comes after what is sent with the reply, and needs no statement.
    ws.send("421[\"no such event\"]").await;
    let mut heard = Vec::new();
    loop {
        let text = ws.text().await;
        if text.starts_with("431") {
            return (ws, sid, heard);
        }
        if text.starts_with("42[\"new-message\"") {
            let told = json_after(&text, "42");
            heard.push(told[1]["msg"].as_str().expect("a text").to_owned());
        }
    }
}

/// What socket.io-client does with what it is sent: it holds back the events that come before the answer to its `CONNECT`,
/// also while it connects again, and notes the offset of an event when its application is told of it.
#[derive(Default)]
struct Client {
    is_connected: bool,
    held: Vec<Value>,
    told: Vec<String>,
    back: Value,
}

impl Client {
    fn take(&mut self, packet: &str) {
        if packet.starts_with("40") {
            self.is_connected = true;
            for event in std::mem::take(&mut self.held) {
                self.tell(&event);
            }
        } else if packet.starts_with("42[") {
            let event = json_after(packet, "42");
            if self.is_connected {
                self.tell(&event);
            } else {
                self.held.push(event);
            }
        }
    }

    fn tell(&mut self, event: &Value) {
        let (name, message) = (event[0].as_str(), event[1]["msg"].as_str());
        let (name, message) = (name.expect("a name"), message.expect("a text"));
        self.told.push(format!("{name}: {message}"));
        self.back["offset"] = event[2].clone();
    }
}

async fn say(world: &World, key: &str, chat: &Value, user: &str, text: &str) {
    let message = json!({"chat": {"id": chat}, "user": {"id": user}, "message": {"value": text, "type": "text"}});
    let path = format!("/api/events/new-message?key={key}");
    send(world, "POST", &path, &[], &message).await.with(200);
}

async fn all_lost(beside: &mut Beside) {
    let lost = "select count(*) from connections where left_at is not null";
    let crowd = i64::try_from(CROWD).expect("it is small");
    soon(async {
        while beside.number(lost).await != crowd {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_comes_back_to_what_it_missed_from_memory_and_rights_are_looked_at() {
    let world = World::new().await;
    let key = &world.owner("localhost").await.application_id;
    let connecting = (0..CROWD).map(|number| Member::connect(&world, key, number));
    let mut crowd: Vec<_> = join_all(connecting).await;
    let users: Vec<_> = crowd.iter().map(|member| member.user.clone()).collect();
    let made = post(
        &world,
        &format!("/api/events/create-chat?key={key}"),
        &json!({"chat": {"name": "tea"}, "users": users}),
    )
    .await;
    let chat = &made["data"]["chat"]["id"];
    say(&world, key, chat, &users[0], "first").await;
    join_all(crowd.iter_mut().map(Member::hear)).await;
    let lost: Vec<_> = crowd
        .into_iter()
        .map(|member| (member.sid, member.back))
        .collect();
    let mut beside = world.place.beside().await;
    all_lost(&mut beside).await;

    // Meanwhile one of them is removed from the chat, and another one is no more.
    let (removed, deleted) = (CROWD - 1, CROWD - 2);
    let body = json!({"chat": {"id": chat}, "user": {"id": users[0]}, "users": [users[removed]]});
    let path = format!("/api/events/remove-users?key={key}");
    send(&world, "POST", &path, &[], &body).await.with(200);
    let path = format!("/user/{}", users[deleted]);
    let headers = [("appId", key.clone())];
    let gone: Told = send(&world, "DELETE", &path, &headers, &Value::Null).await;
    gone.with(200);
    let said: Vec<_> = (0..MISSED)
        .map(|number| format!("missed {number}"))
        .collect();
    for text in &said {
        say(&world, key, chat, &users[0], text).await;
    }

    let before = world.store().reads();
    let coming = lost.iter().map(|(_, back)| recover(&world, key, back));
    let back: Vec<_> = join_all(coming).await;
    let reads = world.store().reads() - before;
    assert!(reads <= FEW_READS, "{reads} statements for {CROWD} sockets");
    for (number, ((_, sid, heard), (old, _))) in back.iter().zip(&lost).enumerate() {
        assert_eq!(sid == old, number != deleted, "{number}");
        let is_told = number != removed && number != deleted;
        let expected = if is_told { &said[..] } else { &[] };
        assert_eq!(heard, expected, "{number}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_connection_breaks_its_client_is_told_everything_once() {
    let world = World::new().await;
    let key = &world.owner("localhost").await.application_id;
    let ann = Member::connect(&world, key, 1).await;
    let mut bo = Member::connect(&world, key, 2).await;
    let body = json!({"chat": {"name": "tea"}, "users": [ann.user, bo.user]});
    let path = format!("/api/events/create-chat?key={key}");
    let made = post(&world, &path, &body).await;
    let chat = &made["data"]["chat"]["id"];
    say(&world, key, chat, &ann.user, "heard").await;
    bo.hear().await;
    drop(bo.ws);
    let mut expected = Vec::new();
    for number in 0..8 {
        let text = format!("missed {number}");
        say(&world, key, chat, &ann.user, &text).await;
        expected.push(format!("new-message: {text}"));
        // A change is told by two events.
        let twin = format!(
            "/chat/{}/new-message: {text}",
            chat.as_str().expect("an id")
        );
        expected.push(twin);
    }
    let mut client = Client {
        back: bo.back,
        ..Client::default()
    };
    // It breaks again and again, after so many packets.
    for packets in [1, 2, 1, 3, 2, 4].into_iter().cycle().take(40) {
        let query = format!("&recovery=1&twin=1&key={key}");
        let mut ws = world.websocket(&query, &[]).await;
        ws.send(&format!("40{}", client.back)).await;
        client.is_connected = false;
        for _ in 0..packets {
            if client.told.len() < expected.len() {
                client.take(&ws.text().await);
            }
        }
    }
    assert_eq!(client.told, expected);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_users_are_made_without_reading_and_hear_the_chats_they_are_added_to() {
    let world = World::new().await;
    let key = &world.owner("localhost").await.application_id;
    let mut ws = world.websocket(&format!("&key={key}"), &[]).await;
    ws.send("40").await;
    ws.text_after("40").await;
    let create = |number: usize, name: &str| {
        let user = json!({"external_id": number.to_string(), "name": name, "photo": "p"});
        format!("42{}", json!(["create-user", {"user": user}]))
    };
    let mut users = Vec::new();
    // Housekeeping may read meanwhile, on a slow machine more often: not in all of these.
    let mut fewest = u64::MAX;
    for round in 0..4 {
        let before = world.store().reads();
        for number in round * 5..round * 5 + 5 {
            ws.send(&create(number, "x")).await;
            let told = json_after(&ws.text_after("42[\"create-user\"").await, "42");
            users.push(told[1]["user"]["id"].as_str().expect("an id").to_owned());
        }
        fewest = fewest.min(world.store().reads() - before);
    }
    assert_eq!(fewest, 0, "statements for five users, at least");
    ws.send(&create(7, "y")).await;
    let told = json_after(&ws.text_after("42[\"create-user\"").await, "42");
    assert_eq!(told[1]["user"]["id"], users[7], "they are known");
    assert_eq!(told[1]["user"]["name"], "y");

    let path = format!("/api/events/create-chat?key={key}");
    let body = json!({"chat": {"name": "tea"}, "users": users});
    let made = post(&world, &path, &body).await;
    say(&world, key, &made["data"]["chat"]["id"], &users[3], "hello").await;
    let told = json_after(&ws.text_after("42[\"new-message\"").await, "42");
    assert_eq!(told[1]["msg"], "hello");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_user_is_found_while_nothing_can_be_written() {
    let world = World::new().await;
    let key = &world.owner("localhost").await.application_id;
    let path = format!("/api/events/create-user?key={key}");
    let user = |number: usize, name: &str| json!({"user": {"external_id": number.to_string(), "name": name, "photo": "p"}});
    let known = send(&world, "POST", &path, &[], &user(1, "x")).await;
    let known = known.with(200).json();
    assert!(known["data"]["user"]["id"].is_string(), "{known}");
    let mut beside = world.place.beside().await;
    beside.run("begin").await;
    let lock = match &beside {
        Beside::Sqlite(_) => "update log set head = head",
        Beside::Postgres(_) => "lock table people in exclusive mode",
    };
    beside.run(lock).await;
    let found = send(&world, "POST", &path, &[], &user(1, "x")).await;
    assert_eq!(found.with(200).json()["data"], known["data"]);
    beside.run("rollback").await;
    let (url, other) = (format!("{}{path}", world.base()), user(2, "x"));
    crate::support::world::soon_holds(async || {
        Told::of(world.http.post(&url).json(&other)).await.status == 200
    })
    .await;
    world.stop().await;
}
