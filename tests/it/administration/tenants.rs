//! Sites and apps: who runs them and how much, and what becomes of one that is suspended.

use serde_json::{Value, json};

use crate::{
    support::actor::{Told, list},
    support::administration::{acts, administrator},
    support::security_world::{CONNECTIONS, Connection, Credentials, Held},
    support::tenants::{CLOSED_SETTINGS, House, developer, send, sign_in},
    support::world::World,
};

#[rocket::async_test]
async fn sites_and_apps_are_listed_with_their_owners_and_figures() {
    let world = World::with(CLOSED_SETTINGS).await;
    let root = administrator(&world, "root").await;
    let admin = sign_in(&world).await;
    let eve = developer(&world, &admin, "eve@example.com").await;
    House::build(&world, &eve, "word", 1).await;
    let told = root.get("/api/admin/tenants").await.with(200);
    let tenants = list(&told.json(), "tenants");
    let (site, app) = (&tenants[0], &tenants[1]);
    assert_eq!(
        (&site["kind"], &app["kind"]),
        (&json!("site"), &json!("app"))
    );
    assert_eq!(site["domains"], json!(["site-1.example"]));
    assert_eq!(site["owners"][0]["email"], "desk@site-1.example");
    assert_eq!(app["owners"][0]["email"], "eve@example.com");
    for tenant in [site, app] {
        assert_eq!(
            (&tenant["chats"], &tenant["messages"]),
            (&json!(1), &json!(1)),
            "{tenant}"
        );
    }
    // The owner and the guest; the one user.
    assert_eq!((&site["people"], &app["people"]), (&json!(2), &json!(1)));
    // Its secret is its owner's alone.
    assert!(!told.body.to_lowercase().contains("application"));
    let page = root
        .get("/api/admin/tenants?limit=1")
        .await
        .with(200)
        .json();
    assert_eq!(page["has_more"], true);
    let path = format!("/api/admin/tenants?limit=1&before={}", site["id"]);
    let page = root.get(&path).await.with(200).json();
    assert_eq!(
        (&page["tenants"][0], &page["has_more"]),
        (app, &json!(false))
    );
}

