//! Queues longer than a page: their parts, what is searched for in them, and closed chats.

use serde_json::{Value, json};

use crate::{
    support::actor::text,
    support::support_world::{Guest, Owner},
    support::world::World,
};

const QUEUES: [&str; 3] = ["getWaitingChats", "getActiveChats", "getClosedChats"];

/// A page of a queue: its chats, whether there are more, and how many there are.
async fn page(world: &World, owner: &Owner, queue: &str, more: Value) -> (Vec<String>, bool, i64) {
    let mut argument = more;
    argument["token"] = owner.token.as_str().into();
    let told = world.said(queue, argument).await;
    let chats = told["data"].as_array().expect("a list").iter();
    (
        chats.map(|chat| text(chat, "_id")).collect(),
        told["has_more"].as_bool().expect("yes or no"),
        told["total"].as_i64().expect("a number"),
    )
}

async fn guest(world: &World, name: &str, email: &str) -> Guest {
    let argument = json!({"email": email, "name": name, "domain": "localhost"});
    Guest::from(world.said("getNewChat", argument).await)
}

/// Five guests in each queue, the order in which the queue shows them, whatever it is.
async fn five_each(world: &World, owner: &Owner) -> Vec<(&'static str, Vec<String>)> {
    let mut queues = Vec::new();
    for queue in QUEUES {
        let mut chats = Vec::new();
        for number in 0..5 {
            let name = format!("{queue} {number}");
            let guest = guest(world, &name, "gus@example.com").await;
            guest.says(world, "hi").await;
            if queue == "getWaitingChats" {
                chats.push(guest.chat.clone());
            } else {
                owner.answers(world, &guest, "hello").await;
                chats.insert(0, guest.chat.clone());
            }
            if queue == "getClosedChats" {
                let close = json!({"chatId": guest.chat, "token": owner.token});
                world.said("closeChat", close).await;
            }
        }
        queues.push((queue, chats));
    }
    queues
}

#[rocket::async_test]
async fn a_queue_is_read_page_by_page() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    for (queue, chats) in five_each(&world, &owner).await {
        let read = async |more: Value| page(&world, &owner, queue, more).await;
        assert_eq!(read(json!({})).await, (chats.clone(), false, 5), "{queue}");
        let first = read(json!({"limit": 2})).await;
        assert_eq!(first, (chats[..2].to_vec(), true, 5), "{queue}");
        let by_skip = read(json!({"limit": 2, "skip": 2})).await;
        assert_eq!(by_skip, (chats[2..4].to_vec(), true, 5), "{queue}");
        let by_place = read(json!({"limit": 2, "before": chats[1]})).await;
        assert_eq!(by_place, by_skip, "{queue}");
        let last = read(json!({"limit": 2, "before": {"_id": chats[3]}})).await;
        assert_eq!(last, (chats[4..].to_vec(), false, 5), "{queue}");
        let none = read(json!({"before": chats[4]})).await;
        assert_eq!(none, (Vec::new(), false, 5), "{queue}");
        assert_eq!(read(json!({"limit": 0})).await, (Vec::new(), true, 5));
    }
}

#[rocket::async_test]
async fn the_last_closed_chat_comes_first_and_leaves_when_its_guest_writes() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let (one, two) = (
        world.guest("localhost").await,
        world.guest("localhost").await,
    );
    let close = async |guest: &Guest| {
        let argument = json!({"chatId": guest.chat, "token": owner.token});
        world.said("closeChat", argument).await;
    };
    // The one that was closed last, though nothing was said in it.
    close(&two).await;
    one.says(&world, "hi").await;
    close(&one).await;
    let closed = async || page(&world, &owner, "getClosedChats", json!({})).await.0;
    assert_eq!(closed().await, [one.chat.clone(), two.chat.clone()]);
    one.says(&world, "one more thing").await;
    assert_eq!(closed().await, [two.chat.as_str()]);
    owner.answers(&world, &two, "we have it again").await;
    assert!(closed().await.is_empty());
    assert_eq!(owner.queue(&world, "getActiveChats").await, [two.chat]);
}

#[rocket::async_test]
async fn a_queue_is_searched_by_guest_address_and_domain() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let (ann, bo) = (
        guest(&world, "Ännchen O'Neil", "ann@shop.example").await,
        guest(&world, "Bo 100%", "BO@example.com").await,
    );
    // Of another site, whatever is searched for.
    world.owner("elsewhere").await;
    world.guest("elsewhere").await;
    let found = async |query: &str| {
        let (chats, has_more, total) =
            page(&world, &owner, "getWaitingChats", json!({"query": query})).await;
        assert_eq!(
            (has_more, total),
            (false, i64::try_from(chats.len()).expect("few"))
        );
        chats
    };
    let both = [ann.chat.clone(), bo.chat.clone()];
    for (query, expected) in [
        ("ännchen", &both[..1]),
        ("ÄNNCHEN o'neil", &both[..1]),
        ("shop.example", &both[..1]),
        (" bo@EXAMPLE.com ", &both[1..]),
        ("100%", &both[1..]),
        ("localhost", &both[..]),
        ("", &both[..]),
        ("%", &both[1..]),
        ("_", &[]),
        ("nobody", &[]),
        ("elsewhere", &[]),
    ] {
        assert_eq!(found(query).await, expected, "{query:?}");
    }
    let long = json!({"token": owner.token, "query": "x".repeat(201)});
    world.refused("getWaitingChats", long, 400).await;
}

#[rocket::async_test]
async fn the_guests_of_a_busy_day_are_all_there() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guests = (0..120).map(|_| world.guest("localhost"));
    rocket::futures::future::join_all(guests).await;
    let (mut seen, mut before) = (Vec::new(), Value::Null);
    while seen.len() <= 120 {
        let more = json!({"before": before});
        let (chats, has_more, total) = page(&world, &owner, "getWaitingChats", more).await;
        assert_eq!(total, 120);
        seen.extend(chats);
        before = json!(seen.last());
        if !has_more {
            break;
        }
    }
    let all: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), all.len()), (120, 120));
    world.stop().await;
}
