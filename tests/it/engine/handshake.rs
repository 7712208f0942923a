//! Which requests may open a session, and the errors of all others.

use parlance_socketio::engine::{Cors, Options, Transport};
use serde_json::{Value, json};

use crate::{
    support::engine::{V3, V4, calm, echo},
    support::socketio_client::{Answer, http, read_answer},
};

#[tokio::test]
async fn the_open_packet_says_five_things_and_no_more() {
    let site = echo(calm()).await;
    let answer = site.get("EIO=4&transport=polling").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let mut open: Value = serde_json::from_str(answer.text().strip_prefix('0').unwrap()).unwrap();
    let sid = open["sid"].take();
    assert_eq!(sid.as_str().unwrap().len(), 20);
    assert_eq!(
        open,
        json!({
            "sid": null,
            "upgrades": ["websocket"],
            "pingInterval": 25000,
            "pingTimeout": 20000,
            "maxPayload": 1_000_000,
        })
    );
}

#[tokio::test]
async fn on_a_websocket_there_is_nothing_to_step_up_to() {
    let site = echo(calm()).await;
    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    let open: Value = serde_json::from_str(ws.text().await.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(open["upgrades"], json!([]));
    assert_eq!(open.as_object().unwrap().len(), 5);
}

#[tokio::test]
async fn revision_3_frames_the_open_packet_by_its_length() {
    let site = echo(calm()).await;
    let answer = site.get("EIO=3&transport=polling").await;
    let (length, packet) = answer.text().split_once(':').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), packet.len());
    assert!(packet.starts_with("0{"));
}

#[tokio::test]
async fn no_two_sessions_have_one_id() {
    let site = echo(calm()).await;
    let first = site.open(V4).await;
    assert_ne!(first, site.open(V4).await);
}

/// Clients also compare the message.
fn assert_refused(answer: &Answer, body: &str) {
    assert_eq!((answer.status, answer.text()), (400, body));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn errors_have_numbers() {
    let site = echo(calm()).await;
    let unknown_transport = r#"{"code":0,"message":"Transport unknown"}"#;
    assert_refused(&site.get("EIO=4&transport=abc").await, unknown_transport);
    assert_refused(&site.get("EIO=4").await, unknown_transport);
    for sid in [
        "abc",
        "__proto__",
        "constructor",
        "",
        "%00",
        "aaaaaaaaaaaaaaaaaaaa",
    ] {
        let answer = site
            .get(&format!("EIO=4&transport=polling&sid={sid}"))
            .await;
        assert_refused(&answer, r#"{"code":1,"message":"Session ID unknown"}"#);
    }
    let answer = site.post("EIO=4&transport=polling", "4a").await;
    assert_refused(&answer, r#"{"code":2,"message":"Bad handshake method"}"#);
    let answer = site.get("EIO=4&transport=websocket").await;
    assert_refused(&answer, r#"{"code":3,"message":"Bad request"}"#);
    for revision in ["abc", "5"] {
        let answer = site.get(&format!("EIO={revision}&transport=polling")).await;
        let body = r#"{"code":5,"message":"Unsupported protocol version"}"#;
        assert_refused(&answer, body);
    }
}

#[tokio::test]
async fn a_missing_revision_is_3_where_3_is_allowed() {
    let site = echo(calm()).await;
    assert!(site.get("transport=polling").await.text().contains(":0{"));
    let strict = echo(Options::default()).await;
    assert_eq!(strict.get("transport=polling").await.code(), 5);
    assert_eq!(strict.get("EIO=3&transport=polling").await.code(), 5);
}

#[tokio::test]
async fn a_session_keeps_its_revision() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let as_3 = session.replace(V4, V3);
    assert_eq!(site.get(&as_3).await.code(), 3);
    assert_eq!(site.post(&as_3, "1:4").await.code(), 3);
    let websocket = as_3.replace("polling", "websocket");
    assert_eq!(site.try_websocket(&websocket, &[]).await.err(), Some(400));
    assert_eq!(site.post(&session, "4a").await.text(), "ok");
}

#[tokio::test]
async fn a_session_is_asked_by_its_transport() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let no_upgrade = session.replace("polling", "websocket");
    assert_eq!(site.get(&no_upgrade).await.code(), 3);
    assert_eq!(site.post(&session, "4a").await.text(), "ok");

    let mut ws = site.websocket("EIO=4&transport=websocket").await;
    ws.text().await;
    let polled = format!(
        "{V4}&transport=polling&sid={}",
        site.latest().sid().as_str()
    );
    assert_eq!(site.get(&polled).await.code(), 3);
    assert_eq!(site.post(&polled, "4a").await.code(), 3);
    ws.send("4b").await;
    assert_eq!(ws.text().await, "4b");
}

#[tokio::test]
async fn a_websocket_is_refused_before_the_upgrade() {
    let site = echo(Options::default()).await;
    for query in [
        "EIO=3&transport=websocket",
        "EIO=4&transport=abc",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=abc",
        "EIO=4&transport=websocket&sid=__proto__",
    ] {
        let refused = site.try_websocket(query, &[]).await;
        assert_eq!(refused.err(), Some(400), "{query}");
    }
}

#[tokio::test]
async fn every_other_method_is_refused_and_opens_nothing() {
    let site = echo(calm()).await;
    let client = http();
    let url = site.url("EIO=4&transport=polling");
    let before = site.engine.session_count();
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "POST"] {
        let method = method.parse().unwrap();
        let answer = site.send(client.request(method, &url)).await;
        assert_eq!(answer.status, 400);
    }
    assert_eq!(site.engine.session_count(), before);
}

#[tokio::test]
async fn a_head_eats_no_packet() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    site.post(&session, "4hello").await;
    let head = http().head(site.url(&session));
    assert_eq!(site.send(head).await.status, 400);
    assert_eq!(site.get(&session).await.text(), "4hello");
}

