//! Numbers are compared by value, and lone surrogates are accepted: in every
//! API and by every transport.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, text},
    support::socketio_client::Ws,
    support::world::World,
};

const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
"#;

/// Ways to write the same whole number.
const SPELLINGS: [&str; 5] = ["{}", "{}.0", "{}e0", "{}.000", "\"{}\""];

fn spelled(number: i64) -> impl Iterator<Item = String> {
    SPELLINGS
        .iter()
        .map(move |spelling| spelling.replace("{}", &number.to_string()))
}

impl World {
    /// Sends JSON text unchanged.
    async fn json(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let method = method.parse().expect("a method");
        let url = format!("{}{path}", self.base());
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_owned());
        }
        Told::of(request).await
    }

    /// An app's secret.
    async fn app(&self) -> String {
        let account = r#"{"email":"admin@example.com","password":"correct horse"}"#;
        let told = self.json("POST", "/auth/login", &[], account).await;
        let token = text(&told.with(200).json(), "token");
        let headers = [("Authorization", token.as_str())];
        let told = self
            .json("POST", "/app", &headers, r#"{"name":"shop"}"#)
            .await;
        text(&told.with(201).json(), "applicationId")
    }
}

impl Actor {
    async fn json(&self, path: &str, body: &str) -> Told {
        let request = self
            .request(reqwest::Method::POST, path)
            .header("Content-Type", "application/json");
        Told::of(request.body(body.to_owned())).await
    }
}

