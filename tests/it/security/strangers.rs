//! A tenant's key, token and ids open nothing of another tenant's: every route and every event,
//! taken from the routing table and from the dialects' own lists, so that a new one cannot be
//! forgotten.

use futures_util::{StreamExt, stream};
use parlance::dialect::DIALECTS;
use serde_json::{Value, json};

use crate::{
    support::routes::routes,
    support::tenants::{House, SECRET, SETTINGS, developer, send, sign_in},
    support::world::{World, every_dialect},
};

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// A client of another tenant, or of none.
struct Stranger {
    headers: Vec<(&'static str, String)>,
    query: String,
    token: Option<String>,
    key: Option<String>,
}

impl Stranger {
    fn with(headers: &[(&'static str, &str)], token: Option<&str>, key: Option<&str>) -> Self {
        let headers = headers.iter();
        Self {
            headers: headers
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            query: String::new(),
            token: token.map(str::to_owned),
            key: key.map(str::to_owned),
        }
    }

    fn asking(query: String) -> Self {
        Self {
            query,
            ..Self::with(&[], None, None)
        }
    }
}

/// The attackers of `house`, with all that `other` and Eve, its owner, have and can guess.
async fn strangers(world: &World, house: &House, other: &House, eve: &str) -> Vec<Stranger> {
    let name = format!("home-{}", other.app);
    let home = world.actor(&name).await;
    let cookies = |id: &str, token: &str| format!("user_id={id}; token={token}");
    let (user, other_user) = (house.user.to_string(), other.user.to_string());
    let (number, key) = (house.app.to_string(), other.key.as_str());
    let (token, owner, guest) = (
        other.token.as_str(),
        other.owner_token.as_str(),
        other.guest_token.as_str(),
    );
    let cookie = |id: &str, token: &str| [("Cookie", cookies(id, token))];
    let mut all = vec![
        Stranger::with(&[], None, None),
        Stranger::with(&[("appId", &number)], None, Some(&number)),
        Stranger::with(
            &[("Authorization", token), ("appId", key)],
            Some(token),
            Some(key),
        ),
        Stranger::with(
            &[("Authorization", eve), ("appId", key)],
            Some(eve),
            Some(key),
        ),
        Stranger::with(
            &[("Authorization", owner)],
            Some(owner),
            Some(&other.site_key),
        ),
        Stranger::with(&[("Authorization", guest)], Some(guest), None),
        Stranger::with(
            &[("Authorization", token), ("appId", &number)],
            None,
            Some(&number),
        ),
        Stranger::asking(format!("key={key}")),
        Stranger::asking(format!("key={}", other.site_key)),
        Stranger::asking(format!("key={number}")),
        Stranger::asking(format!("token={token}&appId={number}")),
    ];
    for (id, token) in [
        (user.as_str(), token),
        (other_user.as_str(), token),
        (other.owner.as_str(), owner),
        (other.guest.as_str(), guest),
        (house.owner.as_str(), owner),
        (home.id.to_string().as_str(), home.token.as_str()),
    ] {
        let [(name, value)] = cookie(id, token);
        all.push(Stranger::with(&[(name, &value)], None, None));
    }
    all
}

/// One attempt.
struct Attempt {
    method: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

/// Makes every attempt, and checks that nothing leaks; returns how many succeeded.
async fn try_all(world: &World, house: &House, attempts: Vec<Attempt>) -> usize {
    let answers = stream::iter(attempts).map(|attempt| async move {
        let Attempt {
            method,
            path,
            headers,
            body,
        } = attempt;
        let told = send(world, &method, &path, &headers, &body).await;
        let what = format!(
            "{method} {path} {headers:?} {body}: {} {}",
            told.status, told.body
        );
        assert!(!house.is_told_by(&told.body), "{what}");
        assert!(told.status < 500, "{what}");
        usize::from(told.status < 300)
    });
    answers
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .iter()
        .sum()
}

/// What is not tried as a route: metrics and health belong to no tenant, and events are tried by name.
fn is_apart(template: &str) -> bool {
    ["/api/events", "/metrics", "/health"]
        .iter()
        .any(|base| template.starts_with(base))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_opens_no_route_of_another_tenants() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let house = House::build(&world, &admin, SECRET, 0).await;
    let before = house.look(&world, &admin).await;
    for seen in &before {
        assert!(
            seen.get("logins").is_some()
                || seen.pointer("/data/domain").is_some()
                || house.is_told_by(&seen.to_string()),
            "{seen}"
        );
    }
    let (mut tried, mut passed) = (0, 0);
    for (number, (method, template)) in routes().into_iter().enumerate() {
        if is_apart(&template) {
            continue;
        }
        // Fresh attackers for each: some routes end the login that calls them.
        let eve = developer(&world, &admin, &format!("eve-{number}@example.com")).await;
        let other = House::build(&world, &eve, "stranger", number + 1).await;
        let mut attempts = Vec::new();
        for stranger in strangers(&world, &house, &other, &eve).await {
            let mut bodies = if method == "GET" {
                vec![Value::Null]
            } else {
                house.bodies(&other, stranger.token.as_deref(), stranger.key.as_deref())
            };
            if template.starts_with("/owner/domains") && method != "GET" {
                // Elsewhere a domain is how guests find their site; here it is what is to be taken.
                for body in &mut bodies {
                    body["domain"] = house.domain.as_str().into();
                }
            }
            for path in house.paths(&template) {
                attempts.extend(bodies.iter().map(|body| Attempt {
                    method: method.clone(),
                    path: format!("{path}?{}", stranger.query),
                    headers: stranger.headers.clone(),
                    body: body.clone(),
                }));
            }
        }
        tried += attempts.len();
        passed += try_all(&world, &house, attempts).await;
        let after = house.look(&world, &admin).await;
        assert_eq!(after, before, "{method} {template} changed something");
    }
    assert!(tried > 2000, "only {tried} were tried");
    // Their actions in their own tenant succeed, or the attackers would not be authenticated.
    assert!(passed > 100, "only {passed} of {tried} were let through");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_opens_no_event_of_another_tenants() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let house = House::build(&world, &admin, SECRET, 0).await;
    let before = house.look(&world, &admin).await;
    let (mut tried, mut passed) = (0, 0);
    let mut number = 0;
    for dialect in DIALECTS.iter() {
        for event in dialect.events().iter().map(|event| event.name) {
            number += 1;
            let eve = developer(&world, &admin, &format!("eve-{number}@example.com")).await;
            let other = House::build(&world, &eve, "stranger", number).await;
            let mut attempts = Vec::new();
            for stranger in strangers(&world, &house, &other, &eve).await {
                let mut bodies =
                    house.bodies(&other, stranger.token.as_deref(), stranger.key.as_deref());
                bodies.extend([json!(house.room_name), json!(house.message), json!(true)]);
                let (name, room) = (dialect.name(), &house.room_name);
                attempts.extend(bodies.into_iter().map(|body| Attempt {
                    method: "POST".to_owned(),
                    path: format!(
                        "/api/events/{event}?dialect={name}&room={room}&{}",
                        stranger.query
                    ),
                    headers: stranger.headers.clone(),
                    body,
                }));
            }
            tried += attempts.len();
            passed += try_all(&world, &house, attempts).await;
            let after = house.look(&world, &admin).await;
            assert_eq!(
                after,
                before,
                "{} {event} changed something",
                dialect.name()
            );
        }
    }
    assert!(tried > 2000, "only {tried} were tried");
    assert!(passed > 100, "only {passed} of {tried} were let through");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_overhears_nothing_of_another_tenants() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let eve = developer(&world, &admin, "eve@example.com").await;
    let other = House::build(&world, &eve, "stranger", 1).await;
    let cursor = world.cursor().to_string();
    let house = House::build(&world, &admin, SECRET, 0).await;
    let mut events_since = 0;
    for stranger in strangers(&world, &house, &other, &eve).await {
        for dialect in every_dialect() {
            for user in [house.user, other.user] {
                let path = format!(
                    "/api/events?dialect={dialect}&after={cursor}&timeout=0&limit=200&user={user}\
                     &room={}&{}",
                    house.room_name, stranger.query
                );
                let told = send(&world, "GET", &path, &stranger.headers, &Value::Null).await;
                assert!(!house.is_told_by(&told.body), "{path}: {}", told.body);
                events_since += usize::from(told.status == 200);
            }
        }
    }
    assert!(events_since > 10, "only {events_since} were let listen");
    // The tenant's own people receive all events.
    for (dialect, token) in [("service", &house.token), ("support", &house.owner_token)] {
        let path = format!(
            "/api/events?dialect={dialect}&after={cursor}&timeout=0&room={}&token={token}",
            house.room_name
        );
        let told = world.get(&path).await.with(200);
        assert!(house.is_told_by(&told.body), "{path}: {}", told.body);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bodies_open_what_is_ones_own() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let house = House::build(&world, &admin, SECRET, 0).await;
    let bodies = house.bodies(&house, Some(&house.owner_token), Some(&house.key));
    for (event, dialect) in [
        ("list-messages", "embed"),
        ("load_more", "service"),
        ("getWaitingChats", "support"),
        ("getChatMessages", "support"),
    ] {
        let mut opened = 0;
        for body in &bodies {
            let (key, token) = (&house.key, &house.token);
            let who = match dialect {
                "embed" => format!("key={key}"),
                "service" => format!("token={token}&room={}", house.room_name),
                _ => String::new(),
            };
            let path = format!("/api/events/{event}?dialect={dialect}&{who}");
            let told = send(&world, "POST", &path, &[], body).await;
            opened += usize::from(told.status == 200 && house.is_told_by(&told.body));
        }
        assert!(opened > 0, "{event} opened nothing");
    }
    world.stop().await;
}
