//! How waits end before their time: taken over, too many, signed out, the server stops.

use std::collections::VecDeque;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::poll::{answer, hold},
    support::world::World,
};

const WAIT: &str = "/api/events?after=now&timeout=50";

#[rocket::async_test]
async fn the_newer_poll_of_a_name_takes_over() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    for key in ["events", "messages"] {
        let path = match key {
            "events" => WAIT.to_owned(),
            _ => format!("/api/chats/{chat}?after={}&timeout=50", ann.now().await),
        };
        let older = hold(&ann, &format!("{path}&poll=tab"));
        world.waiting(1).await;
        let other_name = hold(&ann, &format!("{path}&poll=other"));
        let other_login = hold(
            &Actor::sign_in(&world, "ann", PASSWORD).await,
            &format!("{path}&poll=tab"),
        );
        let other_person = hold(&bo, &format!("{path}&poll=tab"));
        world.waiting(4).await;
        let newer = hold(&ann, &format!("{path}&poll=tab"));
        let told = answer(older).await.with(200).json();
        assert_eq!(
            json!([told[key], told["superseded"], told["more"]]),
            json!([[], true, false])
        );
        let cursor = told["cursor"].as_str().expect("a cursor");
        ann.get(&format!("/api/events?after={cursor}&timeout=0"))
            .await
            .with(200);
        world.waiting(4).await;
        bo.join(chat).await;
        ann.say(chat, "hi").await;
        bo.leave(chat).await;
        for held in [newer, other_name, other_login] {
            let told = answer(held).await.with(200).json();
            assert!(told.get("superseded").is_none());
            assert_ne!(told[key], json!([]));
        }
        answer(other_person).await.with(200);
        world.waiting(0).await;
    }
}

/// An answer to a wait that a newer one took the place of.
async fn is_superseded(held: JoinHandle<Told>, key: &str) {
    let told = answer(held).await.with(200).json();
    assert_eq!(
        json!([told[key], told["superseded"], told["more"]]),
        json!([[], true, false])
    );
    // Two clients that take turns at one place do not do so in a tight loop.
    let retry = told["retry_ms"].as_u64().expect("a number");
    assert!((5_000..=10_000).contains(&retry), "{retry}");
}

#[rocket::async_test]
async fn of_nine_waits_of_a_login_the_oldest_ends_and_no_setting_lifts_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let now = ann.now().await;
    let of_chat = format!("/api/chats/{chat}?after={now}&timeout=50");
    let mut held = VecDeque::new();
    for number in 0..8 {
        held.push_back(hold(&ann, if number < 3 { WAIT } else { &of_chat }));
        world.waiting(number + 1).await;
    }
    let phone = hold(&Actor::sign_in(&world, "ann", PASSWORD).await, WAIT);
    let other = hold(&bo, WAIT);
    world.waiting(10).await;
    for (path, key) in [
        (WAIT, "events"),
        (of_chat.as_str(), "events"),
        ("/api/events?poll=new", "events"),
        (WAIT, "messages"),
    ] {
        held.push_back(hold(&ann, path));
        is_superseded(held.pop_front().expect("the oldest"), key).await;
        world.waiting(10).await;
    }
    // What does not wait takes nobody's place.
    for path in [
        format!("/api/chats/{chat}?after={now}"),
        "/api/events?timeout=0".to_owned(),
        "/api/events?timeout=0&poll=yet-another".to_owned(),
        "/api/chats".to_owned(),
    ] {
        ann.get(&path).await.with(200);
    }
    ann.say(chat, "of which the next tells at once").await;
    world.waiting(1).await;
    for held in held.into_iter().chain([phone]) {
        let told = answer(held).await.with(200).json();
        assert!(told.get("superseded").is_none(), "{told}");
    }
    let already = format!("/api/events?after={now}&timeout=50");
    let eight: Vec<_> = (0..8).map(|_| hold(&ann, WAIT)).collect();
    world.waiting(9).await;
    for _ in 0..3 {
        let told = ann.get(&already).await.with(200).json();
        assert_ne!(told["events"], json!([]));
    }
    bo.say(chat, "all at once").await;
    for held in eight.into_iter().chain([other]) {
        let told = answer(held).await.with(200).json();
        assert!(told.get("superseded").is_none(), "{told}");
    }
}

