//! Searching: what is found, where, by whom, and how it is shown.

use parlance::{
    chat::{
        Services,
        members::{self, Authority},
        messages, search,
    },
    model::{ChatId, Content, MessageId, PersonId},
};
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list},
    support::world::World,
};

async fn ask(who: &Actor, fields: &[(&str, &str)]) -> Told {
    who.search(fields).await
}

async fn hits(who: &Actor, query: &[(&str, &str)]) -> Vec<Value> {
    list(&ask(who, query).await.with(200).json(), "hits")
}

/// The ids of the messages with these words.
async fn found(who: &Actor, words: &str) -> Vec<i64> {
    let hits = hits(who, &[("query", words)]).await;
    let id = |hit: &Value| hit["message"]["id"].as_i64().expect("an id");
    hits.iter().map(id).collect()
}

async fn catch_up(world: &World) {
    let services: &Services = world.services();
    search::catch_up(services)
        .await
        .expect("the index is filled");
}

async fn edit(world: &World, who: &Actor, (chat, message): (i64, i64), text: &str) {
    let caller = world.caller(who.id, &who.token).await;
    let content = Content::parse(text.to_owned()).expect("a text");
    let (chat, message) = (ChatId::new(chat), MessageId::new(message));
    let edited = messages::edit(world.services(), &caller, chat, message, content).await;
    edited.expect("it is edited");
}

async fn delete(world: &World, who: &Actor, (chat, message): (i64, i64)) {
    let caller = world.caller(who.id, &who.token).await;
    let (chat, message) = (ChatId::new(chat), MessageId::new(message));
    let deleted = messages::delete(world.services(), &caller, chat, message).await;
    deleted.expect("it is deleted");
}

#[rocket::async_test]
async fn what_was_sent_is_found_at_once_and_when_it_is_indexed() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let one = ann.say(chat, "The quick brown fox").await;
    let two = ann.say(chat, "A quick note about CAFÉS").await;
    let three = ann.say(chat, "昨日東京タワーに登りました").await;
    for _ in 0..2 {
        assert_eq!(found(&ann, "quick").await, [two, one]);
        assert_eq!(found(&ann, "fox quick").await, [one]);
        assert_eq!(found(&ann, "\"brown fox\"").await, [one]);
        assert_eq!(found(&ann, "\"fox brown\"").await, [] as [i64; 0]);
        assert_eq!(found(&ann, "bro* quick").await, [one]);
        assert_eq!(found(&ann, "bro quick").await, [] as [i64; 0]);
        assert_eq!(found(&ann, "cafe").await, [two]);
        assert_eq!(found(&ann, "京タワ").await, [three]);
        catch_up(&world).await;
    }
    world.stop().await;
}

#[rocket::async_test]
async fn a_hit_has_its_message_its_chat_and_where_it_matches() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let members = bo.id.to_string();
    let told = ann
        .post("/api/chats", &[("members", &members)])
        .await
        .with(201);
    let chat: i64 = told.header("Location")["/api/chats/".len()..]
        .parse()
        .expect("an id");
    let id = ann.say(chat, "Où est\nle 🎉 Café ?").await;
    let told = ask(&bo, &[("query", "cafe ou")]).await.with(200);
    assert_eq!(told.header("Cache-Control"), "no-store");
    let json = told.json();
    let hit = &json["hits"][0];
    assert_eq!(hit["message"]["id"], id);
    assert_eq!(hit["message"]["sender_id"], ann.id);
    assert_eq!(hit["chat"], json!({"id": chat, "title": "ann"}));
    assert_eq!(hit["excerpt"], "Où est le 🎉 Café ?");
    assert_eq!(
        hit["marks"],
        json!([[0, 2], [12, 16]]),
        "characters, not bytes"
    );
    assert_eq!(json["people"], json!([{"id": ann.id, "name": "ann"}]));
    assert_eq!(
        (&json["has_more"], &json["before"]),
        (&json!(false), &Value::Null)
    );
    world.stop().await;
}

