//! Webhooks of home, of sites and of apps, as those who manage them.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told},
    support::receiver::Receiver,
    support::tenants::{send, text},
    support::world::{World, soon_holds},
};

/// Settings with which webhooks may be told on this machine.
pub(crate) const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
    verify_allow = ["127.0.0.0/8"]
    embed_open = false
"#;

/// A place where webhooks are managed: its path, and by which headers.
#[derive(Debug, Clone)]
pub(crate) struct Hooks {
    pub(crate) base: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Hooks {
    /// Those of home, by an administrator.
    pub(crate) fn of_home(root: &Actor) -> Self {
        let cookies = format!("user_id={}; token={}", root.id, root.token);
        Self {
            base: "/api/admin/webhooks",
            headers: vec![("Cookie", cookies)],
        }
    }

    /// Those of a site, by its owner.
    pub(crate) fn of_site(token: &str) -> Self {
        Self {
            base: "/owner/webhooks",
            headers: vec![("Authorization", format!("Bearer {token}"))],
        }
    }

    /// Those of an app, by its secret.
    pub(crate) fn of_app(key: &str) -> Self {
        Self {
            base: "/webhook",
            headers: vec![("appId", key.to_owned())],
        }
    }

    pub(crate) async fn ask(&self, world: &World, method: &str, path: &str, body: &Value) -> Told {
        let path = format!("{}{path}", self.base);
        send(world, method, &path, &self.headers, body).await
    }

    /// What is answered, without the shape around it.
    pub(crate) async fn told(
        &self,
        world: &World,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Value {
        let told = self.ask(world, method, path, body).await;
        assert!(matches!(told.status, 200 | 201), "{}", told.body);
        let mut json = told.json();
        if self.base == "/owner/webhooks" {
            assert_eq!(json["status"], "success");
            return json["data"].take();
        }
        json
    }

    /// Registers a receiver; the webhook, with its secret.
    pub(crate) async fn register(&self, world: &World, receiver: &Receiver, more: Value) -> Value {
        let mut body = json!({"url": receiver.url()});
        let more = more.as_object().cloned().unwrap_or_default();
        body.as_object_mut().expect("an object").extend(more);
        self.told(world, "POST", "", &body).await
    }

    /// The last attempts, the latest first.
    pub(crate) async fn deliveries(&self, world: &World, id: &Value) -> Vec<Value> {
        let path = format!("/{id}/deliveries");
        let told = self.told(world, "GET", &path, &Value::Null).await;
        told["deliveries"].as_array().expect("a list").clone()
    }

    /// Returns once a webhook stands so.
    pub(crate) async fn comes_to(&self, world: &World, id: &Value, holds: impl Fn(&Value) -> bool) {
        let path = format!("/{id}");
        soon_holds(async || holds(&self.told(world, "GET", &path, &Value::Null).await)).await;
    }

    /// Lets a webhook go on at once.
    pub(crate) async fn enable(&self, world: &World, id: &Value) {
        let path = format!("/{id}/enable");
        self.told(world, "POST", &path, &json!({})).await;
    }
}

/// An app with a user of its own, who is in a room alone.
pub(crate) struct App {
    pub(crate) key: String,
    pub(crate) token: String,
}

impl App {
    pub(crate) async fn make(world: &World, developer: &str, name: &str) -> Self {
        let headers = [("Authorization", developer.to_owned())];
        let made = send(world, "POST", "/app", &headers, &json!({"name": name})).await;
        let key = text(&made.with(201).json()["applicationId"]);
        let token = format!("token of {name}");
        let user = json!({"appId": key, "appUserId": 1, "firstName": "Ann", "token": token});
        send(world, "POST", "/user", &[], &user).await.with(200);
        let room = json!({"room": "tea", "appId": key, "users": [1]});
        send(world, "POST", "/room", &[], &room).await.with(200);
        Self { key, token }
    }

    /// Says something in the room.
    pub(crate) async fn say(&self, world: &World, what: &str) {
        let headers = [("Authorization", format!("Bearer {}", self.token))];
        let path = "/api/events/send_message?room=tea";
        let said = json!({"message": what});
        send(world, "POST", path, &headers, &said).await.with(200);
    }
}
