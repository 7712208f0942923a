//! Who is in a room of the chat service, at whatever server.

use serde_json::Value;

use crate::{
    support::nodes::{servers, stop},
    support::service_room::{self, TOKENS},
    support::socketio::json_after,
    support::socketio_client::Ws,
    support::tenants::CLOSED_SETTINGS,
};

/// The next event of a name: its argument.
async fn event(ws: &mut Ws, name: &str) -> Value {
    let told = ws.text_after(&format!("42[\"{name}\"")).await;
    json_after(&told, "42")[1].clone()
}

/// What is told of those in the room, up to a list of these people.
async fn until_there_are(ws: &mut Ws, people: &[i64]) -> Vec<String> {
    let mut infos = Vec::new();
    loop {
        let text = ws.text().await;
        if text.starts_with("42[\"info\"") {
            infos.push(json_after(&text, "42")[1].to_string());
        }
        if text.starts_with("42[\"roomData\"") {
            let users = json_after(&text, "42")[1]["users"].clone();
            let users = users.as_array().expect("a list").iter();
            let sender = |user: &Value| user["sender"].as_i64().expect("a number");
            if users.map(sender).collect::<Vec<_>>() == people {
                return infos;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_room_is_told_at_every_server() {
    let Some(servers) = servers(2, CLOSED_SETTINGS).await else {
        return;
    };
    let [first, second] = service_room::make(&servers).await;
    let (mut one, _) = service_room::joined(&servers[0], TOKENS[0]).await;
    until_there_are(&mut one, &[first]).await;
    let (mut two, _) = service_room::joined(&servers[1], TOKENS[1]).await;
    // Those that came first at first.
    until_there_are(&mut two, &[first, second]).await;
    let infos = until_there_are(&mut one, &[first, second]).await;
    let told = |infos: &[String], word: &str| {
        let said = format!("{second} has {word}");
        infos.iter().any(|info| info.contains(&said))
    };
    assert!(told(&infos, "joined!"), "{infos:?}");

    // The second time it says nothing new, so the log does not tell it.
    for _ in 0..2 {
        two.send("42[\"seen\"]").await;
        let seen = event(&mut one, "seen_by").await;
        assert_eq!(seen["id"].as_i64(), Some(second), "{seen}");
    }

    two.send("42[\"leave\"]").await;
    let infos = until_there_are(&mut one, &[first]).await;
    assert!(told(&infos, "left"), "{infos:?}");
    two.send("42[\"join\",\"tea\"]").await;
    until_there_are(&mut one, &[first, second]).await;
    drop(two);
    let infos = until_there_are(&mut one, &[first]).await;
    assert!(told(&infos, "left"), "{infos:?}");
    stop(servers).await;
}
