//! Long-polls: what a held request receives, from where it continues, and how much of it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, contents, list, text},
    support::poll::{answer, hold},
    support::world::World,
};

fn types(events: &[Value]) -> Vec<&str> {
    let types = events.iter().map(|event| event["type"].as_str());
    types
        .map(|word| word.expect("an event has a type"))
        .collect()
}

#[rocket::async_test]
async fn a_held_poll_is_answered_by_what_happens() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let since = ann.now().await;
    let held = hold(&ann, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    let id = bo.say(chat, "hi").await;
    let told = answer(held).await.with(200);
    assert_eq!(told.header("Cache-Control"), "no-store");
    let told = told.json();
    let mut events = list(&told, "events");
    let mut cursor = text(&told, "cursor");
    assert_eq!(
        (&told["more"], &told["retry_ms"]),
        (&json!(false), &json!(0))
    );
    // The message may come a moment after bo's arrival in the chat.
    while events.len() < 2 {
        let (more, next) = ann.events(&cursor, 50).await;
        events.extend(more);
        cursor = next;
    }
    assert_eq!(types(&events), ["member", "message"]);
    let (member, message) = (&events[0], &events[1]);
    assert_eq!(
        json!([
            member["person"]["name"],
            member["role"],
            member["joined"],
            member["chat_id"]
        ]),
        json!(["bo", "member", true, chat])
    );
    assert_eq!(message["position"], id);
    let one = ann
        .get(&format!("/api/chats/{chat}/messages/{id}"))
        .await
        .json();
    assert_eq!(message["message"], one);
    assert!(
        cursor.ends_with(&format!(".{id}")) && cursor.len() <= 64,
        "{cursor}"
    );
    assert_eq!(ann.events(&cursor, 0).await, (vec![], cursor.clone()));
}

#[rocket::async_test]
async fn a_chats_own_poll_is_answered_by_its_messages_alone() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    let mut newest = ann.say(chat, "one").await;
    // Bo is no member of the open chat and may read it all the same.
    for by_id in [true, false] {
        let cursor = bo.now().await;
        let after = if by_id { newest.to_string() } else { cursor };
        let held = hold(&bo, &format!("/api/chats/{chat}?after={after}&timeout=50"));
        world.waiting(1).await;
        ann.say(other, "elsewhere").await;
        ann.leave(other).await;
        newest = ann.say(chat, "two").await;
        let told = answer(held).await.with(200).json();
        let messages = list(&told, "messages");
        assert_eq!(contents(&messages), ["two"]);
        assert_eq!(messages[0]["id"], newest);
        assert_eq!(
            (&told["more"], &told["retry_ms"]),
            (&json!(false), &json!(0))
        );
        let path = format!("/api/chats/{chat}?after={}", text(&told, "cursor"));
        assert_eq!(bo.get(&path).await.with(200).json()["messages"], json!([]));
    }
}

#[rocket::async_test]
async fn nothing_new_is_an_empty_answer_with_a_cursor() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    for (path, list) in [
        ("/api/events?".to_owned(), "events"),
        (format!("/api/chats/{chat}?"), "messages"),
    ] {
        for timeout in ["timeout=0", "timeout=1", "timeout=-5", "timeout=00"] {
            let began = Instant::now();
            let now = ann.now().await;
            let told = ann
                .get(&format!("{path}after={now}&{timeout}"))
                .await
                .with(200)
                .json();
            assert_eq!(told[list], json!([]));
            assert_eq!(
                json!([told["more"], told["retry_ms"], told["cursor"]]),
                json!([false, 0, now])
            );
            assert_eq!(
                began.elapsed() >= Duration::from_secs(1),
                timeout == "timeout=1"
            );
        }
    }
    // On a chat nothing is waited for unless asked.
    let now = ann.now().await;
    ann.get(&format!("/api/chats/{chat}?after={now}"))
        .await
        .with(200);
}

