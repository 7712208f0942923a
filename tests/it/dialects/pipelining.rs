//! Messages of one connection under way at the same time, in every dialect, by every transport: their answers, what is
//! pushed, keys, refusals, disconnects and stops.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    support::actor::text,
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::socketio_world::POLLING,
    support::support_world::{Guest, Owner},
    support::tenants::post,
    support::world::World,
};

/// How many messages are sent at once: more than are pipelined.
const MANY: usize = 150;

/// Ann and Bo in a room of an app, and a guest at its site's desk.
struct House {
    world: World,
    owner: Owner,
    room: String,
    ann: String,
    guest: Guest,
}

impl House {
    async fn new() -> Self {
        let world = World::new().await;
        let owner = world.owner("localhost").await;
        let key = &owner.application_id;
        let mut ann = String::new();
        for (name, token) in [("bo", "token of bo"), ("ann", "token of ann")] {
            let user = json!({"appId": key, "appUserId": name, "firstName": name, "lastName": "x", "token": token});
            let told = post(&world, "/user", &user).await;
            ann = told["id"].to_string();
        }
        let room = json!({"room": "tea", "appId": key, "users": ["ann", "bo"]});
        let room = post(&world, "/room", &room).await["id"].to_string();
        let guest = world.guest("localhost").await;
        Self {
            world,
            owner,
            room,
            ann,
            guest,
        }
    }

    /// A message of Ann's in the embed dialect.
    fn embed(&self, text: &str) -> Value {
        json!({"chat": {"id": self.room}, "user": {"id": self.ann}, "message": {"value": text, "type": "text"}})
    }

    /// A message in a dialect.
    fn message(&self, dialect: &str, text: &str) -> (&'static str, Value) {
        match dialect {
            "embed" => ("new-message", self.embed(text)),
            "service" => ("send_message", json!(text)),
            _ => {
                let argument =
                    json!({"chatId": self.guest.chat, "token": self.guest.token, "message": text});
                ("newMessage", argument)
            }
        }
    }

