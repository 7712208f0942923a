//! Limits of requests: a client that asks too often is told when to come back, at every endpoint.

use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, Told},
    support::socketio_world::POLLING,
    support::world::World,
};

/// One address, as the proxy tells it: what comes from this machine is not counted.
const BY_ADDRESS: &str = "rate_limits = true\nrate_per_address = 1\nip_header = 'X-Real-IP'";

/// The headers of a request from an address that a page sends.
fn from_page(address: &str, origin: &str) -> [(&'static str, String); 2] {
    [
        ("x-real-ip", address.to_owned()),
        ("origin", origin.to_owned()),
    ]
}

async fn until_refused(mut ask: impl AsyncFnMut() -> Told) -> (usize, Told) {
    for count in 0..100 {
        let told = ask().await;
        if told.status == 429 {
            return (count, told);
        }
    }
    panic!("nobody was refused");
}

fn tells_when(told: &Told) {
    let wait: u64 = told.header("Retry-After").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_asks_too_often_is_told_when_to_come_back() {
    let world = World::with("rate_limits = true\nrate_per_login = 1").await;
    let ann = world.actor("ann").await;
    let (passed, told) = until_refused(async || ann.get("/api/me").await).await;
    assert!((9..=20).contains(&passed), "{passed}");
    tells_when(&told);
    told.refused(429, "rate_limited");
    // Others, and the same person on another device, are not held up.
    world.actor("bo").await.get("/api/me").await.with(200);
    let again = Actor::sign_in(&world, "ann", crate::support::actor::PASSWORD).await;
    again.get("/api/me").await.with(200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_events_are_counted_together() {
    let world = World::with("rate_limits = true\nrate_per_tenant = 1").await;
    let url = format!("{}/api/events/create-user", world.base());
    let body = json!({"user": {"external_id": "1", "name": "Name", "photo": "Photo"}});
    let home = world.store().tenant(parlance::chat::accounts::HOME).await;
    let key = home
        .expect("it answers")
        .expect("it is there")
        .application_id;
    let ask = async || Told::of(world.http.post(format!("{url}?key={key}")).json(&body)).await;
    let (passed, told) = until_refused(ask).await;
    assert!((4..=20).contains(&passed), "{passed}");
    tells_when(&told);
    assert_eq!(told.json()["data"]["code"], "rate_limited");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_read_that_it_asks_too_often() {
    const APP: &str = "https://app.example:8443";
    const SHOP: &str = "https://shop.example";
    let settings = format!("{BY_ADDRESS}\nallowed_origins = ['{APP}']");
    let world = World::with(&settings).await;
    for (place, (path, origin, credentials)) in [
        (POLLING, SHOP, true),
        (POLLING, APP, true),
        ("/socket.io/?EIO=4&transport=websocket", SHOP, true),
        ("/api/events?after=now&timeout=0", SHOP, false),
        ("/owner/login", SHOP, false),
        ("/auth/login", SHOP, false),
        ("/app", SHOP, false),
        ("/room", SHOP, false),
        ("/user", SHOP, false),
        ("/api/chats", APP, true),
        ("/api/nothing", APP, true),
    ]
    .into_iter()
    .enumerate()
    {
        let headers = from_page(&format!("192.0.2.{place}"), origin);
        let ask = async || world.get_with(path, &headers).await;
        let (passed, told) = until_refused(ask).await;
        assert!((10..=20).contains(&passed), "{path}: {passed}");
        tells_when(&told);
        let header = |name| told.header(name);
        assert_eq!(header("access-control-allow-origin"), origin, "{path}");
        let allowed = header("access-control-allow-credentials");
        assert_eq!(allowed == "true", credentials, "{path}");
        let exposed = header("access-control-expose-headers");
        assert!(exposed.contains("Retry-After"), "{path}");
        let vary: Vec<_> = told.headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["Origin"], "{path}");
        told.refused(429, "rate_limited");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_may_not_read_an_answer_may_not_read_a_refusal() {
    let world = World::with(BY_ADDRESS).await;
    let headers = from_page("192.0.2.1", "https://evil.example");
    for path in ["/api/me", "/"] {
        let (_, told) = until_refused(async || world.get_with(path, &headers).await).await;
        assert_eq!(told.header("access-control-allow-origin"), "", "{path}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_whether_it_may_ask_is_not_counted() {
    let world = World::with(BY_ADDRESS).await;
    let headers = from_page("192.0.2.1", "https://shop.example");
    let mut first = headers.to_vec();
    first.push(("access-control-request-method", "POST".to_owned()));
    first.push(("access-control-request-headers", "x-shop".to_owned()));
    let preflight = async || {
        let told = world.ask_with(Method::OPTIONS, POLLING, "", &first).await;
        let told = told.with(204);
        let header = |name| told.header(name);
        assert_eq!(
            header("access-control-allow-origin"),
            "https://shop.example"
        );
        assert_eq!(header("access-control-allow-headers"), "x-shop");
    };
    for _ in 0..30 {
        preflight().await;
    }
    let (passed, _) = until_refused(async || world.get_with(POLLING, &headers).await).await;
    assert!(passed >= 10, "{passed}");
    preflight().await;
    world.stop().await;
}
