//! A dialect that the server has never seen: registered in one line, it receives from the four and they from it.

use serde_json::{Value, json};

use crate::{
    support::actor::{Told, text},
    support::socketio::json_after,
    support::socketio_client::Ws,
    support::stream::{Block, Events},
    support::support_world::{Guest, Owner},
    support::toy::WITH_TOY,
    support::world::World,
};

/// One chat in which everybody is, each in a dialect of their own.
struct Meeting {
    world: World,
    owner: Owner,
    guest: Guest,
    chat: i64,
    /// The owner's connection, a product's, a device's and the toy's.
    desk: Ws,
    product: Ws,
    device: Ws,
    toy: Ws,
    ann: String,
    cursor: String,
}

/// What each dialect calls a message that others have sent.
const HEARD: [&str; 4] = ["newMessage", "new-message", "message", "toy-heard"];

impl Meeting {
    async fn new() -> Self {
        let world = World::with_dialects(&WITH_TOY).await;
        let owner = world.owner("localhost").await;
        let guest = world.guest("localhost").await;
        let chat = i64::from_str_radix(&guest.chat, 16).expect("an id");
        let key = owner.application_id.clone();
        let mut product = connected(&world, &json!({"key": key})).await;
        let user = json!({"user": {"external_id": "ann", "name": "Ann", "photo": "Photo"}});
        let made = asked(&mut product, "create-user", &user).await;
        let ann = text(&made["user"], "id");
        for name in ["bo", "cy"] {
            let token = format!("token of {name}");
            let body = json!({"appId": key, "appUserId": name, "firstName": name, "token": token});
            put(&world, reqwest::Method::POST, "/user", &body).await;
        }
        let body =
            json!({"room": format!("chat-{chat}"), "appId": key, "users": ["ann", "bo", "cy"]});
        put(&world, reqwest::Method::PUT, "/room/add", &body).await;
        let desk = connected(&world, &json!({"token": owner.token})).await;
        let mut device = connected(&world, &json!({"token": "token of bo"})).await;
        device.send(&format!("42[\"join\",\"chat-{chat}\"]")).await;
        device.text_after("42[\"room_info\"").await;
        let mut toy = connected(&world, &json!({"token": "token of cy", "recovery": 1})).await;
        asked(&mut toy, "toy-hello", &json!({})).await;
        let cursor = world.cursor().to_string();
        Self {
            world,
            owner,
            guest,
            chat,
            desk,
            product,
            device,
            toy,
            ann,
            cursor,
        }
    }

    /// The one event that a long-poll in a dialect lists, and the cursor after it.
    async fn polled(&self, dialect: &str, token: &str) -> (Value, String) {
        let path = format!(
            "/api/events?dialect={dialect}&token={token}&after={}&types=message&timeout=25",
            self.cursor
        );
        let told = self.world.get(&path).await.with(200).json();
        let events = told["events"].as_array().expect("a list");
        assert_eq!(events.len(), 1, "{told}");
        (events[0].clone(), text(&told, "cursor"))
    }

