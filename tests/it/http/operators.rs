//! Routes for operators: health, metrics, and what happens at shutdown.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parlance::{
    Error, Kind,
    http::{ClientAddress, Readiness, ShutdownSignal},
    telemetry::Metrics,
};
use rocket::{
    futures::future::join_all,
    get,
    http::Header,
    local::asynchronous::{Client, LocalRequest},
    routes,
};

use crate::support::http_world::{Answer, client, get, rocket};

const HERE: &str = "127.0.0.1:5000";
const THERE: &str = "192.0.2.7:5000";

fn from<'a>(client: &'a Client, path: &str, peer: &str) -> LocalRequest<'a> {
    client
        .get(path.to_owned())
        .header(Header::new("Host", "localhost:8000"))
        .remote(peer.parse().expect("an address"))
}

async fn status(request: LocalRequest<'_>) -> u16 {
    request.dispatch().await.status().code
}

fn bearer(token: &str) -> Header<'static> {
    Header::new("Authorization", format!("Bearer {token}"))
}

#[rocket::async_test]
async fn a_server_that_runs_is_alive_and_ready() {
    let client = client("").await;
    for path in ["/health", "/health/live", "/health/ready"] {
        let answer = get(&client, path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["status"], "ok");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    }
    let answer = get(&client, "/health").await;
    assert_eq!(answer.json()["version"], env!("CARGO_PKG_VERSION"));
}

#[rocket::async_test]
async fn a_server_without_its_database_is_alive_and_not_ready() {
    let down = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&down);
    let readiness = Readiness::new(move |_| {
        let down = asked.load(Ordering::SeqCst);
        async move {
            if down {
                let wait = std::time::Duration::from_secs(3);
                Err(Error::unavailable("the database is away", wait).because("pool timed out"))
            } else {
                Ok(Vec::new())
            }
        }
    });
    let client = Client::untracked(rocket("").manage(readiness))
        .await
        .expect("it starts");
    assert_eq!(get(&client, "/health/live").await.status, 200);
    let answer = get(&client, "/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.error(),
        ("busy".into(), "the database is away".into())
    );
    assert_eq!(answer.header("Retry-After"), Some("3"));
    down.store(false, Ordering::SeqCst);
    assert_eq!(get(&client, "/health/ready").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_is_not_waited_for() {
    let readiness = Readiness::new(|_| std::future::pending());
    let client = Client::untracked(rocket("").manage(readiness))
        .await
        .expect("it starts");
    let answer = get(&client, "/health").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error().0, "busy");
}

#[rocket::async_test]
async fn a_server_that_stops_is_alive_and_not_ready() {
    let client = client("").await;
    let closing = client
        .rocket()
        .state::<ShutdownSignal>()
        .expect("it is managed");
    closing.begin();
    assert_eq!(get(&client, "/health/live").await.status, 200);
    let answer = get(&client, "/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error().0, "shutting_down");
    assert!(answer.header("Retry-After").is_some());
}

#[rocket::async_test]
async fn shutdown_releases_everybody_who_waits_and_refuses_who_comes() {
    let client = client("").await;
    let closing = client
        .rocket()
        .state::<ShutdownSignal>()
        .expect("it is managed")
        .clone();
    assert!(closing.refuse_new().is_ok());
    let waiting: Vec<_> = (0..2_000).map(|_| tokio::spawn(closing.begun())).collect();
    client.rocket().shutdown().notify();
    for waiter in join_all(waiting).await {
        waiter.expect("a waiter is released");
    }
    let refusal = closing.refuse_new().expect_err("it is stopping");
    assert_eq!(refusal.kind(), Kind::ShuttingDown);
    closing.begun().await;
}

#[rocket::async_test]
async fn metrics_are_for_this_machine() {
    let client = client("").await;
    let answer = Answer::read(from(&client, "/metrics", HERE).dispatch().await).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(answer.body.ends_with("# EOF\n"));
    for peer in ["127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(status(from(&client, "/metrics", peer)).await, 200, "{peer}");
    }
    for peer in [THERE, "[2001:db8::1]:1", "[::ffff:192.0.2.7]:1"] {
        assert_eq!(status(from(&client, "/metrics", peer)).await, 403, "{peer}");
    }
    // Without a configured token no token is accepted.
    let request = from(&client, "/metrics?token=", THERE).header(bearer(""));
    assert_eq!(status(request).await, 403);
    // A connection without an address is not this machine.
    assert_eq!(status(client.get("/metrics")).await, 403);
}

#[rocket::async_test]
async fn metrics_open_to_whoever_shows_the_token() {
    let client = client("metrics_token = 's3cret'").await;
    let ask = |path| from(&client, path, THERE);
    assert_eq!(status(ask("/metrics").header(bearer("s3cret"))).await, 200);
    assert_eq!(status(ask("/metrics?token=s3cret")).await, 200);
    for wrong in ["s3cre", "s3cret7", "S3cret", ""] {
        assert_eq!(status(ask("/metrics").header(bearer(wrong))).await, 403);
    }
    assert_eq!(status(ask("/metrics?token=s3cres")).await, 403);
    assert_eq!(status(ask("/metrics?token=s3cret&token=s3cret")).await, 400);
    for (header, expected) in [
        ("bearer s3cret", 200),
        ("BEARER  s3cret", 200),
        ("s3cret", 200),
        ("Basic s3cret", 403),
        ("Bearer", 403),
    ] {
        let header = Header::new("Authorization", header);
        assert_eq!(status(ask("/metrics").header(header)).await, expected);
    }
    let basic = Header::new("Authorization", "Basic bWU6c2VjcmV0");
    let both = ask("/metrics?token=s3cret").header(basic);
    assert_eq!(status(both).await, 200);
    let answer = Answer::read(ask("/metrics").dispatch().await).await;
    assert_eq!(answer.error().0, "forbidden");
    assert_eq!(status(from(&client, "/metrics", HERE)).await, 200);
}

#[rocket::async_test]
async fn a_proxy_on_this_machine_does_not_open_embedding() {
    let client = client("").await;
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
        let request = from(&client, "/metrics", HERE).header(Header::new(name, "192.0.2.7"));
        assert_eq!(status(request).await, 403, "{name}");
    }
    let client = crate::support::http_world::client("ip_header = 'X-Real-IP'").await;
    let by_proxy = |address: &'static str| {
        from(&client, "/metrics", HERE)
            .header(Header::new("X-Real-IP", address))
            .header(Header::new("X-Forwarded-For", address))
    };
    assert_eq!(status(by_proxy("192.0.2.7")).await, 403);
    // The header has the client's address, or what the client claims: neither is this machine.
    assert_eq!(status(by_proxy("127.0.0.1")).await, 403);
    assert_eq!(status(from(&client, "/metrics", HERE)).await, 200);
}

