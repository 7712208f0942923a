//! Changing and deleting messages, and the page around a place.

use parlance::{
    chat::members::{self, Authority},
    model::{ChatId, PersonId},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, contents, list},
    support::support_world::Guest,
    support::world::World,
};

/// Takes somebody out of a chat.
async fn remove(world: &World, admin: &Actor, chat: i64, other: &Actor) {
    let caller = world.caller(admin.id, &admin.token).await;
    let others = [PersonId::new(other.id)];
    let chat = ChatId::new(chat);
    members::remove(world.services(), &caller, Authority::Own, chat, &others)
        .await
        .expect("an admin takes people out");
}

#[rocket::async_test]
async fn who_sent_a_message_changes_what_it_says() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let (first, second) = (ann.say(chat, "one").await, ann.say(chat, "two").await);
    let since = ann.now().await;
    ann.edit(chat, first, "one, or three").await.ok(200);
    let message = bo.message(chat, first).await;
    assert_eq!(message["content"], "one, or three");
    assert!(message["edited_at"].is_string(), "{message}");
    assert_eq!(message["deleted_at"], Value::Null);
    assert_eq!(bo.said(chat).await, ["one, or three", "two"]);
    let (events, _) = bo.events(&since, 0).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let (told, event) = (message.clone(), &events[0]);
    assert_eq!(
        (&event["type"], &event["chat_id"]),
        (&json!("edited"), &json!(chat))
    );
    for key in ["id", "content", "edited_at", "time", "sender_id"] {
        assert_eq!(event["message"][key], told[key], "{key}");
    }
    // The list tells what the last message says now; a change of it is no new activity.
    let place = bo.chat(chat).await["last_position"].clone();
    ann.edit(chat, second, "2").await.ok(200);
    let listed = bo.chat(chat).await;
    assert_eq!(
        (&listed["last_message"], &listed["last_position"]),
        (&json!("2"), &place)
    );
    // A sender may ask for the message as it is now.
    let path = format!("/api/chats/{chat}/messages/{second}");
    let request = ann.request(Method::PATCH, &path).form(&[("content", "II")]);
    let told = Told::of(request.header("Prefer", "return=representation")).await;
    assert_eq!(told.with(200).json()["message"]["content"], "II");
}

#[rocket::async_test]
async fn what_is_deleted_leaves_its_place() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let (mine, theirs) = (
        ann.say(chat, "ann\u{2019}s").await,
        bo.say(chat, "bo\u{2019}s").await,
    );
    let since = ann.now().await;
    bo.unsay(chat, mine).await.refused(403, "forbidden");
    bo.unsay(chat, theirs).await.ok(200);
    ann.unsay(chat, mine).await.ok(200);
    let tombstone = bo.message(chat, theirs).await;
    assert_eq!(tombstone["content"], "");
    assert!(tombstone["deleted_at"].is_string());
    for key in ["id", "sender_id", "time", "chat_id"] {
        assert!(
            tombstone[key].is_i64() || tombstone[key].is_string(),
            "{key}"
        );
    }
    assert_eq!(ann.said(chat).await, ["", ""]);
    assert_eq!(ann.chat(chat).await["last_message"], "");
    // Again is nothing new, and there is nothing left to change.
    bo.unsay(chat, theirs).await.ok(200);
    bo.edit(chat, theirs, "back").await.refused(409, "conflict");
    let (events, _) = bo.events(&since, 0).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                &event["type"],
                &event["message"]["id"],
                &event["message"]["content"],
            )
        })
        .collect();
    let gone = json!("deleted");
    assert_eq!(
        told,
        [
            (&gone, &json!(theirs), &json!("")),
            (&gone, &json!(mine), &json!(""))
        ]
    );
}

#[rocket::async_test]
async fn an_admin_deletes_what_others_said_and_changes_nothing_of_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let message = bo.say(chat, "rude").await;
    ann.edit(chat, message, "kind")
        .await
        .refused(403, "forbidden");
    ann.unsay(chat, message).await.ok(200);
    let tombstone = bo.message(chat, message).await;
    assert_eq!(
        (&tombstone["content"], &tombstone["sender_id"]),
        (&json!(""), &json!(bo.id))
    );
}

#[rocket::async_test]
async fn what_may_not_be_sent_is_no_change_either() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let message = ann.say(chat, "hi").await;
    let path = format!("/api/chats/{chat}/messages/{message}");
    let long = "x".repeat(16_385);
    for wrong in ["", " ", "\u{200b}", "a\0b", &long] {
        ann.edit(chat, message, wrong)
            .await
            .refused(400, "bad_request");
    }
    ann.patch(&path, &[]).await.refused(400, "bad_request");
    let form = [("content", "https://example.com/a.png"), ("type", "img")];
    let sent = ann.post(&format!("/api/chats/{chat}"), &form).await.ok(201);
    let picture: i64 = sent.header("X-Message-Id").parse().expect("a number");
    ann.edit(chat, picture, "no link")
        .await
        .refused(400, "bad_request");
    ann.edit(chat, picture, "https://example.com/b.png")
        .await
        .ok(200);
    assert_eq!(ann.said(chat).await, ["hi", "https://example.com/b.png"]);
    for nothing in [message + 999, 0] {
        ann.edit(chat, nothing, "x").await.refused(404, "not_found");
        ann.unsay(chat, nothing).await.refused(404, "not_found");
    }
    let other = ann.make("other").await;
    ann.edit(other, message, "x")
        .await
        .refused(404, "not_found");
    ann.unsay(other, message).await.refused(404, "not_found");
}

