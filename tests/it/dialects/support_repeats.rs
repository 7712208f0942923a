//! What begins or ends a chat is said again when its answer was lost, and is done once.

use parlance::chat::housekeeping;
use serde_json::{Value, json};

use crate::{
    support::actor::{Told, text},
    support::support_world::Guest,
    support::world::World,
};

/// What a guest's client calls its first act: a secret of its own.
const KEY: &str = "5c1f0be27a4d93861f0e5a7b2c4d6e8f";

fn first(key: &str) -> Value {
    json!({"email": "gus@example.com", "name": "Gus", "domain": "localhost", "client_id": key})
}

#[rocket::async_test]
async fn a_chat_that_is_begun_again_under_its_key_is_the_same() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = Guest::from(world.said("getNewChat", first(KEY)).await);
    guest.says(&world, "one").await;
    let again = Guest::from(world.said("getNewChat", first(KEY)).await);
    assert_eq!((&again.id, &again.chat), (&guest.id, &guest.chat));
    again.says(&world, "two").await;
    guest.says(&world, "three").await;
    // It is kept: a restart makes no difference.
    let world = world.restart().await;
    let again = Guest::from(world.said("getNewChat", first(KEY)).await);
    assert_eq!((&again.id, &again.chat), (&guest.id, &guest.chat));
    assert_eq!(owner.queue(&world, "getWaitingChats").await, [guest.chat]);
}

#[rocket::async_test]
async fn a_chat_that_two_tabs_begin_at_once_is_one() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let begun = (0..8).map(|_| world.said("getNewChat", first(KEY)));
    let begun: Vec<_> = rocket::futures::future::join_all(begun).await;
    let guests: Vec<_> = begun.into_iter().map(Guest::from).collect();
    for guest in &guests {
        assert_eq!((&guest.id, &guest.chat), (&guests[0].id, &guests[0].chat));
        guest.says(&world, "hi").await;
    }
    let waiting = owner.queue(&world, "getWaitingChats").await;
    assert_eq!(waiting, [guests[0].chat.as_str()]);
    world.stop().await;
}

#[rocket::async_test]
async fn a_key_opens_one_chat_of_one_site_to_who_knows_it_whole() {
    let world = World::new().await;
    world.owner("localhost").await;
    world.owner("elsewhere").await;
    let guest = Guest::from(world.said("getNewChat", first(KEY)).await);
    // Another guest under the same key is a mistake, and is told nothing of the first.
    for (field, value) in [("name", "Ann"), ("email", "ann@example.com")] {
        let mut other = first(KEY);
        other[field] = value.into();
        let sentence = world.refused("getNewChat", other, 422).await;
        assert_eq!(sentence, "this client_id was used for another guest");
    }
    // The same key at another site is another's.
    let mut elsewhere = first(KEY);
    elsewhere["domain"] = "elsewhere".into();
    let elsewhere = Guest::from(world.said("getNewChat", elsewhere).await);
    assert_ne!(elsewhere.id, guest.id);
    assert_ne!(elsewhere.token, guest.token);
    // A key that is nearly the same is another, and so is none.
    let near = KEY.replace('f', "e");
    for argument in [first(&near), first(&KEY.to_uppercase())] {
        let other = Guest::from(world.said("getNewChat", argument).await);
        assert_ne!(other.id, guest.id);
    }
    // The key is no token, and neither is what the database holds.
    let argument = json!({"chatId": guest.chat, "token": KEY});
    world.refused("getChatMessages", argument, 401).await;
}

#[rocket::async_test]
async fn a_guest_who_comes_back_under_a_key_gets_one_more_token_once() {
    let world = World::new().await;
    world.owner("localhost").await;
    let (guest, other) = (
        world.guest("localhost").await,
        world.guest("localhost").await,
    );
    let back = json!({"guestToken": guest.token, "client_id": KEY});
    let one = Guest::from(world.said("getNewChat", back.clone()).await);
    let two = Guest::from(world.said("getNewChat", back).await);
    assert_eq!((&one.id, &one.chat), (&guest.id, &guest.chat));
    assert_ne!(one.token, guest.token);
    assert_eq!(one.token, two.token);
    // Nobody else is let in by it.
    let theirs = json!({"guestToken": other.token, "client_id": KEY});
    world.refused("getNewChat", theirs, 422).await;
}

/// Every way in which a guest's login ends.
async fn end(world: &World, guest: &Guest, way: &str) {
    match way {
        "signed out" => {
            let told = world
                .post("/owner/logout", &[("token", &guest.token)])
                .await;
            if told.status == 200 {
                return;
            }
            let id = i64::from_str_radix(&guest.id, 16).expect("a number in hex");
            let url = format!("{}/api/logout", world.base());
            let cookies = format!("user_id={id}; token={}", guest.token);
            Told::of(world.http.post(url).header("Cookie", cookies))
                .await
                .ok(200);
        }
        "one of too many" => {
            // Each by the one before it: the first goes unused.
            let mut token = guest.token.clone();
            for _ in 0..21 {
                let back = json!({"guestToken": token});
                token = Guest::from(world.said("getNewChat", back).await).token;
            }
        }
        _ => {
            let mut beside = world.place.beside().await;
            beside
                .run("update logins set created_at = 0, used_at = 0")
                .await;
            let forgotten = housekeeping::expire(world.services());
            forgotten.await.expect("logins expire");
        }
    }
}

