//! The stream of events: its ids, its heartbeat, where it resumes and how it ends.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::poll::{answer, hold},
    support::stream::{Block, Events},
    support::world::World,
};

#[rocket::async_test]
async fn a_stream_tells_the_same_events_as_a_poll() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let since = ann.now().await;
    let mut stream = Events::open(&ann, "/api/events", None).await;
    let first = stream.next().await.expect("a beginning");
    assert_eq!(
        first.id.as_deref(),
        Some(since.as_str()),
        "a place to resume from at once"
    );
    assert!(first.data.is_none());
    let held = hold(
        &ann,
        &format!("/api/events?after={since}&timeout=50&types=message"),
    );
    world.waiting(2).await;
    bo.say(chat, "one\ntwo \u{1F375}").await;
    ann.read(chat, 1).await;
    let polled = answer(held).await.with(200).json();
    let (member, message) = (stream.event().await, stream.event().await);
    assert_eq!(
        (member.event.as_deref(), message.event.as_deref()),
        (Some("member"), Some("message"))
    );
    assert_eq!(message.json(), polled["events"][0]);
    assert_eq!(message.id.as_deref(), polled["cursor"].as_str());
    let (replayed, _) = ann.events(&since, 0).await;
    assert_eq!([member.json(), message.json()].as_slice(), replayed);
}

#[rocket::async_test]
async fn a_stream_resumes_where_it_broke() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let mut stream = Events::open(&bo, "/api/events?after=now&types=message", None).await;
    ann.say(chat, "one").await;
    let one = stream.event().await;
    drop(stream);
    ann.say(chat, "two").await;
    let last = one.id.as_deref();
    // The header wins over what stands in the address: a browser asks for the same address again.
    let mut stream = Events::open(&bo, "/api/events?after=now&types=message", last).await;
    assert_eq!(stream.next().await.expect("a beginning").id, one.id);
    assert_eq!(stream.event().await.json()["message"]["content"], "two");
    let mut again = Events::open(
        &bo,
        &format!("/api/events?after={}", one.id.expect("an id")),
        None,
    )
    .await;
    let two = again.event().await;
    assert_eq!(two.json()["message"]["content"], "two");
    // More than fits in one look is told without a break.
    for number in 0..30 {
        ann.say(chat, &number.to_string()).await;
    }
    let mut behind = Events::open(&bo, "/api/events?limit=7", two.id.as_deref()).await;
    for number in 0..30 {
        assert_eq!(
            behind.event().await.json()["message"]["content"],
            number.to_string()
        );
        assert_eq!(
            again.event().await.json()["message"]["content"],
            number.to_string()
        );
    }
}

#[rocket::async_test]
async fn a_quiet_stream_says_that_it_is_alive() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let began = Instant::now();
    let mut stream = Events::open(&ann, "/api/events", None).await;
    stream.next().await.expect("a beginning");
    let beat = stream.next().await.expect("a heartbeat");
    assert_eq!(
        beat,
        Block {
            comment: true,
            ..Block::default()
        }
    );
    let waited = began.elapsed();
    assert!((14..25).contains(&waited.as_secs()), "{waited:?}");
}

#[rocket::async_test]
async fn a_stream_that_cannot_begin_is_an_error_as_json() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let now = ann.now().await;
    for (path, last, status, code) in [
        ("/api/events?after=x", None, 400, "bad_cursor"),
        ("/api/events?limit=0", None, 400, "bad_request"),
        ("/api/events?types=x", None, 400, "bad_request"),
        ("/api/events", Some("x"), 400, "bad_cursor"),
        ("/api/events", Some("1.zzzzzzzz.1"), 410, "gone"),
    ] {
        let request = ann
            .request(Method::GET, path)
            .header("Accept", "text/event-stream");
        let told = Told::of(match last {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        })
        .await
        .refused(status, code);
        if status == 410 {
            assert_eq!(told.json()["cursor"], now.as_str());
        }
    }
    let nobody = world.http.get(format!("{}/api/events", world.base()));
    Told::of(nobody.header("Accept", "text/event-stream"))
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn a_page_that_was_reloaded_nine_times_hears_on_and_its_ghosts_leave() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let mut streams = Vec::new();
    for _ in 0..9 {
        let mut stream = Events::open(&ann, "/api/events", None).await;
        stream.next().await.expect("a beginning");
        streams.push(stream);
    }
    let mut oldest = streams.remove(0);
    let last = oldest.next().await.expect("a last word");
    let retry = last.retry.expect("when to come back");
    assert!((5_000..=10_000).contains(&retry), "{retry}");
    assert_eq!(oldest.next().await, None);
    world.waiting(8).await;
    // A client that left is noticed when something is written to it.
    let mut newest = streams.pop().expect("eight are left");
    drop(streams);
    let crowd = async {
        while world.services().waiting() > 1 {
            ann.say(chat, "anybody?").await;
        }
    };
    tokio::time::timeout(Duration::from_secs(50), crowd)
        .await
        .expect("places are given back");
    assert_eq!(newest.event().await.event.as_deref(), Some("message"));
}

#[rocket::async_test]
async fn a_stream_that_is_superseded_ends_however_much_it_has_to_tell() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let mut older = Events::open(&ann, "/api/events?poll=tab&limit=1", None).await;
    older.next().await.expect("a beginning");
    let talk = async {
        loop {
            ann.say(chat, "on and on").await;
        }
    };
    let end = async {
        older.event().await;
        let mut newer = Events::open(&ann, "/api/events?poll=tab", None).await;
        newer.next().await.expect("a beginning");
        while older.next().await.is_some() {}
    };
    tokio::select! {
        () = talk => {}
        () = end => {}
    }
}

#[rocket::async_test]
async fn a_stream_ends_with_its_login_and_by_a_newer_one() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let mut older = Events::open(&ann, "/api/events?poll=tab", None).await;
    older.next().await.expect("a beginning");
    let mut newer = Events::open(&ann, "/api/events?poll=tab", None).await;
    newer.next().await.expect("a beginning");
    assert_eq!(
        older.next().await.map(|block| block.data),
        Some(None),
        "told when to come back"
    );
    assert_eq!(older.next().await, None);
    let mut of_phone = Events::open(&phone, "/api/events?poll=tab", None).await;
    of_phone.next().await.expect("a beginning");
    ann.get("/api/logout").await.ok(200);
    assert_eq!(newer.next().await, None);
    let chat = phone.make("tea").await;
    assert_eq!(of_phone.event().await.json()["chat_id"], chat);
}

#[rocket::async_test]
async fn a_stopping_server_ends_its_streams() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut stream = Events::open(&ann, "/api/events", None).await;
    let beginning = stream.next().await.expect("a beginning");
    world.close();
    let retry = stream
        .next()
        .await
        .expect("a last word")
        .retry
        .expect("when to come back");
    assert!(retry <= 5000);
    assert_eq!(stream.next().await, None);
    let world = world.restart().await;
    let ann = ann.at(&world);
    let chat = ann.make("tea").await;
    let mut stream = Events::open(&ann, "/api/events", beginning.id.as_deref()).await;
    let seen = stream.event().await.json();
    assert_eq!(
        json!([seen["type"], seen["chat_id"]]),
        json!(["chat", chat])
    );
}
