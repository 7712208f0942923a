//! Incoming hooks: who makes them, what they say, and that they say nothing any more once they are ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list, text},
    support::world::World,
};

/// Makes a hook; the path by which it speaks, and its number.
async fn make(admin: &Actor, chat: i64, name: &str) -> (String, i64) {
    let path = format!("/api/chats/{chat}/hooks");
    let made = admin.post(&path, &[("name", name)]).await.with(201).json();
    (text(&made, "url"), made["id"].as_i64().expect("a number"))
}

/// Speaks by a hook, in JSON.
async fn say(world: &World, path: &str, body: &Value, key: Option<&str>) -> Told {
    let mut request = world
        .http
        .post(format!("{}{path}", world.base()))
        .json(body);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    Told::of(request).await
}

#[rocket::async_test]
async fn a_program_says_something_as_a_person_of_its_own() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    for chat in [
        ann.make("tea").await,
        ann.make_private("club", &[&bo]).await,
    ] {
        let (path, hook) = make(&ann, chat, &format!("Builds {chat}")).await;
        assert_eq!(path.len(), "/hooks/".len() + 64, "256 bits in hex");
        let told = say(&world, &path, &json!({"text": "green"}), None)
            .await
            .with(200);
        assert_eq!(
            (told.body.as_str(), told.header("Content-Type")),
            ("ok", "text/plain; charset=utf-8")
        );
        let form = [("payload", r#"{"text": "a form"}"#)];
        world.post(&path, &form).await.with(200);
        assert_eq!(bo.said(chat).await, ["green", "a form"]);
        let hooks = ann.get(&format!("/api/chats/{chat}/hooks")).await.with(200);
        assert!(
            !hooks.body.contains(&path["/hooks/".len()..]),
            "the secret is told once"
        );
        let hooks = list(&hooks.json(), "hooks");
        assert_eq!((hooks.len(), &hooks[0]["id"]), (1, &json!(hook)));
        assert_eq!(hooks[0]["name"], format!("Builds {chat}"));
        assert!(hooks[0]["used_at"].is_string());
        let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
        assert_eq!(page["messages"][0]["sender_id"], hooks[0]["person_id"]);
    }
    world.stop().await;
}

#[rocket::async_test]
async fn a_repeat_under_the_same_key_says_nothing_twice() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let (path, _) = make(&ann, chat, "Builds").await;
    for _ in 0..3 {
        say(&world, &path, &json!({"text": "once"}), Some("a key"))
            .await
            .refused(400, "bad_request");
        say(&world, &path, &json!({"text": "once"}), Some("key"))
            .await
            .with(200);
    }
    say(
        &world,
        &path,
        &json!({"text": "once", "client_id": "key"}),
        None,
    )
    .await
    .with(200);
    say(&world, &path, &json!({"text": "other"}), Some("key"))
        .await
        .refused(422, "idempotency_mismatch");
    assert_eq!(ann.said(chat).await, ["once"]);
    world.stop().await;
}

#[rocket::async_test]
async fn only_who_governs_a_chat_manages_its_hooks() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (eve, removed) = (world.actor("eve").await, world.actor("cy").await);
    let chat = ann.make_private("club", &[&bo, &removed]).await;
    let gone = format!("/api/chats/{chat}/members/{}", removed.id);
    ann.delete(&gone).await.with(200);
    let (path, hook) = make(&ann, chat, "Builds").await;
    let base = format!("/api/chats/{chat}/hooks");
    let one = format!("{base}/{hook}");
    let direct = ann
        .post("/api/chats", &[("members", &bo.id.to_string())])
        .await
        .with(201);
    let direct = format!("{}/hooks", direct.header("Location"));
    ann.post(&direct, &[("name", "Other")])
        .await
        .refused(403, "forbidden");
    for (who, status, code) in [
        (&bo, 403, "forbidden"),
        (&eve, 404, "not_found"),
        (&removed, 404, "not_found"),
        (
            &eve.with_login("nobody", 999, "none".to_owned()),
            401,
            "unauthenticated",
        ),
    ] {
        who.post(&base, &[("name", "Other")])
            .await
            .refused(status, code);
        who.get(&base).await.refused(status, code);
        who.delete(&one).await.refused(status, code);
    }
    say(&world, &path, &json!({"text": "still there"}), None)
        .await
        .with(200);
    ann.delete(&one).await.ok(200);
    say(&world, &path, &json!({"text": "gone"}), None)
        .await
        .refused(404, "not_found");
    ann.delete(&one).await.refused(404, "not_found");
    assert_eq!(bo.said(chat).await, ["still there"]);
    let members = bo
        .get(&format!("/api/chats/{chat}/members"))
        .await
        .with(200)
        .json();
    assert_eq!(list(&members, "members").len(), 2, "its person has left");
    world.stop().await;
}

