//! A chat of the embed API that is made again under its key is the same, in whosever name it is made.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    support::actor::{Told, text},
    support::socketio::json_after,
    support::world::World,
};

/// Says an event of the API over HTTP, with more in the query.
async fn say(world: &World, event: &str, query: &str, argument: &Value) -> (u16, Value) {
    let url = format!("{}/api/events/{event}?dialect=embed{query}", world.base());
    let told = Told::of(world.http.post(url).json(argument)).await;
    (told.status, told.json()["data"].take())
}

async fn user(world: &World, query: &str, name: &str) -> String {
    let user = json!({"user": {"external_id": name, "name": name, "photo": "Photo"}});
    let (status, told) = say(world, "create-user", query, &user).await;
    assert_eq!(status, 200, "{told}");
    text(&told["user"], "id")
}

async fn make(world: &World, query: &str, argument: &Value) -> String {
    let (status, told) = say(world, "create-chat", query, argument).await;
    assert_eq!((status, &told["status"]), (200, &json!("ok")), "{told}");
    text(&told["chat"], "id")
}

async fn count(world: &World, what: &str) -> i64 {
    let mut beside = world.place.beside().await;
    beside.number(&format!("select count(*) from {what}")).await
}

#[rocket::async_test]
async fn a_tenants_server_makes_a_chat_once_whichever_user_it_names_first() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let query = format!("&key={}", owner.application_id);
    let (ann, bo) = (
        user(&world, &query, "ann").await,
        user(&world, &query, "bo").await,
    );
    let wanted = json!({"chat": {"name": "tea"}, "users": [ann, bo], "client_id": "k"});
    let told = join_all((0..20).map(|_| say(&world, "create-chat", &query, &wanted))).await;
    let first = told[0].1.clone();
    for (status, told) in told {
        assert_eq!(status, 200);
        assert_eq!(told, first, "the same answer, to the letter");
    }
    assert_eq!(count(&world, "chats").await, 1);
    let changes = count(&world, "changes").await;
    let world = world.restart().await;
    let turned = json!({"chat": {"name": "tea"}, "users": [bo, ann], "client_id": "k"});
    for again in [&wanted, &turned] {
        assert_eq!(
            make(&world, &query, again).await,
            text(&first["chat"], "id")
        );
    }
    assert_eq!(
        count(&world, "changes").await,
        changes,
        "nothing is told twice"
    );
    for other in [
        json!({"chat": {"name": "Tea"}, "users": [ann, bo], "client_id": "k"}),
        json!({"chat": {"name": "tea"}, "users": [ann], "client_id": "k"}),
    ] {
        let (status, told) = say(&world, "create-chat", &query, &other).await;
        assert_eq!(
            (status, &told["code"]),
            (422, &json!("idempotency_mismatch")),
            "{told}"
        );
        let sentence = "this client_id was used for another chat";
        assert_eq!(told["error"], json!([{"message": sentence}]));
    }
    let wrong = json!({"chat": {"name": "tea"}, "users": [ann], "client_id": "a b"});
    assert_eq!(say(&world, "create-chat", &query, &wrong).await.0, 400);
    // Without a key each is another, and another tenant's key is another.
    let unnamed = json!({"chat": {"name": "tea"}, "users": [ann, bo]});
    assert_ne!(
        make(&world, &query, &unnamed).await,
        make(&world, &query, &unnamed).await
    );
    let other = world.owner("elsewhere").await;
    let query = format!("&key={}", other.application_id);
    let ann = user(&world, &query, "ann").await;
    let theirs = json!({"chat": {"name": "tea"}, "users": [ann], "client_id": "k"});
    assert_ne!(
        make(&world, &query, &theirs).await,
        text(&first["chat"], "id")
    );
    world.stop().await;
}

#[rocket::async_test]
async fn whoever_speaks_for_themselves_has_keys_of_their_own() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let mut chats = Vec::new();
    for who in [&ann, &bo] {
        let wanted = json!({"chat": {"name": "tea"}, "users": [ann.id.to_string(), bo.id.to_string()], "client_id": "k"});
        let query = format!("&token={}", who.token);
        let one = make(&world, &query, &wanted).await;
        assert_eq!(make(&world, &query, &wanted).await, one);
        chats.push(one);
    }
    assert_ne!(chats[0], chats[1]);
    // The messenger is another endpoint to the same person: a chat made there is not made again here.
    let form = [
        ("title", "tea"),
        ("private", "true"),
        ("members", &bo.id.to_string()),
        ("client_id", "k"),
    ];
    let told = ann.post("/api/chats", &form).await.ok(201);
    assert_eq!(told.header("Location"), format!("/api/chats/{}", chats[0]));
    assert_eq!(told.header("Idempotency-Replayed"), "true");
    // Nobody needs to say who they are, and has keys all the same.
    let cy = user(&world, "", "cy").await;
    let wanted = json!({"chat": {"name": "tea"}, "users": [cy], "client_id": "k"});
    assert_eq!(
        make(&world, "", &wanted).await,
        make(&world, "", &wanted).await
    );
    let url = format!("{}/api/events/create-chat?dialect=embed", world.base());
    let header = world.http.post(url).header("Idempotency-Key", "k");
    let body = json!({"chat": {"name": "tea"}, "users": [cy]});
    let told = Told::of(header.json(&body)).await.with(200).json()["data"].take();
    assert_eq!(text(&told["chat"], "id"), make(&world, "", &wanted).await);
    world.stop().await;
}

#[rocket::async_test]
async fn a_chat_that_a_socket_begins_again_after_its_line_broke_is_the_same() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let ann = user(&world, &format!("&key={}", owner.application_id), "ann").await;
    let wanted = json!({"chat": {"name": "tea"}, "users": [ann], "client_id": "k"});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut ws = world.websocket("", &[]).await;
        ws.send(&format!("40{}", json!({"key": owner.application_id})))
            .await;
        ws.text_after("40{").await;
        for _ in 0..2 {
            ws.send(&format!("420{}", json!(["create-chat", wanted])))
                .await;
            let answer = json_after(&ws.text_after("430").await, "430");
            ids.push(text(&answer[0]["chat"], "id"));
        }
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(count(&world, "chats").await, 1);
    world.stop().await;
}