/// Tries to change and to delete a message, and expects these refusals.
async fn is_refused(who: &Actor, (chat, message): (i64, i64), (status, code): (u16, &str)) {
    who.edit(chat, message, "mine").await.refused(status, code);
    who.unsay(chat, message).await.refused(status, code);
}

#[rocket::async_test]
async fn strangers_guests_and_who_is_out_change_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let (open, private) = (
        ann.make("tea").await,
        ann.make_private("secret", &[&bo]).await,
    );
    let in_open = bo.say(open, "hi").await;
    let in_private = bo.say(private, "psst").await;
    // Who is no member: an open chat can be read and joined, a private one does not exist.
    is_refused(&cy, (open, in_open), (403, "forbidden")).await;
    is_refused(&cy, (private, in_private), (404, "not_found")).await;
    is_refused(&cy, (999_999, in_open), (404, "not_found")).await;
    // Who was: their own messages are theirs no more to change.
    bo.leave(open).await;
    is_refused(&bo, (open, in_open), (403, "forbidden")).await;
    remove(&world, &ann, private, &bo).await;
    is_refused(&bo, (private, in_private), (404, "not_found")).await;
    // Who is not signed in, and a guest of live support, who is of another tenant.
    let path = format!("/api/chats/{open}/messages/{in_open}");
    let url = format!("{}{path}", world.base());
    for request in [world.http.patch(&url), world.http.delete(&url)] {
        let told = Told::of(request.form(&[("content", "x")])).await;
        told.refused(401, "unauthenticated");
    }
    world.owner("localhost").await;
    let guest = Guest::arrive(&world).await;
    let cookies = format!("user_id={}; token={}", guest.id, guest.token);
    for request in [world.http.patch(&url), world.http.delete(&url)] {
        let request = request.header("Cookie", &cookies).form(&[("content", "x")]);
        Told::of(request).await.refused(404, "not_found");
    }
    assert_eq!(ann.said(open).await, ["hi"]);
    assert_eq!(ann.said(private).await, ["psst"]);
}

#[rocket::async_test]
async fn what_is_deleted_is_unread_no_more() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let mut sent = Vec::new();
    for number in 0..4 {
        sent.push(ann.say(chat, &number.to_string()).await);
    }
    let unread = async || {
        let listed = bo.chat(chat).await;
        (listed["unread"].clone(), listed["first_unread"].clone())
    };
    assert_eq!(unread().await, (json!(4), json!(sent[0])));
    ann.unsay(chat, sent[0]).await.ok(200);
    assert_eq!(unread().await, (json!(3), json!(sent[1])));
    ann.unsay(chat, sent[2]).await.ok(200);
    ann.edit(chat, sent[3], "changed").await.ok(200);
    assert_eq!(unread().await, (json!(2), json!(sent[1])));
    bo.read(chat, sent[1]).await;
    assert_eq!(unread().await, (json!(1), json!(sent[3])));
    // What was read and is deleted afterwards takes nothing away.
    ann.unsay(chat, sent[1]).await.ok(200);
    assert_eq!(unread().await, (json!(1), json!(sent[3])));
    ann.unsay(chat, sent[3]).await.ok(200);
    assert_eq!(unread().await, (json!(0), Value::Null));
}

#[rocket::async_test]
async fn an_owners_queue_does_not_count_what_was_deleted() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = Guest::arrive(&world).await;
    guest.says(&world, "one").await;
    guest.says(&world, "two").await;
    let unread = async || {
        let told = world
            .said("getWaitingChats", json!({"token": owner.token}))
            .await;
        list(&told, "data")[0]["unread"].clone()
    };
    assert_eq!(unread().await, 2);
    let cookies = format!("user_id={}; token={}", guest.id, guest.token);
    let chat = i64::from_str_radix(&guest.chat, 16).expect("a hex number");
    let mut beside = world.place.beside().await;
    let first = beside.number("select min(id) from messages").await;
    let url = format!("{}/api/chats/{chat}/messages/{first}", world.base());
    Told::of(world.http.delete(url).header("Cookie", cookies))
        .await
        .ok(200);
    assert_eq!(unread().await, 1);
    // The chat's list keeps the place, so that slices do not shift, and shows nothing of what was there.
    let argument = json!({"token": owner.token, "chatId": guest.chat});
    let told = world.said("getChatMessages", argument).await;
    let listed: Vec<_> = list(&told, "data")
        .iter()
        .map(|one| one["message"].clone())
        .collect();
    assert_eq!(listed, ["", "two"]);
}

