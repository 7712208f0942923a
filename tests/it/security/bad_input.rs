//! Bad input of every kind at the messenger's own routes, in one table.

use reqwest::Method;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::world::World,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARTS: &str = "multipart/form-data; boundary=b";

async fn send(actor: &Actor, method: Method, path: &str, kind: &str, body: &[u8]) -> Told {
    let request = actor.request(method, path).body(body.to_vec());
    Told::of(if kind.is_empty() {
        request
    } else {
        request.header("Content-Type", kind)
    })
    .await
}

#[rocket::async_test]
async fn bad_bodies_are_refused_with_a_reason() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let send_to = format!("/api/chats/{chat}");
    let huge = format!("content={}", "x".repeat(200_000)).into_bytes();
    let huge_json = format!("{{\"content\":\"{}\"}}", "x".repeat(200_000)).into_bytes();
    let deep = format!("{{\"content\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)).into_bytes();
    let many = vec!["content=x"; 300].join("&").into_bytes();
    let rows: Vec<(&str, &[u8], u16, &str)> = vec![
        ("", b"content=hi", 415, "unsupported_type"),
        ("text/plain", b"content=hi", 415, "unsupported_type"),
        ("application/xml", b"<content/>", 415, "unsupported_type"),
        ("application/jsonp", b"{}", 415, "unsupported_type"),
        (FORM, b"", 400, "bad_request"),
        (FORM, b"content", 400, "bad_request"),
        (FORM, b"Content=hi", 400, "bad_request"),
        (FORM, b"content=%FF%FE", 400, "bad_request"),
        (FORM, b"content=\xff\xfe", 400, "bad_request"),
        (FORM, b"content=a%00b", 400, "bad_request"),
        (FORM, b"content=%20%0A%09", 400, "bad_request"),
        (FORM, b"content=%E3%80%80", 400, "bad_request"),
        (FORM, b"content=a&content=b", 400, "bad_request"),
        (FORM, b"content=a&type=video", 400, "bad_request"),
        (FORM, b"content=a&client_id=", 400, "bad_request"),
        (FORM, &many, 400, "bad_request"),
        (FORM, &huge, 413, "too_large"),
        (JSON, b"{", 400, "bad_request"),
        (JSON, b"[]", 400, "bad_request"),
        (JSON, b"null", 400, "bad_request"),
        (JSON, b"\"content\"", 400, "bad_request"),
        (JSON, b"{}", 400, "bad_request"),
        (JSON, b"{\"content\":null}", 400, "bad_request"),
        (JSON, b"{\"content\":7}", 400, "bad_request"),
        (JSON, b"{\"content\":[\"a\"]}", 400, "bad_request"),
        (JSON, b"{\"content\":{}}", 400, "bad_request"),
        (JSON, b"{\"content\":\"a\\u0000b\"}", 400, "bad_request"),
        (JSON, b"{\"content\":\"\xED\xA0\x80\"}", 400, "bad_request"),
        (JSON, b"{\"content\":\"\xff\"}", 400, "bad_request"),
        (
            JSON,
            b"{\"content\":\"a\",\"content\":\"b\"}",
            400,
            "bad_request",
        ),
        (JSON, b"{\"content\":\"a\"} {}", 400, "bad_request"),
        (JSON, b"{'content':'a'}", 400, "bad_request"),
        (JSON, &deep, 400, "bad_request"),
        (JSON, &huge_json, 413, "too_large"),
        ("multipart/form-data", b"--b--", 400, "bad_request"),
        (PARTS, b"", 400, "bad_request"),
        (PARTS, b"--b", 400, "bad_request"),
        (
            PARTS,
            b"--b\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhi",
            400,
            "bad_request",
        ),
        (
            PARTS,
            b"--b\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--b--\r\n",
            400,
            "bad_request",
        ),
        (
            PARTS,
            b"--b\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\n\xff\r\n--b--\r\n",
            400,
            "bad_request",
        ),
        (PARTS, &huge, 413, "too_large"),
    ];
    for (kind, body, status, code) in rows {
        let told = send(&ann, Method::POST, &send_to, kind, body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(told.status, status, "{kind} {shown}: {}", told.body);
        told.refused(status, code);
    }
    let page = ann.get(&send_to).await.with(200).json();
    assert_eq!(
        page["messages"],
        serde_json::json!([]),
        "nothing of it was sent"
    );
}

#[rocket::async_test]
async fn bad_paths_and_methods_are_told_apart() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    for (method, path, status, code) in [
        (Method::GET, "/api".to_owned(), 404, "not_found"),
        (Method::GET, "/api/".to_owned(), 404, "not_found"),
        (Method::GET, "/api/nothing".to_owned(), 404, "not_found"),
        (Method::GET, "/api/chats/x".to_owned(), 404, "not_found"),
        (Method::GET, "/api/chats/-1".to_owned(), 404, "not_found"),
        (
            Method::GET,
            "/api/chats/9007199254740992".to_owned(),
            404,
            "not_found",
        ),
        (Method::GET, "/api/chats/%00".to_owned(), 404, "not_found"),
        (Method::GET, "/api/chats/%FF".to_owned(), 404, "not_found"),
        (
            Method::GET,
            format!("/api/chats/{chat}/messages"),
            404,
            "not_found",
        ),
        (
            Method::POST,
            format!("/api/chats/{chat}/nothing"),
            404,
            "not_found",
        ),
        (
            Method::PUT,
            "/api/chats".to_owned(),
            405,
            "method_not_allowed",
        ),
        (
            Method::PUT,
            format!("/api/chats/{chat}"),
            405,
            "method_not_allowed",
        ),
        (
            Method::POST,
            "/api/me".to_owned(),
            405,
            "method_not_allowed",
        ),
        (
            Method::PUT,
            "/api/events".to_owned(),
            405,
            "method_not_allowed",
        ),
        (
            Method::GET,
            format!("/api/chats/{chat}/read"),
            405,
            "method_not_allowed",
        ),
    ] {
        let told = send(&ann, method.clone(), &path, "", b"").await;
        assert_eq!(told.status, status, "{method} {path}: {}", told.body);
        told.refused(status, code);
    }
}

