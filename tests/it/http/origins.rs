//! Cookies count from our own pages and allowed origins only; from elsewhere nothing is changed.

use rocket::{
    http::{Header, Method, Status},
    local::asynchronous::{Client, LocalRequest},
};

use crate::support::http_world::{Answer, client};

const HOST: &str = "chat.example";
const ALLOWED: &str = "allowed_origins = ['https://app.example:8443']";

/// The headers that tell where a request comes from.
#[derive(Debug, Clone, Copy)]
struct From {
    origin: Option<&'static str>,
    site: Option<&'static str>,
}

const NOWHERE: From = From {
    origin: None,
    site: None,
};

const ELSEWHERE: From = From {
    origin: Some("https://evil.example"),
    site: Some("cross-site"),
};

fn ask<'a>(client: &'a Client, method: Method, path: &str, from: From) -> LocalRequest<'a> {
    let mut request = client
        .req(method, path.to_owned())
        .header(Header::new("Host", HOST));
    if let Some(origin) = from.origin {
        request = request.header(Header::new("Origin", origin));
    }
    if let Some(site) = from.site {
        request = request.header(Header::new("Sec-Fetch-Site", site));
    }
    request
}

fn origin(origin: &'static str) -> From {
    From {
        origin: Some(origin),
        ..NOWHERE
    }
}

fn site(site: &'static str) -> From {
    From {
        site: Some(site),
        ..NOWHERE
    }
}

fn both(origin: &'static str, site: &'static str) -> From {
    From {
        origin: Some(origin),
        site: Some(site),
    }
}

/// A cookie as a browser sends it.
fn cookie_of(name: &str) -> Header<'static> {
    Header::new("Cookie", format!("{name}=x"))
}

#[rocket::async_test]
async fn cookies_count_from_our_own_pages_and_allowed_origins_only() {
    let client = client(ALLOWED).await;
    for (from, count) in [
        (NOWHERE, true),
        (site("none"), true),
        (site("same-origin"), true),
        (site("same-site"), false),
        (site("cross-site"), false),
        (origin("http://chat.example"), true),
        (origin("https://chat.example"), true),
        (origin("https://chat.example:443"), true),
        (origin("https://Chat.Example"), true),
        (origin("https://chat.example:8000"), false),
        (origin("https://chat.example.evil"), false),
        (origin("https://evil.example"), false),
        (origin("https://app.example:8443"), true),
        (origin("http://app.example:8443"), false),
        (origin("https://app.example"), false),
        (origin("null"), false),
        (origin(""), false),
        (origin("file://"), false),
        (both("https://chat.example:9000", "same-origin"), true),
        (both("https://evil.example", "cross-site"), false),
        (both("https://evil.example", "none"), false),
        (both("https://app.example:8443", "same-site"), true),
        (both("https://app.example:8443", "cross-site"), true),
        (both("null", "same-origin"), true),
    ] {
        let request = ask(&client, Method::Get, "/api/cookies", from);
        let answer = Answer::read(request.dispatch().await).await;
        assert_eq!(answer.body, count.to_string(), "{from:?}");
    }
    let two = ask(
        &client,
        Method::Get,
        "/api/cookies",
        origin("https://chat.example"),
    )
    .header(Header::new("Origin", "https://evil.example"));
    assert_eq!(Answer::read(two.dispatch().await).await.body, "false");
}

#[rocket::async_test]
async fn the_port_of_the_host_counts() {
    let client = client("").await;
    let mut request = client.get("/api/cookies");
    request = request.header(Header::new("Host", "localhost:8000"));
    request = request.header(Header::new("Origin", "http://localhost:3000"));
    assert_eq!(Answer::read(request.dispatch().await).await.body, "false");
}

#[rocket::async_test]
async fn a_change_from_elsewhere_with_our_cookies_is_refused() {
    let client = client("").await;
    for (method, path) in [
        (Method::Post, "/api/echo"),
        (Method::Post, "/%61pi/echo"),
        (Method::Post, "/api/nothing"),
        (Method::Patch, "/api/things/7"),
        (Method::Delete, "/api/things/7"),
        (Method::Put, "/api/things/7"),
        (Method::Get, "/api/logout"),
        (Method::Get, "/api/%6cogout"),
        (Method::Post, "/api/logout"),
    ] {
        for cookie in ["token", "access_token"] {
            let request = ask(&client, method, path, ELSEWHERE).header(cookie_of(cookie));
            let answer = Answer::read(request.dispatch().await).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            assert_eq!(answer.error().0, "csrf_rejected");
            assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        }
    }
}

