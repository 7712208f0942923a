//! Typing that nobody takes back ends: with the login, and by itself where there is no connection.

use serde_json::{Value, json};

use crate::{
    support::socketio::json_after, support::socketio_client::Ws, support::support_world::Owner,
    support::world::World,
};

impl World {
    /// A connection that a token has opened.
    async fn holding(&self, token: &str) -> Ws {
        let mut ws = self.websocket("", &[]).await;
        ws.send(&format!("40{}", json!({"token": token}))).await;
        ws.text_after("40").await;
        ws
    }

    /// A colleague of an owner.
    async fn colleague(&self, owner: &Owner, domain: &str) -> Owner {
        let email = format!("owner@colleague.{domain}");
        let account = [
            ("email", email.as_str()),
            ("password", crate::support::actor::PASSWORD),
            ("domain", domain),
            ("token", owner.token.as_str()),
        ];
        self.post("/owner/register", &account).await.with(200);
        self.owner_again(&format!("colleague.{domain}")).await
    }
}

/// The next that a connection is told of typing.
async fn typing(ws: &mut Ws) -> Value {
    loop {
        let mut told = json_after(&ws.text_after(r#"42["typing""#).await, "42");
        // An answer to what was said here is none.
        if told[1].get("statusCode").is_none() {
            return told[1].take();
        }
    }
}

#[rocket::async_test]
async fn typing_ends_with_the_login_it_came_by() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let colleague = world.colleague(&owner, "localhost").await;
    let guest = world.guest("localhost").await;
    let mut hears = world.holding(&guest.token).await;
    let mut types = world.holding(&colleague.token).await;
    let argument = json!({"chatId": guest.chat, "typing": true});
    types
        .send(&format!("42{}", json!(["typing", argument])))
        .await;
    let told = |typing: bool| json!({"chatId": guest.chat, "from": colleague.id, "typing": typing});
    assert_eq!(typing(&mut hears).await, told(true));
    let logout = [("token", colleague.token.as_str())];
    world.post("/owner/logout", &logout).await.with(200);
    assert_eq!(typing(&mut hears).await, told(false));
    world.stop().await;
}

#[rocket::async_test]
async fn typing_that_came_by_a_request_ends_by_itself() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let mut hears = world.holding(&guest.token).await;
    let argument = json!({"chatId": guest.chat, "token": owner.token, "typing": true});
    world.said("typing", argument).await;
    let told = |typing: bool| json!({"chatId": guest.chat, "from": owner.id, "typing": typing});
    assert_eq!(typing(&mut hears).await, told(true));
    assert_eq!(typing(&mut hears).await, told(false));
    world.stop().await;
}
