//! Mentions: who is named by a text, and what of it is unread.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list},
    support::world::World,
};

/// Whom a message names, one by one, and whether it names everybody.
async fn named(who: &Actor, chat: i64, message: i64) -> (Vec<i64>, bool) {
    let message = who.message(chat, message).await;
    let people = list(&message, "mentions");
    let people = people.iter().map(|id| id.as_i64().expect("a number"));
    (people.collect(), message["mentions_all"] == true)
}

async fn unread_mentions(who: &Actor, chat: i64) -> Value {
    who.chat(chat).await["unread_mentions"].clone()
}

#[rocket::async_test]
async fn the_longest_name_of_a_member_is_meant() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let lee = world.actor("Ann Lee").await;
    let cy = world.actor("cy").await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    lee.join(chat).await;
    for (text, people) in [
        ("tea, @bo?", vec![bo.id]),
        ("@BO", vec![bo.id]),
        ("@ann lee, tea?", vec![lee.id]),
        ("@ann  LEE", vec![lee.id]),
        ("@ann leek soup", vec![ann.id]),
        ("@ann and @Ann Lee and @ann", vec![ann.id, lee.id]),
        ("(@bo)", vec![bo.id]),
        ("@bo\u{2019}s tea", vec![bo.id]),
        ("@bobby", vec![]),
        ("bo@example.com", vec![]),
        ("@cy is not here", vec![]),
        ("@nobody", vec![]),
        ("`@bo` in code", vec![]),
        ("bo", vec![]),
    ] {
        let message = ann.say(chat, text).await;
        assert_eq!(named(&bo, chat, message).await, (people, false), "{text}");
    }
    // A picture is a link, which names nobody.
    let form = [("content", "https://example.com/@bo"), ("type", "img")];
    let sent = ann.post(&format!("/api/chats/{chat}"), &form).await.ok(201);
    let picture = sent.header("X-Message-Id").parse().expect("a number");
    assert_eq!(named(&bo, chat, picture).await, (Vec::new(), false));
    // Who is in the chat when it is said is named, and told so wherever the message is told.
    cy.join(chat).await;
    let since = bo.now().await;
    let message = ann.say(chat, "@cy, tea?").await;
    assert_eq!(named(&bo, chat, message).await, (vec![cy.id], false));
    let (events, _) = bo.events(&since, 0).await;
    assert_eq!(events[0]["message"]["mentions"], json!([cy.id]));
    let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    let last = list(&page, "messages").pop().expect("there are some");
    assert_eq!(last["mentions"], json!([cy.id]));
}

#[rocket::async_test]
async fn admins_name_everybody() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let by_admin = ann.say(chat, "@all: tea, @bo!").await;
    assert_eq!(named(&bo, chat, by_admin).await, (vec![bo.id], true));
    assert_eq!(
        unread_mentions(&bo, chat).await,
        1,
        "named twice, once unread"
    );
    let by_member = bo.say(chat, "@all: no tea").await;
    assert_eq!(named(&ann, chat, by_member).await, (Vec::new(), false));
    assert_eq!(unread_mentions(&ann, chat).await, 0);
    // Who is called so is who others mean.
    let all = world.actor("All").await;
    all.join(chat).await;
    let by_member = bo.say(chat, "@all: tea?").await;
    assert_eq!(named(&ann, chat, by_member).await, (vec![all.id], false));
    let by_admin = ann.say(chat, "@all").await;
    assert_eq!(named(&ann, chat, by_admin).await, (Vec::new(), true));
    assert_eq!(unread_mentions(&all, chat).await, 2);
}

#[rocket::async_test]
async fn unread_mentions_follow_edits_deletions_and_read_marks() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    bo.join(chat).await;
    bo.join(other).await;
    let first = ann.say(chat, "@bo one").await;
    let second = ann.say(chat, "two").await;
    ann.say(other, "@bo elsewhere").await;
    assert_eq!(unread_mentions(&bo, chat).await, 1);
    assert_eq!(unread_mentions(&ann, chat).await, 0);
    // An edit names and takes it back.
    ann.edit(chat, second, "two for @bo").await.ok(200);
    assert_eq!(named(&bo, chat, second).await, (vec![bo.id], false));
    assert_eq!(unread_mentions(&bo, chat).await, 2);
    ann.edit(chat, first, "one").await.ok(200);
    assert_eq!(unread_mentions(&bo, chat).await, 1);
    ann.edit(chat, first, "@all one").await.ok(200);
    assert_eq!(unread_mentions(&bo, chat).await, 2);
    // What is deleted names nobody.
    ann.unsay(chat, second).await.ok(200);
    assert_eq!(named(&bo, chat, second).await, (Vec::new(), false));
    assert_eq!(unread_mentions(&bo, chat).await, 1);
    // What is read is read, also when it is changed afterwards.
    bo.read(chat, first).await;
    assert_eq!(unread_mentions(&bo, chat).await, 0);
    ann.edit(chat, first, "@bo one").await.ok(200);
    assert_eq!(unread_mentions(&bo, chat).await, 0);
    ann.say(chat, "@bo three").await;
    assert_eq!(unread_mentions(&bo, chat).await, 1);
    bo.say(chat, "@bo is me").await;
    assert_eq!(unread_mentions(&bo, chat).await, 0, "who writes has read");
    assert_eq!(unread_mentions(&bo, other).await, 1);
    // Who comes back has nothing unread.
    bo.leave(other).await;
    assert_eq!(unread_mentions(&bo, other).await, 0);
    bo.join(other).await;
    assert_eq!(unread_mentions(&bo, other).await, 0);
    let mut beside = world.place.beside().await;
    let kept = beside.number("select count(*) from mentions").await;
    assert_eq!(kept, 4, "one for each message that names somebody");
}

#[rocket::async_test]
async fn a_text_full_of_names_is_no_burden() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    for text in [
        "@".repeat(16_384),
        "@bo ".repeat(4_000),
        "`@".repeat(8_000),
        "@a".repeat(8_000),
    ] {
        let message = ann.say(chat, &text).await;
        let (people, _) = named(&bo, chat, message).await;
        assert!(people.len() <= 1, "{people:?}");
    }
}
