//! Guesses are throttled by every API and transport, and an unchecked attempt does not count as a guess.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU32, Ordering},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::log::Kept,
    support::socketio::json_after,
    support::socketio_client::Ws,
    support::socketio_world::POLLING,
    support::world::World,
};

const WRONG: &str = "wrong horse";

/// The first refusal of an attempt that begins a pause, or a longer one each time that it does not meet
/// one: a few at most, however slow the machine is.
async fn until_refused(mut attempt: impl AsyncFnMut() -> Told) -> Told {
    for _ in 0..6 {
        let told = attempt().await;
        if told.status == 429 {
            return told;
        }
    }
    panic!("nobody is refused");
}

#[rocket::async_test]
async fn an_attempt_that_was_never_checked_is_no_wrong_one() {
    let settings =
        "rate_limits = true\nbcrypt_parallel = 1\nbcrypt_cost = 7\nip_header = 'X-Real-IP'";
    let world = World::with(settings).await;
    let ann = world.actor("ann").await;
    let sign_in = |name: String, from: String| {
        let form = [("name", name), ("password", PASSWORD.to_owned())];
        let url = format!("{}/api/login", world.base());
        Told::of(world.http.post(url).form(&form).header("X-Real-IP", from))
    };
    let done = CancellationToken::new();
    // The queue is full as long as they come again and again, each time as somebody else from elsewhere.
    let strangers = AtomicU32::new(0x0a00_0000);
    let crowd = join_all((0..100).map(|_| {
        let (sign_in, done, strangers) = (&sign_in, &done, &strangers);
        async move {
            while !done.is_cancelled() {
                let number = strangers.fetch_add(1, Ordering::Relaxed);
                let from = Ipv4Addr::from(number).to_string();
                sign_in(format!("nobody {number}"), from).await;
            }
        }
    }));
    let anns = async {
        let mut turned_away = 0;
        while turned_away < 30 {
            let told = sign_in("ann".to_owned(), "198.51.100.1".to_owned()).await;
            assert!(matches!(told.status, 200 | 503), "{}", told.body);
            turned_away += usize::from(told.status == 503);
        }
        done.cancel();
    };
    tokio::join!(crowd, anns);
    // So many wrong ones from one address would have begun a pause.
    let told = sign_in("ann".to_owned(), "198.51.100.1".to_owned()).await;
    told.ok(200);
    ann.get("/api/me").await.with(200);
    world.stop().await;
}

async fn answered(ws: &mut Ws, token: &str, chat: &str) -> Value {
    let argument = json!({"token": token, "chatId": chat});
    ws.send(&format!("420{}", json!(["getChatMessages", argument])))
        .await;
    let answer = ws.text_after("430").await;
    json_after(&answer, "430")[0].take()
}

#[rocket::async_test]
async fn two_people_on_one_socket_do_not_escape_the_rate_of_a_login() {
    let world = World::with("rate_limits = true\nrate_per_login = 1").await;
    let guest = world.guest_of_new_site().await;
    let owner = world.owner_again("localhost").await;
    let mut ws = world.websocket("", &[]).await;
    ws.send("40").await;
    ws.text_after("40{").await;
    let mut passed = 0;
    for token in [&owner.token, &guest.token].into_iter().cycle() {
        let answer = answered(&mut ws, token, &guest.chat).await;
        if answer["statusCode"] == 429 {
            break;
        }
        assert_eq!(answer["statusCode"], 200);
        passed += 1;
        assert!(passed < 40, "nobody is refused");
    }
    assert!(passed >= 5, "{passed}");
    world.stop().await;
}

