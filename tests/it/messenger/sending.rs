//! Sending exactly once, and what else a message may be.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, Told},
    support::world::World,
};

async fn send(actor: &Actor, chat: i64, form: &[(&str, &str)], key: Option<&str>) -> Told {
    let request = actor
        .request(Method::POST, &format!("/api/chats/{chat}"))
        .form(form);
    Told::of(match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    })
    .await
}

/// What must be the same in every answer to the same message.
fn identity(told: &Told) -> [String; 5] {
    let header = |name| told.header(name).to_owned();
    [
        told.status.to_string(),
        told.body.clone(),
        header("Location"),
        header("X-Message-Id"),
        header("X-Message-Time"),
    ]
}

#[rocket::async_test]
async fn the_same_key_from_fifty_at_once_is_one_message() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    // Bo is no member yet: coming happens once, too.
    let since = ann.now().await;
    let told = join_all((0..50).map(|_| bo.say_as(chat, "once", "k-1"))).await;
    let first = identity(&told[0]);
    assert!(told.iter().all(|told| identity(told) == first));
    told[0].clone().ok(201);
    let replayed = told
        .iter()
        .filter(|told| told.header("Idempotency-Replayed") == "true")
        .count();
    assert_eq!(replayed, 49);
    assert_eq!(ann.said(chat).await, ["once"]);
    let mut beside = world.place.beside().await;
    assert_eq!(beside.number("select count(*) from messages").await, 1);
    let (events, _) = ann.events(&since, 0).await;
    let types: Vec<_> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["member", "message"]);
    assert_eq!(events[1]["message"]["client_id"], "k-1");
}

#[rocket::async_test]
async fn the_same_key_with_another_body_is_a_mismatch() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let url = [("content", "https://example.com/a.png"), ("client_id", "k")];
    send(&ann, chat, &url, None).await.ok(201);
    ann.say_as(chat, "another", "k")
        .await
        .refused(422, "idempotency_mismatch");
    let other_type = [url[0], url[1], ("type", "img")];
    send(&ann, chat, &other_type, None)
        .await
        .refused(422, "idempotency_mismatch");
    let again = send(&ann, chat, &url, None).await.ok(201);
    assert_eq!(again.header("Idempotency-Replayed"), "true");

    // Within one batch as well: of many different bodies one is first, and only that one is kept.
    let bodies: Vec<_> = (0..20)
        .map(|number| format!("body {}", number % 4))
        .collect();
    let told = join_all(bodies.iter().map(|body| ann.say_as(chat, body, "k2"))).await;
    let kept = ann.said(chat).await.pop().expect("one was kept");
    for (body, told) in bodies.iter().zip(told) {
        if *body == kept {
            told.ok(201);
        } else {
            told.refused(422, "idempotency_mismatch");
        }
    }
    assert_eq!(ann.said(chat).await.len(), 2);
}

#[rocket::async_test]
async fn a_key_belongs_to_its_sender_and_chat() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    for (who, where_to) in [(&ann, chat), (&bo, chat), (&ann, other), (&bo, other)] {
        let told = who.say_as(where_to, "hi", "k").await.ok(201);
        assert_eq!(told.header("Idempotency-Replayed"), "");
    }
    assert_eq!(ann.said(chat).await, ["hi", "hi"]);
}

#[rocket::async_test]
async fn the_header_and_the_field_are_the_same_key() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let plain = [("content", "hi")];
    let field = [("content", "hi"), ("client_id", "k")];
    let first = send(&ann, chat, &plain, Some("k")).await.ok(201);
    for again in [
        send(&ann, chat, &plain, Some("k")).await,
        send(&ann, chat, &field, None).await,
        send(&ann, chat, &field, Some("k")).await,
    ] {
        assert_eq!(identity(&again), identity(&first));
        assert_eq!(again.header("Idempotency-Replayed"), "true");
    }
    send(&ann, chat, &field, Some("other"))
        .await
        .refused(400, "bad_request");
    let longest = "k".repeat(64);
    send(&ann, chat, &plain, Some(&longest)).await.ok(201);
    let too_long = "k".repeat(65);
    for wrong in ["", "a b", "a\tb", "ключ", too_long.as_str()] {
        let field = [("content", "hi"), ("client_id", wrong)];
        send(&ann, chat, &field, None)
            .await
            .refused(400, "bad_request");
    }
    for wrong in ["a b", "\u{e4}", too_long.as_str()] {
        send(&ann, chat, &plain, Some(wrong))
            .await
            .refused(400, "bad_request");
    }
    assert_eq!(ann.said(chat).await.len(), 2);
}

