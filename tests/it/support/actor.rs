//! People who send requests to the server, and its answers.

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;

use crate::{
    support::asks::percent, support::conformity, support::poll::but_presence, support::world::World,
};

/// The password of everybody who was not given another.
pub(crate) const PASSWORD: &str = "correct horse";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) id: i64,
    pub(crate) token: String,
    base: String,
    http: Client,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Told {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request can be built");
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = client.execute(request).await.expect("the server answers");
        let told = Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.expect("an answer is text"),
        };
        let media_type = told.header("Content-Type");
        let answer = (told.status, media_type, told.body.as_str());
        let breach = conformity::breach(method.as_str(), url.path(), answer);
        assert_eq!(breach, None, "{method} {url}: {}", told.body);
        told
    }

    /// A header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| {
            value.to_str().expect("headers of ours are plain text")
        })
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("Content-Type"), "application/json");
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The same, if the status is this one.
    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// `{"status":"ok"}` to the letter, with this status.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Self {
        let told = self.with(status);
        assert_eq!(told.body, r#"{"status":"ok"}"#);
        assert_eq!(told.header("Content-Type"), "application/json");
        told
    }

    /// Checks that this is a refusal in the contract's shape.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let json = self.json();
        assert_eq!(
            (self.status, json["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        let sentence = json["error"].as_str().expect("an error is a sentence");
        assert!(!sentence.is_empty() && sentence.len() < 300);
        // What cannot serve says how each part is.
        let keys = json.as_object().expect("an object").keys();
        let keys = keys.filter(|key| *key != "parts" || code != "busy").count();
        assert_eq!(keys, if code == "gone" { 3 } else { 2 }, "{}", self.body);
        assert_eq!(self.header("Cache-Control"), "no-store");
        self
    }

    /// The value that a cookie is set to, and its attributes.
    pub(crate) fn cookie(&self, name: &str) -> Option<(String, Vec<String>)> {
        self.headers.get_all("Set-Cookie").iter().find_map(|line| {
            let line = line.to_str().ok()?;
            let mut parts = line.split("; ").map(str::to_owned);
            let (key, value) = parts
                .next()?
                .split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))?;
            (key == name).then(|| (value, parts.collect()))
        })
    }
}

impl Actor {
    /// Signs up, and in.
    pub(crate) async fn sign_up(world: &World, name: &str) -> Self {
        let form = [
            ("name", name),
            ("password", PASSWORD),
            ("email", "a@example.com"),
        ];
        let told = world.post("/api/reg", &form).await.ok(201);
        Self::from_cookies(world, name, &told)
    }

    /// Signs in once more, from another device.
    pub(crate) async fn sign_in(world: &World, name: &str, password: &str) -> Self {
        let told = world
            .post("/api/login", &[("name", name), ("password", password)])
            .await;
        Self::from_cookies(world, name, &told.ok(200))
    }

    fn from_cookies(world: &World, name: &str, told: &Told) -> Self {
        let cookie = |name| told.cookie(name).expect("a login sets both cookies").0;
        Self {
            name: name.to_owned(),
            id: cookie("user_id")
                .parse()
                .expect("a person's id is a number"),
            token: cookie("token"),
            base: world.base().to_owned(),
            http: world.http.clone(),
        }
    }

    /// The same person and login at another server.
    pub(crate) fn at(&self, world: &World) -> Self {
        Self {
            base: world.base().to_owned(),
            ..self.clone()
        }
    }

    /// Somebody else, signed in by other means.
    pub(crate) fn with_login(&self, name: &str, id: i64, token: String) -> Self {
        let name = name.to_owned();
        Self {
            name,
            id,
            token,
            ..self.clone()
        }
    }

    /// A request with this person's cookies.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = format!("user_id={}; token={}", self.id, self.token);
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("Cookie", cookies)
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        Told::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Told {
        Told::of(self.request(Method::POST, path).form(form)).await
    }