#[rocket::async_test]
async fn every_route_in_somebodys_name_wants_to_know_whose() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let message = ann.say(chat, "hi").await;
    let nobody = ann.with_login("nobody", ann.id, "f".repeat(64));
    for (method, path) in [
        (Method::GET, "/api/logout".to_owned()),
        (Method::POST, "/api/logout".to_owned()),
        (Method::POST, "/api/logout-all".to_owned()),
        (Method::GET, "/api/me".to_owned()),
        (Method::POST, "/api/password".to_owned()),
        (Method::GET, "/api/logins".to_owned()),
        (Method::DELETE, "/api/logins/1".to_owned()),
        (Method::GET, "/api/chats".to_owned()),
        (Method::POST, "/api/chats".to_owned()),
        (Method::GET, format!("/api/chats/{chat}")),
        (Method::POST, format!("/api/chats/{chat}")),
        (Method::POST, format!("/api/chats/{chat}/join")),
        (Method::POST, format!("/api/chats/{chat}/leave")),
        (Method::POST, format!("/api/chats/{chat}/read")),
        (Method::GET, format!("/api/chats/{chat}/messages/{message}")),
        (
            Method::GET,
            format!("/api/chats/{chat}?after={message}&timeout=50"),
        ),
        (Method::GET, "/api/events?timeout=50".to_owned()),
    ] {
        for body in [&b""[..], b"title=x&content=x&up_to=1"] {
            let told = send(&nobody, method.clone(), &path, FORM, body).await;
            assert_eq!(told.status, 401, "{method} {path}: {}", told.body);
            told.refused(401, "unauthenticated");
        }
    }
    ann.get("/api/me").await.with(200);
    Actor::sign_in(&world, "ann", PASSWORD).await;
}

#[rocket::async_test]
async fn text_that_is_no_trouble_is_kept_to_the_letter() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for (number, odd) in [
        "'; drop table messages; --",
        "<script>alert(1)</script>",
        "${jndi:ldap://x}",
        "\u{202e}right to left\u{202c}",
        "\u{feff}bom",
        "e\u{301} and \u{e9}",
        "\u{1F468}\u{200d}\u{1F469}\u{200d}\u{1F467}",
        "$1 $2 ? :a @b %s {}",
        "back\\slash \"quotes\"",
        "\u{10ffff}\u{fffe}",
    ]
    .into_iter()
    .enumerate()
    {
        let title = format!("{number} {odd}");
        let chat = ann.make(&title).await;
        let path = format!("/api/chats/{chat}");
        ann.say(chat, odd).await;
        assert_eq!(ann.get(&path).await.json()["messages"][0]["content"], odd);
        let listed = ann.chat(chat).await;
        assert_eq!(
            (listed["title"].as_str(), listed["last_message"].as_str()),
            (Some(title.as_str()), Some(odd))
        );
    }
}