#[rocket::async_test]
async fn a_replay_is_answered_whatever_happened_since() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let first = bo.say_as(chat, "hi", "k").await.ok(201);
    bo.leave(chat).await;
    ann.say(chat, "later").await;
    let again = bo.say_as(chat, "hi", "k").await.ok(201);
    assert_eq!(identity(&again), identity(&first));
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(
        bo.chat(chat).await["member"],
        false,
        "a replay does not join again"
    );
    let world = world.restart().await;
    let again = bo.at(&world).say_as(chat, "hi", "k").await.ok(201);
    assert_eq!(
        identity(&again),
        identity(&first),
        "keys outlive the server"
    );
    assert_eq!(ann.at(&world).said(chat).await, ["hi", "later"]);
}

#[rocket::async_test]
async fn many_senders_at_once_lose_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chats = [ann.make("one").await, ann.make("two").await];
    let sends = (0..200).map(|number| {
        let who = if number % 3 == 0 { &ann } else { &bo };
        let chat = chats[number % 2];
        async move { (chat, number, who.say(chat, &number.to_string()).await) }
    });
    let sent = join_all(sends).await;
    for chat in chats {
        let mut expected: Vec<_> = sent.iter().filter(|(to, ..)| *to == chat).collect();
        expected.sort_by_key(|(.., id)| *id);
        let expected: Vec<_> = expected
            .iter()
            .map(|(_, number, _)| number.to_string())
            .collect();
        assert_eq!(
            ann.said(chat).await,
            expected,
            "ids are in the order of the list"
        );
    }
    let mut beside = world.place.beside().await;
    let seqs = beside
        .numbers(&format!(
            "select seq from messages where chat_id = {} order by id",
            chats[0]
        ))
        .await;
    assert_eq!(
        seqs,
        (1..=100).collect::<Vec<_>>(),
        "numbers within a chat have no gaps"
    );
    beside.head_without_gaps().await;
}

#[rocket::async_test]
async fn pictures_and_files_are_links() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    for kind in ["img", "file"] {
        let form = [
            ("content", "https://example.com/a.png?b=c#d"),
            ("type", kind),
        ];
        let told = send(&ann, chat, &form, None).await.ok(201);
        let one = ann.get(told.header("Location")).await.with(200).json();
        assert_eq!(one["type"], kind);
        for wrong in [
            "a.png",
            "javascript:alert(1)",
            "ftp://example.com/a",
            "https://",
            "http://a b",
            "",
        ] {
            let form = [("content", wrong), ("type", kind)];
            send(&ann, chat, &form, None)
                .await
                .refused(400, "bad_request");
        }
    }
    for wrong in ["", "TEXT", "image", "video"] {
        send(
            &ann,
            chat,
            &[("content", "https://a.b"), ("type", wrong)],
            None,
        )
        .await
        .refused(400, "bad_request");
    }
    send(&ann, chat, &[("content", "hi"), ("type", "text")], None)
        .await
        .ok(201);
}

#[rocket::async_test]
async fn a_sender_may_ask_for_the_message() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let path = format!("/api/chats/{chat}");
    for preference in [
        "return=representation",
        "respond-async, Return=Representation",
        "return=representation; x=1",
    ] {
        let request = ann.request(Method::POST, &path).form(&[("content", "hi")]);
        let told = Told::of(request.header("Prefer", preference))
            .await
            .with(201);
        let json = told.json();
        assert_eq!(json["status"], "ok");
        assert_eq!(json["message"]["content"], "hi");
        assert_eq!(
            json["message"]["id"].to_string(),
            told.header("X-Message-Id")
        );
        let one = ann.get(told.header("Location")).await.with(200).json();
        assert_eq!(json["message"], one);
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(2));
    }
    let request = ann.request(Method::POST, &path).form(&[("content", "hi")]);
    Told::of(request.header("Prefer", "return=minimal"))
        .await
        .ok(201);
    assert_eq!(
        ann.get(&path).await.json()["people"],
        json!([{"id": ann.id, "name": "ann"}])
    );
}

#[rocket::async_test]
async fn a_full_queue_turns_senders_away_and_who_tries_again_is_heard_once() {
    let world = World::with("write_queue = 1\nwrite_batch_max = 1").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let insist = async |number: usize| {
        let (content, key) = (number.to_string(), format!("k{number}"));
        let mut refusals = 0;
        loop {
            let told = ann.say_as(chat, &content, &key).await;
            if told.status == 201 {
                told.ok(201);
                return refusals;
            }
            assert_ne!(told.refused(503, "busy").header("Retry-After"), "");
            refusals += 1;
        }
    };
    let refusals: usize = join_all((0..40).map(insist)).await.into_iter().sum();
    assert!(
        refusals > 0,
        "forty at once are more than a queue of one takes"
    );
    let mut kept = ann.said(chat).await;
    kept.sort_by_key(|content| content.parse::<usize>().expect("a number"));
    let expected: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(kept, expected);
}
