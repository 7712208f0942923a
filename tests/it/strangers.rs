//! A tenant's key, token and ids open nothing of another tenant's: every route and every event,
//! taken from the routing table and from the dialects' own lists, so that a new one cannot be
//! forgotten.

use parlance::dialect::DIALECTS;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{actor::Told, service_docs, world::World};

const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
    embed_open = false
"#;

/// In every name, title and message of the house that strangers come to.
const SECRET: &str = "sesame";

/// A tenant with a user, a room and a message.
struct House {
    app: i64,
    key: String,
    user: i64,
    own_id: String,
    token: String,
    room: i64,
    room_name: String,
    message: i64,
}

async fn send(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Told {
    let method: Method = method.parse().expect("a method");
    let mut request = world
        .http
        .request(method.clone(), format!("{}{path}", world.base()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method != Method::GET {
        request = request.json(body);
    }
    Told::of(request).await
}

impl House {
    async fn build(world: &World, admin: &str, word: &str) -> Self {
        let authorized = [("Authorization", admin)];
        let name = format!("{word} shop");
        let app = send(world, "POST", "/app", &authorized, &json!({"name": name})).await;
        let app = app.with(201).json();
        let key = app["applicationId"].as_str().expect("a secret").to_owned();
        let (own_id, token) = (format!("{word}-1"), format!("{word}-token-1"));
        let user = json!({"appId": key, "appUserId": own_id, "firstName": word, "lastName": word, "token": token});
        let user = send(world, "POST", "/user", &[], &user)
            .await
            .with(200)
            .json();
        let room_name = format!("{word}-room");
        let room =
            json!({"room": room_name, "appId": key, "users": [own_id], "extra": {"x": word}});
        let room = send(world, "POST", "/room", &[], &room)
            .await
            .with(200)
            .json();
        let path = format!("/api/events/send_message?room={room_name}");
        let said = json!({"message": format!("{word} said")});
        let sent = send(world, "POST", &path, &[("Authorization", &token)], &said).await;
        let sent = sent.with(200).json();
        Self {
            app: app["id"].as_i64().expect("a number"),
            key,
            user: user["id"].as_i64().expect("a number"),
            own_id,
            token,
            room: room["id"].as_i64().expect("a number"),
            room_name,
            message: sent["data"]["id"].as_i64().expect("a number"),
        }
    }

    /// Everything that can be seen of it from within.
    async fn look(&self, world: &World, admin: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        let headers = [("appId", self.key.as_str())];
        for path in [
            "/room".to_owned(),
            format!("/room/{}", self.room_name),
            format!("/user/{}", self.key),
        ] {
            seen.push(
                send(world, "GET", &path, &headers, &Value::Null)
                    .await
                    .with(200)
                    .json(),
            );
        }
        let apps = send(
            world,
            "GET",
            "/app",
            &[("Authorization", admin)],
            &Value::Null,
        )
        .await;
        let apps = apps.with(200).json();
        let own = apps
            .as_array()
            .expect("a list")
            .iter()
            .find(|app| app["id"] == self.app);
        seen.push(own.expect("it is there").clone());
        let path = format!("/api/events/load_more?room={}", self.room_name);
        let headers = [("Authorization", self.token.as_str())];
        let messages = send(world, "POST", &path, &headers, &json!({"page": 1})).await;
        seen.push(messages.with(200).json());
        seen
    }

    /// A body in which every field that any API reads names something of this house.
    fn body(&self, key: Option<&str>) -> Value {
        let (user, room, message) = (
            self.user.to_string(),
            self.room.to_string(),
            self.message.to_string(),
        );
        let mut body = json!({
            "id": message, "page": 1, "limit": 20, "name": "x", "title": "x", "content": "x",
            "up_to": message, "email": "x@example.com", "password": "correct horse",
            "new_password": "correct horse", "firstName": "x", "lastName": "x",
            "room": self.room_name, "appUserId": self.own_id, "chatId": room,
            "chat": {"id": room, "name": "x", "users": [user]},
            "user": {"id": user, "external_id": self.own_id, "name": "x", "photo": "x"},
            "message": {"id": message, "value": "x", "type": "text"},
            "users": [user, self.own_id], "query": {}, "typing": true, "value": "x", "text": "x",
        });
        if let Some(key) = key {
            body["appId"] = key.into();
        }
        body
    }

    /// A path whose numbers and names are this house's.
    fn path(&self, template: &str) -> Vec<String> {
        let names = [
            self.room.to_string(),
            self.room_name.clone(),
            self.user.to_string(),
            self.app.to_string(),
            self.own_id.clone(),
        ];
        if !template.contains('{') {
            return vec![template.to_owned()];
        }
        let fill = |name: &String| {
            let parts = template.split('/').map(|part| match part {
                "{message}" => self.message.to_string(),
                part if part.starts_with('{') => name.clone(),
                part => part.to_owned(),
            });
            parts.collect::<Vec<_>>().join("/")
        };
        names.iter().map(fill).collect()
    }
}

async fn sign_in(world: &World) -> String {
    let body = json!({"email": "admin@example.com", "password": "correct horse"});
    let told = send(world, "POST", "/auth/login", &[], &body).await;
    told.with(200).json()["token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

async fn developer(world: &World, admin: &str) -> String {
    let body = json!({"firstName": "Eve", "email": "eve@example.com", "password": "correct horse"});
    let told = send(
        world,
        "POST",
        "/auth/register",
        &[("Authorization", admin)],
        &body,
    )
    .await;
    told.with(201).json()["token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_opens_no_route_and_no_event_of_another_tenants() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let eve = developer(&world, &admin).await;
    let house = House::build(&world, &admin, SECRET).await;
    let other = House::build(&world, &eve, "stranger").await;
    let before = house.look(&world, &admin).await;
    assert!(before.iter().all(|seen| seen.to_string().contains(SECRET)));

    let by_token = vec![
        ("Authorization", other.token.clone()),
        ("appId", other.key.clone()),
    ];
    let by_account = vec![("Authorization", eve.clone()), ("appId", other.key.clone())];
    let by_number = vec![("appId", house.app.to_string())];
    let cookies = format!("user_id={}; token={}", house.user, other.token);
    let by_cookie = vec![("Cookie", cookies)];
    let strangers = [by_token, by_account, by_number, by_cookie];
    let mut tried = 0;
    let guess = |told: &Told, what: &str| {
        assert!(!told.body.contains(SECRET), "{what}: {}", told.body);
        assert!(told.status != 500, "{what}: {}", told.body);
    };
    for (method, template, _) in service_docs::routes() {
        // Waiting is for what one may hear anyway; the events are tried below.
        if template == "/api/events"
            || template.starts_with("/api/events/")
            || template == "/metrics"
        {
            continue;
        }
        for path in house.path(&template) {
            for headers in &strangers {
                let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                for key in [Some(other.key.as_str()), None] {
                    let mut body = house.body(key);
                    // Ids alone: what is the stranger's own to make is another name's.
                    if method == "POST" && matches!(template.as_str(), "/user" | "/room" | "/app") {
                        body["room"] = format!("x{tried}").into();
                    }
                    let told = send(&world, &method, &path, &headers, &body).await;
                    tried += 1;
                    // A room may be called alike in two apps: only what it holds is secret.
                    let echo = told
                        .body
                        .replace(&house.own_id, "")
                        .replace(&house.room_name, "");
                    let told = Told { body: echo, ..told };
                    guess(&told, &format!("{method} {path} {headers:?}"));
                }
            }
        }
    }
    for dialect in DIALECTS {
        for event in dialect.events() {
            for (query, headers) in [
                (format!("key={}", other.key), Vec::new()),
                (String::new(), vec![("Authorization", other.token.as_str())]),
                (format!("key={}", house.app), Vec::new()),
                (String::new(), Vec::new()),
                (
                    format!("appId={}", house.app),
                    vec![("Authorization", other.token.as_str())],
                ),
                (String::new(), vec![("Authorization", eve.as_str())]),
            ] {
                let name = dialect.name();
                let room = &house.room_name;
                let path = format!("/api/events/{event}?dialect={name}&room={room}&{query}");
                for body in [
                    house.body(None),
                    json!(house.room_name),
                    json!(house.message),
                    json!(true),
                ] {
                    let told = send(&world, "POST", &path, &headers, &body).await;
                    tried += 1;
                    let echo = told
                        .body
                        .replace(&house.own_id, "")
                        .replace(&house.room_name, "");
                    guess(
                        &Told { body: echo, ..told },
                        &format!("{name} {event} {query} {body}"),
                    );
                }
            }
        }
    }
    assert!(tried > 500, "only {tried} were tried");
    assert_eq!(
        house.look(&world, &admin).await,
        before,
        "a stranger changed something"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bodies_open_what_is_ones_own() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let house = House::build(&world, &admin, SECRET).await;
    let body = house.body(None);
    let mut opened = 0;
    for (event, dialect) in [
        ("list-messages", "embed"),
        ("list-chats", "embed"),
        ("create-user", "embed"),
    ] {
        let path = format!("/api/events/{event}?dialect={dialect}&key={}", house.key);
        let told = send(&world, "POST", &path, &[], &body).await.with(200);
        opened += usize::from(told.body.contains(SECRET));
    }
    assert_eq!(opened, 3);
    world.stop().await;
}
