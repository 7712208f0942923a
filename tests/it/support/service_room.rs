//! A room of the chat service with two users, at several servers of one database.

use serde_json::{Value, json};

use crate::{
    support::socketio::json_after,
    support::socketio_client::Ws,
    support::tenants::{send, sign_in, text},
    support::world::World,
};

/// The tokens of the users, whom their app calls 1 and 2.
pub(crate) const TOKENS: [&str; 2] = ["token-of-one", "token-of-two"];

/// A room `tea` of an app with two users, made at the servers in turns. The users' ids.
pub(crate) async fn make(servers: &[World]) -> [i64; 2] {
    let at = |number: usize| &servers[number % servers.len()];
    let admin = [("Authorization", sign_in(at(0)).await)];
    let app = json!({"name": "app", "requireAuth": false});
    let app = send(at(0), "POST", "/app", &admin, &app).await.with(201);
    let key = text(&app.json()["applicationId"]);
    let mut users = [0; 2];
    for (index, token) in TOKENS.iter().enumerate() {
        let user = json!({"appId": key, "appUserId": index + 1, "firstName": "A", "token": token});
        let user = send(at(1), "POST", "/user", &admin, &user).await.with(200);
        users[index] = user.json()["id"].as_i64().expect("a number");
    }
    let room = json!({"room": "tea", "appId": key, "users": [1, 2]});
    send(at(2), "POST", "/room", &admin, &room).await.with(200);
    users
}

/// A connection with a token, which asks for recovery; `auth` is what it shows to come back.
pub(crate) async fn connect(world: &World, token: &str, auth: &Value) -> Ws {
    let mut ws = world
        .websocket(&format!("&recovery=1&token={token}"), &[])
        .await;
    ws.send(&format!("40{auth}")).await;
    ws
}

/// One that has joined the room, and the answer to its `CONNECT`.
pub(crate) async fn joined(world: &World, token: &str) -> (Ws, Value) {
    let mut ws = connect(world, token, &json!({})).await;
    let reply = json_after(&ws.text_after("40").await, "40");
    ws.send("42[\"join\",\"tea\"]").await;
    ws.text_after("42[\"room_info\"").await;
    (ws, reply)
}
