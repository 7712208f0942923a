//! A token that a tenant's own system must verify is verified by every API and transport, and again as long as
//! a connection lasts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    support::security_world::{CONNECTIONS, Connection, Credentials, Endpoint, Held, endpoints},
    support::tenants::{send, sign_in, text},
    support::world::{FOREVER, World},
};

const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
    verify_allow = ["127.0.0.1/32"]
    embed_open = false
"#;
const TOKEN: &str = "a token of hers";

const YES: u8 = 0;
const NO: u8 = 1;

/// A tenant's own system, with a configured answer and a counter.
#[derive(Clone)]
struct System {
    address: SocketAddr,
    says: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl System {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let system = Self {
            address: listener.local_addr().expect("it is bound"),
            says: Arc::default(),
            asked: Arc::default(),
        };
        let answering = system.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let system = answering.clone();
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    let _ = stream.read(&mut head).await;
                    let says = system.says.load(Ordering::SeqCst);
                    system.asked.fetch_add(1, Ordering::SeqCst);
                    let body = if says == YES { "true" } else { "false" };
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        system
    }

    fn says(&self, what: u8) {
        self.says.store(what, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Returns once it was asked so often.
    async fn was_asked(&self, count: usize) {
        let asked = async {
            while self.asked() < count {
                tokio::task::yield_now().await;
            }
        };
        let asked = tokio::time::timeout(FOREVER, asked).await;
        asked.expect("it is asked that often");
    }
}

/// An app with a system of its own at this address, and Ann in it, in a room.
async fn app(world: &World, address: &str, token: &str) -> i64 {
    let admin = [("Authorization", sign_in(world).await)];
    let url = format!("http://{address}/verify");
    let app = json!({"name": "app", "verifyUrl": url});
    let app = send(world, "POST", "/app", &admin, &app).await.with(201);
    let key = text(&app.json()["applicationId"]);
    let ann = json!({"appId": key, "appUserId": 1, "firstName": "Ann", "token": token});
    let ann = send(world, "POST", "/user", &[], &ann).await.with(200);
    let room = json!({"room": "tea", "appId": key, "users": [1]});
    send(world, "POST", "/room", &[], &room).await.with(200);
    ann.json()["id"].as_i64().expect("a number")
}

/// The ways to show the token, each with the endpoints that take it so.
fn ways(ann: i64) -> Vec<(Credentials, Vec<Endpoint>)> {
    let bearer = Credentials::default().header("authorization", format!("Bearer {TOKEN}"));
    vec![
        (Credentials::cookies(ann, TOKEN), endpoints(true)),
        (
            Credentials::default().asking("token", TOKEN),
            endpoints(false),
        ),
        (bearer, endpoints(false)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_verified_at_every_endpoint() {
    let world = World::with(SETTINGS).await;
    let system = System::start().await;
    let ann = app(&world, &system.address.to_string(), TOKEN).await;
    system.says(NO);
    for (credentials, endpoints) in ways(ann) {
        for endpoint in endpoints {
            assert!(
                !endpoint.opens(&world, ann, &credentials).await,
                "{endpoint:?} {credentials:?}"
            );
        }
    }
    let asked = system.asked();
    assert!(asked >= 1, "it is asked");
    // A bad answer is believed for five seconds, a good one for a minute.
    system.says(YES);
    let fresh = async {
        while !Endpoint::Rest
            .opens(&world, ann, &Credentials::cookies(ann, TOKEN))
            .await
        {}
    };
    tokio::time::timeout(FOREVER, fresh)
        .await
        .expect("it is believed again");
    let asked = system.asked();
    for (credentials, endpoints) in ways(ann) {
        for endpoint in endpoints {
            assert!(
                endpoint.opens(&world, ann, &credentials).await,
                "{endpoint:?} {credentials:?}"
            );
        }
    }
    assert_eq!(system.asked(), asked, "one answer does for all endpoints");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_verified_just_now_is_told_at_every_endpoint() {
    let world = World::with(SETTINGS).await;
    let system = System::start().await;
    let ann = app(&world, &system.address.to_string(), TOKEN).await;
    // An address that may not be asked.
    let bo = app(&world, "127.0.0.2:1", "a token of his").await;
    let cookies = Credentials::cookies(bo, "a token of his");
    for path in [
        "/api/me",
        "/api/events?timeout=0",
        "/api/events?dialect=embed&timeout=0",
    ] {
        let told = cookies
            .request(&world, reqwest::Method::GET, path, None)
            .await;
        assert_eq!(told.status(), 503, "{path}");
        assert!(told.headers().contains_key("retry-after"), "{path}");
    }
    for by in CONNECTIONS {
        let mut line = Connection::open(&world, by, &cookies)
            .await
            .expect("cookies are looked at later");
        let told = line
            .ask("leave", &serde_json::Value::Null)
            .await
            .expect("it stands");
        assert_eq!(told["message"], "token verification unavailable", "{by:?}");
        let token = Credentials::default().asking("token", "a token of his");
        assert!(
            Connection::open(&world, by, &token).await.is_none(),
            "{by:?}"
        );
    }
    // Others are not delayed by it.
    assert!(
        Endpoint::Rest
            .opens(&world, ann, &Credentials::cookies(ann, TOKEN))
            .await
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_is_verified_again_and_put_out_when_it_is_no() {
    let world = World::with(&format!("{SETTINGS}\nverify_ttl = '1s'")).await;
    let system = System::start().await;
    let ann = app(&world, &system.address.to_string(), TOKEN).await;
    let cookies = Credentials::cookies(ann, TOKEN);
    let token = Credentials::default().asking("token", TOKEN);
    let mut lines = Vec::new();
    for by in CONNECTIONS {
        for credentials in [&cookies, &token] {
            let mut line = Connection::open(&world, by, credentials)
                .await
                .expect("it is let in");
            assert!(line.is_answered("leave", &json!(null)).await);
            lines.push(line);
        }
        // One that has said nothing ends as well.
        lines.push(
            Connection::open(&world, by, &cookies)
                .await
                .expect("it is let in"),
        );
    }
    let mut held = Vec::new();
    for (number, (credentials, path)) in [
        (&cookies, "/api/events?timeout=50"),
        (&cookies, "/api/events?timeout=50&dialect=embed"),
        (&token, "/api/events?timeout=50&dialect=service&room=tea"),
        (&token, "/api/events?timeout=50&dialect=support"),
    ]
    .into_iter()
    .enumerate()
    {
        held.push((
            200,
            Held::begin(&world, credentials, path, number + 1).await,
        ));
    }
    let stream = cookies.clone().header("accept", "text/event-stream");
    let stream = Held::begin(&world, &stream, "/api/events", 5).await;
    // It is asked again and again, and no connection is closed for it.
    let asked = system.asked();
    system.was_asked(asked + 2).await;
    for line in &mut lines {
        assert!(line.is_answered("leave", &json!(null)).await);
    }
    world.waiting(5).await;
    system.says(NO);
    for line in lines {
        line.ended().await;
    }
    for (_, held) in held {
        assert_eq!(held.ended().await.0, 401);
    }
    // A stream that has begun can say no more: it ends.
    assert_eq!(stream.ended().await.0, 200);
    world.waiting(0).await;
    world.stop().await;
}