#[rocket::async_test]
async fn a_timeout_is_clamped_to_the_servers_own() {
    let world = World::with("poll_timeout_max = 1").await;
    let ann = world.actor("ann").await;
    for path in [
        "/api/events?after=now&timeout=55",
        "/api/events?timeout=99999999999999999999999",
        "/api/events",
    ] {
        let began = Instant::now();
        assert_eq!(ann.get(path).await.with(200).json()["events"], json!([]));
        let took = began.elapsed();
        assert!((1..20).contains(&took.as_secs()), "{path} took {took:?}");
    }
    for wrong in ["x", "1.5", "", "1s", "%00", "-", "١"] {
        ann.get(&format!("/api/events?timeout={wrong}"))
            .await
            .refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn who_was_away_gets_exactly_what_they_missed() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let since = bo.now().await;
    let ids = join_all((0..150).map(|_| ann.say(chat, "hi"))).await;
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let follow = async |bo: &Actor| {
        let (mut cursor, mut seen, mut answers) = (since.clone(), Vec::new(), 0);
        loop {
            let told = bo
                .get(&format!("/api/events?after={cursor}&timeout=0&limit=40"))
                .await;
            let told = told.with(200).json();
            let events = list(&told, "events");
            assert!(events.len() <= 40);
            seen.extend(
                events
                    .iter()
                    .map(|event| event["position"].as_i64().expect("a place")),
            );
            cursor = text(&told, "cursor");
            answers += 1;
            if told["more"] == false {
                return (seen, answers);
            }
        }
    };
    assert_eq!(
        follow(&bo).await,
        (sorted.clone(), 4),
        "more than the ring holds"
    );
    let world = world.restart().await;
    assert_eq!(
        follow(&bo.at(&world)).await,
        (sorted, 4),
        "from the log, after a restart"
    );
}

#[rocket::async_test]
async fn an_answer_stays_within_a_mebibyte_and_loses_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let since = bo.now().await;
    let big = "x".repeat(16_384);
    // More than the hub keeps in memory, so that the log is read too.
    let mut sent = Vec::new();
    for _ in 0..16 {
        sent.extend(join_all((0..40).map(|_| ann.say(chat, &big))).await);
    }
    sent.sort_unstable();
    for (path, key, place) in [
        ("/api/events".to_owned(), "events", "position"),
        (format!("/api/chats/{chat}"), "messages", "id"),
    ] {
        let (mut cursor, mut seen) = (since.clone(), Vec::new());
        loop {
            let told = bo
                .get(&format!("{path}?after={cursor}&timeout=0&limit=200"))
                .await
                .with(200);
            assert!(told.body.len() < (1 << 20) + 1024, "{}", told.body.len());
            let told = told.json();
            let found = list(&told, key);
            assert!(!found.is_empty());
            seen.extend(
                found
                    .iter()
                    .map(|one| one[place].as_i64().expect("a number")),
            );
            cursor = text(&told, "cursor");
            if told["more"] == false {
                break;
            }
        }
        assert_eq!(seen, sent, "{path}");
    }
}

#[rocket::async_test]
async fn a_cursor_that_proves_nothing_is_gone() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let now = ann.now().await;
    let (epoch, position) = now.rsplit_once('.').expect("a cursor has a position");
    let ahead = position.parse::<i64>().expect("a number") + 1;
    for path in ["/api/events".to_owned(), format!("/api/chats/{chat}")] {
        for lost in [
            format!("{epoch}.{ahead}"),
            format!("{epoch}.9007199254740991"),
            "1.zzzz9999.0".into(),
        ] {
            let told = ann
                .get(&format!("{path}?after={lost}&timeout=0"))
                .await
                .refused(410, "gone");
            assert_eq!(told.json()["cursor"], now.as_str());
            ann.get(&format!("{path}?after={now}&timeout=0"))
                .await
                .with(200);
        }
    }
    let path = format!("/api/chats/{chat}?after={ahead}");
    ann.get(&path).await.refused(410, "gone");
}

#[rocket::async_test]
async fn a_cursor_older_than_what_is_kept_is_gone() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let old = ann.now().await;
    ann.say(chat, "hi").await;
    let mut beside = world.place.beside().await;
    beside.run("update log set floor = head").await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    let told = ann
        .get(&format!("/api/events?after={old}&timeout=0"))
        .await
        .refused(410, "gone");
    let fresh = text(&told.json(), "cursor");
    assert_eq!(ann.events(&fresh, 0).await, (vec![], fresh));
}

