//! Making chats exactly once: the same key, whichever kind of chat and however often it is said.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told},
    support::world::World,
};

async fn make(actor: &Actor, body: &Value, key: Option<&str>) -> Told {
    let request = actor.request(Method::POST, "/api/chats").json(body);
    Told::of(match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    })
    .await
}

/// Which chat was made, and whether it was made before.
fn made(told: &Told) -> (String, bool) {
    assert_eq!(told.body, r#"{"status":"ok"}"#);
    let replayed = told.header("Idempotency-Replayed") == "true";
    (told.header("Location").to_owned(), replayed)
}

fn other_of(who: &Actor, one: &Actor, other: &Actor) -> i64 {
    if who.id == one.id { other.id } else { one.id }
}

async fn types(actor: &Actor, since: &str) -> Vec<Value> {
    let (events, _) = actor.events(since, 0).await;
    events
        .into_iter()
        .map(|event| event["type"].clone())
        .collect()
}

#[rocket::async_test]
async fn a_chat_of_each_kind_is_made_once_under_its_key() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let bodies = [
        ("open", json!({"title": "tea"}), 201, 201),
        (
            "open with others",
            json!({"title": "tea 2", "open": true, "members": [bo.id]}),
            201,
            201,
        ),
        (
            "private",
            json!({"title": "tea", "private": true}),
            201,
            201,
        ),
        (
            "private with others",
            json!({"title": "tea", "members": [bo.id]}),
            201,
            201,
        ),
        ("direct", json!({"members": [bo.id]}), 201, 200),
    ];
    let mut firsts = Vec::new();
    for (key, body, first, _) in &bodies {
        let key = &key.replace(' ', "-");
        let since = ann.now().await;
        let told = make(&ann, body, Some(key)).await.with(*first);
        assert!(!types(&ann, &since).await.is_empty(), "{key} is told");
        assert!(!made(&told).1, "{key} is new");
        firsts.push(made(&told).0);
    }
    let world = world.restart().await;
    let (ann, bo) = (ann.at(&world), bo.at(&world));
    let since = ann.now().await;
    for ((key, body, _, again), first) in bodies.iter().zip(&firsts) {
        let key = &key.replace(' ', "-");
        for told in join_all((0..3).map(|_| make(&ann, body, Some(key)))).await {
            assert_eq!(made(&told.with(*again)), (first.clone(), true), "{key}");
        }
        // The field is the same key, and somebody else's is another.
        let mut field = body.clone();
        field["client_id"] = json!(key);
        assert_eq!(made(&make(&ann, &field, None).await).0, *first, "{key}");
    }
    assert_eq!(
        types(&ann, &since).await,
        Vec::<Value>::new(),
        "nothing is told twice"
    );
    let other = json!({"title": "bo's"});
    let told = make(&bo, &other, Some("private")).await.with(201);
    assert!(!made(&told).1 && !firsts.contains(&made(&told).0));
    let mut beside = world.place.beside().await;
    assert_eq!(beside.number("select count(*) from chats").await, 6);
    beside.head_without_gaps().await;
    world.stop().await;
}

#[rocket::async_test]
async fn a_key_that_was_used_for_another_chat_is_refused() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let first = json!({"title": "tea", "members": [bo.id, cy.id]});
    let chat = made(&make(&ann, &first, Some("k")).await.with(201)).0;
    for other in [
        json!({"title": "Tea", "members": [bo.id, cy.id]}),
        json!({"title": "tea", "members": [bo.id]}),
        json!({"title": "tea", "open": true, "members": [bo.id, cy.id]}),
        json!({"title": "tea"}),
        json!({"members": [bo.id]}),
    ] {
        let told = make(&ann, &other, Some("k")).await;
        told.refused(422, "idempotency_mismatch");
    }
    // The same people in another order, or named twice, are the same chat.
    let same = json!({"title": "tea", "members": [cy.id, bo.id, bo.id]});
    assert_eq!(
        made(&make(&ann, &same, Some("k")).await.with(201)),
        (chat.clone(), true)
    );
    let mut both = first.clone();
    both["client_id"] = json!("other");
    make(&ann, &both, Some("k"))
        .await
        .refused(400, "bad_request");
    for wrong in ["a b", "\u{e4}", &"k".repeat(65)] {
        make(&ann, &first, Some(wrong))
            .await
            .refused(400, "bad_request");
    }
    // A refusal uses no key up.
    ann.make("taken").await;
    make(&bo, &json!({"title": "taken"}), Some("k"))
        .await
        .refused(409, "conflict");
    let told = make(&bo, &json!({"title": "free"}), Some("k"))
        .await
        .with(201);
    assert!(!made(&told).1);
    world.stop().await;
}

