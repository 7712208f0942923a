//! Typing: told to those who wait, and ended with the login; and the read marks of a chat.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list},
    support::poll::{answer, hold},
    support::stream::Events,
    support::world::World,
};

async fn types(who: &Actor, chat: i64, typing: &str) {
    let path = format!("/api/chats/{chat}/typing");
    who.post(&path, &[("typing", typing)]).await.ok(200);
}

fn typing(chat: i64, who: &Actor, typing: bool) -> Value {
    json!({"type": "typing", "chat_id": chat, "person_id": who.id, "typing": typing})
}

#[rocket::async_test]
async fn who_waits_is_told_who_types_and_the_cursor_stays() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let since = bo.now().await;
    let path = format!("/api/events?after={since}&timeout=50");
    let mut stream = Events::open(&bo, "/api/events?types=typing", None).await;
    let (all, wanted) = (hold(&bo, &path), hold(&bo, &format!("{path}&types=typing")));
    let unwanted = hold(&bo, &format!("{path}&types=message,read"));
    let own = hold(&ann, &path);
    world.waiting(5).await;
    types(&ann, chat, "true").await;
    for held in [all, wanted] {
        let told = answer(held).await.with(200).json();
        assert_eq!(list(&told, "events"), [typing(chat, &ann, true)]);
        assert_eq!(told["cursor"], since.as_str());
        assert_eq!(told["more"], false);
    }
    let event = stream.event().await;
    assert_eq!(event.json(), typing(chat, &ann, true));
    assert_eq!((event.event.as_deref(), event.id), (Some("typing"), None));
    // It is over for who asks later, and for who asks for something else; and who types knows.
    assert_eq!(bo.events(&since, 0).await.0, [] as [Value; 0]);
    types(&ann, chat, "off").await;
    assert_eq!(stream.event().await.json(), typing(chat, &ann, false));
    ann.say(chat, "hi").await;
    for held in [unwanted, own] {
        let told = answer(held).await.with(200).json();
        let events = list(&told, "events");
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["type"], "message");
    }
}

#[rocket::async_test]
async fn typing_ends_with_the_login() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let mut stream = Events::open(&bo, "/api/events?types=typing", None).await;
    world.waiting(1).await;
    types(&ann, chat, "true").await;
    assert_eq!(stream.event().await.json(), typing(chat, &ann, true));
    ann.post("/api/logout", &[]).await.ok(200);
    assert_eq!(stream.event().await.json(), typing(chat, &ann, false));
}

#[rocket::async_test]
async fn only_members_type_and_learn_of_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let open = ann.make("tea").await;
    let private = ann.make_private("secret", &[&bo]).await;
    let cy = world.actor("cy").await;
    let since = cy.now().await;
    let held = hold(&cy, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    let path = |chat: i64| format!("/api/chats/{chat}/typing");
    let form = [("typing", "true")];
    cy.post(&path(open), &form).await.refused(403, "forbidden");
    cy.post(&path(private), &form)
        .await
        .refused(404, "not_found");
    cy.post(&path(999_999), &form)
        .await
        .refused(404, "not_found");
    let form_of_nobody = world.post(&path(open), &form).await;
    form_of_nobody.refused(401, "unauthenticated");
    for wrong in [&[][..], &[("typing", "")], &[("typing", "maybe")]] {
        ann.post(&path(open), wrong)
            .await
            .refused(400, "bad_request");
    }
    types(&ann, open, "true").await;
    types(&ann, private, "true").await;
    ann.delete(&format!("/api/chats/{private}/members/{}", bo.id))
        .await
        .ok(200);
    bo.post(&path(private), &form)
        .await
        .refused(404, "not_found");
    // Of all that the stranger was told nothing.
    cy.make("own").await;
    let told = answer(held).await.with(200).json();
    let kinds: Vec<_> = list(&told, "events")
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert!(!kinds.contains(&json!("typing")), "{kinds:?}");
}

/// How far everybody has read, as somebody is told.
async fn reads(who: &Actor, chat: i64) -> Vec<Value> {
    let path = format!("/api/chats/{chat}/reads");
    list(&who.get(&path).await.with(200).json(), "reads")
}

#[rocket::async_test]
async fn members_see_how_far_the_others_have_read() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let (one, two) = (ann.say(chat, "one").await, ann.say(chat, "two").await);
    let mark = |who: &Actor, up_to: i64| json!({"person_id": who.id, "up_to": up_to});
    bo.read(chat, one).await;
    assert_eq!(reads(&bo, chat).await, [mark(&ann, two), mark(&bo, one)]);
    bo.read(chat, two).await;
    assert_eq!(reads(&ann, chat).await, [mark(&ann, two), mark(&bo, two)]);
    let cy = world.actor("cy").await;
    let private = ann.make_private("secret", &[&bo]).await;
    let path = |chat: i64| format!("/api/chats/{chat}/reads");
    cy.get(&path(chat)).await.refused(403, "forbidden");
    cy.get(&path(private)).await.refused(404, "not_found");
    world.get(&path(chat)).await.refused(401, "unauthenticated");
    bo.leave(chat).await;
    bo.get(&path(chat)).await.refused(403, "forbidden");
    assert_eq!(reads(&ann, chat).await, [mark(&ann, two)]);
    let removed = format!("/api/chats/{private}/members/{}", bo.id);
    ann.delete(&removed).await.ok(200);
    bo.get(&path(private)).await.refused(404, "not_found");
}

#[rocket::async_test]
async fn in_a_large_chat_everybody_sees_their_own_mark() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let one = ann.say(chat, "one").await;
    bo.read(chat, one).await;
    let mut beside = world.place.beside().await;
    let most =
        |members: i64| format!("update chats set members_count = {members} where id = {chat}");
    beside.run(&most(50)).await;
    assert_eq!(reads(&bo, chat).await.len(), 2);
    beside.run(&most(51)).await;
    let own = json!({"person_id": bo.id, "up_to": one});
    assert_eq!(reads(&bo, chat).await, [own]);
}

#[rocket::async_test]
async fn a_guest_and_the_owners_see_each_others_marks() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = owner.conversation(&world).await;
    let chat = i64::from_str_radix(&guest.chat, 16).expect("a hex number");
    let url = format!("{}/api/chats/{chat}/reads", world.base());
    for (id, token) in [(&guest.id, &guest.token), (&owner.id, &owner.token)] {
        let cookies = format!("user_id={id}; token={token}");
        let request = world.http.get(&url).header("Cookie", cookies);
        let told = crate::support::actor::Told::of(request).await.with(200);
        assert_eq!(list(&told.json(), "reads").len(), 2, "{}", told.body);
    }
}
