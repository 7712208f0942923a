//! Who types at one server is told at the others.

use serde_json::{Value, json};

use crate::{
    support::actor::Actor,
    support::nodes::{join, servers, servers_that_hear_nothing, stop},
    support::security_world::{CONNECTIONS, Connection, Credentials},
    support::service_room::{self, TOKENS},
    support::stream::Events,
    support::tenants::CLOSED_SETTINGS,
    support::world::{World, soon_holds},
};

async fn types(who: &Actor, chat: i64, typing: &str) {
    let path = format!("/api/chats/{chat}/typing");
    who.post(&path, &[("typing", typing)]).await.ok(200);
}

fn typing(chat: i64, who: &Actor, typing: bool) -> Value {
    json!({"type": "typing", "chat_id": chat, "person_id": who.id, "typing": typing})
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_told_at_every_server_and_so_is_its_end() {
    let Some(servers) = servers(3, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let bo = servers[1].actor("bo").await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let mut streams = Vec::new();
    for world in &servers {
        let path = "/api/events?types=typing";
        streams.push(Events::open(&bo.at(world), path, None).await);
    }
    // The last one ends with the login of who types.
    let ends: [&str; 2] = ["false", ""];
    for (world, end) in servers.iter().zip(ends) {
        let ann = ann.at(world);
        types(&ann, chat, "true").await;
        for stream in &mut streams {
            assert_eq!(stream.event().await.json(), typing(chat, &ann, true));
        }
        if end.is_empty() {
            ann.get("/api/logout").await.with(200);
        } else {
            types(&ann, chat, end).await;
        }
        for stream in &mut streams {
            assert_eq!(stream.event().await.json(), typing(chat, &ann, false));
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_in_a_room_and_in_a_conversation_is_told_at_another_server() {
    let Some(servers) = servers(2, CLOSED_SETTINGS).await else {
        return;
    };
    service_room::make(&servers).await;
    let (mut one, _) = service_room::joined(&servers[0], TOKENS[0]).await;
    let (mut two, _) = service_room::joined(&servers[1], TOKENS[1]).await;
    one.send("42[\"typing\",true]").await;
    let told = two.text_after("42[\"is_typing\"").await;
    assert!(told.contains("\"typing\":true"), "{told}");
    // What a connection says ends with it.
    drop(one);
    let told = two.text_after("42[\"is_typing\"").await;
    assert!(told.contains("\"typing\":false"), "{told}");

    let owner = servers[0].owner("localhost").await;
    let guest = servers[1].guest("localhost").await;
    for by in CONNECTIONS {
        let socket = Connection::open(&servers[0], by, &Credentials::default()).await;
        let mut socket = socket.expect("it is let in");
        let argument = json!({ "token": owner.token });
        let asked = socket.ask("getWaitingChats", &argument).await;
        asked.expect("it acts");
        for typing in [true, false] {
            let argument = json!({"chatId": guest.chat, "token": guest.token, "typing": typing});
            servers[1].said("typing", argument).await;
            let heard = socket.until("[\"typing\"").await;
            let told = heard.last().expect("it is heard");
            assert!(told.contains(&format!("\"typing\":{typing}")), "{told}");
        }
    }
    stop(servers).await;
}

/// Everything that servers tell each other happens here.
async fn says(ann: &Actor, chat: i64) {
    types(ann, chat, "true").await;
    ann.get("/api/events?timeout=0&poll=tab").await.with(200);
    types(ann, chat, "false").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_alone_tells_nobody() {
    let Some(mut servers) = servers_that_hear_nothing(1, "").await else {
        return;
    };
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    says(&ann, chat).await;
    let alone = servers.pop().expect("there is one");
    // What was to be told is told before it has stopped.
    let place = alone.stop().await;
    let mut beside = place.beside().await;
    let told = "select count(*) from beside.lost where channel = 'parlance_bus'";
    assert_eq!(beside.number(told).await, 0);
    let all = "select count(*) from beside.lost";
    assert!(beside.number(all).await > 0, "that it lives is told");

    let url = place.url();
    servers.push(World::on(place, &url, "").await);
    join(&mut servers).await;
    says(&ann.at(&servers[1]), chat).await;
    let told_now = async || {
        let mut beside = servers[0].place.beside().await;
        beside.number(told).await > 0
    };
    soon_holds(told_now).await;
    stop(servers).await;
}
