//! Anything at all at the messenger's door: an error in the contract's shape, never a fault of ours.

use std::sync::Arc;

use futures_util::future::join_all;
use parlance::model::Cursor;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof, proptest},
    sample::select,
    test_runner::{Config, TestRunner},
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

use crate::{
    actor::{Actor, PASSWORD, text},
    world::World,
};

const PATHS: [&str; 20] = [
    "/api/reg",
    "/api/login",
    "/api/logout",
    "/api/logout-all",
    "/api/me",
    "/api/password",
    "/api/logins",
    "/api/logins/{n}",
    "/api/chats",
    "/api/chats/{n}",
    "/api/chats/{n}/join",
    "/api/chats/{n}/leave",
    "/api/chats/{n}/read",
    "/api/chats/{n}/messages/{n}",
    "/api/chats/{n}/{s}",
    "/api/{s}",
    "/api/events",
    "/api/events/{s}",
    "/{s}",
    "/api",
];

const NAMES: [&str; 18] = [
    "name",
    "password",
    "email",
    "new_password",
    "title",
    "content",
    "type",
    "client_id",
    "up_to",
    "after",
    "before",
    "limit",
    "timeout",
    "types",
    "poll",
    "dialect",
    "room",
    "token",
];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
];

/// One request, as wrong as it may be.
#[derive(Debug, Clone)]
struct Ask {
    who: usize,
    method: Method,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// Text as fields hold it: plausible, odd or broken, percent-encoded.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["1", "2", "0", "-1", "x", "true", "now", "message", "img", "9007199254740992",
            "99999999999999999999", "1.5", "", "%00", "%FF%FE", "%", "%F0%9F%8D%B5", "+", "1.abcdefgh.1",
            "https://example.com/a", "support", "embed", "service", "messenger"])
            .prop_map(str::to_owned),
        2 => "[a-zA-Z0-9 .,:;@~_-]{0,20}".prop_map(|text| text.replace(' ', "+")),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect()),
        1 => (1_usize..40_000).prop_map(|length| "x".repeat(length)),
    ]
}

fn form() -> impl Strategy<Value = String> {
    vec((select(NAMES.to_vec()), value()), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "\\PC{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(serde_json::json!([1, "a", {"b": []}])),
        Just(Value::from("a\u{0}b")),
    ];
    vec((select(NAMES.to_vec()), value), 0..5)
        .prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Value>()
        })
        .prop_map(|object| object.to_string())
}

fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let multipart = form().prop_map(|form| {
        let part = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        form.split('&').map(part).collect::<String>() + "--b--\r\n"
    });
    prop_oneof![
        4 => form().prop_map(|form| ("application/x-www-form-urlencoded", form.into_bytes())),
        3 => json().prop_map(|json| ("application/json", json.into_bytes())),
        2 => multipart.prop_map(|form| ("multipart/form-data; boundary=b", form.into_bytes())),
        2 => (
            select(vec!["application/json", "application/x-www-form-urlencoded; charset=latin1", "multipart/form-data",
                "multipart/form-data; boundary=b", "text/plain", "application/xml", "", "x", "application/octet-stream"]),
            vec(any::<u8>(), 0..300)
        ),
    ]
}

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let name = select(vec![
        "Accept",
        "Idempotency-Key",
        "Prefer",
        "Last-Event-ID",
        "Origin",
        "Sec-Fetch-Site",
        "Authorization",
        "X-Request-Id",
        "X-HTTP-Method-Override",
        "Cookie",
        "If-None-Match",
        "Range",
    ]);
    let plausible = select(vec![
        "text/event-stream",
        "text/html",
        "*/*",
        "return=representation",
        "null",
        "https://evil.example",
        "cross-site",
        "Bearer x",
        "user_id=1; token=x",
        "1.abcdefgh.1",
    ]);
    let value = prop_oneof![
        plausible.prop_map(|text| text.as_bytes().to_vec()),
        vec(0x20_u8..0x7f, 0..30),
        vec(0x80_u8..=0xff, 0..30),
    ];
    (name, value)
}

fn ask() -> impl Strategy<Value = Ask> {
    let number = prop_oneof![
        6 => (0_u64..6).prop_map(|number| number.to_string()),
        1 => select(vec!["-1", "x", "", "9007199254740992", "99999999999999999999", "1.0", "%31", "..", "%2e%2e"])
            .prop_map(str::to_owned),
    ];
    let segment =
        "[a-z%2F0E]{0,8}".prop_filter("percent signs come with digits", |text| !text.contains('%'));
    let path = (select(PATHS.to_vec()), number, segment)
        .prop_map(|(path, number, segment)| path.replace("{n}", &number).replace("{s}", &segment));
    (
        0..4_usize,
        select(METHODS.to_vec()),
        path,
        form(),
        vec(header(), 0..3),
        body(),
    )
        .prop_map(|(who, method, path, query, headers, (kind, body))| {
            let mut headers = headers;
            if !kind.is_empty() {
                headers.push(("Content-Type", kind.as_bytes().to_vec()));
            }
            let path = if query.is_empty() || query.len() > 4000 {
                path
            } else {
                format!("{path}?{query}")
            };
            Ask {
                who,
                method,
                path,
                headers,
                body,
            }
        })
}

impl Ask {
    fn request(&self, world: &World, people: &[Actor]) -> RequestBuilder {
        let request = match people.get(self.who) {
            Some(actor) => actor.request(self.method.clone(), &self.path),
            None => world.http.request(
                self.method.clone(),
                format!("{}{}", world.base(), self.path),
            ),
        };
        let with = |request: RequestBuilder, (name, value): &(&'static str, Vec<u8>)| {
            request.header(*name, value.as_slice())
        };
        self.headers
            .iter()
            .fold(request, with)
            .body(self.body.clone())
    }
}

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
    runtime.block_on(async {
        let ann = world.actor("ann").await;
        let chat = ann.make("tea").await;
        ann.say(chat, "hi").await;
    });
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 64,
        ..Config::default()
    });
    let tried = runner.run(&vec(ask(), 1..40), |asked| {
        runtime.block_on(async {
            let people = join_all((0..3).map(|_| Actor::sign_in(&world, "ann", PASSWORD))).await;
            join_all(asked.iter().map(|ask| check(&world, &people, ask))).await;
        });
        Ok(())
    });
    runtime.block_on(async {
        Actor::sign_in(&world, "ann", PASSWORD)
            .await
            .get("/api/me")
            .await
            .with(200);
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
                    tokio::time::timeout(crate::world::FOREVER, wire.read_to_end(&mut told))
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
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect()),
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
