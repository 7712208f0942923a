//! Agents and guests of live support, over plain HTTP.

use serde_json::{Value, json};

use crate::{
    support::actor::{PASSWORD, Told, text},
    support::world::World,
};

/// An agent.
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) application_id: String,
}

/// A guest in their chat.
pub(crate) struct Guest {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) chat: String,
}

impl World {
    /// Sends an event of the dialect: the status, and the reply that a socket would get.
    pub(crate) async fn say(&self, event: &str, argument: Value) -> (u16, Value) {
        let url = format!("{}/api/events/{event}?dialect=support", self.base());
        let told = Told::of(self.http.post(url).json(&argument)).await;
        let mut body = told.json();
        assert_eq!(body["event"], event);
        let data = body["data"].take();
        assert_eq!(data["statusCode"], told.status);
        (told.status, data)
    }

    /// The same, checked for success.
    #[track_caller]
    pub(crate) fn said(&self, event: &str, argument: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let (status, data) = self.say(event, argument).await;
            assert_eq!(status, 200, "{data} at {caller}");
            data
        }
    }

    /// The same, checked for a refusal with a status: the sentence.
    pub(crate) async fn refused(&self, event: &str, argument: Value, status: u16) -> String {
        let (told, data) = self.say(event, argument).await;
        assert_eq!((told, &data["status"]), (status, &json!("error")), "{data}");
        text(&data, "data")
    }

    /// The events for the holder of a token after a cursor, waiting for them.
    pub(crate) async fn events_since(
        &self,
        token: &str,
        after: &str,
    ) -> (Vec<(String, Value)>, String) {
        let path = format!("/api/events?dialect=support&token={token}&after={after}&timeout=0");
        let json = self.get(&path).await.with(200).json();
        let events = json["events"].as_array().expect("a list");
        let events = events
            .iter()
            .map(|event| (text(event, "event"), event["data"].clone()));
        (events.collect(), text(&json, "cursor"))
    }

    /// Registers a site, and signs its owner in.
    pub(crate) async fn owner(&self, domain: &str) -> Owner {
        let email = format!("owner@{domain}");
        let account = [
            ("email", email.as_str()),
            ("password", PASSWORD),
            ("domain", domain),
        ];
        self.post("/owner/register", &account).await.with(200);
        self.owner_again(domain).await
    }

    /// Signs an owner in once more.
    pub(crate) async fn owner_again(&self, domain: &str) -> Owner {
        let email = format!("owner@{domain}");
        let account = [("email", email.as_str()), ("password", PASSWORD)];
        let told = self.post("/owner/login", &account).await.with(200).json();
        Owner {
            id: text(&told["data"], "ownerId"),
            token: text(&told["data"], "token"),
            application_id: text(&told["data"], "appId"),
        }
    }

    /// A guest of a site of their own.
    pub(crate) async fn guest_of_new_site(&self) -> Guest {
        self.owner("localhost").await;
        self.guest("localhost").await
    }

    /// Opens a guest's conversation.
    pub(crate) async fn guest(&self, domain: &str) -> Guest {
        let argument = json!({"email": "email@mail.com", "name": "Name", "domain": domain});
        Guest::from(self.said("getNewChat", argument).await)
    }
}

impl From<Value> for Guest {
    fn from(told: Value) -> Self {
        Self {
            id: text(&told, "guestId"),
            token: text(&told, "guestToken"),
            chat: text(&told, "chatId"),
        }
    }
}

impl Guest {
    /// A guest of `localhost`, who begins a conversation.
    pub(crate) async fn arrive(world: &World) -> Self {
        let argument = json!({"email": "g@example.com", "name": "g", "domain": "localhost"});
        Self::from(world.said("getNewChat", argument).await)
    }

    /// Sends a message to their chat.
    pub(crate) async fn says(&self, world: &World, message: &str) {
        let argument = json!({"chatId": self.chat, "token": self.token, "message": message});
        world.said("newMessage", argument).await;
    }
}

impl Owner {
    /// A conversation of a guest of `localhost` that both have spoken in.
    pub(crate) async fn conversation(&self, world: &World) -> Guest {
        let guest = Guest::arrive(world).await;
        guest.says(world, "hi").await;
        self.answers(world, &guest, "hello").await;
        guest
    }

    /// Answers a guest.
    pub(crate) async fn answers(&self, world: &World, guest: &Guest, message: &str) {
        let argument = json!({"chatId": guest.chat, "token": self.token, "message": message});
        world.said("newMessage", argument).await;
    }

    /// The chats of a queue, by their ids.
    pub(crate) async fn queue(&self, world: &World, event: &str) -> Vec<String> {
        let told = world.said(event, json!({"token": self.token})).await;
        let chats = told["data"].as_array().expect("a list");
        chats.iter().map(|chat| text(chat, "_id")).collect()
    }
}