#[rocket::async_test]
async fn a_user_is_one_however_their_id_is_spelled() {
    let world = World::with(SETTINGS).await;
    let app = world.app().await;
    let user = async |id: &str| {
        let body = format!(r#"{{"appId":"{app}","appUserId":{id},"firstName":"Ann"}}"#);
        world.json("POST", "/user", &[], &body).await
    };
    let first = user("5").await.with(200).json();
    assert_eq!(first["appUserId"], 5);
    for id in ["5.0", "5e0", "0.5e1", "\"5\"", "\"5.0\"", "50e-1"] {
        let told = user(id).await.with(200).json();
        assert_eq!(
            (&told["id"], &told["appUserId"]),
            (&first["id"], &json!(5)),
            "{id}"
        );
    }
    for id in [
        "5.5",
        "1e300",
        "123456789012345678901234567890",
        "true",
        "[5]",
        "null",
    ] {
        let told = user(id).await.with(422).json();
        let sentence = &told["details"]["appUserId"]["message"];
        let expected = "appUserId must be the id of a user in your system: text or a whole number";
        assert_eq!(sentence, expected, "{id}");
    }
    // Other text stays text.
    for id in ["\"5e0\"", "\"005\"", "\"5.5\"", "\"u-5\""] {
        let told = user(id).await.with(200).json();
        assert_ne!(told["id"], first["id"], "{id}");
    }
    let room = format!(r#"{{"appId":"{app}","room":"den","users":[5.0,"5",5e0]}}"#);
    let room = world.json("POST", "/room", &[], &room).await.with(200);
    assert_eq!(room.json()["users"].as_array().map(Vec::len), Some(1));
    let more = format!(r#"{{"appId":"{app}","room":"den","users":[5.5]}}"#);
    for path in ["/room/add", "/room/remove"] {
        world.json("PUT", path, &[], &more).await.with(422);
        let known = more.replace("5.5", "5.0");
        world.json("PUT", path, &[], &known).await.with(200);
    }
    let key = [("appId", app.as_str())];
    let users = format!("/user/{app}");
    for (path, name) in [("/room", "after"), ("/room/den", "skip"), (&users, "after")] {
        for (spelling, status) in [
            ("0", 200),
            ("0.0", 200),
            ("0e0", 200),
            ("0.5", 422),
            ("x", 422),
        ] {
            let path = format!("{path}?{name}={spelling}");
            world.json("GET", &path, &key, "").await.with(status);
        }
    }
    let path = format!("/room/{}.0", room.json()["id"]);
    world.json("DELETE", &path, &key, "").await.with(200);
    let path = format!("/user/{}e0", first["id"]);
    world.json("DELETE", &path, &key, "").await.with(200);
    world.json("DELETE", "/user/5.5", &key, "").await.with(404);
}

#[rocket::async_test]
async fn the_service_counts_pages_and_messages_by_value() {
    let world = World::with(SETTINGS).await;
    let app = world.app().await;
    let user =
        format!(r#"{{"appId":"{app}","appUserId":1,"firstName":"Ann","token":"ann-ann-ann"}}"#);
    world.json("POST", "/user", &[], &user).await.with(200);
    let room = format!(r#"{{"appId":"{app}","room":"7","users":[1]}}"#);
    world.json("POST", "/room", &[], &room).await.with(200);
    let event = async |event: &str, body: &str| {
        let path = format!("/api/events/{event}?dialect=service&token=ann-ann-ann&room=7");
        world.json("POST", &path, &[], body).await
    };
    let told = event("send_message", "\"hi\"").await.with(200).json();
    let id = told["data"]["id"].as_i64().expect("a number");
    for page in spelled(1) {
        for limit in spelled(20) {
            let body = format!(r#"{{"page":{page},"limit":{limit}}}"#);
            let told = event("load_more", &body).await.with(200).json();
            assert_eq!(told["data"][0]["id"], id, "{body}");
        }
    }
    for before in spelled(id + 1) {
        let body = format!(r#"{{"before":{before}}}"#);
        let told = event("load_more", &body).await.with(200).json();
        assert_eq!(told["data"][0]["id"], id, "{body}");
    }
    for body in [
        r#"{"page":1.5}"#,
        r#"{"limit":"1.5"}"#,
        r#"{"page":-1.0}"#,
        r#"{"before":1.5}"#,
    ] {
        event("load_more", body).await.with(400);
    }
    for id in spelled(id) {
        let body = format!(r#"{{"id":{id},"message":"ho"}}"#);
        event("update", &body).await.with(200);
    }
    event("update", r#"{"id":1.5,"message":"ho"}"#)
        .await
        .with(400);
    event("delete", &format!("{id}.0")).await.with(200);
    for join in ["7", "7.0", "\"7\""] {
        event("join", join).await.with(200);
    }
}

#[rocket::async_test]
async fn embedded_chat_takes_ids_by_value() {
    let world = World::with("embed_open_anywhere = true\nembed_open = true").await;
    let event = async |event: &str, body: String| {
        let path = format!("/api/events/{event}?dialect=embed");
        world.json("POST", &path, &[], &body).await
    };
    let user = r#"{"user":{"external_id":7.0,"name":"Ann","photo":""}}"#.to_owned();
    let told = event("create-user", user).await.with(200).json();
    let ann = text(&told["data"]["user"], "id");
    let ann: i64 = ann.parse().expect("a number");
    for id in spelled(7) {
        if id == "7e0" {
            continue;
        }
        let user = format!(r#"{{"user":{{"external_id":{id},"name":"Ann","photo":""}}}}"#);
        let told = event("create-user", user).await.with(200).json();
        assert_eq!(told["data"]["user"]["id"], ann.to_string(), "{id}");
    }
    let chat = format!(r#"{{"chat":{{"name":"tea"}},"user":{{"id":{ann}.0}},"users":[{ann}.0]}}"#);
    let told = event("create-chat", chat).await.with(200).json();
    let chat: i64 = text(&told["data"]["chat"], "id").parse().expect("a number");
    let said = format!(
        r#"{{"chat":{{"id":{chat}.0}},"user":{{"id":{ann}e0}},"message":{{"value":"hi","type":"text"}}}}"#
    );
    event("new-message", said).await.with(200);
    for (chat, user) in spelled(chat).zip(spelled(ann)) {
        for limit in spelled(1) {
            let body = format!(
                r#"{{"chat":{{"id":{chat}}},"user":{{"id":{user}}},"query":{{"limit":{limit}}}}}"#
            );
            let told = event("list-messages", body.clone()).await.with(200).json();
            let messages = told["data"]["messages"].as_array().map(Vec::len);
            assert_eq!(messages, Some(1), "{body}");
        }
    }
    for (body, sentence) in [
        (
            r#"{"chat":{"id":1.5},"user":{"id":1}}"#,
            "chat.id must be text or a whole number",
        ),
        (
            r#"{"chat":{"id":1},"user":{"id":1.5}}"#,
            "user.id must be text or a whole number",
        ),
        (
            r#"{"chat":{"id":1},"user":{"id":1},"query":{"limit":1.5}}"#,
            "query.limit must be a number from 1",
        ),
    ] {
        let told = event("list-messages", body.to_owned()).await.with(400);
        assert!(told.body.contains(sentence), "{}", told.body);
    }
}

#[rocket::async_test]
async fn live_support_takes_numbers_by_value() {
    let world = World::new().await;
    let guest = world.guest_of_new_site().await;
    guest.says(&world, "hi").await;
    for (limit, skip) in spelled(1).zip(spelled(0)) {
        let body = format!(
            r#"{{"chatId":"{}","token":"{}","limit":{limit},"skip":{skip}}}"#,
            guest.chat, guest.token
        );
        let told = world
            .json("POST", "/api/events/getChatMessages", &[], &body)
            .await;
        let told = told.with(200).json();
        assert_eq!(
            told["data"]["data"].as_array().map(Vec::len),
            Some(1),
            "{body}"
        );
        let wrong = body.replace(&format!("\"limit\":{limit}"), "\"limit\":1.5");
        let told = world
            .json("POST", "/api/events/getChatMessages", &[], &wrong)
            .await;
        let told = told.with(400).json();
        let sentence = "limit must be a whole number, not negative";
        assert_eq!(told["data"]["data"], sentence, "{wrong}");
    }
}

#[rocket::async_test]
async fn the_messengers_ids_and_limits_are_numbers_by_value() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let first = ann.say(chat, "one").await;
    let second = ann.say(chat, "two").await;
    for spelling in ["", ".0", "e0", ".00", "0e-1"] {
        let at = |number: i64| format!("{number}{spelling}");
        let path = format!("/api/chats/{}?limit={}", at(chat), at(2));
        let told = ann.get(&path).await.with(200).json();
        assert_eq!(told["messages"].as_array().map(Vec::len), Some(2), "{path}");
        let path = format!("/api/chats/{chat}?before={}", at(second));
        let told = ann.get(&path).await.with(200).json();
        assert_eq!(told["messages"][0]["id"], first, "{path}");
        let path = format!("/api/chats/{chat}?after={}&timeout=0.0", at(first));
        let told = ann.get(&path).await.with(200).json();
        assert_eq!(told["messages"][0]["id"], second, "{path}");
        let path = format!("/api/chats/{}/messages/{}", at(chat), at(first));
        ann.get(&path).await.with(200);
        let path = format!("/api/events?dialect=messenger&timeout=-0.0&limit={}", at(1));
        ann.get(&path).await.with(200);
        let up_to = at(second);
        let path = format!("/api/chats/{chat}/read");
        ann.post(&path, &[("up_to", &up_to)]).await.ok(200);
        ann.json(&path, &format!("{{\"up_to\":{up_to}}}"))
            .await
            .ok(200);
        ann.json(&path, &format!("{{\"up_to\":\"{up_to}\"}}"))
            .await
            .ok(200);
    }
    for (path, status) in [
        (format!("/api/chats/{chat}.5"), 404),
        (format!("/api/chats/{chat}?limit=1.5"), 400),
        (format!("/api/chats/{chat}?before=1.5"), 400),
        (format!("/api/chats/{chat}?after=1.5"), 400),
        (format!("/api/chats/{chat}?after={first}&timeout=1.5"), 400),
        (format!("/api/chats/{chat}?limit=1e400"), 400),
    ] {
        ann.get(&path).await.with(status);
    }
    for reply_to in ["1", "1.0", "1.5"] {
        let form = [("content", "re"), ("reply_to", reply_to)];
        let told = ann.post(&format!("/api/chats/{chat}"), &form).await;
        told.refused(400, "bad_request");
    }
    assert_eq!(ann.said(chat).await, ["one", "two"]);
    let path = format!("/api/chats/{chat}/read");
    for up_to in ["1.5", "-1", "1e300", "\"1.5\""] {
        let told = ann.json(&path, &format!("{{\"up_to\":{up_to}}}")).await;
        told.refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn sockets_read_numbers_by_value_and_half_characters_on_both_versions() {
    let world = World::new().await;
    let guest = world.guest_of_new_site().await;
    for version in [4, 3] {
        let server = world.base().replacen("http", "ws", 1);
        let url = format!("{server}/socket.io/?EIO={version}&transport=websocket");
        let (stream, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("there is a WebSocket");
        let mut socket = Ws(stream);
        if version == 4 {
            socket.send("40").await;
        }
        socket.text_after("40").await;
        let said = format!(
            r#"421["newMessage",{{"chatId":"{}","token":"{}","message":"half \ud83d"}}]"#,
            guest.chat, guest.token
        );
        socket.send(&said).await;
        let told = socket.text_after("431").await;
        assert!(told.contains("half \u{fffd}"), "{told}");
        for (number, limit) in ["1", "1.0", "1e0", "\"1\""].into_iter().enumerate() {
            let ack = number + 2;
            let ask = format!(
                r#"42{ack}["getChatMessages",{{"chatId":"{}","token":"{}","limit":{limit},"skip":0.0}}]"#,
                guest.chat, guest.token
            );
            socket.send(&ask).await;
            let told = socket.text_after(&format!("43{ack}")).await;
            assert!(told.contains("\"statusCode\":200"), "{told}");
            assert!(told.contains("half \u{fffd}"), "{told}");
        }
        let ask = format!(
            r#"429["getChatMessages",{{"chatId":"{}","token":"{}","limit":1.5}}]"#,
            guest.chat, guest.token
        );
        socket.send(&ask).await;
        let told = socket.text_after("439").await;
        assert!(told.contains("limit must be a whole number"), "{told}");
    }
}

#[rocket::async_test]
async fn half_a_character_is_kept_as_its_replacement_at_every_endpoint() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let told = ann
        .json(&format!("/api/chats/{chat}"), r#"{"content":"a\ud83d"}"#)
        .await;
    told.ok(201);
    let guest = world.guest_of_new_site().await;
    let body = format!(
        r#"{{"chatId":"{}","token":"{}","message":"b\ud83d"}}"#,
        guest.chat, guest.token
    );
    let told = world
        .json("POST", "/api/events/newMessage", &[], &body)
        .await;
    assert_eq!(told.with(200).json()["data"]["message"], "b\u{fffd}");
    assert_eq!(ann.said(chat).await, ["a\u{fffd}"]);
    // An argument that is no object, and one after a byte order mark.
    for (body, expected) in [
        (&br#""\ud83d""#[..], 400),
        (b"\xEF\xBB\xBF\"x\"", 400),
        (b"\"\xED\xA0\xBD\"", 400),
    ] {
        let url = format!("{}/api/events/send_message?dialect=service", world.base());
        let request = world
            .http
            .post(url)
            .header("Content-Type", "application/json");
        let told = Told::of(request.body(body.to_vec())).await;
        // The refusal is for the missing token, so the body was parsed.
        let read = told.body.contains("No token key found");
        assert_eq!(
            (told.status == 401, read),
            (body[1] != 0xED, body[1] != 0xED),
            "{expected} {}",
            told.body
        );
    }
    let url = format!("{}/api/events/newMessage", world.base());
    let body = [b"\xEF\xBB\xBF".to_vec(), br#"{"chatId":"x"}"#.to_vec()].concat();
    let request = world
        .http
        .post(url)
        .header("Content-Type", "application/json");
    let told = Told::of(request.body(body)).await.with(400);
    assert!(told.body.contains("chatId must be"), "{}", told.body);
}

#[rocket::async_test]
async fn a_packed_body_is_told_so_by_every_api() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for path in [
        "/api/login",
        "/owner/login",
        "/auth/login",
        "/user",
        "/api/events/newMessage",
        "/api/events/send_message",
    ] {
        for media_type in ["application/json", "application/x-www-form-urlencoded"] {
            let request = ann
                .request(reqwest::Method::POST, path)
                .header("Content-Type", media_type)
                .header("Content-Encoding", "gzip")
                .body(b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec());
            let told = Told::of(request).await.with(415);
            assert!(
                told.body.contains("Content-Encoding gzip"),
                "{path}: {}",
                told.body
            );
        }
    }
}

#[rocket::async_test]
async fn a_field_sent_twice_is_refused_by_every_api() {
    let world = World::with(SETTINGS).await;
    for path in [
        "/auth/login",
        "/owner/login",
        "/api/login",
        "/api/events/newMessage",
    ] {
        let body = r#"{"email":"a@b","name":"a","chatId":"a","token":"x","password":"one","password":"two"}"#;
        let told = world.json("POST", path, &[], body).await;
        assert!(matches!(told.status, 400 | 422), "{path}: {}", told.status);
        assert!(
            told.body.contains("password was sent more than once"),
            "{path}: {}",
            told.body
        );
    }
}

/// The titles that a person finds.
async fn titles(actor: &Actor) -> Vec<Value> {
    let (chats, _) = actor.chats().await;
    let mut titles: Vec<_> = chats.iter().map(|chat| chat["title"].clone()).collect();
    titles.sort_by_key(ToString::to_string);
    titles
}

#[rocket::async_test]
async fn who_may_read_is_never_ignored() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    for (body, finds) in [
        (r#"{"title":"t"}"#, true),
        (r#"{"title":"t","open":true}"#, true),
        (r#"{"title":"t","private":false}"#, true),
        (r#"{"title":"t","private":0.0,"open":"on"}"#, true),
        (r#"{"title":"t","open":false}"#, false),
        (r#"{"title":"t","private":true}"#, false),
        (r#"{"title":"t","private":"1","open":0}"#, false),
        (r#"{"title":"t","members":[BO]}"#, false),
        (r#"{"title":"t","members":[BO],"open":true}"#, true),
    ] {
        let title = format!("about {}", body.len() * 10 + usize::from(finds));
        let body = body
            .replace("\"t\"", &format!("{title:?}"))
            .replace("BO", &bo.id.to_string());
        let told = ann.json("/api/chats", &body).await.ok(201);
        let chat = told.header("Location").to_owned();
        let found = titles(&cy).await.contains(&json!(title));
        assert_eq!(found, finds, "{body}");
        cy.get(&chat).await.with(if finds { 200 } else { 404 });
        let bo_is_in = bo.get(&format!("{chat}/messages/1")).await.status;
        let expected = body.contains("members") || finds;
        assert_eq!(
            bo.get(&chat).await.status == 200,
            expected,
            "{bo_is_in} {body}"
        );
    }
    for body in [
        r#"{"title":"x","open":true,"private":true}"#,
        r#"{"title":"x","open":false,"private":false}"#,
        r#"{"title":"x","open":"maybe"}"#,
        r#"{"title":"x","private":2}"#,
        r#"{"title":"x","members":[1.5]}"#,
        r#"{"title":"x","members":"2,x"}"#,
        r#"{"title":"x","members":[99999]}"#,
        r#"{"description":"lost","members":[2]}"#,
        r#"{"open":true,"members":[2]}"#,
        r#"{"private":false,"members":[2]}"#,
        r#"{"private":true}"#,
        r#"{"members":[2,3]}"#,
        r#"{"members":[]}"#,
        r#"{"title":"","members":[2]}"#,
    ] {
        let before = titles(&ann).await;
        ann.json("/api/chats", body)
            .await
            .refused(400, "bad_request");
        assert_eq!(titles(&ann).await, before, "{body}");
    }
    // As forms, too.
    let told = ann
        .post("/api/chats", &[("title", "form"), ("open", "false")])
        .await;
    let chat = told.ok(201).header("Location").to_owned();
    cy.get(&chat).await.with(404);
    let members = format!("{},{}.0", bo.id, cy.id);
    let told = ann
        .post("/api/chats", &[("title", "form"), ("members", &members)])
        .await;
    let chat = told.ok(201).header("Location").to_owned();
    cy.get(&chat).await.with(200);
    // A private title need not be unique; an open one must.
    for status in [201, 201] {
        let form = [("title", "same"), ("private", "true")];
        ann.post("/api/chats", &form).await.ok(status);
    }
    ann.post("/api/chats", &[("title", "same")]).await.ok(201);
    ann.post("/api/chats", &[("title", "same")])
        .await
        .refused(409, "conflict");
}

#[rocket::async_test]
async fn two_people_have_one_direct_chat() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let direct = async |one: &Actor, other: &Actor, status| {
        let body = format!(r#"{{"members":[{}.0]}}"#, other.id);
        let told = one.json("/api/chats", &body).await.ok(status);
        told.header("Location").to_owned()
    };
    let chat = direct(&ann, &bo, 201).await;
    for (one, other) in [(&ann, &bo), (&bo, &ann), (&ann, &bo)] {
        assert_eq!(direct(one, other, 200).await, chat);
    }
    assert_eq!(titles(&ann).await, ["bo"]);
    assert_eq!(titles(&bo).await, ["ann"]);
    assert!(titles(&cy).await.is_empty());
    cy.get(&chat).await.with(404);
    ann.post(&chat, &[("content", "hi")]).await.ok(201);
    assert_ne!(direct(&cy, &bo, 201).await, chat);
    // A person who left is a member again, with all messages.
    bo.post(&format!("{chat}/leave"), &[]).await.ok(200);
    bo.get(&chat).await.with(404);
    assert_eq!(direct(&bo, &ann, 200).await, chat);
    let told = bo.get(&chat).await.with(200).json();
    assert_eq!(told["messages"][0]["content"], "hi");
    // Made by both at once it is one.
    let made = futures_util::future::join_all((0..8).map(|number| {
        let (one, other) = if number % 2 == 0 {
            (&ann, &cy)
        } else {
            (&cy, &ann)
        };
        async move {
            let body = format!(r#"{{"members":[{}]}}"#, other.id);
            let told = one.json("/api/chats", &body).await;
            (told.status, told.header("Location").to_owned())
        }
    }));
    let made = made.await;
    let new = made.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(new, 1, "{made:?}");
    assert!(made.iter().all(|(_, at)| *at == made[0].1), "{made:?}");
}