async fn around(who: &Actor, chat: i64, place: i64, limit: usize) -> Value {
    let path = format!("/api/chats/{chat}?around={place}&limit={limit}");
    who.get(&path).await.with(200).json()
}

/// What a page shows, and whether there are older and newer messages.
fn shown(page: &Value) -> (Vec<String>, bool, bool) {
    let is = |key: &str| page[key].as_bool().expect("yes or no");
    (
        contents(&list(page, "messages")),
        is("has_more"),
        is("has_newer"),
    )
}

fn numbers(range: std::ops::RangeInclusive<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[rocket::async_test]
async fn the_page_around_a_place_has_the_place_in_its_middle() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    let mut sent = Vec::new();
    for number in 0..10 {
        sent.push(ann.say(chat, &number.to_string()).await);
        ann.say(other, "elsewhere").await;
    }
    for (place, limit, expected) in [
        (sent[5], 4, (numbers(3..=6), true, true)),
        (sent[5], 5, (numbers(3..=7), true, true)),
        (sent[5], 1, (numbers(5..=5), true, true)),
        // A message of another chat is a place as well, between two of this one.
        (sent[5] + 1, 4, (numbers(4..=7), true, true)),
        // Where one side has too few, the other has more.
        (sent[0], 4, (numbers(0..=3), false, true)),
        (1, 4, (numbers(0..=3), false, true)),
        (sent[9], 4, (numbers(6..=9), true, false)),
        (sent[9] + 999, 4, (numbers(6..=9), true, false)),
        (sent[8], 200, (numbers(0..=9), false, false)),
        (sent[1], 8, (numbers(0..=7), false, true)),
    ] {
        let page = around(&bo, chat, place, limit).await;
        assert_eq!(shown(&page), expected, "{limit} around {place}");
        assert_eq!(page["people"], json!([{"id": ann.id, "name": "ann"}]));
    }
    let empty = ann.make("empty").await;
    let page = around(&bo, empty, sent[5], 10).await;
    assert_eq!(shown(&page), (Vec::new(), false, false));
    // A cursor comes along, as with every list: what is said next comes after it.
    let cursor = page["cursor"].as_str().expect("a cursor").to_owned();
    bo.say(empty, "first").await;
    let path = format!("/api/chats/{empty}?after={cursor}");
    let told = bo.get(&path).await.with(200).json();
    assert_eq!(contents(&list(&told, "messages")), ["first"]);
    for wrong in [
        "around=x",
        "around=5&before=7",
        "around=5&after=7",
        "around=-1",
    ] {
        bo.get(&format!("/api/chats/{chat}?{wrong}"))
            .await
            .refused(400, "bad_request");
    }
    let private = ann.make_private("secret", &[]).await;
    bo.get(&format!("/api/chats/{private}?around=5"))
        .await
        .refused(404, "not_found");
}

#[rocket::async_test]
async fn of_long_messages_the_nearest_have_room() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let mut sent = Vec::new();
    for number in 0..150 {
        let content = format!("{number} {}", "x".repeat(16_000));
        sent.push(ann.say(chat, &content).await);
    }
    let page = around(&ann, chat, sent[75], 150).await;
    let ids: Vec<_> = list(&page, "messages")
        .iter()
        .map(|message| message["id"].as_i64().expect("a number"))
        .collect();
    let middle = ids.iter().position(|id| *id == sent[75]);
    let middle = middle.expect("the place itself is in the page");
    assert!((50..80).contains(&ids.len()), "{}", ids.len());
    assert!(
        middle.abs_diff(ids.len() / 2) <= 1,
        "{middle} of {}",
        ids.len()
    );
    let first = sent
        .iter()
        .position(|id| *id == ids[0])
        .expect("it was sent");
    assert_eq!(ids, sent[first..first + ids.len()], "without gaps");
    assert_eq!(
        (&page["has_more"], &page["has_newer"]),
        (&json!(true), &json!(true))
    );
}

#[rocket::async_test]
async fn what_is_done_to_a_message_is_counted_as_sending_one_is() {
    let world = World::with("rate_limits = true\nrate_per_login = 1").await;
    let names = ["ann", "bo", "cy"];
    for (number, name) in names.into_iter().enumerate() {
        let who = world.actor(name).await;
        let chat = who.make(name).await;
        let message = who.say(chat, "hi").await;
        let told = async |time: usize| match number {
            0 => who.edit(chat, message, &time.to_string()).await,
            1 => who.react(chat, message, "\u{1f375}").await,
            _ => who.unsay(chat, message).await,
        };
        let mut refused = None;
        for time in 0..30 {
            let told = told(time).await;
            if told.status != 200 {
                refused = Some(told);
                break;
            }
        }
        let refused = refused.expect("thirty at once are too many for one a second");
        refused.refused(429, "rate_limited");
    }
}
