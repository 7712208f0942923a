//! When a login or an app ends, all connections that depend on it end at once: whether or
//! not anything was said there.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD},
    support::poll::hold,
    support::security_world::{By, CONNECTIONS, Connection, Credentials, Held},
    support::tenants::{CLOSED_SETTINGS, developer, send, sign_in, text},
    support::world::World,
};

/// An app, its two users in a room, and their tokens.
struct App {
    number: i64,
    key: String,
    ann: i64,
    bo: i64,
}

const ANNS: &str = "a token of hers";
const BOS: &str = "a token of his";

async fn app(world: &World, developer: &str, require_auth: bool) -> App {
    let admin = [("Authorization", developer.to_owned())];
    let app = json!({"name": "app", "requireAuth": require_auth});
    let app = send(world, "POST", "/app", &admin, &app)
        .await
        .with(201)
        .json();
    let key = text(&app["applicationId"]);
    let mut users = Vec::new();
    for (number, token) in [(1, ANNS), (2, BOS)] {
        let user = json!({"appId": key, "appUserId": number, "firstName": "A", "token": token});
        let user = send(world, "POST", "/user", &admin, &user).await.with(200);
        users.push(user.json()["id"].as_i64().expect("a number"));
    }
    let room = json!({"room": "tea", "appId": key, "users": [1, 2]});
    send(world, "POST", "/room", &admin, &room).await.with(200);
    App {
        number: app["id"].as_i64().expect("a number"),
        key,
        ann: users[0],
        bo: users[1],
    }
}