#[rocket::async_test]
async fn what_is_edited_or_deleted_is_not_found_by_what_it_said() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let (edited, deleted) = (
        ann.say(chat, "old apples").await,
        ann.say(chat, "old pears").await,
    );
    let newer = ann.say(chat, "old plums").await;
    catch_up(&world).await;
    assert_eq!(found(&ann, "old").await, [newer, deleted, edited]);
    edit(&world, &ann, (chat, edited), "new oranges").await;
    delete(&world, &ann, (chat, deleted)).await;
    for _ in 0..2 {
        assert_eq!(found(&ann, "old").await, [newer]);
        assert_eq!(found(&ann, "apples").await, [] as [i64; 0]);
        assert_eq!(found(&ann, "pears").await, [] as [i64; 0]);
        assert_eq!(found(&ann, "oranges").await, [edited]);
        catch_up(&world).await;
    }
    let mut beside = world.place.beside().await;
    let kept = beside.number("select count(*) from message_terms").await;
    assert_eq!(kept, 2, "nothing is kept of what is deleted");
    world.stop().await;
}

#[rocket::async_test]
async fn pages_go_back_in_order_with_edits_that_the_index_does_not_have() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let mut ids = Vec::new();
    for number in 0..9 {
        let text = if number % 2 == 0 { "needle" } else { "hay" };
        ids.push(ann.say(chat, text).await);
    }
    catch_up(&world).await;
    for index in [1, 5, 2] {
        let text = if index == 2 { "hay" } else { "a needle" };
        edit(&world, &ann, (chat, ids[index]), text).await;
    }
    ids.push(ann.say(chat, "needles").await);
    let expected: Vec<i64> = [9, 8, 6, 5, 4, 1, 0].map(|index| ids[index]).into();
    for limit in ["1", "2", "3", "200"] {
        let (mut read, mut before) = (Vec::new(), i64::MAX >> 11);
        loop {
            let asked = [
                ("query", "needle"),
                ("limit", limit),
                ("before", &before.to_string()),
            ];
            let json = ask(&ann, &asked).await.with(200).json();
            let page = list(&json, "hits");
            read.extend(
                page.iter()
                    .map(|hit| hit["message"]["id"].as_i64().expect("an id")),
            );
            assert_eq!(json["has_more"], json["before"].is_i64());
            match json["before"].as_i64() {
                Some(next) => before = next,
                None => break,
            }
        }
        assert_eq!(read, expected, "by {limit}");
    }
    world.stop().await;
}

#[rocket::async_test]
async fn only_chats_that_one_is_in_now_are_searched() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let (open, other) = (ann.make("open").await, ann.make("other").await);
    let first = ann.say(open, "secret one").await;
    let second = ann.say(other, "secret two").await;
    let direct = ann
        .post("/api/chats", &[("members", &bo.id.to_string())])
        .await
        .with(201);
    let direct: i64 = direct.header("Location")["/api/chats/".len()..]
        .parse()
        .expect("an id");
    let third = ann.say(direct, "secret three").await;
    bo.join(open).await;
    for _ in 0..2 {
        assert_eq!(found(&ann, "secret").await, [third, second, first]);
        assert_eq!(found(&bo, "secret").await, [third, first]);
        assert_eq!(found(&cy, "secret").await, [] as [i64; 0]);
        catch_up(&world).await;
    }
    // One chat: of members alone, and what one may not see does not exist.
    let in_chat = async |who: &Actor, chat: i64| {
        ask(who, &[("query", "secret"), ("chat", &chat.to_string())]).await
    };
    assert_eq!(
        list(&in_chat(&bo, open).await.with(200).json(), "hits").len(),
        1
    );
    in_chat(&bo, other).await.refused(403, "forbidden");
    in_chat(&cy, direct).await.refused(404, "not_found");
    in_chat(&cy, 999).await.refused(404, "not_found");
    // By one sender.
    let from = ann.id.to_string();
    assert_eq!(
        hits(&bo, &[("query", "secret"), ("from", &from)])
            .await
            .len(),
        2
    );
    let from = bo.id.to_string();
    assert_eq!(
        hits(&bo, &[("query", "secret"), ("from", &from)])
            .await
            .len(),
        0
    );
    // Who left, who was removed, and what was deleted.
    bo.leave(open).await;
    assert_eq!(found(&bo, "secret").await, [third]);
    bo.join(open).await;
    assert_eq!(found(&bo, "secret").await, [third, first]);
    let caller = world.caller(ann.id, &ann.token).await;
    let people = [PersonId::new(bo.id)];
    let chat = ChatId::new(open);
    members::remove(world.services(), &caller, Authority::Own, chat, &people)
        .await
        .expect("ann is its admin");
    assert_eq!(found(&bo, "secret").await, [third]);
    in_chat(&bo, open).await.refused(403, "forbidden");
    let mut beside = world.place.beside().await;
    beside
        .run(&format!(
            "update chats set deleted_at = 1 where id = {open}"
        ))
        .await;
    assert_eq!(found(&ann, "secret").await, [third, second]);
    world.stop().await;
}

