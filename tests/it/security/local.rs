//! What is for this machine alone: no header of a client's proves that it is local, and a
//! proxy on this machine makes every peer look like it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::security_world::{CONNECTIONS, Connection, Credentials},
    support::world::World,
};

fn create() -> Value {
    json!({"user": {"external_id": "u-1", "name": "Ann", "photo": ""}})
}

/// What a proxy on this machine, or a page of another site, leaves in a request.
fn passed_on() -> Vec<Credentials> {
    let with = |name, value: &str| Credentials::default().header(name, value);
    vec![
        with("host", "chat.example.com"),
        with("host", "localhost.example.com"),
        with("x-forwarded-for", "127.0.0.1"),
        with("x-forwarded-for", "203.0.113.7"),
        with("x-forwarded-proto", "https"),
        with("x-forwarded-host", "localhost"),
        with("forwarded", "for=127.0.0.1;host=localhost"),
        with("via", "1.1 proxy"),
        with("x-real-ip", "127.0.0.1"),
        with("origin", "https://evil.example"),
        with("origin", "null"),
        with("sec-fetch-site", "cross-site"),
    ]
}

/// What is there without any.
fn from_here() -> Vec<Credentials> {
    let with = |name, value: &str| Credentials::default().header(name, value);
    vec![
        Credentials::default(),
        with("host", "localhost:8000"),
        with("host", "[::1]"),
        with("origin", "http://localhost:3000"),
    ]
}

async fn may_embed(world: &World, credentials: &Credentials) -> Vec<bool> {
    let path = "/api/events/create-user";
    let told = credentials
        .request(world, Method::POST, path, Some(&create()))
        .await;
    let status = told.status().as_u16();
    assert!(matches!(status, 200 | 401), "{status}");
    let mut may = vec![status == 200];
    for by in CONNECTIONS {
        let mut line = Connection::open(world, by, credentials)
            .await
            .expect("it stands");
        may.push(line.is_answered("create-user", &create()).await);
    }
    may
}

async fn figures(world: &World, credentials: &Credentials) -> u16 {
    let told = credentials
        .request(world, Method::GET, "/metrics", None)
        .await;
    told.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn embedding_without_a_key_is_for_this_machine_at_every_endpoint() {
    let world = World::new().await;
    for credentials in from_here() {
        assert_eq!(
            may_embed(&world, &credentials).await,
            [true; 5],
            "{credentials:?}"
        );
        assert_eq!(figures(&world, &credentials).await, 200, "{credentials:?}");
    }
    for credentials in passed_on() {
        assert_eq!(
            may_embed(&world, &credentials).await,
            [false; 5],
            "{credentials:?}"
        );
        assert_eq!(figures(&world, &credentials).await, 403, "{credentials:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_proxy_nobody_is_this_machine() {
    let world = World::with("ip_header = 'X-Mine'").await;
    let mut all = from_here();
    all.extend(passed_on());
    for address in ["127.0.0.1", "::1", "203.0.113.7"] {
        all.push(Credentials::default().header("x-mine", address));
    }
    for credentials in all {
        assert_eq!(
            may_embed(&world, &credentials).await,
            [false; 5],
            "{credentials:?}"
        );
    }
    // A scraper that comes around the proxy is still on this machine.
    assert_eq!(figures(&world, &Credentials::default()).await, 200);
    let claims = Credentials::default().header("x-mine", "127.0.0.1");
    assert_eq!(figures(&world, &claims).await, 403);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_listens_to_others_has_no_such_exception() {
    let world = World::with("address = '0.0.0.0'").await;
    for credentials in from_here() {
        assert_eq!(
            may_embed(&world, &credentials).await,
            [false; 5],
            "{credentials:?}"
        );
    }
    let world = world
        .restart_with("address = '0.0.0.0'\nembed_open = true")
        .await;
    for credentials in from_here().into_iter().chain(passed_on()) {
        assert_eq!(
            may_embed(&world, &credentials).await,
            [true; 5],
            "{credentials:?}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_a_proxy_passes_on_are_counted() {
    let limits = "rate_limits = true\nrate_per_address = 1";
    for (credentials, setting) in [
        (
            Credentials::default().header("host", "chat.example.com"),
            "",
        ),
        (
            Credentials::default().header("x-forwarded-proto", "https"),
            "",
        ),
        (
            Credentials::default().header("x-mine", "127.0.0.1"),
            "ip_header = 'X-Mine'",
        ),
    ] {
        let world = World::with(&format!("{limits}\n{setting}")).await;
        let mut refused = 0;
        for _ in 0..30 {
            let told = credentials.request(&world, Method::GET, "/", None).await;
            refused += usize::from(told.status() == 429);
        }
        assert!(refused >= 15, "{refused} {credentials:?}");
        // Events on a connection count as well, and all of this machine's own do not.
        for by in CONNECTIONS {
            let mut line = Connection::open(&world, by, &Credentials::default())
                .await
                .expect("it stands");
            for _ in 0..30 {
                assert!(!line.is_answered("leave", &Value::Null).await);
            }
        }
        world.stop().await;
    }
    let world = World::with(limits).await;
    let proxied = Credentials::default().header("via", "1.1 proxy");
    let mut line = Connection::open(&world, CONNECTIONS[1], &proxied)
        .await
        .expect("it stands");
    let mut refused = 0;
    for _ in 0..30 {
        let told = line.ask("leave", &Value::Null).await.expect("it stands");
        refused += usize::from(told["code"] == "rate_limited");
    }
    assert!(refused >= 15, "{refused}");
    world.stop().await;
}