/// Where a token or a key may be guessed: how it is asked, with what in its body and in a header; `GUESS`
/// stands for the guess.
const ENDPOINTS: [(&str, &str, &str, &str); 23] = [
    ("GET", "/api/me", "", "cookie: user_id=1; token=GUESS"),
    (
        "GET",
        "/api/me",
        "",
        "cookie: user_id=1; access_token=GUESS",
    ),
    (
        "GET",
        "/api/events?timeout=0",
        "",
        "cookie: user_id=1; token=GUESS",
    ),
    ("GET", "/api/events?timeout=0&token=GUESS", "", ""),
    (
        "GET",
        "/api/events?timeout=0",
        "",
        "authorization: Bearer GUESS",
    ),
    (
        "GET",
        "/api/events?timeout=0&dialect=support&token=GUESS",
        "",
        "",
    ),
    (
        "GET",
        "/api/events?timeout=0&dialect=embed&key=GUESS&user=1",
        "",
        "",
    ),
    (
        "GET",
        "/api/events?timeout=0&dialect=service&token=GUESS",
        "",
        "",
    ),
    ("POST", "/api/events/getWaitingChats", "token=GUESS", ""),
    (
        "POST",
        "/api/events/getNewChat",
        "guestToken=GUESS&email=a@example.com&name=Gus&domain=localhost",
        "",
    ),
    ("POST", "/api/events/list-chats?token=GUESS", "value=1", ""),
    ("POST", "/api/events/list-chats?key=GUESS", "value=1", ""),
    (
        "POST",
        "/api/events/join?dialect=service&token=GUESS",
        "value=room",
        "",
    ),
    ("POST", "/owner/logout", "token=GUESS", ""),
    ("POST", "/owner/domains", "token=GUESS&domain=b.example", ""),
    (
        "POST",
        "/owner/register",
        "token=GUESS&domain=b.example&email=b@b.example&password=correct+horse",
        "",
    ),
    ("GET", "/app", "", "authorization: GUESS"),
    ("GET", "/auth/verify?token=GUESS", "", ""),
    ("GET", "/room", "", "appid: GUESS"),
    ("GET", "/user/GUESS", "", ""),
    ("GET", "/metrics?token=GUESS", "", ""),
    ("GET", "/metrics", "", "authorization: Bearer GUESS"),
    ("SOCKET", "", "", ""),
];

async fn guess(world: &World, endpoint: usize, guess: &str) -> Told {
    let (method, path, body, header) = ENDPOINTS[endpoint];
    let with = |text: &str| text.replace("GUESS", guess);
    let mut headers = vec![("x-real-ip", format!("192.0.2.{endpoint}"))];
    if method == "SOCKET" {
        let session = world.polled(&headers).await;
        let connect = format!("40{{\"token\":\"{guess}\"}}");
        let answer = world.posted(&session, &headers, &connect, "4").await;
        let refused = answer.contains("too many wrong tokens");
        let status = if refused { 429 } else { 401 };
        return Told {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: answer,
        };
    }
    if let Some((name, value)) = header.split_once(": ") {
        headers.push((name, with(value)));
    }
    if !body.is_empty() {
        let form = "application/x-www-form-urlencoded";
        headers.push(("content-type", form.to_owned()));
    }
    let method = method.parse().expect("a method");
    world
        .ask_with(method, &with(path), &with(body), &headers)
        .await
}

#[rocket::async_test]
async fn guesses_of_tokens_and_keys_are_slowed_down_at_every_endpoint() {
    let world = World::with("rate_limits = true\nip_header = 'X-Real-IP'").await;
    let ann = world.actor("ann").await;
    world.owner("localhost").await;
    // There is no registration: what is guessed is a colleague's token.
    let closed = "rate_limits = true\nip_header = 'X-Real-IP'\nowner_registration = 'closed'\n\
                  metrics_token = 's3cret'";
    let world = world.restart_with(closed).await;
    let cookies = format!("user_id={}; token={}", ann.id, ann.token);
    for (endpoint, asked) in ENDPOINTS.iter().enumerate() {
        let headers = [
            ("x-real-ip", format!("192.0.2.{endpoint}")),
            ("cookie", cookies.clone()),
        ];
        world.get_with("/api/me", &headers).await.with(200);
        for number in 0..21 {
            let told = guess(&world, endpoint, &format!("secret-{number}")).await;
            assert_ne!(told.status, 429, "{asked:?} {number}: {}", told.body);
        }
        let mut number = 21;
        until_refused(async || {
            number += 1;
            guess(&world, endpoint, &format!("secret-{number}")).await
        })
        .await;
        // A client that repeats an expired token guesses nothing new, and a valid one is accepted.
        let again = guess(&world, endpoint, "secret-3").await;
        assert_ne!(again.status, 429, "{asked:?}: {}", again.body);
        world.get_with("/api/me", &headers).await.with(200);
    }
    world.stop().await;
}

#[rocket::async_test]
async fn guesses_at_one_app_are_slowed_down_wherever_they_come_from() {
    let world = World::with("rate_limits = true\nip_header = 'X-Real-IP'").await;
    let app = world.owner("localhost").await.application_id;
    let ask = async |number: u32| {
        let path =
            format!("/api/events?dialect=service&timeout=0&appId={app}&token=secret-{number}");
        let from = Ipv4Addr::from(0x0a00_0000 + number);
        let headers = [("x-real-ip", from.to_string())];
        world.get_with(&path, &headers).await
    };
    let mut passed = 0;
    for number in 0..300 {
        let told = ask(number).await;
        if told.status == 429 {
            break;
        }
        passed += 1;
    }
    assert!((100..200).contains(&passed), "{passed}");
    world.stop().await;
}