#[rocket::async_test]
async fn what_is_common_elsewhere_does_not_hide_what_is_mine() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let quiet = cy.make("quiet").await;
    let first = cy.say(quiet, "common ground").await;
    // More chats than are asked for one by one.
    let mut mine = Vec::new();
    for number in 0..70 {
        mine.push(bo.make(&format!("chat {number}")).await);
    }
    let old = bo.say(mine[3], "common as dust").await;
    let chat = ann.make("busy").await;
    for number in 0..150 {
        ann.say(chat, &format!("common {number}")).await;
    }
    catch_up(&world).await;
    assert_eq!(found(&bo, "common").await, [old]);
    assert_eq!(found(&cy, "common").await, [first]);
    assert_eq!(found(&dee, "common").await, [] as [i64; 0]);
    bo.leave(mine[0]).await;
    assert_eq!(found(&bo, "\"common as\"").await, [old]);
    world.stop().await;
}

#[rocket::async_test]
async fn what_a_search_refuses() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for query in ["", "  ", "\"\"", "*", "-", "\u{200b}", &"x".repeat(257)] {
        ask(&ann, &[("query", query)])
            .await
            .refused(400, "bad_request");
    }
    ask(&ann, &[]).await.refused(400, "bad_request");
    for wrong in [
        ("chat", "x"),
        ("from", "1.5"),
        ("before", "now"),
        ("limit", "0"),
        ("limit", "201"),
    ] {
        ask(&ann, &[("query", "tea"), wrong])
            .await
            .refused(400, "bad_request");
    }
    for harmless in [
        "tea NEAR/2 x",
        "\"tea",
        "tea* *",
        "-tea",
        "chat:1",
        "tea)",
        "' or 1=1",
        "a\\",
        "tea & !x | y",
        "^tea",
        "w:*",
    ] {
        ask(&ann, &[("query", harmless)]).await.with(200);
    }
    world
        .get("/api/search?query=tea")
        .await
        .refused(401, "unauthenticated");
    world.stop().await;
}

#[rocket::async_test]
async fn searches_are_counted_as_several_requests() {
    let world = World::with("rate_limits = true\nrate_per_login = 4").await;
    let ann = world.actor("ann").await;
    let mut passed = 0;
    let told = loop {
        let told = ask(&ann, &[("query", "tea")]).await;
        if told.status != 200 {
            break told;
        }
        passed += 1;
        assert!(passed < 20, "nobody is refused");
    };
    assert!(passed >= 7, "{passed}");
    let wait: u64 = told.header("Retry-After").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    told.refused(429, "rate_limited");
    world.stop().await;
}
