//! An app and a site with people, chats and messages, once for the tenant under attack and once for the attacker.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{support::actor::Told, support::world::World};

/// A word in every name, title and message of the tenant under attack.
pub(crate) const SECRET: &str = "sesame";
/// The same in base64, at the beginning of a message.
const SECRET_IN_BASE64: &str = "c2VzYW1l";

pub(crate) const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
    embed_open = true
"#;

/// The same where nobody embeds without a key.
pub(crate) const CLOSED_SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
    embed_open = false
"#;

/// Everything of a tenant that is an app, and of one that is a site.
pub(crate) struct House {
    word: String,
    pub(crate) app: i64,
    pub(crate) key: String,
    pub(crate) user: i64,
    pub(crate) own_id: String,
    pub(crate) token: String,
    pub(crate) room: i64,
    pub(crate) room_name: String,
    pub(crate) message: i64,
    pub(crate) domain: String,
    pub(crate) email: String,
    pub(crate) owner: String,
    pub(crate) owner_token: String,
    pub(crate) site_key: String,
    pub(crate) guest: String,
    pub(crate) guest_token: String,
    pub(crate) chat: String,
}

/// Sends JSON, and nothing where the method has no body.
pub(crate) async fn send(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &Value,
) -> Told {
    let method: Method = method.parse().expect("a method");
    let url = format!("{}{path}", world.base());
    let mut request = world.http.request(method.clone(), url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if method != Method::GET {
        request = request.json(body);
    }
    Told::of(request).await
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}

/// The first administrator's token.
pub(crate) async fn sign_in(world: &World) -> String {
    let body = json!({"email": "admin@example.com", "password": "correct horse"});
    let told = send(world, "POST", "/auth/login", &[], &body).await;
    text(&told.with(200).json()["token"])
}

/// The token of a developer who is no administrator.
pub(crate) async fn developer(world: &World, admin: &str, email: &str) -> String {
    let body = json!({"firstName": "Eve", "email": email, "password": "correct horse"});
    let headers = [("Authorization", admin.to_owned())];
    let told = send(world, "POST", "/auth/register", &headers, &body).await;
    text(&told.with(201).json()["token"])
}

impl House {
    /// Builds one for a developer; `word` is in all that is written there, `number` in its names.
    pub(crate) async fn build(world: &World, developer: &str, word: &str, number: usize) -> Self {
        let app = Self::open_app(world, developer, word).await;
        let (app, key) = (self::number(&app["id"]), text(&app["applicationId"]));
        // Two apps may call a user and a room alike.
        let (own_id, room_name) = ("u-1".to_owned(), "den".to_owned());
        let token = format!("{word}-token-{number}");
        let user = json!({"appId": key, "appUserId": own_id, "firstName": word, "lastName": word,
                          "token": token});
        let user = send(world, "POST", "/user", &[], &user).await.with(200);
        let room =
            json!({"room": room_name, "appId": key, "users": [own_id], "extra": {"x": word}});
        let room = send(world, "POST", "/room", &[], &room).await.with(200);
        let path = format!("/api/events/send_message?room={room_name}");
        let said = json!({"message": format!("{word} said")});
        let sent = send(
            world,
            "POST",
            &path,
            &[("Authorization", token.clone())],
            &said,
        )
        .await;

        let (domain, email) = (
            format!("site-{number}.example"),
            format!("desk@site-{number}.example"),
        );
        let owner = json!({"email": email, "password": "correct horse", "domain": domain});
        send(world, "POST", "/owner/register", &[], &owner)
            .await
            .with(200);
        let owner = send(world, "POST", "/owner/login", &[], &owner).await;
        let owner = owner.with(200).json()["data"].take();
        let guest = json!({"email": format!("{word}@example.com"), "name": word, "domain": domain});
        let guest = event(world, "getNewChat", &guest).await;
        let said = json!({"chatId": guest["chatId"], "token": guest["guestToken"],
                          "message": format!("{word} asked")});
        event(world, "newMessage", &said).await;
        Self {
            word: word.to_owned(),
            app,
            key,
            user: self::number(&user.json()["id"]),
            own_id,
            token,
            room: self::number(&room.json()["id"]),
            room_name,
            message: self::number(&sent.with(200).json()["data"]["id"]),
            domain,
            email,
            owner: text(&owner["ownerId"]),
            owner_token: text(&owner["token"]),
            site_key: text(&owner["appId"]),
            guest: text(&guest["guestId"]),
            guest_token: text(&guest["guestToken"]),
            chat: text(&guest["chatId"]),
        }
    }

    async fn open_app(world: &World, developer: &str, word: &str) -> Value {
        let headers = [("Authorization", developer.to_owned())];
        let body = json!({"name": format!("{word} shop")});
        let told = send(world, "POST", "/app", &headers, &body).await;
        told.with(201).json()
    }

    /// Everything that its own people can see.
    pub(crate) async fn look(&self, world: &World, developer: &str) -> Vec<Value> {
        let key = vec![("appId", self.key.clone())];
        let user = vec![("Authorization", self.token.clone())];
        let cookies = vec![(
            "Cookie",
            format!("user_id={}; token={}", self.user, self.token),
        )];
        let developer = vec![("Authorization", developer.to_owned())];
        let owner = json!({"token": self.owner_token});
        let guest = json!({"token": self.guest_token, "chatId": self.chat});
        let room = format!("/room/{}", self.room_name);
        let users = format!("/user/{}", self.key);
        let chat = format!("/api/chats/{}", self.room);
        let more = format!("/api/events/load_more?room={}", self.room_name);
        let domain = format!("/owner/domains/{}", self.domain);
        let (page, none) = (json!({"page": 1}), Value::Null);
        let mut seen = Vec::new();
        for (method, path, headers, body) in [
            ("GET", "/room", &key, &none),
            ("GET", &room, &key, &none),
            ("GET", &users, &key, &none),
            ("GET", &chat, &cookies, &none),
            ("GET", "/api/chats", &cookies, &none),
            ("GET", "/api/logins", &cookies, &none),
            ("GET", &domain, &vec![], &none),
            ("POST", &more, &user, &page),
            ("POST", "/api/events/getWaitingChats", &vec![], &owner),
            ("POST", "/api/events/getChatMessages", &vec![], &guest),
        ] {
            let told = send(world, method, path, headers, body).await.with(200);
            let mut seen_here = told.json();
            if let Some(seen) = seen_here.as_object_mut() {
                // It has the log's position, which the attackers move by their own messages.
                seen.remove("cursor");
            }
            let logins = seen_here.get_mut("logins").and_then(Value::as_array_mut);
            if let Some(logins) = logins {
                logins.iter_mut().for_each(forget_times);
            }
            seen.push(seen_here);
        }
        let apps = send(world, "GET", "/app", &developer, &none)
            .await
            .with(200);
        let apps = apps.json();
        let own = apps.as_array().expect("a list").iter();
        let own = own.into_iter().find(|app| app["id"] == self.app);
        seen.push(own.expect("it is there").clone());
        seen
    }

    /// Whether a text holds what only the tenant's own people may know.
    pub(crate) fn is_told_by(&self, told: &str) -> bool {
        let secrets = [
            &self.word,
            &self.key,
            &self.site_key,
            &self.token,
            &self.owner_token,
            &self.guest_token,
        ];
        told.contains(SECRET_IN_BASE64) || secrets.iter().any(|secret| told.contains(*secret))
    }

    /// Bodies in which every field that any API reads names something of this tenant; the token and the
    /// key are the sender's.
    pub(crate) fn bodies(&self, own: &Self, token: Option<&str>, key: Option<&str>) -> Vec<Value> {
        let user = self.user.to_string();
        let app_room = (self.room.to_string(), self.message.to_string(), &user);
        let site_chat = (self.chat.clone(), self.message.to_string(), &self.guest);
        let mut bodies = Vec::new();
        for (chat, message, person) in [app_room, site_chat] {
            // What is a name of two APIs is of the one's type in one body, of the other's in the next.
            for (said, query) in [
                (
                    json!({"id": message, "value": "x", "type": "text"}),
                    json!({}),
                ),
                (json!("x"), json!("")),
            ] {
                let mut body = json!({
                    "id": message, "_id": message, "page": 1, "limit": 20, "skip": 0, "name": "x",
                    "title": "x", "content": "x", "up_to": message, "email": self.email,
                    "password": "a longer guess", "new_password": "battery staple", "firstName": "x",
                    "lastName": "x", "room": self.room_name, "appUserId": self.own_id,
                    "chatId": chat, "chat": {"id": chat, "name": "x", "users": [person]},
                    "user": {"id": person, "external_id": self.own_id, "name": "x", "photo": "x"},
                    "message": said, "users": [person, self.own_id], "query": query, "typing": true,
                    "value": "x", "text": "x", "domain": own.domain,
                });
                for (name, value) in [("token", token), ("guestToken", token), ("appId", key)] {
                    if let Some(value) = value {
                        body[name] = value.into();
                    }
                }
                bodies.push(body);
            }
        }
        bodies
    }

    /// A path in which every parameter names something of this tenant.
    pub(crate) fn paths(&self, template: &str) -> Vec<String> {
        if !template.contains('{') {
            return vec![template.to_owned()];
        }
        let mut names = vec![
            self.room.to_string(),
            self.room_name.clone(),
            self.user.to_string(),
            self.app.to_string(),
            self.chat.clone(),
            self.owner.clone(),
        ];
        if template.contains("logins") {
            names = (1..20).map(|login| login.to_string()).collect();
        }
        let fill = |name: &String| {
            let parts = template.split('/').map(|part| match part {
                "{message}" => self.message.to_string(),
                "{emoji}" => "%F0%9F%8D%B5".to_owned(),
                part if part.starts_with('{') => name.clone(),
                part => part.to_owned(),
            });
            parts.collect::<Vec<_>>().join("/")
        };
        names.iter().map(fill).collect()
    }
}

fn forget_times(login: &mut Value) {
    if let Some(login) = login.as_object_mut() {
        login.retain(|name, _| name == "id");
    }
}

/// Sends an event of the support dialect.
pub(crate) async fn event(world: &World, name: &str, argument: &Value) -> Value {
    let path = format!("/api/events/{name}?dialect=support");
    let told = send(world, "POST", &path, &[], argument).await;
    told.with(200).json()["data"].take()
}

/// What the server answers to a JSON body: 200, or the test fails.
pub(crate) async fn post(world: &World, path: &str, body: &Value) -> Value {
    let told = Told::of(
        world
            .http
            .post(format!("{}{path}", world.base()))
            .json(body),
    )
    .await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()
}
