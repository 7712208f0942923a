//! Random requests to the messenger API: an error in the contract's shape, never a 500.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::future::join_all;
use parlance::model::Cursor;
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof, proptest},
    sample::select,
    test_runner::{Config, TestRunner},
};
use reqwest::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

use crate::{
    support::actor::{Actor, PASSWORD, text},
    support::asks::{Ask, ask, percent},
    support::world::World,
};

/// Asks, and checks that the answer is one that the contract knows.
async fn check(world: &World, people: &[Actor], ask: &Ask) {
    let response = ask
        .request(world, people)
        .send()
        .await
        .expect("the server answers");
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("plain text").to_owned());
        value.unwrap_or_default()
    };
    let kind = header("Content-Type");
    if status < 400 {
        // A stream has no end to wait for.
        return;
    }
    assert!(matches!(status, 400..=429 | 503), "{status} to {ask:?}");
    let is_api = ask.path.starts_with("/api");
    if ask.method == Method::HEAD || (!is_api && kind.starts_with("text/html")) {
        return;
    }
    assert_eq!(kind, "application/json", "{status} to {ask:?}");
    let retry = header("Retry-After");
    let body: Value = response
        .json()
        .await
        .unwrap_or_else(|error| panic!("{error} to {ask:?}"));
    if ask.path.starts_with("/api/events/") && ask.method == Method::POST {
        // The reply is written as the event's own API writes it.
        return;
    }
    let code = text(&body, "code");
    assert!(!text(&body, "error").is_empty());
    let expected: &[&str] = match status {
        400 => &["bad_request", "bad_cursor"],
        401 => &["unauthenticated"],
        403 => &["csrf_rejected", "forbidden"],
        404 => &["not_found"],
        405 => &["method_not_allowed"],
        409 => &["conflict"],
        410 => &["gone"],
        413 => &["too_large"],
        415 => &["unsupported_type"],
        422 => &["idempotency_mismatch"],
        429 => &["rate_limited"],
        _ => &["shutting_down", "busy"],
    };
    assert!(
        expected.contains(&code.as_str()),
        "{status} {body} to {ask:?}"
    );
    assert_eq!(
        matches!(status, 429 | 503),
        !retry.is_empty(),
        "{status} to {ask:?}"
    );
}

#[test]
fn whatever_is_asked_is_answered_as_the_contract_says() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::with("poll_timeout_max = 1"));
    let chat = runtime.block_on(async {
        let host = world.actor("host").await;
        let chat = host.make("tea").await;
        host.say(chat, "hi").await;
        chat
    });
    let cases = AtomicUsize::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 64,
        ..Config::default()
    });
    let tried = runner.run(&vec(ask(), 1..40), |asked| {
        runtime.block_on(async {
            // A person of its own for each case: what is asked may rename the one who asks.
            let name = format!("person {}", cases.fetch_add(1, Relaxed));
            world.actor(&name).await.join(chat).await;
            let people = join_all((0..3).map(|_| Actor::sign_in(&world, &name, PASSWORD))).await;
            join_all(asked.iter().map(|ask| check(&world, &people, ask))).await;
        });
        Ok(())
    });
    runtime.block_on(async {
        world.actor("last").await.get("/api/me").await.with(200);
        world.stop().await;
    });
    tried.expect("nothing breaks it");
}

#[test]
fn bytes_that_are_no_request_end_their_connection_alone() {
    let runtime = Runtime::new().expect("a runtime");
    let world = Arc::new(runtime.block_on(World::new()));
    let ann = runtime.block_on(world.actor("ann"));
    let beginning = select(vec![
        "",
        "GET /api/chats HTTP/1.1\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
        "GET /api/chats?%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET http://[::1 HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /api/chats HTTP/1.1\r\nHost: x\r\nCookie: user_id=1; token=\u{ff}\r\n\r\n",
    ]);
    let mut runner = TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(
        &(beginning, vec(any::<u8>(), 0..200)),
        |(beginning, rest)| {
            let told = runtime.block_on(async {
                let address = world.base().trim_start_matches("http://");
                let mut wire = TcpStream::connect(address)
                    .await
                    .expect("the server listens");
                drop(wire.write_all(beginning.as_bytes()).await);
                drop(wire.write_all(&rest).await);
                drop(wire.shutdown().await);
                let mut told = Vec::new();
                drop(
                    tokio::time::timeout(
                        crate::support::world::FOREVER,
                        wire.read_to_end(&mut told),
                    )
                    .await
                    .expect("an end"),
                );
                String::from_utf8_lossy(&told).into_owned()
            });
            assert!(!told.starts_with("HTTP/1.1 5"), "{told}");
            Ok(())
        },
    );
    runtime.block_on(async {
        ann.get("/api/me").await.with(200);
    });
    tried.expect("nothing breaks it");
}

#[test]
fn any_cursor_is_answered_with_news_or_a_refusal() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let (ann, chat, now) = runtime.block_on(async {
        let ann = world.actor("ann").await;
        let chat = ann.make("tea").await;
        ann.say(chat, "hi").await;
        let now = ann.now().await;
        (ann, chat, now)
    });
    let (epoch, head) = now.rsplit_once('.').expect("a cursor has a position");
    let head: i64 = head.parse().expect("a number");
    let of_this_log = {
        let epoch = epoch.to_owned();
        (-3_i64..head + 3).prop_map(move |position| format!("{epoch}.{position}"))
    };
    let mutated = {
        let now = now.clone();
        (0..now.len(), "[0-9a-zA-Z.]")
            .prop_map(move |(at, with)| format!("{}{with}{}", &now[..at], &now[at + 1..]))
    };
    let cursor = prop_oneof![
        3 => of_this_log,
        3 => mutated,
        2 => "[0-9a-z.]{0,70}",
        1 => "1\\.[a-z0-9]{1,32}\\.[0-9]{1,20}",
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| percent(&bytes)),
    ];
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(&cursor, |cursor| {
        runtime.block_on(async {
            for path in ["/api/events".to_owned(), format!("/api/chats/{chat}")] {
                let told = ann.get(&format!("{path}?after={cursor}&timeout=0")).await;
                match told.status {
                    200 => drop(
                        text(&told.json(), "cursor")
                            .parse::<Cursor>()
                            .expect("a cursor"),
                    ),
                    410 => assert_eq!(told.refused(410, "gone").json()["cursor"], now.as_str()),
                    _ => {
                        let code = text(&told.json(), "code");
                        assert!(
                            matches!(code.as_str(), "bad_cursor" | "bad_request"),
                            "{code}"
                        );
                        told.refused(400, &code);
                    }
                }
            }
        });
        Ok(())
    });
    runtime.block_on(world.stop());
    tried.expect("no cursor breaks it");
}

proptest! {
    #[test]
    fn a_cursor_that_is_read_is_written_the_same(text in "(1\\.)?[0-9a-zA-Z]{0,34}(\\.-?[0-9]{0,20})?|\\PC{0,40}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            assert_eq!(cursor.to_string(), text);
            assert!(text.len() <= 64);
        }
    }
}
