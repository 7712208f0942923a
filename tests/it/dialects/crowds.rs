//! What concerns thousands at once: it is carried out whole, bounded, counted, and told in each API's shape.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use parlance::{
    chat::{chats::MOST_AT_ONCE, connections, housekeeping, logins},
    model::{Clock, TenantId, TenantKind},
    store::NewTenant,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{support::actor::Told, support::place::Beside, support::world::World};

const KEY: &str = "the-key-of-the-app";
const TOUCHED: std::time::Duration = std::time::Duration::from_secs(5);
/// The most users that one event of the embed API names.
const EMBED_USERS: usize = 1_000;

/// An app whose users are called 1, 2, 3 and so on; their own numbers begin after `base`.
struct App {
    world: World,
    beside: Beside,
    tenant: TenantId,
    base: i64,
}

impl App {
    async fn new(settings: &str, users: usize) -> Self {
        let world = World::with(settings).await;
        let now = Clock.now();
        let new = NewTenant {
            kind: TenantKind::App,
            name: "app".to_owned(),
            application_id: KEY.to_owned(),
            owner: None,
            verify_url: None,
            require_auth: false,
        };
        let tenant = world
            .store()
            .write(parlance::chat::accounts::HOME, move |tx| {
                Box::pin(async move { tx.insert_tenant(&new, now).await })
            });
        let tenant = tenant.await.expect("a tenant");
        let mut beside = world.place.beside().await;
        let base = 1_000;
        let numbers = match &beside {
            Beside::Sqlite(_) => format!(
                "(with recursive up (n) as (select 1 union all select n + 1 from up where n < {users}) \
                 select n from up)"
            ),
            Beside::Postgres(_) => format!("(select n from generate_series(1, {users}) as n)"),
        };
        beside
            .run(&format!(
                "insert into people (id, tenant_id, kind, name, name_key, external_id, created_at, \
                 updated_at) select {base} + n, {}, 'person', 'p', 'p', cast(n as text), 0, 0 \
                 from {numbers} as x",
                tenant.get()
            ))
            .await;
        Self {
            world,
            beside,
            tenant,
            base,
        }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Told {
        let url = format!("{}{path}", self.world.base());
        Told::of(
            self.world
                .http
                .request(method, url)
                .header("appId", KEY)
                .json(body),
        )
        .await
    }

    async fn room(&self, method: Method, path: &str, room: &str, users: &[usize]) -> Told {
        let body = json!({"room": room, "appId": KEY, "users": users});
        self.ask(method, path, &body).await
    }

    async fn event(&self, event: &str, body: &Value) -> Told {
        let path = format!("/api/events/{event}?key={KEY}");
        self.ask(Method::POST, &path, body).await
    }

    /// What the embed API calls these users.
    fn ids(&self, users: impl IntoIterator<Item = usize>) -> Vec<String> {
        let number = |user| self.base + i64::try_from(user).expect("it is small");
        users
            .into_iter()
            .map(|user| number(user).to_string())
            .collect()
    }

    /// Who is in a chat, by our numbers; and that the chat says as many.
    async fn members(&mut self, chat: &str) -> BTreeSet<i64> {
        let members = format!("from members where chat_id = {chat} and standing = 'in'");
        let members = self
            .beside
            .numbers(&format!("select person_id {members}"))
            .await;
        let count = format!("select members_count from chats where id = {chat}");
        let count = self.beside.number(&count).await;
        assert_eq!(usize::try_from(count).ok(), Some(members.len()));
        members.into_iter().collect()
    }

    /// How many changes tell that somebody came to a chat, or left it.
    async fn told(&mut self, chat: &str, kind: &str) -> i64 {
        let lines = "select count(*) from changes where chat_id =";
        self.beside
            .number(&format!("{lines} {chat} and kind = '{kind}'"))
            .await
    }
}

fn up_to(most: usize) -> Vec<usize> {
    (1..=most).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_of_thousands_is_made_filled_and_emptied() {
    let mut app = App::new("", MOST_AT_ONCE + 1).await;
    let all = up_to(MOST_AT_ONCE + 1);
    let made = app.room(Method::POST, "/room", "full", &all[..3_000]).await;
    let made = made.with(200).json();
    let room = made["id"].to_string();
    assert_eq!(made["users"].as_array().map(Vec::len), Some(3_000));
    assert_eq!(app.members(&room).await.len(), 3_000);
    assert_eq!(app.told(&room, "joined").await, 3_000);

    let added = app.room(Method::PUT, "/room/add", "full", &all).await;
    assert_eq!(added.with(200).json()["message"], "updated");
    assert_eq!(app.members(&room).await.len(), all.len());
    assert_eq!(
        app.told(&room, "joined").await,
        i64::try_from(all.len()).expect("it is small"),
        "who was there comes but once"
    );
    let removed = app
        .room(Method::PUT, "/room/remove", "full", &all[1..])
        .await;
    assert_eq!(removed.with(200).json()["message"], "updated");
    assert_eq!(app.members(&room).await, BTreeSet::from([app.base + 1]));

    let refused = app.room(Method::POST, "/room", "fuller", &all).await;
    let refused = refused.with(422).json();
    assert_eq!(refused["message"], "Validation failed");
    assert_eq!(
        refused["details"]["users"]["message"],
        "users must name at most 5000"
    );
    let unknown = [1, 9_000, 9_001];
    let refused = app.room(Method::POST, "/room", "fuller", &unknown).await;
    assert_eq!(
        refused.with(400).json()["message"],
        "Users 9000,9001 not registered"
    );
    let refused = app.room(Method::PUT, "/room/add", "full", &unknown).await;
    assert_eq!(
        refused.with(404).json()["message"],
        "ChatUser id 9000 Not Found"
    );
    app.beside.head_without_gaps().await;
    app.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_of_a_thousand_is_made_filled_and_emptied_by_events() {
    let mut app = App::new("", 2 * EMBED_USERS).await;
    let first = app.ids(1..=EMBED_USERS);
    let body = json!({"chat": {"name": "crowd"}, "users": first});
    let made = app.event("create-chat", &body).await.with(200).json();
    let made = &made["data"]["chat"];
    assert_eq!(made["users"], json!(first), "in the order they were named");
    let chat = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.members(&chat).await.len(), EMBED_USERS);

    let place = json!({"chat": {"id": chat}, "user": {"id": first[0]}});
    let with = |users: &[String]| {
        let mut body = place.clone();
        body["users"] = json!(users);
        body
    };
    let more = app.ids(EMBED_USERS + 1..=2 * EMBED_USERS);
    app.event("add-users", &with(&more)).await.with(200);
    assert_eq!(app.members(&chat).await.len(), 2 * EMBED_USERS);
    app.event("remove-users", &with(&more)).await.with(200);
    assert_eq!(app.members(&chat).await.len(), EMBED_USERS);
    // The only admin goes with the others: the one who has been there longest takes over.
    app.event("remove-users", &with(&first[..EMBED_USERS - 1]))
        .await
        .with(200);
    let last = app.base + i64::try_from(EMBED_USERS).expect("it is small");
    assert_eq!(app.members(&chat).await, BTreeSet::from([last]));
    let admins = "select person_id from members where standing = 'in' and role = 'admin'";
    assert_eq!(app.beside.numbers(admins).await, [last]);

    let body = json!({"chat": {"name": "crowd"}, "users": app.ids(1..=EMBED_USERS + 1)});
    let refused = app.event("create-chat", &body).await.with(400).json();
    assert_eq!(
        refused["data"]["error"][0]["message"],
        "users may name at most 1000"
    );
    let body = json!({"chat": {"name": "crowd"}, "users": ["1001", "77"]});
    let refused = app.event("create-chat", &body).await.with(404).json();
    assert_eq!(
        refused["data"]["error"][0]["message"],
        "there is no user 77"
    );
    app.beside.head_without_gaps().await;
    app.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_concerns_many_counts_as_many_requests() {
    let mut app = App::new("rate_limits = true\nrate_per_tenant = 50", 600).await;
    let all = up_to(600);
    let made = app.room(Method::POST, "/room", "some", &all[..100]).await;
    made.with(200);
    // What was saved up is five hundred, and less is left: it comes back slowly.
    for (method, path) in [
        (Method::POST, "/room"),
        (Method::PUT, "/room/add"),
        (Method::PUT, "/room/remove"),
    ] {
        let told = app.room(method, path, "some", &all).await.with(429);
        assert_ne!(told.header("Retry-After"), "");
        let sentence = "too many requests, please slow down";
        assert_eq!(told.json()["message"], sentence, "{path}");
    }
    for event in ["create-chat", "add-users", "remove-users"] {
        let body = json!({"chat": {"name": "crowd", "id": "1"}, "user": {"id": "1001"},
            "users": app.ids(1..=499)});
        let told = app.event(event, &body).await.with(429);
        assert_eq!(told.json()["data"]["code"], "rate_limited", "{event}");
    }
    assert_eq!(
        app.beside.number("select count(*) from members").await,
        100,
        "what was refused was not done"
    );
    app.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_many_ends_at_once_and_is_forgotten_whole() {
    const USERS: usize = 1_300;
    let admin = "admin_email = 'admin@example.com'\nadmin_password = 'correct horse'";
    let mut app = App::new(admin, USERS).await;
    let hash = logins::hash("the-token-of-one");
    app.beside
        .run(&format!(
            "insert into logins (tenant_id, person_id, token_hash, created_at, used_at) \
             select tenant_id, id, case when external_id = '7' then '{}' else 't' || id end, {now}, {now} \
             from people where tenant_id = {}",
            hash.as_str(),
            app.tenant.get(),
            now = Clock.now().get(),
        ))
        .await;
    let ask = async |app: &App| {
        let url = format!("{}/api/events/join", app.world.base());
        let request = app.world.http.post(url).json(&json!("nowhere"));
        Told::of(request.header("Authorization", "the-token-of-one"))
            .await
            .status
    };
    assert_ne!(ask(&app).await, 401, "the token is good");
    let admin = json!({"email": "admin@example.com", "password": "correct horse"});
    let url = format!("{}/auth/login", app.world.base());
    let login = Told::of(app.world.http.post(url).json(&admin)).await;
    let token = login.with(200).json()["token"].clone();
    let token = token.as_str().expect("a token");
    let url = format!("{}/app/{KEY}", app.world.base());
    let request = app.world.http.delete(url).header("Authorization", token);
    Told::of(request).await.with(200);
    assert_eq!(ask(&app).await, 401, "it ends at once");
    assert_eq!(
        app.beside
            .number("select count(*) from logins where tenant_id > 1")
            .await,
        0
    );
    // A row that is not forgotten yet is good for nothing all the same.
    app.beside
        .run(&format!(
            "insert into logins (tenant_id, person_id, token_hash, created_at, used_at) \
             values ({}, {}, '{}', {now}, {now})",
            app.tenant.get(),
            app.base + 7,
            hash.as_str(),
            now = Clock.now().get(),
        ))
        .await;
    assert_eq!(ask(&app).await, 401, "its row is there");
    let found = app.world.store().logins_by_token(&hash).await;
    assert!(found.expect("an answer").is_empty());
    app.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_chats_names_no_more_people_than_it_should() {
    let app = App::new("", 4_000).await;
    let all = up_to(4_000);
    for room in 1..=6 {
        let name = format!("r{room}");
        let made = app.room(Method::POST, "/room", &name, &all).await;
        made.with(200);
    }
    let body = json!({"user": {"id": "1001"}});
    let told = app.event("list-chats", &body).await.with(200).json();
    let names: Vec<_> = told["data"]["chats"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|chat| (chat["name"].clone(), chat["users"].as_array().map(Vec::len)))
        .collect();
    let expected: Vec<_> = ["r6", "r5", "r4", "r3", "r2"]
        .map(|name| (json!(name), Some(4_000)))
        .into();
    assert_eq!(names, expected);
    assert_eq!(told["data"]["has_more"], true);
    app.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_forgets_all_that_is_old_and_nothing_else() {
    const USERS: usize = 1_300;
    let mut app = App::new("", USERS).await;
    let now = Clock.now();
    let first = app.base + 1;
    for sql in [
        format!(
            "insert into logins (tenant_id, person_id, token_hash, created_at, used_at) \
             select tenant_id, id, 't' || id, 0, case when id = {first} then {now} else 0 end \
             from people where id > {base}",
            now = now.get(),
            base = app.base,
        ),
        format!(
            "update logins set created_at = {} where used_at > 0",
            now.get()
        ),
        format!(
            "insert into connections (private_hash, socket_id, acting, left_at, created_at) \
             select 'h' || id, 's', '', case when id = {first} then {now} else 0 end, {now} \
             from people where id > {base}",
            now = now.get(),
            base = app.base,
        ),
    ] {
        app.beside.run(&sql).await;
    }
    let store = app.world.store();
    let before = (now, now);
    let lost = store.lost_connections(before, "", 500).await;
    let lost = lost.expect("an answer");
    assert_eq!(lost.len(), 500);
    let last = lost.last().expect("the last of them").clone();
    let rest = store.lost_connections(before, &last, 10_000).await;
    assert_eq!(lost.len() + rest.expect("an answer").len(), USERS - 1);

    housekeeping::expire(app.world.services())
        .await
        .expect("it is done");
    let left = app.beside.numbers("select person_id from logins").await;
    assert_eq!(left, [first]);
    // Who came back meanwhile is kept, though they were found lost.
    let found = [format!("h{first}")];
    let forgotten = store.write(parlance::chat::accounts::HOME, move |tx| {
        Box::pin(async move { tx.forget_connections(&found, before).await })
    });
    forgotten.await.expect("none of them is lost");
    let left = "select count(*) from connections";
    assert_eq!(app.beside.number(left).await, 1);

    let login = app.beside.number("select id from logins").await;
    let login = parlance::model::LoginId::new(login);
    let (older, newer) = (now.minus(TOUCHED), now);
    let touched = store.write(parlance::chat::accounts::HOME, move |tx| {
        Box::pin(async move {
            tx.touch_logins(&[(login, older)]).await?;
            tx.touch_logins(&[(login, newer)]).await
        })
    });
    touched.await.expect("it is noted");
    let used = app.beside.number("select used_at from logins").await;
    assert_eq!(used, newer.get(), "a use is never taken back");
    app.world.stop().await;
}

#[rocket::async_test]
async fn connections_that_are_lost_in_one_moment_are_all_written_down() {
    const LOST: usize = 6_000;
    let world = World::new().await;
    let services = world.services();
    let lost = (0..LOST).map(|number| async move {
        let (private, id) = (format!("private {number}"), format!("socket {number}"));
        connections::lose(
            services,
            (&private, connections::new_holder()),
            id,
            "{}".to_owned(),
        )
        .await
    });
    for written in join_all(lost).await {
        written.expect("it is written down");
    }
    let mut beside = world.place.beside().await;
    let count = beside.number("select count(*) from connections").await;
    assert_eq!(usize::try_from(count).ok(), Some(LOST));
}