#[rocket::async_test]
async fn signing_in_from_elsewhere_is_refused_with_or_without_cookies() {
    let client = client("").await;
    for path in ["/api/login", "/api/reg"] {
        let request = ask(&client, Method::Post, path, ELSEWHERE);
        let answer = Answer::read(request.dispatch().await).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.error().0, "csrf_rejected");
    }
    let request = ask(&client, Method::Post, "/api/login", NOWHERE);
    assert_eq!(request.dispatch().await.status(), Status::Ok);
}

#[rocket::async_test]
async fn what_brings_no_cookies_or_its_own_token_passes() {
    let client = client("").await;
    let passes = async |request: LocalRequest<'_>| {
        let status = request.dispatch().await.status();
        assert_ne!(status, Status::Forbidden);
    };
    let cookie = || cookie_of("token");
    let post = |path| ask(&client, Method::Post, path, ELSEWHERE);
    passes(post("/api/echo")).await;
    passes(post("/api/echo").header(cookie_of("theme"))).await;
    let bearer = Header::new("Authorization", "Bearer x");
    passes(post("/api/echo").header(cookie()).header(bearer)).await;
    passes(post("/api/events/message").header(cookie())).await;
    passes(ask(&client, Method::Get, "/api/things/7", ELSEWHERE).header(cookie())).await;
    passes(ask(&client, Method::Options, "/api/echo", ELSEWHERE).header(cookie())).await;
    passes(ask(&client, Method::Post, "/api/echo", NOWHERE).header(cookie())).await;
}

#[rocket::async_test]
async fn a_form_cannot_hide_its_method() {
    let client = client("").await;
    let request = ask(&client, Method::Post, "/api/things/7", ELSEWHERE)
        .header(cookie_of("token"))
        .header(Header::new(
            "Content-Type",
            "application/x-www-form-urlencoded",
        ))
        .body("_method=patch");
    assert_eq!(request.dispatch().await.status(), Status::Forbidden);
}

#[rocket::async_test]
async fn an_allowed_origin_may_read_the_answer_and_ask_first() {
    let client = client(ALLOWED).await;
    let allowed = origin("https://app.example:8443");
    let request = ask(&client, Method::Get, "/api/cookies", allowed);
    let answer = Answer::read(request.dispatch().await).await;
    let header = |name| answer.header(name);
    assert_eq!(
        header("Access-Control-Allow-Origin"),
        Some("https://app.example:8443")
    );
    assert_eq!(header("Access-Control-Allow-Credentials"), Some("true"));
    assert_eq!(header("Vary"), Some("Origin"));
    let exposed = header("Access-Control-Expose-Headers").unwrap_or_default();
    assert!(exposed.contains("X-Message-Id"));

    let request = ask(&client, Method::Options, "/api/echo", allowed)
        .header(Header::new("Access-Control-Request-Method", "POST"));
    let answer = Answer::read(request.dispatch().await).await;
    assert_eq!(answer.status, 204);
    let header = |name| answer.header(name).unwrap_or_default();
    assert_eq!(
        header("Access-Control-Allow-Origin"),
        "https://app.example:8443"
    );
    assert!(header("Access-Control-Allow-Methods").contains("POST"));
    assert!(header("Access-Control-Allow-Headers").contains("Idempotency-Key"));

    // An error can be read as well.
    let request = ask(&client, Method::Get, "/api/nothing", allowed);
    let answer = Answer::read(request.dispatch().await).await;
    assert!(answer.header("Access-Control-Allow-Origin").is_some());
}