#[rocket::async_test]
async fn of_thirty_three_waits_of_a_person_the_oldest_ends() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let logins = join_all((0..5).map(|_| Actor::sign_in(&world, "ann", PASSWORD))).await;
    let mut held = VecDeque::new();
    for number in 0..32 {
        held.push_back(hold(&logins[number % 4], WAIT));
        world.waiting(number + 1).await;
    }
    let fifth = hold(&logins[4], WAIT);
    is_superseded(held.pop_front().expect("the oldest"), "events").await;
    world.waiting(32).await;
    let other = hold(&bo, WAIT);
    world.waiting(33).await;
    bo.say(chat, "hi").await;
    for held in held.into_iter().chain([fifth, other]) {
        let told = answer(held).await.with(200).json();
        assert!(told.get("superseded").is_none(), "{told}");
    }
}

#[rocket::async_test]
async fn a_wait_ends_with_its_login() {
    let world = World::new().await;
    world.actor("ann").await;
    let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
    let chat = ann.make("tea").await;
    for how in ["logout", "logout-all", "password", "delete"] {
        let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
        let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
        let now = phone.now().await;
        let held = [
            hold(&phone, WAIT),
            hold(&phone, &format!("/api/chats/{chat}?after={now}&timeout=50")),
        ];
        world.waiting(2).await;
        match how {
            "logout" => drop(phone.get("/api/logout").await.ok(200)),
            "logout-all" => drop(ann.post("/api/logout-all", &[]).await.ok(200)),
            "password" => {
                let form = [("password", PASSWORD), ("new_password", PASSWORD)];
                ann.post("/api/password", &form).await.ok(200);
            }
            _ => {
                let logins = phone.get("/api/logins").await.with(200).json();
                let current = logins["logins"].as_array().expect("a list");
                let current = current.iter().find(|login| login["current"] == true);
                let id = &current.expect("its own")["id"];
                ann.delete(&format!("/api/logins/{id}")).await.ok(200);
            }
        }
        for held in held {
            answer(held).await.refused(401, "unauthenticated");
        }
        world.waiting(0).await;
    }
}

#[rocket::async_test]
async fn a_login_that_goes_on_is_not_disturbed_by_the_end_of_another() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let held = hold(&phone, WAIT);
    world.waiting(1).await;
    ann.get("/api/logout").await.ok(200);
    bo.post("/api/logout-all", &[]).await.ok(200);
    phone.say(chat, "still here").await;
    answer(held).await.with(200);
}

#[rocket::async_test]
async fn a_stopping_server_releases_who_waits_and_takes_no_more() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let now = ann.now().await;
    let of_chat = format!("/api/chats/{chat}?after={now}&timeout=50");
    let held = [hold(&ann, WAIT), hold(&ann, &of_chat)];
    world.waiting(2).await;
    world.close();
    for (held, key) in held.into_iter().zip(["events", "messages"]) {
        let told = answer(held).await.with(200).json();
        assert_eq!(
            json!([told[key], told["more"], told["cursor"]]),
            json!([[], false, now])
        );
        let retry = told["retry_ms"].as_u64().expect("a number");
        assert!(retry <= 5000);
    }
    for path in [WAIT, of_chat.as_str()] {
        let told = ann.get(path).await.refused(503, "shutting_down");
        assert_ne!(told.header("Retry-After"), "");
        let stream = ann
            .request(Method::GET, path)
            .header("Accept", "text/event-stream");
        Told::of(stream).await.refused(503, "shutting_down");
    }
    // What is under way is still written.
    ann.say(chat, "last words").await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    assert_eq!(
        ann.events(&now, 0).await.0[0]["message"]["content"],
        "last words"
    );
}

#[rocket::async_test]
async fn a_stopped_server_has_written_what_it_accepted() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let path = format!("/api/chats/{chat}");
    let sends = (0..100).map(|number| {
        let content = number.to_string();
        let request = ann
            .request(Method::POST, &path)
            .form(&[("content", content)]);
        tokio::spawn(async move {
            request
                .send()
                .await
                .is_ok_and(|response| response.status() == 201)
        })
    });
    let sends: Vec<_> = sends.collect();
    let place = world.stop().await;
    let accepted = join_all(sends)
        .await
        .into_iter()
        .filter(|sent| matches!(sent, Ok(true)))
        .count();
    let mut beside = place.beside().await;
    let written = beside.number("select count(*) from messages").await;
    assert!(
        usize::try_from(written).expect("a count") >= accepted,
        "{written} < {accepted}"
    );
}
