//! The desk: guests, queues, and who reads what.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Told, text},
    support::place::Place,
    support::support_world::Guest,
    support::world::World,
};

const WAITING: &str = "getWaitingChats";
const ACTIVE: &str = "getActiveChats";

#[rocket::async_test]
async fn a_chat_waits_from_its_beginning_until_an_owner_answers() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    assert!(owner.queue(&world, WAITING).await.is_empty());
    let (one, other) = (
        world.guest("localhost").await,
        world.guest("localhost").await,
    );
    let both = [one.chat.clone(), other.chat.clone()];
    assert_eq!(owner.queue(&world, WAITING).await, both);
    // The guest who waits longest stays first, whichever guest wrote last.
    one.says(&world, "hi").await;
    assert_eq!(owner.queue(&world, WAITING).await, both);
    owner.answers(&world, &one, "hello").await;
    assert_eq!(owner.queue(&world, WAITING).await, both[1..]);
    assert_eq!(owner.queue(&world, ACTIVE).await, both[..1]);
    owner.answers(&world, &other, "hello").await;
    assert!(owner.queue(&world, WAITING).await.is_empty());
    assert_eq!(
        owner.queue(&world, ACTIVE).await,
        [both[1].clone(), both[0].clone()]
    );
    one.says(&world, "thanks").await;
    assert_eq!(owner.queue(&world, ACTIVE).await, both);
}

#[rocket::async_test]
async fn a_closed_chat_waits_again_when_its_guest_writes() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    owner.answers(&world, &guest, "hello").await;
    for token in [&owner.token, &guest.token] {
        let argument = json!({"chatId": guest.chat, "token": token});
        let told = world.said("closeChat", argument).await;
        assert_eq!(told["chatId"], guest.chat.as_str());
        for queue in [WAITING, ACTIVE] {
            assert!(owner.queue(&world, queue).await.is_empty());
        }
    }
    guest.says(&world, "one more thing").await;
    assert_eq!(owner.queue(&world, WAITING).await, [guest.chat]);
}

#[rocket::async_test]
async fn queues_are_what_is_stored() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guests = [
        world.guest("localhost").await,
        world.guest("localhost").await,
        world.guest("localhost").await,
    ];
    guests[0].says(&world, "hi").await;
    owner.answers(&world, &guests[1], "hello").await;
    let closing = json!({"chatId": guests[2].chat, "token": owner.token});
    world.said("closeChat", closing).await;
    let world = world.restart().await;
    assert_eq!(owner.queue(&world, WAITING).await, [guests[0].chat.clone()]);
    assert_eq!(owner.queue(&world, ACTIVE).await, [guests[1].chat.clone()]);
}

#[rocket::async_test]
async fn an_entry_tells_what_the_owner_has_not_read() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let entry = async || {
        let told = world.said(WAITING, json!({"token": owner.token})).await;
        told["data"][0].clone()
    };
    let mut first = entry().await;
    assert!(first["time"].take().is_string());
    let expected = json!({
        "_id": guest.chat, "chatId": guest.chat, "guestId": guest.id, "name": "Name", "email": "email@mail.com",
        "domain": "localhost", "lastMessage": null, "time": null, "unread": 0,
    });
    assert_eq!(first, expected);
    for words in ["one", "two", "three"] {
        guest.says(&world, words).await;
    }
    let told = entry().await;
    assert_eq!(
        (&told["unread"], &told["lastMessage"]),
        (&json!(3), &json!("three"))
    );
    let list = json!({"chatId": guest.chat, "token": owner.token});
    let listed = world.said("getChatMessages", list).await;
    let seen = json!({"chatId": guest.chat, "token": owner.token, "_id": listed["data"][1]["_id"]});
    world.said("seen", seen).await;
    assert_eq!(entry().await["unread"], 1);
}

#[rocket::async_test]
async fn messages_come_in_slices_oldest_first() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    for number in 0..120 {
        guest.says(&world, &format!("{number}")).await;
    }
    let contents = async |more: Value| {
        let mut argument = json!({"chatId": guest.chat, "token": owner.token});
        for (key, value) in more.as_object().expect("an object") {
            argument[key] = value.clone();
        }
        let told = world.said("getChatMessages", argument).await;
        let messages = told["data"].as_array().expect("a list").iter();
        messages
            .map(|message| text(message, "message"))
            .collect::<Vec<_>>()
    };
    let numbers = |range: std::ops::Range<i32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(contents(json!({})).await, numbers(0..100));
    assert_eq!(
        contents(json!({"limit": 10, "skip": 0})).await,
        numbers(0..10)
    );
    assert_eq!(
        contents(json!({"limit": "10", "skip": "115"})).await,
        numbers(115..120)
    );
    assert_eq!(contents(json!({"limit": 100_000})).await, numbers(0..120));
    assert!(contents(json!({"skip": 120})).await.is_empty());
    assert!(contents(json!({"limit": 0})).await.is_empty());
}