async fn opened(world: &World, by: By, credentials: &Credentials) -> Connection {
    let line = Connection::open(world, by, credentials).await;
    line.expect("it is let in")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_an_app() {
    let world = World::with(CLOSED_SETTINGS).await;
    let admin = sign_in(&world).await;
    let gone = app(&world, &admin, false).await;
    let stays = world.actor("cy").await;
    let key = Credentials::default().asking("key", &gone.key);
    let token = Credentials::default().asking("token", ANNS);
    let cookies = Credentials::cookies(gone.ann, ANNS);
    let replaced = Credentials::default().asking("token", BOS);
    let list = json!({"user": {"id": gone.ann}});
    let (mut ending, mut staying) = (Vec::new(), Vec::new());
    for by in CONNECTIONS {
        for credentials in [&key, &token, &cookies, &replaced] {
            // One that sends nothing, and one that has sent an event.
            ending.push(opened(&world, by, credentials).await);
            let mut line = opened(&world, by, credentials).await;
            let (event, argument) = if credentials.query.contains("key") {
                ("list-chats", &list)
            } else {
                ("leave", &Value::Null)
            };
            assert!(line.is_answered(event, argument).await);
            ending.push(line);
        }
        staying.push(opened(&world, by, &Credentials::default()).await);
        staying.push(opened(&world, by, &Credentials::of(&stays)).await);
    }
    // A connection with a token that was replaced stays, until now.
    let user = json!({"appId": gone.key, "appUserId": 2, "firstName": "A", "token": "another one"});
    send(&world, "POST", "/user", &[], &user).await.with(200);
    let embed = format!("/api/events?timeout=50&dialect=embed&user={}", gone.ann);
    let mut held = Vec::new();
    for (credentials, path) in [
        (&key, embed.as_str()),
        (&token, "/api/events?timeout=50&dialect=embed"),
        (&token, "/api/events?timeout=50&dialect=support"),
        (&token, "/api/events?timeout=50&dialect=service&room=tea"),
        (&cookies, "/api/events?timeout=50"),
    ] {
        for accept in ["application/json", "text/event-stream"] {
            let credentials = credentials.clone().header("accept", accept);
            let count = held.len() + 1;
            let status = if accept.contains("json") { 401 } else { 200 };
            held.push((status, Held::begin(&world, &credentials, path, count).await));
        }
    }
    let path = format!("/app/{}", gone.number);
    let headers = [("Authorization", admin)];
    send(&world, "DELETE", &path, &headers, &Value::Null)
        .await
        .with(200);
    for (status, held) in held {
        assert_eq!(held.ended().await.0, status);
    }
    for line in ending {
        line.ended().await;
    }
    world.waiting(0).await;
    for mut line in staying {
        assert!(line.ask("leave", &Value::Null).await.is_some());
    }
    // And no connection is recovered by it.
    for credentials in [key, token, cookies] {
        let says = format!("/api/events/list-chats?{}", credentials.query);
        let told = send(&world, "POST", &says, &[], &list).await;
        assert_eq!(told.status, 401, "{}", told.body);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_with_cookies_ends_with_their_login_though_it_never_spoke() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for way in ["logout", "logout-all", "logins", "password"] {
        let login = Actor::sign_in(&world, "ann", PASSWORD).await;
        let beside = Actor::sign_in(&world, "ann", PASSWORD).await;
        let other = world.actor(&format!("bo-{way}")).await;
        let (mut ending, mut staying) = (Vec::new(), Vec::new());
        for by in CONNECTIONS {
            let quoted = format!("user_id=\"{}\"; token=\"{}\"", login.id, login.token);
            let quoted = Credentials::default().header("cookie", quoted);
            for credentials in [Credentials::of(&login), quoted] {
                ending.push(opened(&world, by, &credentials).await);
            }
            for credentials in [Credentials::default(), Credentials::of(&other)] {
                staying.push(opened(&world, by, &credentials).await);
            }
        }
        match way {
            "logout" => drop(login.get("/api/logout").await.with(200)),
            "logout-all" => drop(beside.post("/api/logout-all", &[]).await.with(200)),
            "logins" => {
                let logins = login.get("/api/logins").await.with(200).json();
                let mut logins = logins["logins"].as_array().expect("a list").iter();
                let own = logins.find(|login| login["current"] == true).expect("mine");
                let path = format!("/api/logins/{}", own["id"]);
                beside.delete(&path).await.with(200);
            }
            _ => {
                let form = [("password", PASSWORD), ("new_password", "battery staple")];
                let changer = Actor::sign_in(&world, "ann", PASSWORD).await;
                changer.post("/api/password", &form).await.with(200);
            }
        }
        for line in ending {
            line.ended().await;
        }
        for mut line in staying {
            assert!(line.ask("leave", &Value::Null).await.is_some(), "{way}");
        }
    }
    drop(ann);
    world.stop().await;
}

/// The answer to a recovery: the socket's id, and its private id.
async fn connected(
    world: &World,
    query: &str,
    auth: &Value,
) -> (crate::support::socketio_client::Ws, Value) {
    let mut ws = world.websocket(query, &[]).await;
    ws.send(&format!("40{auth}")).await;
    let reply = ws.text_after("40").await;
    (ws, crate::support::socketio::json_after(&reply, "40"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_comes_back_with_all_that_it_takes_or_not_at_all() {
    let world = World::with(CLOSED_SETTINGS).await;
    let admin = sign_in(&world).await;
    let owner = developer(&world, &admin, "dee@example.com").await;
    let eve = developer(&world, &admin, "eve@example.com").await;
    let guarded = app(&world, &owner, true).await;
    let list = json!({"user": {"id": guarded.ann}});
    let whole = format!("&recovery=1&key={}&token={owner}", guarded.key);
    let (mut ws, first) = connected(&world, &whole, &json!({})).await;
    ws.send(&format!("421{}", json!(["list-chats", list])))
        .await;
    let heard = ws.text_after("42[").await;
    let heard = crate::support::socketio::json_after(&heard, "42");
    let offset = heard
        .as_array()
        .and_then(|event| event.last())
        .expect("an offset");
    ws.text_after("431").await;
    drop(ws);
    let back = json!({"pid": first["pid"], "offset": offset});
    for query in [
        format!("&recovery=1&key={}", guarded.key),
        format!("&recovery=1&key={}&token={eve}", guarded.key),
        "&recovery=1".to_owned(),
        format!("&recovery=1&token={owner}"),
    ] {
        let (mut ws, reply) = connected(&world, &query, &back).await;
        assert_ne!(reply["sid"], first["sid"], "{query}");
        ws.send(&format!("421{}", json!(["list-chats", list])))
            .await;
        let told = ws.text_after("431").await;
        assert!(told.contains("\"status\":\"error\""), "{told}");
    }
    let (mut ws, reply) = connected(&world, &whole, &back).await;
    assert_eq!(reply["sid"], first["sid"]);
    ws.send(&format!("421{}", json!(["list-chats", list])))
        .await;
    let told = ws.text_after("431").await;
    assert!(told.contains("\"status\":\"ok\""), "{told}");
    // It depends on its owner's login, and ends with it.
    let gone = parlance::chat::callers::holder_who(
        world.services(),
        &owner,
        None,
        (parlance::model::Scope::Read, |_: &_| true),
    )
    .await;
    let gone = gone.expect("it answers").expect("she is signed in");
    let out = parlance::chat::sessions::sign_out(world.services(), &gone).await;
    out.expect("she was signed in");
    ws.closed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_tells_little() {
    let world = World::with(CLOSED_SETTINGS).await;
    let admin = sign_in(&world).await;
    let app = app(&world, &admin, false).await;
    let token = Credentials::default().asking("token", ANNS);
    let long = json!("x".repeat(900_000));
    for by in CONNECTIONS {
        let mut hears = opened(&world, by, &Credentials::default().asking("token", BOS)).await;
        let mut types = opened(&world, by, &token).await;
        for line in [&mut hears, &mut types] {
            assert_eq!(
                line.ask("join", &json!("tea")).await.expect("it stands")["room"],
                "tea"
            );
        }
        for value in [
            &long,
            &json!({"x": ["y".repeat(60)]}),
            &json!("é".repeat(32)),
        ] {
            let told = types.ask("typing", value).await.expect("it stands");
            assert_eq!(told["code"], "bad_request", "{by:?} {told}");
        }
        let fits = json!("x".repeat(62));
        let told = types.ask("typing", &fits).await.expect("it stands");
        assert_eq!(told["status"], "ok", "{by:?}");
    }
    let say = async |dialect: &str, body: Value| {
        let path = format!("/api/events/typing?dialect={dialect}&room=tea&token={ANNS}");
        send(&world, "POST", &path, &[], &body).await.status
    };
    assert_eq!(say("service", json!("x".repeat(65))).await, 400);
    assert_eq!(say("service", json!(true)).await, 200);
    let rooms = send(
        &world,
        "GET",
        "/room",
        &[("appId", app.key.clone())],
        &Value::Null,
    )
    .await;
    let chat = rooms.json()[0]["id"].to_string();
    let typing =
        |value: Value| json!({"chat": {"id": chat}, "user": {"id": app.ann}, "typing": value});
    for value in [json!("a story"), json!({"a": 1}), json!([1]), json!(2)] {
        assert_eq!(say("embed", typing(value)).await, 400);
    }
    for value in [json!(true), json!(false), json!("true")] {
        assert_eq!(say("embed", typing(value)).await, 200);
    }
    assert_ne!(app.ann, app.bo);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_an_account() {
    let world = World::with(CLOSED_SETTINGS).await;
    let (ann, bo) = world.ann_and_bo().await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let chat = ann.make("tea").await;
    let (mut ending, mut staying) = (Vec::new(), Vec::new());
    for by in CONNECTIONS {
        for login in [&ann, &phone] {
            let token = Credentials::default().asking("token", &login.token);
            for credentials in [Credentials::of(login), token] {
                // One that sends nothing, and one that has sent an event.
                ending.push(opened(&world, by, &credentials).await);
                let mut line = opened(&world, by, &credentials).await;
                let list = json!({"user": {"id": ann.id}});
                assert!(line.is_answered("list-chats", &list).await);
                ending.push(line);
            }
        }
        staying.push(opened(&world, by, &Credentials::of(&bo)).await);
    }
    let mut held = Vec::new();
    let of_chat = format!("/api/chats/{chat}?after={}&timeout=50", ann.now().await);
    for (number, login) in [&ann, &phone].into_iter().enumerate() {
        for path in [
            "/api/events?timeout=50",
            of_chat.as_str(),
            "/api/events?timeout=50&dialect=embed",
        ] {
            for accept in ["application/json", "text/event-stream"] {
                if accept.contains("stream") && path == of_chat {
                    continue;
                }
                let credentials = Credentials::of(login).header("accept", accept);
                let count = held.len() + 1;
                let status = if accept.contains("json") { 401 } else { 200 };
                held.push((status, Held::begin(&world, &credentials, path, count).await));
            }
        }
        assert_eq!(held.len(), (number + 1) * 5);
    }
    let other = hold(&bo, "/api/events?timeout=50");
    world.waiting(held.len() + 1).await;
    let request = ann.request(reqwest::Method::DELETE, "/api/me");
    let request = request.form(&[("password", PASSWORD)]);
    crate::support::actor::Told::of(request).await.with(200);
    for (status, held) in held {
        assert_eq!(held.ended().await.0, status);
    }
    for line in ending {
        line.ended().await;
    }
    for mut line in staying {
        assert!(line.ask("leave", &Value::Null).await.is_some());
    }
    // Who shares no chat with her goes on waiting.
    world.waiting(1).await;
    bo.make("marker").await;
    crate::support::poll::answer(other).await.with(200);
    world.stop().await;
}