    pub(crate) async fn patch(&self, path: &str, form: &[(&str, &str)]) -> Told {
        Told::of(self.request(Method::PATCH, path).form(form)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Told {
        Told::of(self.request(Method::DELETE, path)).await
    }

    /// Searches; the fields are those of the query.
    pub(crate) async fn search(&self, fields: &[(&str, &str)]) -> Told {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields);
        self.get(&format!("/api/search?{}", query.finish())).await
    }

    /// Makes an open chat.
    pub(crate) async fn make(&self, title: &str) -> i64 {
        let told = self.post("/api/chats", &[("title", title)]).await.ok(201);
        let id = told
            .header("Location")
            .strip_prefix("/api/chats/")
            .expect("where the chat is");
        id.parse().expect("a chat's id is a number")
    }

    /// Makes a private chat with these people.
    pub(crate) async fn make_private(&self, title: &str, people: &[&Self]) -> i64 {
        let members: Vec<_> = people.iter().map(|person| person.id.to_string()).collect();
        let members = members.join(",");
        let form = [("title", title), ("private", "true"), ("members", &members)];
        let told = self.post("/api/chats", &form).await.ok(201);
        let id = told.header("Location").rsplit('/').next();
        let id = id.and_then(|id| id.parse().ok());
        id.expect("where the chat is")
    }

    /// One message.
    pub(crate) async fn message(&self, chat: i64, message: i64) -> Value {
        let path = format!("/api/chats/{chat}/messages/{message}");
        self.get(&path).await.with(200).json()
    }

    /// Changes what a message says.
    pub(crate) async fn edit(&self, chat: i64, message: i64, content: &str) -> Told {
        let path = format!("/api/chats/{chat}/messages/{message}");
        self.patch(&path, &[("content", content)]).await
    }

    /// Deletes a message.
    pub(crate) async fn unsay(&self, chat: i64, message: i64) -> Told {
        let path = format!("/api/chats/{chat}/messages/{message}");
        self.delete(&path).await
    }

    /// Sets a reaction.
    pub(crate) async fn react(&self, chat: i64, message: i64, emoji: &str) -> Told {
        let emoji = percent(emoji.as_bytes());
        let path = format!("/api/chats/{chat}/messages/{message}/reactions/{emoji}");
        Told::of(self.request(Method::PUT, &path)).await
    }

    /// Takes a reaction back.
    pub(crate) async fn unreact(&self, chat: i64, message: i64, emoji: &str) -> Told {
        let emoji = percent(emoji.as_bytes());
        let path = format!("/api/chats/{chat}/messages/{message}/reactions/{emoji}");
        self.delete(&path).await
    }

    /// Answers a message, and returns the answer's id.
    pub(crate) async fn reply(&self, chat: i64, to: i64, content: &str) -> i64 {
        let form = [("content", content), ("reply_to", &to.to_string())];
        let told = self
            .post(&format!("/api/chats/{chat}"), &form)
            .await
            .ok(201);
        let id = told.header("X-Message-Id").parse();
        id.expect("a message's id is a number")
    }

    /// Sends a message, and returns its id.
    pub(crate) async fn say(&self, chat: i64, content: &str) -> i64 {
        let told = self
            .post(&format!("/api/chats/{chat}"), &[("content", content)])
            .await;
        let told = told.ok(201);
        told.header("X-Message-Id")
            .parse()
            .expect("a message's id is a number")
    }

    /// What the chat's last messages say, at most 200.
    pub(crate) async fn said(&self, chat: i64) -> Vec<String> {
        let json = self
            .get(&format!("/api/chats/{chat}?limit=200"))
            .await
            .with(200)
            .json();
        contents(&list(&json, "messages"))
    }

    /// Sends under a key.
    pub(crate) async fn say_as(&self, chat: i64, content: &str, key: &str) -> Told {
        let form = [("content", content), ("client_id", key)];
        self.post(&format!("/api/chats/{chat}"), &form).await
    }

    pub(crate) async fn join(&self, chat: i64) {
        self.post(&format!("/api/chats/{chat}/join"), &[])
            .await
            .ok(200);
    }

    pub(crate) async fn leave(&self, chat: i64) {
        self.post(&format!("/api/chats/{chat}/leave"), &[])
            .await
            .ok(200);
    }

    pub(crate) async fn read(&self, chat: i64, up_to: i64) {
        let up_to = up_to.to_string();
        self.post(&format!("/api/chats/{chat}/read"), &[("up_to", &up_to)])
            .await
            .ok(200);
    }

    /// The whole list of chats, and the cursor told with it.
    pub(crate) async fn chats(&self) -> (Vec<Value>, String) {
        let json = self.get("/api/chats?limit=200").await.with(200).json();
        (list(&json, "chats"), text(&json, "cursor"))
    }

    /// One chat as the list shows it.
    pub(crate) async fn chat(&self, chat: i64) -> Value {
        let (chats, _) = self.chats().await;
        let found = chats.into_iter().find(|listed| listed["id"] == chat);
        found.expect("the chat is in the list")
    }

    /// The cursor at the log's head.
    pub(crate) async fn now(&self) -> String {
        let json = self
            .get("/api/events?after=now&timeout=0")
            .await
            .with(200)
            .json();
        text(&json, "cursor")
    }

    /// The events after a cursor, waiting so many seconds for them.
    pub(crate) async fn events(&self, after: &str, timeout: u32) -> (Vec<Value>, String) {
        let path = but_presence(&format!("/api/events?after={after}&timeout={timeout}"));
        let json = self.get(&path).await.with(200).json();
        (list(&json, "events"), text(&json, "cursor"))
    }
}

/// A list in an answer.
#[track_caller]
pub(crate) fn list(json: &Value, key: &str) -> Vec<Value> {
    json[key].as_array().expect("a list").clone()
}

/// A text in an answer.
#[track_caller]
pub(crate) fn text(json: &Value, key: &str) -> String {
    json[key].as_str().expect("a text").to_owned()
}

/// What the messages of a list say.
pub(crate) fn contents(messages: &[Value]) -> Vec<String> {
    messages
        .iter()
        .map(|message| text(message, "content"))
        .collect()
}