#[rocket::async_test]
async fn owners_act_through_the_messenger_with_the_same_token() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    guest.says(&world, "hi").await;
    let chat = i64::from_str_radix(&guest.chat, 16).expect("an id in hex");
    let number = i64::from_str_radix(&owner.id, 16)
        .expect("an id in hex")
        .to_string();
    let path = format!("/api/chats/{chat}");
    for (id, status) in [
        (&owner.id, 201),
        (&number, 201),
        (&owner.id.to_uppercase().replace('0', "f"), 401),
        (&guest.id, 401),
    ] {
        let request = world
            .http
            .post(format!("{}{path}", world.base()))
            .header("Cookie", format!("user_id={id}; token={}", owner.token));
        Told::of(request.form(&[("content", "from the messenger")]))
            .await
            .with(status);
    }
    assert_eq!(owner.queue(&world, ACTIVE).await, [guest.chat.as_str()]);
    let list = json!({"chatId": guest.chat, "token": guest.token});
    let listed = world.said("getChatMessages", list).await;
    let from: Vec<_> = (0..3)
        .map(|place| listed["data"][place]["from"].clone())
        .collect();
    assert_eq!(from, [&guest.id, &owner.id, &owner.id].map(|id| json!(id)));
    // A stranger of home sees nothing of it.
    let ann = world.actor("ann").await;
    Told::of(ann.request(Method::GET, &path)).await.with(404);
    ann.post(&path, &[("content", "hi")]).await.with(404);
}

#[rocket::async_test]
async fn a_guest_comes_back_to_the_same_chat() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    world.owner("elsewhere").await;
    let guest = world.guest("localhost").await;
    for argument in [
        json!({"guestToken": guest.token}),
        json!({"guestToken": guest.token, "email": "e@x", "name": "N", "domain": "localhost"}),
    ] {
        let back = Guest::from(world.said("getNewChat", argument).await);
        assert_eq!((&back.id, &back.chat), (&guest.id, &guest.chat));
        assert_ne!(back.token, guest.token);
        back.says(&world, "back").await;
    }
    guest.says(&world, "the old token is good still").await;
    for argument in [
        json!({"guestToken": "nonsense", "email": "e@x", "name": "N", "domain": "localhost"}),
        json!({"guestToken": guest.token, "domain": "elsewhere"}),
        json!({"guestToken": guest.token, "domain": "nowhere"}),
        json!({"guestToken": owner.token}),
    ] {
        let sentence = world.refused("getNewChat", argument, 401).await;
        assert_eq!(sentence, "Guest not found");
    }
    // A guest whose chat is gone is given another.
    let chat = i64::from_str_radix(&guest.chat, 16).expect("an id in hex");
    let mut beside = world.place.beside().await;
    beside
        .run(&format!(
            "update chats set deleted_at = 1 where id = {chat}"
        ))
        .await;
    let back = world
        .said("getNewChat", json!({"guestToken": guest.token}))
        .await;
    let back = Guest::from(back);
    assert_eq!(back.id, guest.id);
    assert_ne!(back.chat, guest.chat);
    assert_eq!(owner.queue(&world, WAITING).await, [back.chat]);
}

#[rocket::async_test]
async fn a_long_queue_is_read_by_its_index() {
    let world = World::new().await;
    if !matches!(world.place, Place::Sqlite(_)) {
        // PostgreSQL reads a small table whole, and is right to.
        return;
    }
    let mut beside = world.place.beside().await;
    let plan = beside
        .plan(
            "select c.id from chats c where c.tenant_id = 1 and c.kind = 'desk' \
             and c.deleted_at is null and c.status = 'waiting' order by c.status_position limit 100",
        )
        .await;
    assert!(plan.contains("chats_by_status"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[rocket::async_test]
async fn a_guest_has_their_own_chat_and_no_other() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let (guest, other) = (
        world.guest("localhost").await,
        world.guest("localhost").await,
    );
    let number = |id: &str| i64::from_str_radix(id, 16).expect("an id is hex digits");
    let say = async |event: &str, body: Value| {
        let url = format!("{}/api/events/{event}?token={}", world.base(), guest.token);
        Told::of(world.http.post(url).json(&body)).await.status
    };
    let ids = |people: [&str; 2]| people.map(|id| number(id).to_string());
    for people in [[&guest.id, &other.id], [&guest.id, &owner.id]] {
        let body = json!({"chat": {"name": "x"}, "users": ids(people.map(String::as_str))});
        assert_eq!(say("create-chat", body).await, 403);
    }
    let body = json!({"chat": {"id": number(&guest.chat).to_string()},
                      "user": {"id": number(&guest.id).to_string()},
                      "users": [number(&other.id).to_string()]});
    assert_eq!(say("add-users", body).await, 403);

    let cookies = |id: &str, token: &str| format!("user_id={id}; token={token}");
    let (guests, owners) = (
        cookies(&guest.id, &guest.token),
        cookies(&owner.id, &owner.token),
    );
    let url = format!("{}/api/chats", world.base());
    let make = async |who: &str| {
        let request = world.http.post(&url).header("Cookie", who);
        Told::of(request.form(&[("title", "Official")])).await
    };
    make(&guests).await.refused(403, "forbidden");
    let open = make(&owners).await.ok(201).header("Location").to_owned();
    let open = format!("{}{open}", world.base());
    let get = async |url: &str| Told::of(world.http.get(url).header("Cookie", &guests)).await;
    let listed = get(&url).await.with(200).json();
    assert_eq!(
        listed["chats"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
    get(&open).await.refused(404, "not_found");
    let request = world.http.post(&open).header("Cookie", &guests);
    Told::of(request.form(&[("content", "hi")]))
        .await
        .refused(404, "not_found");
    let request = world
        .http
        .post(format!("{open}/join"))
        .header("Cookie", &guests);
    Told::of(request).await.refused(404, "not_found");
    let heard = format!("{}/api/events?after=now&timeout=0", world.base());
    get(&heard).await.with(200);
    world.stop().await;
}