#[rocket::async_test]
async fn the_same_key_from_fifty_at_once_is_one_chat() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let since = bo.now().await;
    let body = json!({"title": "tea", "members": [bo.id]});
    let told = join_all((0..50).map(|_| make(&ann, &body, Some("k")))).await;
    let told: Vec<_> = told
        .iter()
        .map(|told| made(&told.clone().with(201)))
        .collect();
    assert!(told.iter().all(|(chat, _)| *chat == told[0].0), "{told:?}");
    assert_eq!(told.iter().filter(|(_, replayed)| *replayed).count(), 49);
    let told = types(&bo, &since).await;
    let chats = told.iter().filter(|kind| *kind == "chat").count();
    assert_eq!((chats, told.len() <= 3), (1, true), "{told:?}");

    // Of several that differ one is first, and only that one is made.
    let bodies =
        (0..20).map(|number| json!({"title": format!("tea {}", number % 4), "private": true}));
    let told = join_all(bodies.map(|body| {
        let ann = &ann;
        async move { make(ann, &body, Some("k2")).await }
    }));
    let (fine, refused): (Vec<_>, Vec<_>) = told.await.into_iter().partition(|it| it.status == 201);
    assert_eq!((fine.len(), refused.len()), (5, 15));
    for told in refused {
        told.refused(422, "idempotency_mismatch");
    }
    let mut beside = world.place.beside().await;
    assert_eq!(beside.number("select count(*) from chats").await, 2);
    world.stop().await;
}

#[rocket::async_test]
async fn making_a_chat_again_is_answered_whatever_happened_since() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let private = json!({"title": "tea", "members": [bo.id]});
    let direct = json!({"members": [bo.id]});
    let (tea, pair) = (
        made(&make(&ann, &private, Some("tea")).await).0,
        made(&make(&ann, &direct, Some("pair")).await).0,
    );
    for chat in [&tea, &pair] {
        for who in [&ann, &bo] {
            who.post(&format!("{chat}/leave"), &[]).await.ok(200);
        }
    }
    let since = ann.now().await;
    assert_eq!(made(&make(&ann, &private, Some("tea")).await), (tea, true));
    assert_eq!(
        made(&make(&ann, &direct, Some("pair")).await),
        (pair.clone(), true)
    );
    // A repeat brings nobody back; to begin it anew does, and is repeatable too.
    assert_eq!(types(&ann, &since).await, Vec::<Value>::new());
    assert_eq!(ann.chats().await.0.len(), 0);
    let anew = made(&make(&ann, &direct, Some("anew")).await.with(200));
    assert_eq!(anew, (pair.clone(), false));
    assert_eq!(ann.chats().await.0.len(), 1);
    ann.post(&format!("{pair}/leave"), &[]).await.ok(200);
    let again = made(&make(&ann, &direct, Some("anew")).await.with(200));
    assert_eq!(again, (pair, true));
    assert_eq!(ann.chats().await.0.len(), 0);
    // One that both are in is found, which is remembered too though nothing changes.
    for who in [&ann, &bo] {
        who.post(
            "/api/chats",
            &[("members", &other_of(who, &ann, &bo).to_string())],
        )
        .await
        .ok(200);
    }
    let there = made(&make(&ann, &direct, Some("there")).await.with(200));
    assert!(!there.1);
    assert_eq!(
        made(&make(&ann, &direct, Some("there")).await.with(200)),
        (there.0, true)
    );
    // Somebody who is gone is no reason to answer otherwise.
    let mut beside = world.place.beside().await;
    beside
        .run(&format!(
            "update people set deleted_at = 1 where id = {}",
            bo.id
        ))
        .await;
    make(&ann, &private, Some("tea")).await.with(201);
    make(&ann, &private, Some("new"))
        .await
        .refused(400, "bad_request");
    world.stop().await;
}

#[rocket::async_test]
async fn a_list_of_chats_tells_where_the_unread_begins_and_when_each_was_made() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let told = ann.chat(chat).await;
    assert_eq!(told["first_unread"], Value::Null);
    let created = told["created_at"].as_str().expect("a time").to_owned();
    let first = bo.say(chat, "one").await;
    let second = bo.say(chat, "two").await;
    let told = ann.chat(chat).await;
    assert_eq!(
        (&told["unread"], &told["first_unread"]),
        (&json!(2), &json!(first))
    );
    assert_eq!(told["created_at"], json!(created));
    ann.read(chat, first).await;
    assert_eq!(ann.chat(chat).await["first_unread"], second);
    ann.read(chat, second).await;
    assert_eq!(ann.chat(chat).await["first_unread"], Value::Null);
    // What one has sent oneself is read, and who is no member has nothing unread.
    bo.say(chat, "three").await;
    assert_eq!(bo.chat(chat).await["first_unread"], Value::Null);
    let cy = world.actor("cy").await;
    assert_eq!(cy.chat(chat).await["first_unread"], Value::Null);
    ann.leave(chat).await;
    assert_eq!(ann.chat(chat).await["first_unread"], Value::Null);
    world.stop().await;
}