#[rocket::async_test]
async fn a_token_that_has_ended_never_comes_to_life_again() {
    let mut world = World::new().await;
    world.owner("localhost").await;
    let sentence = "the login that was made under this client_id has ended: use a new one";
    for (number, way) in ["signed out", "one of too many", "expired"]
        .into_iter()
        .enumerate()
    {
        let key = format!("{KEY}{number}");
        // A new guest's own key, and the key under which they came back.
        let guest = Guest::from(world.said("getNewChat", first(&key)).await);
        guest.says(&world, "one").await;
        let other = Guest::from(
            world
                .said("getNewChat", first(&format!("{key}-other")))
                .await,
        );
        let back = json!({"guestToken": other.token, "client_id": format!("{key}-back")});
        let came_back = Guest::from(world.said("getNewChat", back.clone()).await);
        if way == "expired" {
            // What is in use is believed to be used.
            world = world.restart().await;
        }
        end(&world, &guest, way).await;
        end(&world, &came_back, way).await;
        let world = &world;
        let dead = async |guest: &Guest| {
            let argument = json!({"chatId": guest.chat, "token": guest.token});
            world.refused("getChatMessages", argument, 401).await;
        };
        dead(&guest).await;
        dead(&came_back).await;
        // A client that knows the key is told what to do, however often and at once it asks.
        let again = (0..4).map(|_| world.refused("getNewChat", first(&key), 401));
        for told in rocket::futures::future::join_all(again).await {
            assert_eq!(told, sentence, "{way}");
        }
        dead(&guest).await;
        let mut back = back;
        let fresh = Guest::from(
            world
                .said("getNewChat", first(&format!("{key}-fresh")))
                .await,
        );
        back["guestToken"] = json!(fresh.token);
        if way != "expired" {
            // Not even their own other login brings it back.
            let own = world
                .say(
                    "getNewChat",
                    json!({"guestToken": other.token, "client_id": format!("{key}-back")}),
                )
                .await;
            assert!(own.0 == 401, "{own:?}");
        }
        world.refused("getNewChat", back, 401).await;
        dead(&came_back).await;
        // It made nobody, and nothing.
        let mut beside = world.place.beside().await;
        let guests = beside
            .number("select count(*) from people where kind = 'guest'")
            .await;
        assert_eq!(
            guests,
            3 * (i64::try_from(number).expect("few") + 1),
            "{way}"
        );
    }
    let world = world.restart().await;
    let told = world
        .refused("getNewChat", first(&format!("{KEY}0")), 401)
        .await;
    assert_eq!(told, sentence);
    world.stop().await;
}