#[rocket::async_test]
async fn a_cursor_of_another_life_of_the_log_is_gone() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let old = ann.now().await;
    let mut beside = world.place.beside().await;
    beside.run("update log set epoch = 'restored'").await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    for path in ["/api/events".to_owned(), format!("/api/chats/{chat}")] {
        let told = ann
            .get(&format!("{path}?after={old}&timeout=0"))
            .await
            .refused(410, "gone");
        assert!(text(&told.json(), "cursor").starts_with("1.restored."));
    }
}

#[rocket::async_test]
async fn what_never_was_a_cursor_is_refused() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let long = format!("1.{}.1", "a".repeat(33));
    for wrong in [
        "",
        "x",
        "1",
        "1.",
        "..",
        "1.abc",
        "2.abcdefgh.1",
        "1.abcdefgh.-1",
        "1.abcdefgh.01",
        "1.ABC.1",
        "1.abcdefgh.9007199254740992",
        "1.abcdefgh.1.1",
        "%20",
        "now%20",
        "%F0%9F%8D%B5",
        "null",
        "-1",
        long.as_str(),
    ] {
        ann.get(&format!("/api/events?after={wrong}"))
            .await
            .refused(400, "bad_cursor");
        if wrong != "1" {
            let path = format!("/api/chats/{chat}?after={wrong}");
            ann.get(&path).await.refused(400, "bad_cursor");
        }
    }
    for wrong in [
        "after=%FF",
        "after=%00",
        "after=now&after=now",
        "limit=0",
        "limit=201",
        "limit=x",
        "types=",
        "types=x",
        "types=message,,read",
    ] {
        ann.get(&format!("/api/events?{wrong}&timeout=0"))
            .await
            .refused(400, "bad_request");
    }
    let path = format!("/api/chats/{chat}?after=1&before=1");
    ann.get(&path).await.refused(400, "bad_request");
    world
        .get("/api/events?after=now")
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn types_choose_what_is_told() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let since = ann.now().await;
    bo.join(chat).await;
    let id = ann.say(chat, "hi").await;
    bo.read(chat, id).await;
    bo.make("other").await;
    let asked = async |wanted: &str| {
        let path = format!("/api/events?after={since}&timeout=0&types={wanted}");
        let told = ann.get(&path).await.with(200).json();
        let events = list(&told, "events");
        (types(&events).join(" "), text(&told, "cursor"))
    };
    let (_, end) = asked("message,member,read,chat").await;
    for (wanted, told) in [
        ("message", "message"),
        ("member,read", "member read"),
        ("chat", "chat"),
        ("read,%20message", "message read"),
        ("typing,presence", ""),
        ("edited,deleted", ""),
        (
            "message,edited,deleted,chat,member,read,typing,presence",
            "member message read chat",
        ),
    ] {
        assert_eq!(
            asked(wanted).await,
            (told.to_owned(), end.clone()),
            "{wanted}"
        );
    }
    // What is not wanted does not end a wait.
    let held = hold(
        &ann,
        &format!("/api/events?after={end}&timeout=50&types=message"),
    );
    world.waiting(1).await;
    bo.make("third").await;
    bo.leave(chat).await;
    ann.say(chat, "still here").await;
    let events = list(&answer(held).await.with(200).json(), "events");
    assert_eq!(types(&events), ["message"]);
}

#[rocket::async_test]
async fn who_polls_on_is_looked_up_once_until_somebody_comes_or_goes() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let first = ann.say(chat, "one").await;
    ann.say(chat, "two").await;
    let path = format!("/api/chats/{chat}?after={first}&timeout=1");
    let two = async |actor: &Actor| {
        let told = actor.get(&path).await.with(200).json();
        contents(&list(&told, "messages")) == ["two"]
    };
    // The first poll of a chat makes its log, the next one notes who may read.
    assert!(two(&bo).await && two(&bo).await);
    let mut beside = world.place.beside().await;
    beside.run("alter table chats rename to chats_away").await;
    assert!(two(&bo).await, "nothing is asked of the table of chats");
    ann.get(&path).await.with(500);
    beside.run("alter table chats_away rename to chats").await;
    assert!(two(&ann).await);

    ann.leave(chat).await;
    beside.run("alter table chats rename to chats_away").await;
    for actor in [&ann, &bo] {
        actor.get(&path).await.with(500);
    }
    beside.run("alter table chats_away rename to chats").await;

    ann.join(chat).await;
    assert!(two(&bo).await && two(&ann).await);
}