/// What every way into an app and a site answers.
async fn ways_in(world: &World, house: &House, eve: &str) -> Vec<u16> {
    let key = vec![("appId", house.key.clone())];
    let user = vec![("Authorization", house.token.clone())];
    let cookies = format!("user_id={}; token={}", house.user, house.token);
    let cookies = vec![("Cookie", cookies)];
    let developer = vec![("Authorization", eve.to_owned())];
    let owner = json!({"token": house.owner_token});
    let guest = json!({"token": house.guest_token, "chatId": house.chat});
    let sign_in = json!({"email": house.email, "password": "correct horse"});
    let new_guest = json!({"email": "x@example.com", "name": "x", "domain": house.domain});
    let new_user = json!({"appId": house.key, "appUserId": "u-9", "firstName": "X"});
    let history = format!("/api/events/load_more?room={}", house.room_name);
    let embed = format!("/api/events/list-chats?key={}", house.key);
    let events = format!(
        "/api/events?dialect=embed&timeout=0&key={}&user={}",
        house.key, house.user
    );
    let domain = format!("/owner/domains/{}", house.domain);
    let (none, page) = (Value::Null, json!({"page": 1}));
    let list_chats = json!({"user": {"id": house.user}});
    let mut statuses = Vec::new();
    for (method, path, headers, body) in [
        ("GET", "/room", &key, &none),
        ("POST", "/user", &developer, &new_user),
        ("GET", "/api/me", &cookies, &none),
        ("GET", "/api/events?timeout=0", &cookies, &none),
        ("POST", &history, &user, &page),
        ("POST", &embed, &vec![], &list_chats),
        ("GET", &events, &vec![], &none),
        ("POST", "/owner/login", &vec![], &sign_in),
        ("GET", &domain, &vec![], &none),
        ("POST", "/api/events/getWaitingChats", &vec![], &owner),
        ("POST", "/api/events/getChatMessages", &vec![], &guest),
        (
            "POST",
            "/api/events/getNewChat?dialect=support",
            &vec![],
            &new_guest,
        ),
    ] {
        let told: Told = send(world, method, path, headers, body).await;
        statuses.push(told.status);
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_through_while_a_tenant_is_suspended() {
    let world = World::with(CLOSED_SETTINGS).await;
    let root = administrator(&world, "root").await;
    let admin = sign_in(&world).await;
    let eve = developer(&world, &admin, "eve@example.com").await;
    let house = House::build(&world, &eve, "word", 1).await;
    let other = House::build(&world, &eve, "else", 2).await;
    assert_eq!(ways_in(&world, &house, &eve).await, [200; 12]);
    let tenants = root.get("/api/admin/tenants").await.with(200).json();
    let tenants = list(&tenants, "tenants");
    let ids: Vec<_> = tenants[2..].iter().map(|tenant| &tenant["id"]).collect();

    let key = Credentials::default().asking("key", &house.key);
    let token = Credentials::default().asking("token", &house.token);
    let cookies = Credentials::cookies(house.user, &house.token);
    let owner = Credentials::default().asking("token", &house.owner_token);
    let guest = Credentials::default().asking("token", &house.guest_token);
    let stays = Credentials::default().asking("token", &other.token);
    let (mut ending, mut staying) = (Vec::new(), Vec::new());
    for by in CONNECTIONS {
        for credentials in [&key, &token, &cookies, &owner, &guest] {
            ending.push(Connection::open(&world, by, credentials).await.expect("in"));
        }
        staying.push(Connection::open(&world, by, &stays).await.expect("in"));
    }
    let embed = format!("/api/events?timeout=50&dialect=embed&user={}", house.user);
    let service = format!(
        "/api/events?timeout=50&dialect=service&room={}",
        house.room_name
    );
    let support = "/api/events?timeout=50&dialect=support";
    let mut held = Vec::new();
    for (credentials, path) in [
        (&key, embed.as_str()),
        (&token, service.as_str()),
        (&owner, support),
        (&guest, support),
        (&cookies, "/api/events?timeout=50"),
    ] {
        for accept in ["application/json", "text/event-stream"] {
            let credentials = credentials.clone().header("accept", accept);
            let count = held.len() + 1;
            held.push(Held::begin(&world, &credentials, path, count).await);
        }
    }
    for id in &ids {
        let path = format!("/api/admin/tenants/{id}/suspend");
        root.post(&path, &[]).await.ok(200);
        // Once more changes nothing.
        root.post(&path, &[]).await.ok(200);
    }
    for held in held {
        held.ended().await;
    }
    for line in ending {
        line.ended().await;
    }
    world.waiting(0).await;
    for mut line in staying {
        assert!(line.ask("leave", &Value::Null).await.is_some());
    }
    let statuses = ways_in(&world, &house, &eve).await;
    assert!(
        statuses.iter().all(|status| (400..500).contains(status)),
        "{statuses:?}"
    );
    assert_eq!(ways_in(&world, &other, &eve).await, [200; 12]);
    // Nor over a restart, and its domain is nobody else's meanwhile.
    let world = world.restart().await;
    let statuses = ways_in(&world, &house, &eve).await;
    assert!(
        statuses.iter().all(|status| (400..500).contains(status)),
        "{statuses:?}"
    );
    let thief =
        json!({"email": "t@example.com", "password": "correct horse", "domain": house.domain});
    let told = send(&world, "POST", "/owner/register", &[], &thief).await;
    assert_ne!(told.status, 200, "{}", told.body);

    let root = root.at(&world);
    for id in &ids {
        let path = format!("/api/admin/tenants/{id}/resume");
        root.post(&path, &[]).await.ok(200);
        root.post(&path, &[]).await.ok(200);
    }
    assert_eq!(ways_in(&world, &house, &eve).await, [200; 12]);
    let expected = json!([
        ["root", "suspend", "site", "site-1.example", null],
        ["root", "suspend", "app", "word shop", null],
        ["root", "resume", "site", "site-1.example", null],
        ["root", "resume", "app", "word shop", null],
    ]);
    assert_eq!(Value::from(acts(&root).await), expected);
    world.stop().await;
}