    /// A WebSocket of Ann's, ready to send in a dialect.
    async fn ann(&self, eio: u8, dialect: &str) -> Ws {
        let mut ws = self.open(eio, "token%20of%20ann").await;
        if dialect == "service" {
            ws.send(r#"429000["join","tea"]"#).await;
            ws.text_after("439000").await;
        }
        ws
    }

    async fn open(&self, eio: u8, token: &str) -> Ws {
        let server = self.world.base().replacen("http", "ws", 1);
        let url = format!("{server}/socket.io/?EIO={eio}&transport=websocket&token={token}");
        let (stream, _) = soon(tokio_tungstenite::connect_async(url))
            .await
            .expect("it listens");
        let mut ws = Ws(stream);
        assert!(ws.text().await.starts_with("0{"));
        if eio == 4 {
            ws.send("40").await;
        }
        ws.text_after("40").await;
        ws
    }

    async fn count(&self, what: &str) -> i64 {
        let mut beside = self.world.place.beside().await;
        beside.number(&format!("select count(*) from {what}")).await
    }
}

/// Packets of events, numbered so that each is acknowledged.
fn packets(events: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<String> {
    let events = events.into_iter().enumerate();
    let packets = events.map(|(id, (name, argument))| format!("42{id}{}", json!([name, argument])));
    packets.collect()
}

/// Sends everything without waiting for anything.
async fn send_all(ws: &mut Ws, packets: &[String]) {
    use futures_util::SinkExt;
    for packet in packets {
        ws.0.feed(Message::text(packet.as_str()))
            .await
            .expect("it is open");
    }
    ws.0.flush().await.expect("it is open");
}

/// What one connection was told: acknowledgements with their numbers, and events.
#[derive(Default)]
struct Heard {
    acks: Vec<Value>,
    /// The ids of messages, each with how many acknowledgements came before it.
    pushes: Vec<(i64, usize)>,
}

impl Heard {
    fn take(&mut self, packet: &str) {
        if let Some(ack) = packet.strip_prefix("43") {
            let (id, body) = ack.split_at(ack.find('[').expect("a list"));
            assert_eq!(
                id,
                self.acks.len().to_string(),
                "acknowledgements are in order"
            );
            self.acks
                .push(serde_json::from_str::<Value>(body).expect("JSON")[0].take());
        } else if packet.starts_with("42") {
            let event = json_after(packet, "42");
            // Live support's answers are events of the same name.
            let id = id_of(&event[1]).filter(|_| event[1].get("statusCode").is_none());
            if matches!(
                event[0].as_str(),
                Some("new-message" | "message" | "newMessage")
            ) && let Some(id) = id
            {
                self.pushes.push((id, self.acks.len()));
            }
        }
    }

    async fn until(ws: &mut Ws, acks: usize, pushes: usize) -> Self {
        let mut heard = Self::default();
        while heard.acks.len() < acks || heard.pushes.len() < pushes {
            heard.take(&ws.text().await);
        }
        heard
    }

    /// Every message once, in order.
    fn ids(&self) -> Vec<i64> {
        let ids: Vec<_> = self.pushes.iter().map(|(id, _)| *id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "once and in order: {ids:?}");
        ids
    }
}

/// The id of a message, as any dialect tells it.
fn id_of(body: &Value) -> Option<i64> {
    let in_data = body.get("data").unwrap_or(body);
    let number = |text: &str| match text.len() {
        24 => i64::from_str_radix(text, 16).ok(),
        _ => text.parse().ok(),
    };
    match in_data.get("_id").or_else(|| body.get("id"))? {
        Value::String(text) => number(text),
        id => id.as_i64(),
    }
}

/// Acknowledgements came in order, each before the push that its message caused.
fn assert_answered_first(heard: &Heard) {
    let acked: Vec<_> = heard
        .acks
        .iter()
        .map(|ack| id_of(ack).expect("an id"))
        .collect();
    assert!(acked.is_sorted_by(|a, b| a < b), "{acked:?}");
    for (id, before) in &heard.pushes {
        // Others' messages come whenever they come.
        if let Some(place) = acked.iter().position(|acked| acked == id) {
            assert!(place < *before, "{id} is pushed before it is acknowledged");
        }
    }
}

#[rocket::async_test]
async fn answers_keep_their_order_and_come_before_what_they_caused() {
    let house = House::new().await;
    for dialect in ["embed", "service", "support"] {
        let hears_own = dialect != "support";
        for eio in [3, 4] {
            let mut bo = house.open(4, "token%20of%20bo").await;
            bo.send(r#"429001["join","tea"]"#).await;
            bo.text_after("439001").await;
            let mut desk = house.open(3, &house.owner.token).await;
            let mut ws = house.ann(eio, dialect).await;
            let events = (0..MANY).map(|n| house.message(dialect, &format!("{n}")));
            send_all(&mut ws, &packets(events)).await;
            let own = if hears_own { MANY } else { 0 };
            let heard = Heard::until(&mut ws, MANY, own).await;
            assert_answered_first(&heard);
            let sent: Vec<_> = heard.acks.iter().filter_map(id_of).collect();
            if hears_own {
                assert_eq!(heard.ids(), sent, "{dialect}, {eio}");
            }
            let other = if hears_own { &mut bo } else { &mut desk };
            let heard = Heard::until(other, 0, MANY).await;
            assert_eq!(heard.ids(), sent, "{dialect}, {eio}");
        }
    }
    house.world.place.beside().await.head_without_gaps().await;
    house.world.stop().await;
}

#[rocket::async_test]
async fn the_same_by_polling() {
    let house = House::new().await;
    for dialect in ["embed", "service", "support"] {
        let path = format!("{POLLING}&token=token%20of%20ann");
        let told = house.world.get_with(&path, &[]).await.with(200);
        let sid = text(&json_after(&told.body, "0"), "sid");
        let path = format!("{POLLING}&sid={sid}");
        house.world.posted(&path, &[], "40", "40{").await;
        if dialect == "service" {
            let join = r#"429000["join","tea"]"#;
            house.world.posted(&path, &[], join, "439000").await;
        }
        let events = (0..MANY).map(|n| house.message(dialect, &format!("{n}")));
        let body = packets(events).join("\x1e");
        let told = house
            .world
            .ask_with(reqwest::Method::POST, &path, &body, &[]);
        let (told, heard) = tokio::join!(told, async {
            let own = if dialect == "support" { 0 } else { MANY };
            let mut heard = Heard::default();
            while heard.acks.len() < MANY || heard.pushes.len() < own {
                let told = soon(house.world.get_with(&path, &[])).await.with(200);
                told.body
                    .split('\x1e')
                    .for_each(|packet| heard.take(packet));
            }
            heard
        });
        assert_eq!(told.with(200).body, "ok");
        assert_answered_first(&heard);
        heard.ids();
    }
    house.world.stop().await;
}

#[rocket::async_test]
async fn whoever_never_stops_sending_hears_meanwhile() {
    let house = House::new().await;
    let mut ws = house.ann(4, "embed").await;
    let all = packets((0..1000).map(|n| house.message("embed", &format!("{n}"))));
    let (first, rest) = all.split_at(64);
    send_all(&mut ws, first).await;
    let mut rest = rest.iter();
    let mut heard = Heard::default();
    // As many are under way all the time: each answer makes room for the next one.
    while heard.acks.len() < all.len() {
        let before = heard.acks.len();
        heard.take(&ws.text().await);
        if heard.acks.len() > before
            && let Some(packet) = rest.next()
        {
            ws.send(packet).await;
        }
    }
    assert!(
        !heard.pushes.is_empty(),
        "it hears nothing before its last answer"
    );
    while heard.pushes.len() < all.len() {
        heard.take(&ws.text().await);
    }
    assert_answered_first(&heard);
    heard.ids();
    house.world.stop().await;
}

#[rocket::async_test]
async fn equal_keys_under_way_at_once_are_one_message() {
    let house = House::new().await;
    let before = house.count("messages").await;
    let keyed = |dialect: &str, key: &str, text: &str| {
        let (event, argument) = house.message(dialect, text);
        let mut argument = match argument {
            Value::String(text) => json!({"message": text}),
            argument => argument,
        };
        argument["client_id"] = key.into();
        (event, argument)
    };
    for (number, dialect) in ["embed", "service", "support"].into_iter().enumerate() {
        let mut ws = house.ann(4, dialect).await;
        let key = format!("k{number}");
        let mut events = vec![keyed(dialect, &key, "one"); 40];
        // Another text under the same key is refused in its place.
        events[20] = keyed(dialect, &key, "two");
        send_all(&mut ws, &packets(events)).await;
        let heard = Heard::until(&mut ws, 40, 0).await;
        let first = id_of(&heard.acks[0]);
        for (place, ack) in heard.acks.iter().enumerate() {
            if place == 20 {
                assert!(
                    ack.to_string().contains("another message"),
                    "{dialect}: {ack}"
                );
            } else {
                assert_eq!(id_of(ack), first, "{dialect}, {place}: {ack}");
            }
        }
        let added = i64::try_from(number + 1).expect("a small number");
        assert_eq!(house.count("messages").await, before + added, "{dialect}");
    }
    house.world.stop().await;
}

#[rocket::async_test]
async fn refusals_and_other_events_keep_their_place_among_messages() {
    let house = House::new().await;
    let mut ws = house.ann(4, "embed").await;
    let elsewhere =
        json!({"chat": {"id": "999999"}, "user": {"id": house.ann}, "message": {"value": "x"}});
    let list = (
        "list-messages",
        json!({"chat": {"id": house.room}, "query": {}}),
    );
    let events = [
        ("new-message", house.embed("one")),
        ("new-message", house.embed("")),
        ("new-message", elsewhere),
        ("new-message", house.embed("two")),
        list.clone(),
        ("new-message", house.embed("three")),
        ("no-such-event", json!({})),
        list,
    ];
    send_all(&mut ws, &packets(events)).await;
    let heard = Heard::until(&mut ws, 8, 3).await;
    let statuses: Vec<_> = heard.acks.iter().map(|ack| text(ack, "status")).collect();
    let expected = ["ok", "error", "error", "ok", "ok", "ok", "error", "ok"];
    assert_eq!(statuses, expected);
    let listed = |ack: &Value| ack["messages"].as_array().expect("a list").len();
    assert_eq!((listed(&heard.acks[4]), listed(&heard.acks[7])), (2, 3));
    // A room is left only after what was sent there before, and nothing is sent after it.
    let mut ws = house.ann(4, "service").await;
    let events = [
        ("send_message", json!("four")),
        ("leave", Value::Null),
        ("send_message", json!("five")),
        ("join", json!("tea")),
        ("send_message", json!("six")),
    ];
    send_all(&mut ws, &packets(events)).await;
    let heard = Heard::until(&mut ws, 5, 0).await;
    let said: Vec<_> = heard.acks.iter().map(|ack| id_of(ack).is_some()).collect();
    assert_eq!(said, [true, false, false, true, true], "{:?}", heard.acks);
    house.world.stop().await;
}

#[rocket::async_test]
async fn nothing_acknowledged_is_lost_by_a_disconnect_or_a_stop() {
    let mut house = House::new().await;
    let before = house.count("messages").await;
    let events = |house: &House| {
        let events = (0..MANY).map(|n| {
            let mut argument = house.embed(&format!("{n}"));
            argument["client_id"] = format!("key {n}").replace(' ', "-").into();
            ("new-message", argument)
        });
        packets(events.collect::<Vec<_>>())
    };
    let mut acked = Vec::new();
    for stops in [false, true] {
        let mut ws = house.ann(4, "embed").await;
        send_all(&mut ws, &events(&house)).await;
        let heard = Heard::until(&mut ws, MANY / 3, 0).await;
        acked.extend(heard.acks.iter().filter_map(id_of));
        drop(ws);
        if stops {
            house.world = house.world.restart().await;
        }
    }
    // Said once more under the same keys, each is there once, and those acknowledged are the same.
    let mut ws = house.ann(4, "embed").await;
    send_all(&mut ws, &events(&house)).await;
    let heard = Heard::until(&mut ws, MANY, 0).await;
    let last: Vec<_> = heard.acks.iter().filter_map(id_of).collect();
    assert!(
        acked.iter().all(|id| last.contains(id)),
        "{acked:?} in {last:?}"
    );
    let many = i64::try_from(MANY).expect("a small number");
    assert_eq!(house.count("messages").await, before + many);
    house.world.place.beside().await.head_without_gaps().await;
    house.world.stop().await;
}

#[rocket::async_test]
async fn whoever_floods_beside_others_puts_nobody_off() {
    let house = House::new().await;
    let mut flood = house.ann(4, "embed").await;
    let mut slow = house.open(4, "token%20of%20bo").await;
    slow.send(r#"429000["join","tea"]"#).await;
    slow.text_after("439000").await;
    let all = packets((0..2000).map(|n| house.message("embed", &format!("{n}"))));
    let flooded = async {
        send_all(&mut flood, &all).await;
        Heard::until(&mut flood, all.len(), 0).await
    };
    let spoken = async {
        for n in 0..10 {
            slow.send(&format!(r#"42{n}["send_message","slow {n}"]"#))
                .await;
            slow.text_after(&format!("43{n}[")).await;
        }
    };
    let (heard, ()) = tokio::join!(flooded, spoken);
    assert_answered_first(&heard);
    house.world.stop().await;
}