    /// Everybody is told of it: on the four kinds of sockets and by the messenger's long-poll.
    async fn everybody_hears(&mut self, said: &str) {
        let (listed, _) = self.polled("messenger", &self.owner.token).await;
        assert_eq!(listed["message"]["content"], said);
        let (listed, cursor) = self.polled("toy", "token%20of%20cy").await;
        assert_eq!(listed["event"], "toy-heard");
        assert_eq!(listed["data"]["text"], said);
        self.cursor = cursor;
        let base64 = base64(said);
        let sockets = [
            &mut self.desk,
            &mut self.product,
            &mut self.device,
            &mut self.toy,
        ];
        for (socket, event) in sockets.into_iter().zip(HEARD) {
            let frame = socket.text_after(&format!("42[\"{event}\"")).await;
            let as_said = frame.contains(&format!("\"{said}\""));
            assert!(as_said || frame.contains(&base64), "{event}: {frame}");
        }
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}

/// A connection that brings credentials.
async fn connected(world: &World, auth: &Value) -> Ws {
    let mut ws = world.websocket("", &[]).await;
    ws.send(&format!("40{auth}")).await;
    ws.text_after("40{").await;
    ws
}

/// Says an event on a connection, and tells its acknowledgement.
async fn asked(ws: &mut Ws, event: &str, argument: &Value) -> Value {
    ws.send(&format!("421{}", json!([event, argument]))).await;
    let answer = ws.text_after("431").await;
    json_after(&answer, "431")[0].take()
}

async fn put(world: &World, method: reqwest::Method, path: &str, body: &Value) {
    let url = format!("{}{path}", world.base());
    Told::of(world.http.request(method, url).json(body))
        .await
        .with(200);
}

#[rocket::async_test]
async fn what_a_fifth_dialect_says_is_heard_in_the_four_and_what_they_say_in_it() {
    let mut meeting = Meeting::new().await;
    let chat = meeting.chat;

    let sent = asked(
        &mut meeting.toy,
        "toy-say",
        &json!({"chat": chat, "text": "from the toy"}),
    )
    .await;
    assert!(sent["sent"].is_i64(), "{sent}");
    meeting.everybody_hears("from the toy").await;

    meeting.guest.says(&meeting.world, "from the shop").await;
    meeting.everybody_hears("from the shop").await;

    let path = format!("/api/chats/{chat}");
    let cookies = format!(
        "user_id={}; token={}",
        meeting.owner.id, meeting.owner.token
    );
    let url = format!("{}{path}", meeting.world.base());
    let request = meeting.world.http.post(url).header("Cookie", cookies);
    Told::of(request.form(&[("content", "from curl")]))
        .await
        .ok(201);
    meeting.everybody_hears("from curl").await;

    let said = json!({
        "chat": {"id": chat.to_string()},
        "user": {"id": meeting.ann},
        "message": {"value": "from the product", "type": "text"},
    });
    meeting
        .product
        .send(&format!("42{}", json!(["new-message", said])))
        .await;
    meeting.everybody_hears("from the product").await;

    meeting
        .device
        .send("42[\"send_message\",\"from a device\"]")
        .await;
    meeting.everybody_hears("from a device").await;

    // And by plain HTTP, where nobody listens meanwhile.
    let path = "/api/events/toy-say?token=token%20of%20cy";
    put(
        &meeting.world,
        reqwest::Method::POST,
        path,
        &json!({"chat": chat, "text": "from a script"}),
    )
    .await;
    meeting.everybody_hears("from a script").await;
    meeting.world.stop().await;
}

/// The next event that is not about who is online: that depends on how long something takes.
async fn but_presence(stream: &mut Events) -> Block {
    loop {
        let event = stream.event().await;
        if event.event.as_deref() != Some("toy-presence") {
            return event;
        }
    }
}

#[rocket::async_test]
async fn a_fifth_dialect_hears_signals_and_streams() {
    let mut meeting = Meeting::new().await;
    let path = format!(
        "/api/events?dialect=toy&token=token%20of%20cy&after={}",
        meeting.cursor
    );
    let url = format!("{}{path}", meeting.world.base());
    let mut stream = Events::of(meeting.world.http.get(url), None).await;
    let typing =
        json!({"chatId": meeting.guest.chat, "token": meeting.guest.token, "typing": true});
    meeting.world.said("typing", typing).await;
    let frame = meeting.toy.text_after("42[\"toy-typing\"").await;
    assert!(frame.contains("\"typing\":true"), "{frame}");
    let event = but_presence(&mut stream).await;
    assert_eq!(event.event.as_deref(), Some("toy-typing"));
    meeting.guest.says(&meeting.world, "hello").await;
    let event = but_presence(&mut stream).await;
    assert_eq!(event.event.as_deref(), Some("toy-heard"));
    assert_eq!(event.json()["text"], "hello");
    meeting.world.stop().await;
}

#[rocket::async_test]
async fn a_fifth_dialect_hears_who_comes_online() {
    let mut meeting = Meeting::new().await;
    let (world, key) = (&meeting.world, &meeting.owner.application_id);
    let body =
        json!({"appId": key, "appUserId": "dee", "firstName": "dee", "token": "token of dee"});
    let made = Told::of(
        world
            .http
            .post(format!("{}/user", world.base()))
            .json(&body),
    );
    let dee = made.await.with(200).json()["id"].clone();
    let room = format!("chat-{}", meeting.chat);
    let body = json!({"room": room, "appId": key, "users": ["dee"]});
    put(world, reqwest::Method::PUT, "/room/add", &body).await;
    let url = format!(
        "{}/api/events?dialect=toy&token=token%20of%20cy",
        world.base()
    );
    let mut stream = Events::of(world.http.get(url), None).await;
    stream.next().await.expect("a beginning");
    let _dee = connected(world, &json!({"token": "token of dee"})).await;
    let told = json!({"from": dee, "online": true});
    loop {
        let event = stream.event().await;
        if event.json() == told {
            assert_eq!(event.event.as_deref(), Some("toy-presence"));
            break;
        }
    }
    loop {
        let frame = meeting.toy.text_after("42[\"toy-presence\"").await;
        if frame.contains(&told.to_string()) {
            break;
        }
    }
    meeting.world.stop().await;
}

#[rocket::async_test]
async fn a_connection_in_a_fifth_dialect_is_taken_back() {
    let meeting = Meeting::new().await;
    let mut ws = meeting.world.websocket("", &[]).await;
    ws.send("40{\"token\":\"token of cy\",\"recovery\":1}")
        .await;
    let connected = json_after(&ws.text_after("40{").await, "40");
    asked(&mut ws, "toy-hello", &json!({})).await;
    drop(ws);
    meeting.guest.says(&meeting.world, "while away").await;
    let auth = json!({"token": "token of cy", "recovery": 1, "pid": connected["pid"]});
    let mut ws = meeting.world.websocket("", &[]).await;
    ws.send(&format!("40{auth}")).await;
    let back = json_after(&ws.text_after("40{").await, "40");
    assert_eq!(back["sid"], connected["sid"]);
    let missed = ws.text_after("42[\"toy-heard\"").await;
    assert!(missed.contains("while away"), "{missed}");
    meeting.world.stop().await;
}

#[rocket::async_test]
async fn a_name_that_is_no_dialect_is_refused() {
    let world = World::new().await;
    let told = world.get("/api/events?dialect=toy&timeout=0").await;
    told.refused(400, "bad_request");
    world.stop().await;
}
