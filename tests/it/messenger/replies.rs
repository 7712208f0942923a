//! Answering a message: what is shown of it, wherever the answer is.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list},
    support::world::World,
};

/// What an answer shows of the message that it answers, wherever it is told.
async fn quotes(who: &Actor, chat: i64, answer: i64, since: &str) -> Vec<Value> {
    let path = format!("/api/chats/{chat}");
    let page = who.get(&path).await.with(200).json();
    let around = who
        .get(&format!("{path}?around={answer}"))
        .await
        .with(200)
        .json();
    let poll = format!("{path}?after={}", answer - 1);
    let poll = who.get(&poll).await.with(200).json();
    let (events, _) = who.events(since, 0).await;
    let of_events = events.iter().map(|event| event["message"].clone());
    let mut found: Vec<_> = [page, around, poll]
        .iter()
        .flat_map(|told| list(told, "messages"))
        .chain(of_events)
        .filter(|message| message["id"] == answer)
        .map(|message| message["reply_to"].clone())
        .collect();
    found.push(who.message(chat, answer).await["reply_to"].clone());
    assert_eq!(found.len(), 5, "{found:?}");
    found
}

#[rocket::async_test]
async fn an_answer_shows_what_it_answers() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let long = "\u{1f375}".repeat(250);
    let asked = ann.say(chat, &long).await;
    let since = ann.now().await;
    let answer = bo.reply(chat, asked, "yes").await;
    let expected = json!({
        "id": asked,
        "sender_id": ann.id,
        "content": "\u{1f375}".repeat(200),
        "deleted_at": null,
    });
    for quote in quotes(&ann, chat, answer, &since).await {
        assert_eq!(quote, expected);
    }
    assert_eq!(ann.message(chat, asked).await["reply_to"], Value::Null);
    // An answer can be answered, and oneself.
    let own = bo.reply(chat, answer, "or no").await;
    assert_eq!(bo.message(chat, own).await["reply_to"]["content"], "yes");
}

#[rocket::async_test]
async fn a_quote_is_as_its_message_is_now() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let asked = ann.say(chat, "tea?").await;
    let answer = bo.reply(chat, asked, "yes").await;
    ann.edit(chat, asked, "coffee?").await.ok(200);
    assert_eq!(
        bo.message(chat, answer).await["reply_to"]["content"],
        "coffee?"
    );
    // To change an answer leaves it one.
    let since = ann.now().await;
    bo.edit(chat, answer, "no").await.ok(200);
    let (events, _) = ann.events(&since, 0).await;
    assert_eq!(events[0]["message"]["reply_to"]["id"], asked);
    assert_eq!(events[0]["message"]["reply_to"]["content"], "coffee?");
    ann.unsay(chat, asked).await.ok(200);
    let quote = bo.message(chat, answer).await["reply_to"].clone();
    assert_eq!(
        (&quote["id"], &quote["content"]),
        (&json!(asked), &json!(""))
    );
    assert!(quote["deleted_at"].is_string(), "{quote}");
    // What was deleted can be answered all the same, by who had not heard of it yet.
    let late = bo.reply(chat, asked, "hello?").await;
    assert_eq!(bo.message(chat, late).await["reply_to"], quote);
}

#[rocket::async_test]
async fn only_a_message_of_the_same_chat_is_answered() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    let secret = bo.make_private("secret", &[]).await;
    let elsewhere = [
        ann.say(other, "hi").await,
        bo.say(secret, "psst").await,
        0,
        999_999,
    ];
    for id in elsewhere {
        let form = [("content", "re"), ("reply_to", &id.to_string())];
        let told = ann.post(&format!("/api/chats/{chat}"), &form).await;
        let told = told.refused(400, "bad_request");
        assert!(!told.body.contains("psst"), "{}", told.body);
    }
    for wrong in ["", "x", "-1", "1.5"] {
        let form = [("content", "re"), ("reply_to", wrong)];
        ann.post(&format!("/api/chats/{chat}"), &form)
            .await
            .refused(400, "bad_request");
    }
    assert!(ann.said(chat).await.is_empty());
}

#[rocket::async_test]
async fn the_same_words_to_another_message_are_another_message() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let (one, two) = (ann.say(chat, "one").await, ann.say(chat, "two").await);
    let path = format!("/api/chats/{chat}");
    let send = async |to: Option<i64>| {
        let to = to.map(|to| to.to_string());
        let mut form = vec![("content", "re"), ("client_id", "k")];
        form.extend(to.as_deref().map(|to| ("reply_to", to)));
        ann.post(&path, &form).await
    };
    let first = send(Some(one)).await.ok(201);
    let again = send(Some(one)).await.ok(201);
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(again.header("X-Message-Id"), first.header("X-Message-Id"));
    send(Some(two)).await.refused(422, "idempotency_mismatch");
    send(None).await.refused(422, "idempotency_mismatch");
    // Also when what is answered has gone meanwhile.
    ann.unsay(chat, one).await.ok(200);
    let again = send(Some(one)).await.ok(201);
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(ann.said(chat).await.len(), 3);
}
