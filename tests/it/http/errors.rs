//! Every way to go wrong ends in the API's error shape, with the headers that every answer has.

use rocket::http::{Accept, ContentType, Header, Method, Status};

use crate::support::http_world::{Answer, client, get, post};

#[rocket::async_test]
async fn an_unknown_route_is_a_404_in_our_shape() {
    let client = client("").await;
    for path in ["/api/nothing", "/api", "/nothing", "/.refused", "/api/%FF"] {
        let answer = get(&client, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.error().0, "not_found", "{path}");
    }
}

#[rocket::async_test]
async fn a_path_under_another_method_is_a_405_with_allow() {
    let client = client("").await;
    let answer = get(&client, "/api/echo").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("Allow"), Some("OPTIONS, POST"));
    assert_eq!(answer.error().0, "method_not_allowed");

    let answer = post(&client, "/api/things/7", "", b"").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("Allow"), Some("GET, HEAD, OPTIONS, PATCH"));

    let request = client.req(Method::Put, "/page");
    assert_eq!(request.dispatch().await.status(), Status::MethodNotAllowed);
}

#[rocket::async_test]
async fn an_id_that_is_none_is_a_404() {
    let client = client("").await;
    for path in [
        "/api/things/abc",
        "/api/things/-1",
        "/api/things/99999999999",
    ] {
        let answer = get(&client, path).await;
        assert_eq!(
            (answer.status, answer.error().0.as_str()),
            (404, "not_found")
        );
    }
    let answer = Answer::read(client.patch("/api/things/abc").dispatch().await).await;
    assert_eq!(
        (answer.status, answer.error().0.as_str()),
        (404, "not_found")
    );
}

#[rocket::async_test]
async fn a_fault_of_ours_keeps_its_cause_to_itself() {
    let client = client("").await;
    let answer = get(&client, "/api/fail").await;
    assert_eq!(answer.status, 500);
    let (code, sentence) = answer.error();
    assert_eq!(code, "internal");
    assert!(!sentence.contains("people"));
}

#[rocket::async_test]
async fn a_status_without_a_sentence_gets_one() {
    let client = client("").await;
    for (given, status, code) in [
        (400, 400, "bad_request"),
        (401, 401, "unauthenticated"),
        (402, 402, "bad_request"),
        (403, 403, "forbidden"),
        (404, 404, "not_found"),
        (405, 405, "method_not_allowed"),
        (406, 406, "bad_request"),
        (408, 408, "bad_request"),
        (409, 409, "conflict"),
        (410, 410, "gone"),
        (413, 413, "too_large"),
        (415, 415, "unsupported_type"),
        (418, 418, "bad_request"),
        (422, 404, "not_found"),
        (429, 429, "rate_limited"),
        (500, 500, "internal"),
        (501, 501, "internal"),
        (503, 503, "busy"),
        (504, 504, "internal"),
    ] {
        let answer = get(&client, &format!("/api/status/{given}")).await;
        assert_eq!(answer.status, status, "{given}");
        assert_eq!(answer.error().0, code, "{given}");
        let waits = answer.header("Retry-After").is_some();
        assert_eq!(waits, matches!(status, 429 | 503), "{given}");
    }
}

#[rocket::async_test]
async fn a_panic_is_a_500_in_our_shape() {
    let client = client("").await;
    let answer = get(&client, "/api/panic").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.error().0, "internal");
}

#[rocket::async_test]
async fn retry_after_is_rounded_up_to_whole_seconds() {
    let client = client("").await;
    let answer = get(&client, "/api/busy").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("Retry-After"), Some("2"));
    assert_eq!(answer.error(), ("busy".into(), "come back later".into()));
}

#[rocket::async_test]
async fn a_browser_gets_a_page_outside_the_api_and_json_inside() {
    let client = client("").await;
    let browser = Header::new("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let ask = async |path: &'static str, accept: Header<'static>| {
        Answer::read(client.get(path).header(accept).dispatch().await).await
    };
    let answer = ask("/nothing", browser.clone()).await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert!(!answer.body.contains("Rocket"));
    assert!(answer.body.contains("Not Found"));
    let policy = answer.header("Content-Security-Policy").unwrap_or_default();
    assert!(policy.contains("script-src 'self'"));

    assert_eq!(ask("/api/nothing", browser).await.error().0, "not_found");
    let json = Header::new("Accept", Accept::JSON.to_string());
    assert_eq!(ask("/nothing", json).await.error().0, "not_found");
}

#[rocket::async_test]
async fn every_answer_has_the_security_headers_and_no_server_header() {
    let client = client("").await;
    for path in ["/page", "/api/cookies", "/api/nothing", "/api/panic"] {
        let answer = get(&client, path).await;
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.header("X-Frame-Options"), Some("DENY"));
        assert_eq!(answer.header("Referrer-Policy"), Some("same-origin"));
        assert_eq!(answer.header("Strict-Transport-Security"), None);
        assert_eq!(answer.header("Server"), None);
        let policy = answer.header("Content-Security-Policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        let id = answer.header("X-Request-Id").expect("an id");
        assert_eq!(id.len(), 32);
        let stored = answer.header("Cache-Control");
        assert_eq!(stored == Some("no-store"), path.starts_with("/api"));
    }
}

#[rocket::async_test]
async fn browsers_insist_on_tls_where_the_deployment_has_it() {
    let client = client("cookie_secure = true").await;
    let answer = get(&client, "/page").await;
    assert_eq!(
        answer.header("Strict-Transport-Security"),
        Some("max-age=31536000")
    );
}

#[rocket::async_test]
async fn a_callers_request_id_is_kept_when_it_is_sane() {
    let client = client("").await;
    let ask = async |id: String| {
        let request = client
            .get("/api/cookies")
            .header(Header::new("X-Request-Id", id));
        let answer = Answer::read(request.dispatch().await).await;
        answer.header("X-Request-Id").expect("an id").to_owned()
    };
    assert_eq!(ask("trace-7.a_b:c".to_owned()).await, "trace-7.a_b:c");
    for wrong in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
        let id = ask(wrong.to_owned()).await;
        assert_ne!(id, wrong);
        assert_eq!(id.len(), 32);
    }
}

#[rocket::async_test]
async fn options_tells_what_a_path_answers() {
    let client = client("").await;
    let options = client.options("/api/echo").dispatch().await;
    assert_eq!(options.status(), Status::NoContent);
    assert_eq!(options.headers().get_one("Allow"), Some("OPTIONS, POST"));
    let options = client.options("/api/nothing").dispatch().await;
    assert_eq!(options.status(), Status::NotFound);
    assert_eq!(options.content_type(), Some(ContentType::JSON));
}

#[rocket::async_test]
async fn head_is_answered_like_get() {
    let client = client("").await;
    let answer = client.head("/api/cookies").dispatch().await;
    assert_eq!(answer.status(), Status::Ok);
    let answer = client.head("/api/echo").dispatch().await;
    assert_eq!(answer.status(), Status::MethodNotAllowed);
}