#[rocket::async_test]
async fn a_page_that_may_come_may_send_any_header() {
    let client = client(ALLOWED).await;
    let asked = "cache-control, traceparent, x-request-id";
    let allowed = origin("https://app.example:8443");
    for (path, from) in [
        ("/api/echo", allowed),
        ("/owner/login", allowed),
        ("/owner/login", ELSEWHERE),
        ("/api/events/newMessage", ELSEWHERE),
    ] {
        let request = ask(&client, Method::Options, path, from)
            .header(Header::new("Access-Control-Request-Method", "POST"))
            .header(Header::new("Access-Control-Request-Headers", asked));
        let answer = Answer::read(request.dispatch().await).await;
        let header = |name| answer.header(name).unwrap_or_default();
        assert_eq!(
            header("Access-Control-Allow-Headers"),
            asked,
            "{path} {from:?}"
        );
        let varies = |(name, value): &(String, String)| {
            name == "Vary" && value.contains("Access-Control-Request-Headers")
        };
        assert!(answer.headers.iter().any(varies), "{path} {from:?}");
    }
    // A page that is not allowed gets no list of headers.
    let request = ask(&client, Method::Options, "/api/echo", ELSEWHERE)
        .header(Header::new("Access-Control-Request-Method", "POST"))
        .header(Header::new("Access-Control-Request-Headers", asked));
    let answer = Answer::read(request.dispatch().await).await;
    assert_eq!(answer.header("Access-Control-Allow-Headers"), None);
    // A value that is no list of headers is not echoed.
    let long = "x".repeat(3_000);
    for asked in ["x\u{1}y", "<b>", &long] {
        let request = ask(&client, Method::Options, "/owner/login", ELSEWHERE).header(Header::new(
            "Access-Control-Request-Headers",
            asked.to_owned(),
        ));
        let answer = Answer::read(request.dispatch().await).await;
        let told = answer
            .header("Access-Control-Allow-Headers")
            .unwrap_or_default();
        assert!(told.contains("Idempotency-Key"), "{told}");
    }
}

#[rocket::async_test]
async fn another_origin_may_read_open_paths_alone_and_without_cookies() {
    let client = client(ALLOWED).await;
    let request = ask(&client, Method::Get, "/api/cookies", ELSEWHERE);
    let answer = Answer::read(request.dispatch().await).await;
    assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
    assert_eq!(answer.header("Vary"), Some("Origin"));

    let request = ask(&client, Method::Post, "/api/events/x", ELSEWHERE);
    let answer = Answer::read(request.dispatch().await).await;
    assert_eq!(
        answer.header("Access-Control-Allow-Origin"),
        Some("https://evil.example")
    );
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
}

#[rocket::async_test]
async fn a_refusal_says_what_the_server_saw_and_what_helps() {
    let client = client("").await;
    for (host, origin, says) in [
        // A proxy that puts its own name for the server in place of the browser's.
        (
            "127.0.0.1:8000",
            "https://chat.example.com",
            "Host is 127.0.0.1:8000; when the page is this server's own",
        ),
        (
            "parlance",
            "https://chat.example.com",
            "proxy_set_header Host $http_host",
        ),
        (
            "[::1]:8000",
            "https://chat.example.com",
            "proxy_set_header Host $http_host",
        ),
        (
            "chat.example.com",
            "https://chat.example.com:8443",
            "must pass the port on",
        ),
        (
            "chat.example.com",
            "https://other.example",
            "allowed_origins",
        ),
    ] {
        let request = client
            .post("/api/echo")
            .header(Header::new("Host", host))
            .header(Header::new("Origin", origin))
            .header(cookie_of("token"));
        let (code, sentence) = Answer::read(request.dispatch().await).await.error();
        assert_eq!(code, "csrf_rejected");
        assert!(sentence.contains(says), "{sentence}");
        assert!(
            sentence.contains(&format!("Origin is {origin}")),
            "{sentence}"
        );
    }
    // A value that is no origin or no host name is not echoed.
    for (host, origin) in [
        ("chat.example.com", "null"),
        ("a<script>", "https://other.example"),
        ("", "https://x"),
    ] {
        let request = client
            .post("/api/echo")
            .header(Header::new("Host", host))
            .header(Header::new("Origin", origin))
            .header(cookie_of("token"));
        let (_, sentence) = Answer::read(request.dispatch().await).await.error();
        assert!(sentence.ends_with("may not use cookies"), "{sentence}");
    }
}
