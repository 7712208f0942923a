//! Personal access tokens: told once, good for their scopes alone at every route and every event, and ended at once
//! with everything that was opened by them.

use parlance::dialect::DIALECTS;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::administration::administrator,
    support::conformity::document,
    support::security_world::{CONNECTIONS, Connection, Credentials, Held, endpoints},
    support::tenants::send,
    support::world::World,
};

/// Makes a token; what is told of it.
async fn make(actor: &Actor, scopes: &[&str]) -> Value {
    let request = actor.request(Method::POST, "/api/me/tokens");
    let body = json!({"name": "my bot", "scopes": scopes});
    Told::of(request.json(&body)).await.with(201).json()
}

fn bearer(token: &Value) -> Vec<(&'static str, String)> {
    let token = token["token"].as_str().expect("it is told");
    vec![("Authorization", format!("Bearer {token}"))]
}

fn credentials(token: &Value) -> Credentials {
    let [(_, value)] = &bearer(token)[..] else {
        unreachable!("it is one header")
    };
    Credentials::default().header("authorization", value.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_told_once_listed_with_its_use_and_good_for_what_it_says() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let made = make(&ann, &["write", "read"]).await;
    let token = text(&made, "token");
    assert!(token.starts_with("pat_") && token.len() == 68, "{token}");
    assert_eq!(made["scopes"], json!(["read", "write"]));
    let chat = ann.make("tea").await;
    let path = format!("/api/chats/{chat}");
    let said = json!({"content": "by a program"});
    send(&world, "POST", &path, &bearer(&made), &said)
        .await
        .ok(201);
    assert_eq!(ann.said(chat).await, ["by a program"]);
    let told = send(&world, "GET", "/api/me", &bearer(&made), &Value::Null).await;
    assert_eq!(told.with(200).json()["name"], "ann");
    let listed = ann.get("/api/me/tokens").await.with(200);
    assert!(!listed.body.contains(&token), "it is told once");
    let listed = list(&listed.json(), "tokens");
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &made["id"]));
    assert_eq!(listed[0]["name"], "my bot");
    // It is none of the logins, and another's is not to be ended.
    let logins = ann.get("/api/logins").await.with(200).json();
    assert_eq!(list(&logins, "logins").len(), 1);
    let one = format!("/api/me/tokens/{}", made["id"]);
    bo.delete(&one).await.refused(404, "not_found");
    bo.get("/api/me/tokens").await.with(200);
    world
        .get("/api/me/tokens")
        .await
        .refused(401, "unauthenticated");
    ann.delete(&one).await.ok(200);
    ann.delete(&one).await.refused(404, "not_found");
    let told = send(&world, "GET", "/api/me", &bearer(&made), &Value::Null).await;
    told.refused(401, "unauthenticated");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_hash_of_a_token_is_kept_and_it_ends_by_its_time() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let made = make(&ann, &["read"]).await;
    let told = send(&world, "GET", "/api/me", &bearer(&made), &Value::Null).await;
    told.with(200);
    let world = world.restart().await;
    let mut beside = world.place.beside().await;
    beside
        .run("update logins set expires_at = 1 where scopes is not null")
        .await;
    drop(beside);
    let told = send(&world, "GET", "/api/me", &bearer(&made), &Value::Null).await;
    told.refused(401, "unauthenticated");
    parlance::chat::housekeeping::expire(world.services())
        .await
        .expect("it is forgotten");
    let listed = ann.at(&world).get("/api/me/tokens").await.with(200).json();
    assert_eq!(listed["tokens"], json!([]));
    // Logins are forgotten by their own rules.
    ann.at(&world).get("/api/me").await.with(200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_token_is_refused() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for (body, field) in [
        (json!({"scopes": ["read"]}), "name"),
        (json!({"name": "x"}), "scopes"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["read", "root"]}), "scopes"),
        (
            json!({"name": "x", "scopes": ["read"], "expires": 0}),
            "expires",
        ),
        (
            json!({"name": "x", "scopes": ["read"], "expires": 99_999_999_999_i64}),
            "expires",
        ),
    ] {
        let request = ann.request(Method::POST, "/api/me/tokens").json(&body);
        let told = Told::of(request).await.refused(400, "bad_request");
        assert!(told.body.contains(field), "{body}: {}", told.body);
    }
    world.stop().await;
}

