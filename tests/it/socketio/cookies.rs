//! Socket.IO accepts cookies from the own and allowed origins only; all else is open to every origin.

use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, Told},
    support::socketio_world::{By, POLLING, WAYS},
    support::world::World,
};

const ALLOWED: &str = "allowed_origins = ['https://app.example:8443']";
const SHOP: &str = "https://shop.example";
const EVIL: &str = "https://evil.example";

/// An event that succeeds for every authenticated user and has no effect.
const LEAVE: &str = r#"["leave"]"#;

fn cookies(actor: &Actor) -> (&'static str, String) {
    let cookies = format!("user_id={}; token={}", actor.id, actor.token);
    ("cookie", cookies)
}

fn origin(origin: &str) -> (&'static str, String) {
    ("origin", origin.to_owned())
}

fn shop() -> [(&'static str, String); 1] {
    [origin(SHOP)]
}

/// Whether the acknowledgement of [`LEAVE`] is that of an authenticated user.
#[track_caller]
fn is_somebody(acknowledged: &serde_json::Value) -> bool {
    if *acknowledged == json!({"status": "ok"}) {
        return true;
    }
    assert_eq!(acknowledged["code"], "unauthenticated", "{acknowledged}");
    false
}

/// The headers that every response to a page of the shop needs.
#[track_caller]
fn may_be_read_by_the_shop(told: &Told) {
    assert_eq!(told.header("access-control-allow-origin"), SHOP);
    assert_eq!(told.header("access-control-allow-credentials"), "true");
    let vary: Vec<_> = told.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Origin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_count_on_sockets_from_our_own_pages_and_allowed_origins_only() {
    let world = World::with(ALLOWED).await;
    let ann = world.actor("ann").await;
    let site = |site: &str| ("sec-fetch-site", site.to_owned());
    let own = || origin(world.base());
    for (from, count) in [
        (vec![], true),
        (vec![site("none")], true),
        (vec![own()], true),
        (vec![own(), site("same-origin")], true),
        (vec![origin("https://app.example:8443")], true),
        (
            vec![origin("https://app.example:8443"), site("cross-site")],
            true,
        ),
        (vec![origin("https://app.example")], false),
        (vec![origin("http://app.example:8443")], false),
        (vec![origin("http://127.0.0.1:1")], false),
        (vec![origin(EVIL)], false),
        (vec![origin(EVIL), site("cross-site")], false),
        (vec![origin("null")], false),
        (vec![site("cross-site")], false),
        (vec![site("same-site")], false),
    ] {
        let mut headers = from.clone();
        headers.push(cookies(&ann));
        for by in WAYS {
            let told = world.acknowledged(by, &headers, "", LEAVE).await;
            assert_eq!(is_somebody(&told), count, "{by:?} {from:?}");
            let told = world.acknowledged(by, &from, "", LEAVE).await;
            assert!(!is_somebody(&told), "nobody's cookies: {by:?} {from:?}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_whose_the_request_was_that_opened_it() {
    let world = World::with(ALLOWED).await;
    let ann = world.actor("ann").await;
    let evil = [origin(EVIL), cookies(&ann)];
    let path = world.polled(&evil).await;
    // A later request from the own origin does not change that.
    let own = [origin(world.base()), cookies(&ann)];
    world.posted(&path, &own, "40", "40{").await;
    let heard = world.posted(&path, &own, r#"420["leave"]"#, "430").await;
    assert!(heard.contains("unauthenticated"), "{heard}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_ones_own_counts_from_anywhere() {
    let world = World::with(ALLOWED).await;
    let ann = world.actor("ann").await;
    let auth = json!({"token": ann.token}).to_string();
    let bearer = ("authorization", format!("Bearer {}", ann.token));
    for by in WAYS {
        for from in [SHOP, EVIL, "null"] {
            let headers = [origin(from)];
            let told = world.acknowledged(by, &headers, &auth, LEAVE).await;
            assert!(is_somebody(&told), "{by:?} {from}");
            let headers = [origin(from), bearer.clone()];
            let told = world.acknowledged(by, &headers, "", LEAVE).await;
            assert!(is_somebody(&told), "{by:?} {from}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_origin_may_connect_and_read_the_answer() {
    let world = World::new().await;
    // It requires the status 101.
    world.websocket("", &shop()).await;
    let told = world.acknowledged(By::Polling, &shop(), "", LEAVE).await;
    assert!(!is_somebody(&told));
    for (method, path, status) in [
        (Method::GET, POLLING.to_owned(), 200),
        (Method::GET, format!("{POLLING}&sid=nobody"), 400),
        (Method::POST, format!("{POLLING}&sid=nobody"), 400),
        (Method::GET, "/socket.io/?EIO=4".to_owned(), 400),
        (Method::PUT, POLLING.to_owned(), 400),
        (Method::OPTIONS, POLLING.to_owned(), 204),
        (Method::OPTIONS, "/socket.io/".to_owned(), 204),
    ] {
        let told = world.ask_with(method, &path, "", &shop()).await;
        let told = told.with(status);
        may_be_read_by_the_shop(&told);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_send_whatever_headers_it_asks_to_send() {
    let world = World::new().await;
    let mut asked = shop().to_vec();
    asked.push(("access-control-request-method", "POST".to_owned()));
    let wanted = "authorization,x-shop,x-my-own-header";
    asked.push(("access-control-request-headers", wanted.to_owned()));
    let told = world.ask_with(Method::OPTIONS, POLLING, "", &asked).await;
    let told = told.with(204);
    may_be_read_by_the_shop(&told);
    assert_eq!(told.header("access-control-allow-headers"), wanted);
    assert_eq!(told.header("access-control-allow-methods"), "GET, POST");
    let named = told.headers.get_all("access-control-allow-headers");
    assert_eq!(named.iter().count(), 1);
    // The same for a session of another origin.
    let told = world.ask_with(Method::OPTIONS, "/room", "", &asked).await;
    let told = told.with(204);
    assert_eq!(told.header("access-control-allow-headers"), wanted);
    world.stop().await;
}
