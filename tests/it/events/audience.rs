//! Who receives which change: members, those who left, the whole tenant, only oneself.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD},
    support::poll::{answer, hold},
    support::world::World,
};

/// What a person received, short enough to compare: type, chat, and what it says.
fn heard(events: &[Value]) -> Vec<Value> {
    let short = |event: &Value| {
        let what = match event["type"].as_str().expect("a type") {
            "message" => &event["message"]["content"],
            "member" => &event["joined"],
            "chat" => &event["chat"]["title"],
            "read" => &event["up_to"],
            word => panic!("{word} is not told here"),
        };
        json!([event["type"], event["chat_id"], what])
    };
    events.iter().map(short).collect()
}

#[rocket::async_test]
async fn who_is_no_member_hears_nothing_of_a_chat_but_that_it_is_there() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let since = bo.now().await;
    let held = hold(&bo, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    let chat = ann.make("tea").await;
    let first = answer(held).await.with(200).json();
    let cursor = first["cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(
        heard(first["events"].as_array().expect("a list")),
        [json!(["chat", chat, "tea"])]
    );
    let told = &first["events"][0]["chat"];
    assert_eq!(
        json!([told["id"], told["open"], told["deleted_at"]]),
        json!([chat, true, null])
    );
    assert!(
        told.get("unread").is_none() && told.get("member").is_none(),
        "nothing differs by reader"
    );

    let held = hold(&bo, &format!("/api/events?after={cursor}&timeout=50"));
    world.waiting(1).await;
    let said = ann.say(chat, "hi").await;
    ann.read(chat, said).await;
    ann.leave(chat).await;
    ann.join(chat).await;
    let other = bo.make("mine").await;
    let told = answer(held).await.with(200).json();
    let mut events = told["events"].as_array().expect("a list").clone();
    let (rest, _) = bo
        .events(told["cursor"].as_str().expect("a cursor"), 0)
        .await;
    events.extend(rest);
    let expected = [
        json!(["chat", other, "mine"]),
        json!(["member", other, true]),
    ];
    assert_eq!(
        heard(&events),
        expected,
        "what happened in between was not for bo"
    );
    let (replayed, _) = bo.events(&cursor, 0).await;
    assert_eq!(heard(&replayed), expected, "the log says the same");
}

#[rocket::async_test]
async fn who_left_hears_that_they_left_and_then_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let since = bo.now().await;
    let phone = Actor::sign_in(&world, "bo", PASSWORD).await;
    let held = hold(&phone, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    bo.leave(chat).await;
    let told = answer(held).await.with(200).json();
    assert_eq!(
        heard(told["events"].as_array().expect("a list")),
        [json!(["member", chat, false])]
    );
    let cursor = told["cursor"].as_str().expect("a cursor");
    let held = hold(&phone, &format!("/api/events?after={cursor}&timeout=50"));
    world.waiting(1).await;
    ann.say(chat, "they are gone").await;
    let marker = ann.make("marker").await;
    let told = answer(held).await.with(200).json();
    assert_eq!(
        heard(told["events"].as_array().expect("a list")),
        [json!(["chat", marker, "marker"])]
    );
}

#[rocket::async_test]
async fn who_left_is_told_the_same_from_memory_as_from_the_log() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let since = bo.now().await;
    ann.say(chat, "while bo was there").await;
    bo.leave(chat).await;
    let left = json!(["member", chat, false]);
    assert_eq!(
        heard(&bo.events(&since, 0).await.0),
        std::slice::from_ref(&left)
    );
    ann.say(chat, "while bo was away").await;
    bo.join(chat).await;
    ann.say(chat, "now that bo is back").await;
    let expected = [
        left,
        json!(["member", chat, true]),
        json!(["message", chat, "now that bo is back"]),
    ];
    assert_eq!(heard(&bo.events(&since, 0).await.0), expected);
    let world = world.restart().await;
    assert_eq!(heard(&bo.at(&world).events(&since, 0).await.0), expected);
}

#[rocket::async_test]
async fn who_comes_hears_from_then_on() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let since = bo.now().await;
    ann.say(chat, "before").await;
    let held = hold(&bo, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    bo.join(chat).await;
    let told = answer(held).await.with(200).json();
    assert_eq!(
        heard(told["events"].as_array().expect("a list")),
        [json!(["member", chat, true])]
    );
    ann.say(chat, "after").await;
    let expected = [
        json!(["member", chat, true]),
        json!(["message", chat, "after"]),
    ];
    assert_eq!(heard(&bo.events(&since, 0).await.0), expected);
    let world = world.restart().await;
    assert_eq!(heard(&bo.at(&world).events(&since, 0).await.0), expected);
}

#[rocket::async_test]
async fn read_marks_are_told_to_the_members_of_small_chats_only() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let names: Vec<_> = (1..=50).map(|number| format!("guest {number}")).collect();
    let guests = join_all(names.iter().map(|name| world.actor(name))).await;
    let (late, early) = guests.split_last().expect("fifty guests");
    join_all(early.iter().map(|guest| guest.join(chat))).await;
    let first = ann.say(chat, "fifty of us").await;
    let since = ann.now().await;
    let reader = &early[0];
    reader.read(chat, first).await;
    let expected = [json!(["read", chat, first])];
    assert_eq!(heard(&ann.events(&since, 0).await.0), expected);
    assert_eq!(ann.events(&since, 0).await.0[0]["person_id"], reader.id);

    late.join(chat).await;
    let second = ann.say(chat, "fifty-one").await;
    let since = ann.now().await;
    let phone = Actor::sign_in(&world, &reader.name, PASSWORD).await;
    let held = hold(&phone, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    reader.read(chat, second).await;
    let told = answer(held).await.with(200).json();
    let expected = [json!(["read", chat, second])];
    assert_eq!(
        heard(told["events"].as_array().expect("a list")),
        expected,
        "one's other logins"
    );
    assert_eq!(heard(&ann.events(&since, 0).await.0), Vec::<Value>::new());
    assert_eq!(reader.chat(chat).await["unread"], 0);
    let world = world.restart().await;
    assert_eq!(
        heard(&ann.at(&world).events(&since, 0).await.0),
        Vec::<Value>::new()
    );
    assert_eq!(heard(&phone.at(&world).events(&since, 0).await.0), expected);
}