/// Routes about the account itself.
const OF_ACCOUNT: [&str; 7] = [
    "/api/me/tokens",
    "/api/me/second-factor",
    "/api/me/recovery-codes",
    "/api/me/export",
    "/api/logins",
    "/api/logout",
    "/api/password",
];

/// The scope that a route takes; none where no token is good for it.
fn scope_of(method: &str, path: &str) -> Option<&'static str> {
    match method {
        _ if OF_ACCOUNT.iter().any(|base| {
            path == *base
                || path.starts_with(&format!("{base}/"))
                || path.starts_with(&format!("{base}-"))
        }) && path != "/api/password-link" =>
        {
            None
        }
        "DELETE" if path == "/api/me" => None,
        _ if path.starts_with("/api/admin/") => Some("admin"),
        "GET" => Some("read"),
        _ => Some("write"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_a_token_without_its_scope() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let words = ["read", "write", "admin"];
    let mut tokens = Vec::new();
    for word in words {
        tokens.push(make(&root, &[word]).await);
    }
    let mut count = 0;
    for (path, methods) in document()["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let takes_cookies = operation["security"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|way| way.get("user_cookie").is_some());
            if !takes_cookies || path == "/api/events/{event}" {
                continue;
            }
            let method = method.to_uppercase();
            let needed = scope_of(&method, path);
            // Nobody and nothing has this number.
            let parts = path.split('/').map(|part| match part {
                "{emoji}" => "%F0%9F%91%8D",
                part if part.starts_with('{') => "999999",
                part => part,
            });
            let asked = format!("{}?timeout=0", parts.collect::<Vec<_>>().join("/"));
            for (word, token) in words.iter().zip(&tokens) {
                count += 1;
                let told = send(&world, &method, &asked, &bearer(token), &json!({})).await;
                let what = format!("{method} {path} with {word}: {}", told.body);
                if needed == Some(*word) {
                    assert!(!told.body.contains("this token"), "{what}");
                    assert_ne!(told.status, 401, "{what}");
                } else {
                    assert_eq!(told.status, 403, "{what}");
                    told.refused(403, "forbidden");
                }
            }
        }
    }
    assert!(count > 200, "{count}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_refuses_a_token_without_its_scope() {
    const READING: &[&str] = &[
        "list-chats",
        "list-messages",
        "join",
        "load_more",
        "leave",
        "getChatMessages",
        "getActiveChats",
        "getWaitingChats",
        "getClosedChats",
    ];
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let (read, write) = (make(&ann, &["read"]).await, make(&ann, &["write"]).await);
    let both = make(&ann, &["read", "write"]).await;
    let chat = ann.make("tea").await;
    let embed = json!({
        "user": {"id": ann.id.to_string()}, "chat": {"id": chat.to_string(), "name": "x"},
        "users": [ann.id.to_string()], "message": {"id": "1", "value": "x", "type": "text"},
        "typing": true,
    });
    let service = json!({"message": "x", "id": 1, "page": 1});
    for dialect in DIALECTS.iter() {
        // Events of live support are for its owners and guests, whose tokens come in the argument.
        if dialect.name() == "support" {
            continue;
        }
        // What names a chat is an event of the embed dialect, where two have the name.
        let body = if dialect.name() == "embed" {
            &embed
        } else {
            &service
        };
        for event in dialect.events() {
            let path = format!("/api/events/{}?dialect={}", event.name, dialect.name());
            let (good, bad) = if READING.contains(&event.name) {
                (&read, &write)
            } else {
                (&both, &read)
            };
            let told = send(&world, "POST", &path, &bearer(bad), body).await;
            assert_eq!(told.status, 403, "{path}: {}", told.body);
            assert!(told.body.contains("this token"), "{path}: {}", told.body);
            let told = send(&world, "POST", &path, &bearer(good), body).await;
            assert!(!told.body.contains("this token"), "{path}: {}", told.body);
        }
    }
    let told = send(
        &world,
        "GET",
        "/api/events?timeout=0",
        &bearer(&write),
        &Value::Null,
    )
    .await;
    told.refused(403, "forbidden");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_administer_their_site_by_a_token_of_that_scope_alone() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let id = i64::from_str_radix(&owner.id, 16).expect("a number");
    let somebody = world.actor("somebody").await;
    let agent = somebody.with_login("owner", id, owner.token.clone());
    let (read, write) = (
        make(&agent, &["read"]).await,
        make(&agent, &["write"]).await,
    );
    let admin = make(&agent, &["admin"]).await;
    for (token, status) in [(&read, 403), (&write, 403), (&admin, 200)] {
        let body = json!({"token": token["token"], "domain": "other.example"});
        let told = send(&world, "POST", "/owner/domains", &[], &body).await;
        assert_eq!(told.status, status, "{}", told.body);
        let told = send(
            &world,
            "GET",
            "/owner/webhooks",
            &bearer(token),
            &Value::Null,
        )
        .await;
        assert_eq!(told.status, status, "{}", told.body);
    }
    for (event, good, bad) in [
        ("getWaitingChats", &read, &write),
        ("closeChat", &write, &read),
    ] {
        let path = format!("/api/events/{event}?dialect=support");
        for (token, refused) in [(good, false), (bad, true)] {
            let body = json!({"token": token["token"], "chatId": "000000000000000000000001"});
            let told = send(&world, "POST", &path, &[], &body).await;
            assert_eq!(told.status == 403, refused, "{event}: {}", told.body);
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_by_a_token_of_reading_listens_and_changes_nothing() {
    let world = World::with("embed_open = false").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let read = make(&ann, &["read"]).await;
    for by in CONNECTIONS {
        let line = Connection::open(&world, by, &credentials(&read)).await;
        let mut line = line.expect("it is let in");
        let own = json!({"user": {"id": ann.id.to_string()}});
        assert!(line.is_answered("list-chats", &own).await);
        let said = json!({"chat": {"id": chat.to_string()}, "user": {"id": ann.id.to_string()},
                          "message": {"value": "x", "type": "text"}});
        let told = line.ask("new-message", &said).await.expect("it stands");
        assert_eq!(told["code"], "forbidden", "{told}");
        ann.say(chat, "hello").await;
        line.until("hello").await;
    }
    assert_eq!(ann.said(chat).await, ["hello"; 4]);
    world.stop().await;
}

/// What ends a token.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Revoked,
    NewPassword,
    LogoutAll,
    Deactivated,
    Deleted,
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_was_opened_by_a_token_ends_with_it_at_once() {
    let world = World::with("embed_open = false").await;
    let root = administrator(&world, "root").await;
    let causes = [
        Cause::Revoked,
        Cause::NewPassword,
        Cause::LogoutAll,
        Cause::Deactivated,
        Cause::Deleted,
    ];
    for (number, cause) in causes.into_iter().enumerate() {
        let ann = world.actor(&format!("ann {number}")).await;
        let made = make(&ann, &["read", "write", "admin"]).await;
        let credentials = credentials(&made);
        world.waiting(0).await;
        let held = Held::begin(&world, &credentials, "/api/events?timeout=50", 1).await;
        for endpoint in endpoints(true) {
            assert!(
                endpoint.opens(&world, ann.id, &credentials).await,
                "{endpoint:?}"
            );
        }
        let mut lines = Vec::new();
        for by in CONNECTIONS {
            let line = Connection::open(&world, by, &credentials).await;
            let mut line = line.expect("it is let in");
            assert!(line.is_answered("leave", &Value::Null).await);
            lines.push(line);
        }
        match cause {
            Cause::Revoked => {
                let path = format!("/api/me/tokens/{}", made["id"]);
                ann.delete(&path).await.ok(200);
            }
            Cause::NewPassword => {
                let form = [("password", PASSWORD), ("new_password", "battery staple")];
                ann.post("/api/password", &form).await.ok(200);
            }
            Cause::LogoutAll => drop(ann.post("/api/logout-all", &[]).await.ok(200)),
            Cause::Deactivated => {
                let path = format!("/api/admin/people/{}/deactivate", ann.id);
                root.post(&path, &[]).await.ok(200);
            }
            Cause::Deleted => {
                let path = format!("/api/admin/people/{}", ann.id);
                root.delete(&path).await.ok(200);
            }
        }
        assert_eq!(held.ended().await.0, 401, "{cause:?}");
        for line in lines {
            line.ended().await;
        }
        for endpoint in endpoints(true) {
            assert!(
                !endpoint.opens(&world, ann.id, &credentials).await,
                "{cause:?} {endpoint:?}"
            );
        }
    }
    world.stop().await;
}