#[tokio::test]
async fn jsonp_is_not_offered() {
    let site = echo(calm()).await;
    assert_eq!(site.get("EIO=3&transport=polling&j=0").await.code(), 3);
    assert_eq!(site.get("EIO=4&transport=polling&j=0").await.code(), 3);
}

#[tokio::test]
async fn the_path_may_go_on_and_may_lack_its_slash() {
    let site = echo(calm()).await;
    for path in [
        "/engine.io",
        "/engine.io/",
        "/engine.io/default/",
        "/engine.io/a/b",
    ] {
        let url = format!("http://{}{path}?EIO=4&transport=polling", site.address);
        let answer = site.send(http().get(url)).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn only_transports_on_offer_are_known() {
    let site = echo(Options {
        transports: vec![Transport::Polling],
        ..calm()
    })
    .await;
    assert!(
        site.get("EIO=4&transport=polling")
            .await
            .text()
            .contains(r#""upgrades":[]"#)
    );
    assert_eq!(site.get("EIO=4&transport=websocket").await.code(), 0);
}

#[tokio::test]
async fn nothing_is_stored_on_the_way() {
    let site = echo(calm()).await;
    for query in ["EIO=4&transport=polling", "EIO=4&transport=abc"] {
        let answer = site.get(query).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn pages_are_echoed_their_origin_and_never_a_star() {
    let site = echo(Options {
        cors: Cors::Any,
        ..calm()
    })
    .await;
    // Errors have them too: a page could not read them otherwise.
    for query in ["EIO=4&transport=polling", "EIO=4&transport=polling&sid=abc"] {
        let request = http()
            .get(site.url(query))
            .header("origin", "https://shop.example");
        let answer = site.send(request).await;
        let header = |name| answer.header(name);
        assert_eq!(
            header("access-control-allow-origin"),
            Some("https://shop.example")
        );
        assert_eq!(header("access-control-allow-credentials"), Some("true"));
        assert_eq!(header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_preflight_is_answered_before_any_check() {
    let site = echo(Options {
        cors: Cors::Any,
        ..calm()
    })
    .await;
    let request = http()
        .request(reqwest::Method::OPTIONS, site.url("EIO=9&transport=none"))
        .header("origin", "https://shop.example")
        .header("access-control-request-headers", "x-token");
    let answer = site.send(request).await;
    assert_eq!(answer.status, 204);
    let header = |name| answer.header(name);
    assert_eq!(
        header("access-control-allow-origin"),
        Some("https://shop.example")
    );
    assert_eq!(header("access-control-allow-methods"), Some("GET, POST"));
    assert_eq!(header("access-control-allow-headers"), Some("x-token"));
}

#[tokio::test]
async fn a_preflight_for_a_strange_page_allows_nothing() {
    let site = echo(Options {
        cors: Cors::List(vec![]),
        ..calm()
    })
    .await;
    let request = http()
        .request(
            reqwest::Method::OPTIONS,
            site.url("EIO=4&transport=polling"),
        )
        .header("origin", "https://evil.example")
        .header("access-control-request-headers", "x-token");
    let answer = site.send(request).await;
    assert_eq!(answer.status, 204);
    let mut names = answer.headers.keys();
    let allows = names.any(|name| name.as_str().starts_with("access-control-"));
    assert!(!allows, "{answer:?}");
}

#[tokio::test]
async fn a_strange_page_is_forbidden_by_polling_and_by_websocket() {
    let site = echo(Options {
        cors: Cors::List(vec!["https://chat.example".into()]),
        ..calm()
    })
    .await;
    let with_origin = |origin: &str| {
        let request = http().get(site.url("EIO=4&transport=polling"));
        request.header("origin", origin.to_owned())
    };
    let refused = site.send(with_origin("https://evil.example")).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.text(), r#"{"code":4,"message":"Forbidden"}"#);
    assert_eq!(refused.header("access-control-allow-origin"), None);
    let websocket = "EIO=4&transport=websocket";
    let evil = [("origin", "https://evil.example")];
    assert_eq!(site.try_websocket(websocket, &evil).await.err(), Some(403));

    let friend = site.send(with_origin("https://chat.example")).await;
    assert_eq!(friend.status, 200);
    let own = format!("http://{}", site.address);
    assert_eq!(site.send(with_origin(&own)).await.status, 200);
    let own = [("origin", own.as_str())];
    assert!(site.try_websocket(websocket, &own).await.is_ok());
}

#[tokio::test]
async fn the_first_subprotocol_that_is_offered_is_chosen() {
    let site = echo(calm()).await;
    let session = site.open(V4).await;
    let upgrade = session.replace("polling", "websocket");
    for query in ["EIO=4&transport=websocket", upgrade.as_str()] {
        for (offered, chosen) in [
            (
                "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n",
                Some("chat.v2"),
            ),
            ("Sec-WebSocket-Protocol: only\r\n", Some("only")),
            ("Sec-WebSocket-Protocol: not a token\r\n", None),
            ("", None),
        ] {
            let request = format!(
                "GET /engine.io/?{query} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n\
                 Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{offered}\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                site.address
            );
            let answer = read_answer(&mut site.raw(&request).await).await;
            assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
            let answer = answer.to_ascii_lowercase();
            let mut lines = answer.lines();
            let line = lines.find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
            assert_eq!(line, chosen, "{offered}");
        }
    }
}

#[tokio::test]
async fn of_a_long_head_a_session_keeps_little() {
    let site = echo(calm()).await;
    let long = "x".repeat(20_000);
    let request = http()
        .get(site.url("EIO=4&transport=polling"))
        .header("x-long", &long)
        .header("cookie", &long)
        .header("origin", "null");
    assert_eq!(site.send(request).await.status, 403);
    let request = http()
        .get(site.url("EIO=4&transport=polling"))
        .header("x-long", &long)
        .header("cookie", &long)
        .header("user-agent", "test");
    assert_eq!(site.send(request).await.status, 200);
    let session = site.latest();
    let kept: Vec<_> = session
        .handshake()
        .headers()
        .map(|(name, _)| name)
        .collect();
    assert!(
        kept.iter()
            .all(|name| ["host", "user-agent"].contains(name)),
        "{kept:?}"
    );
    assert_eq!(session.handshake().header("User-Agent"), Some("test"));
    // A query that is too long to be kept is refused.
    let query = format!("EIO=4&transport=polling&x={}", &long[..17_000]);
    assert_eq!(site.get(&query).await.code(), 3);
}
