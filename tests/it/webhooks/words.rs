//! Which API has a word for which kind of change: what is refused at registration is what nothing would be sent of.

use std::collections::BTreeSet;

use parlance::{
    dialect::DIALECTS,
    model::{Position, WebhookKind},
};
use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::world::World,
};

const EMOJI: &str = "\u{1f44d}";

/// What happens in a chat of people with accounts, of every kind.
async fn among_people(world: &World) {
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let message = ann.say(chat, "hello").await;
    bo.read(chat, message).await;
    bo.react(chat, message, EMOJI).await.with(200);
    bo.unreact(chat, message, EMOJI).await.with(200);
    ann.edit(chat, message, "good day").await.with(200);
    ann.unsay(chat, message).await.with(200);
    let member = format!("/api/chats/{chat}/members/{}", bo.id);
    ann.patch(&member, &[("role", "admin")]).await.with(200);
    bo.leave(chat).await;
    bo.patch("/api/me", &[("name", "bob")]).await.with(200);
    ends(&bo).await;
}

/// Deletes somebody's account.
async fn ends(who: &Actor) {
    let request = who.request(Method::DELETE, "/api/me");
    let told = Told::of(request.form(&[("password", PASSWORD)])).await;
    assert!(told.status < 300, "{}", told.body);
}

/// What becomes of a guest's conversation.
async fn with_a_guest(world: &World) {
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    guest.says(world, "help").await;
    owner.answers(world, &guest, "here").await;
    let closing = json!({"chatId": guest.chat, "token": owner.token});
    world.said("closeChat", closing).await;
}

#[rocket::async_test]
async fn a_kind_can_be_had_where_its_changes_are_told_and_nowhere_else() {
    let world = World::new().await;
    among_people(&world).await;
    with_a_guest(&world).await;
    let changes = world.store().changes(Position::START, 10_000).await;
    let mut seen = BTreeSet::new();
    for change in changes.expect("the log") {
        let Some(kind) = WebhookKind::of(&change.what) else {
            continue;
        };
        seen.insert(kind.as_str());
        for dialect in DIALECTS.iter() {
            let is_told = !dialect.encode_change(&change).is_empty();
            let (name, word) = (dialect.name(), kind.as_str());
            assert_eq!(dialect.tells(kind), is_told, "{word} in {name}");
        }
    }
    let all: BTreeSet<_> = WebhookKind::WORDS.iter().copied().collect();
    assert_eq!(seen, all, "every kind has happened");
    world.stop().await;
}