#[rocket::async_test]
async fn what_only_looks_like_a_session_is_counted() {
    let world =
        World::with("rate_limits = true\nrate_per_address = 1\nip_header = 'X-Real-IP'").await;
    let header = |number| [("x-real-ip", format!("192.0.2.{number}"))];
    for (number, path) in [
        format!("{POLLING}&sid=x"),
        format!("{POLLING}&sid=AAAAAAAAAAAAAAAAAAAA"),
        "/api/events?sid=x".to_owned(),
        "/api/me?sid=x".to_owned(),
        "/owner/login?sid=x".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let headers = header(number);
        let mut refused = false;
        for _ in 0..30 {
            refused |= world.get_with(path, &headers).await.status == 429;
        }
        assert!(refused, "{path}");
    }
    // What belongs to a session is counted where its events are answered.
    let headers = header(99);
    let path = world.polled(&headers).await;
    world.posted(&path, &headers, "40", "40{").await;
    for _ in 0..30 {
        let pong = world.ask_with(reqwest::Method::POST, &path, "3", &headers);
        pong.await.with(200);
    }
    world.stop().await;
}

#[tokio::test]
async fn every_sign_in_leaves_one_line_that_names_nobody() {
    let kept = Kept::default();
    let settings = parlance::config::Settings::default();
    let subscriber = || {
        let subscriber = parlance::telemetry::subscriber(&settings, kept.clone(), false);
        tracing::Dispatch::new(subscriber.expect("the filter is right"))
    };
    // While there is but one subscriber, `tracing` asks that of the thread which comes first to a line whether
    // anybody wants it; other tests' threads have none.
    let (subscriber, _second) = (subscriber(), subscriber());
    let _guard = tracing::dispatcher::set_default(&subscriber);
    let world = World::with("rate_limits = true").await;
    let ann = world.actor("ann").await;
    let again = Actor::sign_in(&world, "ann", PASSWORD).await;
    let owner = world.owner("shop.example").await;
    let wrong = |endpoint, name, value| {
        let form = [(name, value), ("password", WRONG)];
        let world = &world;
        async move { world.post(endpoint, &form).await }
    };
    assert_eq!(wrong("/api/login", "name", "ann").await.status, 400);
    assert_eq!(wrong("/api/login", "name", "nobody").await.status, 400);
    let email = "owner@shop.example";
    assert_eq!(wrong("/owner/login", "email", email).await.status, 404);
    assert_eq!(wrong("/auth/login", "email", email).await.status, 401);
    let form = [("password", WRONG), ("new_password", PASSWORD)];
    ann.post("/api/password", &form).await.with(400);
    let text = kept.text();
    let lines = text.lines().filter(|line| {
        ["Somebody made", "Somebody signed", "A sign-in failed"]
            .iter()
            .any(|what| line.contains(what))
    });
    let lines: Vec<_> = lines.collect();
    let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
    assert_eq!(count("Somebody made an account."), 2, "{lines:?}");
    assert_eq!(count("Somebody signed in."), 2, "{lines:?}");
    assert_eq!(count("A sign-in failed."), 5, "{lines:?}");
    assert_eq!(count("address=127.0.0.1"), 9, "{lines:?}");
    assert_eq!(count("wrong password"), 3, "{lines:?}");
    assert_eq!(count("no such account"), 2, "{lines:?}");
    assert_eq!(count(&format!("person={} ", ann.id)), 2, "{lines:?}");
    for secret in [
        "ann",
        "nobody",
        "example",
        PASSWORD,
        WRONG,
        &ann.token,
        &again.token,
        &owner.token,
    ] {
        assert_eq!(count(secret), 0, "{secret} in {lines:?}");
    }
    // Strangers cannot fill the log: what is left out is told as a number.
    for number in 0..200 {
        let form = [
            ("name", format!("nobody {number}")),
            ("password", WRONG.to_owned()),
        ];
        let url = format!("{}/api/login", world.base());
        Told::of(world.http.post(url).form(&form)).await;
    }
    let lines = kept
        .text()
        .lines()
        .filter(|line| line.contains("failed"))
        .count();
    assert!((20..=80).contains(&lines), "{lines}");
    world.stop().await;
}