#[rocket::async_test]
async fn nobody_else_is_shown_what_a_guest_calls_things() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = Guest::from(world.said("getNewChat", first(KEY)).await);
    let id = i64::from_str_radix(&owner.id, 16).expect("a number in hex");
    let owner_cookies = format!("user_id={id}; token={}", owner.token);
    let since = world.events_since(&owner.token, "now").await.1;
    // The secret by which the chat was begun, as the name of a message and of an end.
    let message =
        json!({"chatId": guest.chat, "token": guest.token, "message": "hi", "client_id": KEY});
    let one = world.said("newMessage", message.clone()).await;
    let two = world.said("newMessage", message).await;
    assert_eq!(
        one["data"]["_id"], two["data"]["_id"],
        "it is repeatable all the same"
    );
    let close = json!({"chatId": guest.chat, "token": guest.token, "client_id": KEY});
    world.said("closeChat", close).await;
    let chat = i64::from_str_radix(&guest.chat, 16).expect("a number in hex");
    let mut shown = Vec::new();
    for path in [
        format!("/api/chats/{chat}"),
        format!("/api/chats/{chat}?after=0"),
        format!("/api/events?after={since}&timeout=0"),
        format!("/api/events?after={since}&timeout=0&dialect=embed"),
        format!(
            "/api/events?after={since}&timeout=0&dialect=support&token={}",
            owner.token
        ),
        "/api/chats".to_owned(),
    ] {
        let url = format!("{}{path}", world.base());
        let told = Told::of(world.http.get(url).header("Cookie", &owner_cookies)).await;
        shown.push((path, told.with(200).body));
    }
    assert!(shown[0].1.contains(r#""client_id":""#), "{shown:?}");
    for (path, body) in &shown {
        assert!(!body.contains(KEY), "{path}: {body}");
    }
    // Nor is it kept, where a reader of the database would find it.
    let mut beside = world.place.beside().await;
    for column in ["messages", "closings"] {
        let found = format!("select count(*) from {column} where client_id = '{KEY}'");
        assert_eq!(beside.number(&found).await, 0, "{column}");
        let kept = format!("select count(*) from {column} where client_id is not null");
        assert_eq!(beside.number(&kept).await, 1, "{column}");
    }
    // An owner's own names are no secrets.
    let message =
        json!({"chatId": guest.chat, "token": owner.token, "message": "ho", "client_id": "mine"});
    world.said("newMessage", message).await;
    assert_eq!(
        beside
            .number("select count(*) from messages where client_id = 'mine'")
            .await,
        1
    );
    world.stop().await;
}

#[rocket::async_test]
async fn an_address_that_reopens_chats_takes_a_key_as_well() {
    let world = World::with("support_resume_by_email = true").await;
    world.owner("localhost").await;
    let guest = Guest::from(world.said("getNewChat", first(KEY)).await);
    let again = Guest::from(world.said("getNewChat", first(KEY)).await);
    assert_eq!((&again.id, &again.token), (&guest.id, &guest.token));
}

#[rocket::async_test]
async fn a_closing_that_is_said_again_does_not_close_what_began_anew() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let waiting = async || owner.queue(&world, "getWaitingChats").await;
    let close = async |key: &str| {
        let argument = json!({"chatId": guest.chat, "token": owner.token, "client_id": key});
        world.said("closeChat", argument).await;
    };
    close("first").await;
    assert!(waiting().await.is_empty());
    guest.says(&world, "one more thing").await;
    close("first").await;
    assert_eq!(waiting().await, [guest.chat.as_str()]);
    close("second").await;
    assert!(waiting().await.is_empty());
    // Said while it was closed already, it was said all the same.
    close("third").await;
    guest.says(&world, "and another").await;
    close("third").await;
    assert_eq!(waiting().await, [guest.chat.as_str()]);
}

#[rocket::async_test]
async fn a_header_names_an_event_as_the_field_does() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let say = async |event: &str, body: Value, key: &str| {
        let url = format!("{}/api/events/{event}?dialect=support", world.base());
        let request = world.http.post(url).header("Idempotency-Key", key);
        let told = Told::of(request.json(&body)).await;
        let data = told.json()["data"].take();
        (told.status, data)
    };
    let mut body = first(KEY);
    body.as_object_mut().expect("an object").remove("client_id");
    let (_, guest) = say("getNewChat", body.clone(), KEY).await;
    let guest = Guest::from(guest);
    let (_, again) = say("getNewChat", body, KEY).await;
    assert_eq!(text(&again, "chatId"), guest.chat);

    let message = json!({"chatId": guest.chat, "token": guest.token, "message": "hi"});
    let (_, one) = say("newMessage", message.clone(), "k").await;
    let (_, two) = say("newMessage", message.clone(), "k").await;
    assert_eq!(one["data"]["_id"], two["data"]["_id"]);
    let mut both = message;
    both["client_id"] = "k".into();
    assert_eq!(say("newMessage", both.clone(), "k").await.0, 200);
    let (status, told) = say("newMessage", both, "other").await;
    let sentence = json!("client_id and Idempotency-Key differ: send one of them");
    assert_eq!((status, &told["data"]), (400, &sentence));

    let close = json!({"chatId": guest.chat, "token": owner.token});
    say("closeChat", close.clone(), "c").await;
    guest.says(&world, "again").await;
    say("closeChat", close, "c").await;
    let waiting = owner.queue(&world, "getWaitingChats").await;
    assert_eq!(waiting, [guest.chat]);
    world.stop().await;
}

#[rocket::async_test]
async fn the_header_is_heard_in_the_other_dialects_too() {
    let world = World::new().await;
    let say = async |event: &str, body: Value| {
        let url = format!("{}/api/events/{event}?dialect=embed", world.base());
        let request = world.http.post(url).header("Idempotency-Key", "k");
        Told::of(request.json(&body)).await.with(200).json()["data"].take()
    };
    let user = say(
        "create-user",
        json!({"user": {"external_id": "ann", "name": "Ann", "photo": "Photo"}}),
    )
    .await;
    let user = user["user"]["id"].clone();
    let chat = say(
        "create-chat",
        json!({"chat": {"name": "x"}, "users": [user]}),
    )
    .await;
    let chat = chat["chat"]["id"].clone();
    let again = say(
        "create-chat",
        json!({"chat": {"name": "x"}, "users": [user]}),
    );
    assert_eq!(again.await["chat"]["id"], chat);
    let message = json!({"chat": {"id": chat}, "user": {"id": user},
        "message": {"value": "hi", "type": "text"}});
    let (one, two) = (
        say("new-message", message.clone()).await,
        say("new-message", message).await,
    );
    assert!(one["id"].is_string() || one["id"].is_number(), "{one}");
    assert_eq!(one["id"], two["id"]);
    world.stop().await;
}