#[rocket::async_test]
async fn a_hook_takes_nobodys_name_and_its_own_is_free_when_it_is_ended() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let base = format!("/api/chats/{chat}/hooks");
    for name in ["ann", "ANN"] {
        ann.post(&base, &[("name", name)])
            .await
            .refused(409, "conflict");
    }
    let (_, hook) = make(&ann, chat, "Builds").await;
    let form = [
        ("name", "builds"),
        ("password", "battery staple"),
        ("email", "b@example.com"),
    ];
    world
        .post("/api/reg", &form)
        .await
        .refused(400, "bad_request");
    ann.delete(&format!("{base}/{hook}")).await.ok(200);
    world.post("/api/reg", &form).await.ok(201);
    world.stop().await;
}

#[rocket::async_test]
async fn a_hook_that_was_removed_from_its_chat_or_whose_chat_is_gone_says_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let (path, _) = make(&ann, chat, "Builds").await;
    let hooks = ann
        .get(&format!("/api/chats/{chat}/hooks"))
        .await
        .with(200)
        .json();
    let person = &hooks["hooks"][0]["person_id"];
    ann.delete(&format!("/api/chats/{chat}/members/{person}"))
        .await
        .with(200);
    say(&world, &path, &json!({"text": "x"}), None)
        .await
        .refused(403, "forbidden");
    let other = ann.make("coffee").await;
    let (path, _) = make(&ann, other, "Deploys").await;
    ann.delete(&format!("/api/chats/{other}")).await.with(200);
    say(&world, &path, &json!({"text": "x"}), None)
        .await
        .refused(404, "not_found");
    assert!(bo.said(chat).await.is_empty());
    world.stop().await;
}

#[rocket::async_test]
async fn what_says_nothing_is_refused_and_an_unknown_secret_is_not_found() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let (path, _) = make(&ann, chat, "Builds").await;
    for body in [
        json!({}),
        json!({"text": " "}),
        json!({"text": 7}),
        json!({"payload": "[]"}),
        json!({"payload": "{}"}),
        json!({"text": "a", "payload": "{}"}),
    ] {
        say(&world, &path, &body, None)
            .await
            .refused(400, "bad_request");
    }
    let large = json!({"text": "x".repeat(20_000)});
    say(&world, &path, &large, None)
        .await
        .refused(400, "bad_request");
    for unknown in [
        "/hooks/none".to_owned(),
        format!("{path}0"),
        path.to_uppercase().replace("/HOOKS/", "/hooks/"),
    ] {
        say(&world, &unknown, &json!({"text": "x"}), None)
            .await
            .refused(404, "not_found");
    }
    let got = world
        .http
        .request(Method::GET, format!("{}{path}", world.base()));
    assert!(matches!(Told::of(got).await.status, 404 | 405));
    assert!(ann.said(chat).await.is_empty());
    world.stop().await;
}

#[rocket::async_test]
async fn a_hook_that_speaks_too_often_is_told_when_to_come_again() {
    let world = World::with("rate_limits = true\nrate_per_login = 1\nrate_per_address = 0").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let (path, _) = make(&ann, chat, "Builds").await;
    let mut refused = None;
    for _ in 0..60 {
        let told = say(&world, &path, &json!({"text": "x"}), None).await;
        if told.status != 200 {
            refused = Some(told);
            break;
        }
    }
    let refused = refused.expect("it is refused").refused(429, "rate_limited");
    assert!(!refused.header("Retry-After").is_empty());
    world.stop().await;
}