#[rocket::async_test]
async fn requests_are_counted_by_route_method_and_class() {
    let client = client("").await;
    for path in ["/api/things/1", "/api/things/2", "/api/things/x", "/api/no"] {
        get(&client, path).await;
    }
    let answer = Answer::read(from(&client, "/metrics", HERE).dispatch().await).await;
    let figure = |line: &str| answer.body.lines().any(|other| other == line);
    assert!(figure(
        r#"parlance_http_requests_total{method="GET",route="/api/things/<id>",status="2xx"} 2"#
    ));
    // Ids that are none pass on to the pages, the last of all routes.
    assert!(figure(
        r#"parlance_http_requests_total{method="GET",route="/<path..>",status="4xx"} 2"#
    ));
    assert!(figure(
        r#"parlance_http_request_seconds_count{route="/api/things/<id>"} 2"#
    ));
    assert!(figure("parlance_http_requests_in_flight 1"));
    assert!(!answer.body.contains("/api/no"));
    let version = env!("CARGO_PKG_VERSION");
    assert!(figure(&format!(
        "parlance_build_info{{version=\"{version}\"}} 1"
    )));
    assert!(
        answer
            .body
            .contains("\nparlance_process_resident_memory_bytes ")
    );
}

#[test]
fn two_servers_do_not_share_their_figures() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.messages_accepted.inc_by(3);
    one.look_up(|metrics| {
        metrics.waiters_held.set(2);
    });
    one.batch_size.observe(17.0);
    let text = one.text().expect("text");
    assert!(text.contains("\nparlance_messages_accepted_total 3\n"));
    assert!(text.contains("\nparlance_waiters_held 2\n"));
    assert!(text.contains("\nparlance_batch_size_sum 17.0\n"));
    let text = other.text().expect("text");
    assert!(text.contains("\nparlance_messages_accepted_total 0\n"));
}

#[get("/address")]
fn address(address: ClientAddress) -> String {
    format!("{} {}", address.ip(), address.network())
}

#[rocket::async_test]
async fn an_address_is_the_peers_or_what_the_proxy_says_and_ipv6_counts_by_network() {
    let client = Client::untracked(rocket("").mount("/", routes![address]))
        .await
        .expect("it starts");
    let told = async |request: LocalRequest<'_>| Answer::read(request.dispatch().await).await.body;
    let forged = Header::new("X-Real-IP", "203.0.113.9");
    for (peer, expected) in [
        ("192.0.2.7:1", "192.0.2.7 192.0.2.7"),
        ("[::ffff:192.0.2.7]:1", "192.0.2.7 192.0.2.7"),
        (
            "[2001:db8:1:2:3:4:5:6]:1",
            "2001:db8:1:2:3:4:5:6 2001:db8:1:2::",
        ),
    ] {
        let request = from(&client, "/address", peer).header(forged.clone());
        assert_eq!(told(request).await, expected);
    }
    let client = Client::untracked(rocket("ip_header = 'X-Real-IP'").mount("/", routes![address]))
        .await
        .expect("it starts");
    let request = from(&client, "/address", HERE).header(forged);
    assert_eq!(told(request).await, "203.0.113.9 203.0.113.9");
}
