//! What begins or ends a chat is said again when its answer was lost, and is done once.

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
