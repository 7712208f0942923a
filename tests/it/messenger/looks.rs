//! Names that nobody can tell apart, and passwords: refused where they are set, compared by their
//! letters, and nobody who has an account is shut out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use parlance::chat::developers;
use serde_json::json;
use sha2::Sha384;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::old_database::database_of,
    support::world::World,
};

const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
"#;

impl World {
    async fn sign_up(&self, name: &str, password: &str) -> Told {
        let form = [
            ("name", name),
            ("password", password),
            ("email", "ann.lee@example.com"),
        ];
        self.post("/api/reg", &form).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> Told {
        let form = [("name", name), ("password", password)];
        self.post("/api/login", &form).await
    }
}

/// The hash of a password as it was sent, as accounts had it once.
fn hash_as_sent(password: &str) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(b"parlance password v1").expect("any key");
    mac.update(password.as_bytes());
    let digest = STANDARD.encode(mac.finalize().into_bytes());
    bcrypt::hash(digest, 4).expect("it is hashed")
}

#[rocket::async_test]
async fn names_that_nobody_can_tell_apart_are_one() {
    let world = World::new().await;
    for name in ["ann", "BOB", "m\u{fc}ller", "\u{430}\u{43d}\u{43d}\u{430}"] {
        world.sign_up(name, PASSWORD).await.ok(201);
    }
    for name in [
        "ann\u{fe0f}",
        "a\u{3164}nn",
        "ann\u{e0020}",
        "a\u{34f}nn",
        "ANN",
        "bob",
        "\u{412}\u{41e}\u{412}",
        "mu\u{308}ller",
        "mu\u{200d}\u{308}ller",
        "\u{ff4d}\u{fc}ller",
        "rn\u{fc}ller",
    ] {
        let told = world.sign_up(name, PASSWORD).await;
        let told = told.refused(400, "bad_request").json();
        let sentence = told["error"].as_str().expect("a sentence");
        let expected = ["that name is taken", "name looks like one that is taken"];
        assert!(expected.contains(&sentence), "{name:?}: {sentence}");
    }
    for (name, sentence) in [
        (
            "p\u{430}ypal",
            "name must not mix letters of several scripts in one word",
        ),
        ("\u{3164}\u{2800}", "name must not be blank"),
        ("\u{115f}", "name must not be blank"),
        ("\u{202e}nna", "name must not turn the text around it"),
    ] {
        let told = world.sign_up(name, PASSWORD).await;
        assert_eq!(told.refused(400, "bad_request").json()["error"], sentence);
    }
    for name in [
        "anna",
        "\u{410}\u{43d}\u{43d}\u{430} Lee",
        "\u{1f469}\u{200d}\u{1f4bb} dev",
        "muller",
    ] {
        world.sign_up(name, PASSWORD).await.ok(201);
    }
    // A person signs in however they write their name.
    for (name, as_) in [
        ("ANN", "ann"),
        ("a\u{200b}nn\u{fe0f}", "ann"),
        ("MU\u{308}LLER", "m\u{fc}ller"),
    ] {
        let written = Actor::sign_in(&world, name, PASSWORD).await;
        let known = Actor::sign_in(&world, as_, PASSWORD).await;
        assert_eq!(written.id, known.id, "{name:?}");
    }
}

#[rocket::async_test]
async fn of_two_who_take_the_same_looks_at_once_one_gets_them() {
    let world = World::new().await;
    let names = [
        "bob",
        "BOB",
        "\u{412}\u{41e}\u{412}",
        "b0b",
        "bob\u{fe0f}",
        "BoB",
    ];
    let all = names.map(|name| world.sign_up(name, PASSWORD));
    let told = futures_util::future::join_all(all).await;
    let made = told.iter().filter(|told| told.status == 201).count();
    // `b0b` looks like `bOb` alone.
    assert!((1..=2).contains(&made), "{made}");
    assert!(told.iter().all(|told| matches!(told.status, 201 | 400)));
}

#[rocket::async_test]
async fn accounts_from_before_sign_in_and_keep_their_looks() {
    let (place, mut beside) = database_of(1).await;
    let hash = hash_as_sent("sechs!");
    let people = [
        (101, "ann", "ann"),
        (102, "ann\u{fe0f}", "ann\u{fe0f}"),
        (103, "\u{3164}", "\u{1160}"),
        (104, "\u{430}nn", "\u{430}nn"),
    ];
    let tenant = "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
                  values (1, 'home', 'home', 'home', 0, 0)";
    beside.run(tenant).await;
    for (id, name, key) in people {
        let sql = format!(
            "insert into people (id, tenant_id, kind, name, name_key, email, account_key, \
             password_hash, created_at, updated_at) values \
             ({id}, 1, 'person', '{name}', '{key}', 'a@b', 'name/{key}', '{hash}', 0, 0)"
        );
        beside.run(&sql).await;
    }
    for (id, external_id) in [(201, "5.0"), (202, "6"), (203, "6.0"), (204, "v7.0")] {
        let sql = format!(
            "insert into people (id, tenant_id, kind, name, name_key, external_id, created_at, \
             updated_at) values ({id}, 1, 'person', 'x', 'x', '{external_id}', 0, 0)"
        );
        beside.run(&sql).await;
    }
    for (id, title, key) in [
        (301, "\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}"),
        (302, "tea", "tea"),
        (303, "tea\u{fe0f}", "tea\u{fe0f}"),
    ] {
        let sql = format!(
            "insert into chats (id, tenant_id, kind, title, title_key, created_by, created_at, \
             updated_at, members_count, last_seq, last_position) \
             values ({id}, 1, 'open', '{title}', '{key}', 101, 0, 0, 0, 0, 0)"
        );
        beside.run(&sql).await;
    }
    drop(beside);
    let url = place.url();
    let mut world = World::on(place, &url, "").await;
    for _ in 0..2 {
        for (id, name, _) in people {
            let actor = Actor::sign_in(&world, name, "sechs!").await;
            assert_eq!(actor.id, id, "{name:?}");
        }
        for name in ["ann\u{34f}", "\u{430}nn\u{fe0f}", "\u{3b1}nn"] {
            let told = world.sign_up(name, PASSWORD).await;
            told.refused(400, "bad_request");
        }
        let ann = Actor::sign_in(&world, "ann", "sechs!").await;
        for title in ["\u{2764}", "\u{2764}\u{fe0f}", "Tea", "tea\u{fe0f}"] {
            let told = ann.post("/api/chats", &[("title", title)]).await;
            told.refused(409, "conflict");
        }
        let mut beside = world.place.beside().await;
        for (id, external_id) in [(201, "5"), (202, "6"), (203, "6.0"), (204, "v7.0")] {
            let sql = format!(
                "select count(*) from people where id = {id} and external_id = '{external_id}'"
            );
            assert_eq!(beside.number(&sql).await, 1, "{external_id}");
        }
        drop(beside);
        // Once more, and nothing changes.
        world = world.restart().await;
    }
}

#[rocket::async_test]
async fn a_password_is_its_letters_however_they_are_composed() {
    let world = World::new().await;
    let (composed, parted) = ("caf\u{e9} au lait", "cafe\u{301} au\u{a0}lait");
    world.sign_up("ann", parted).await.ok(201);
    for password in [composed, parted, "caf\u{e9}\u{3000}au lait"] {
        world.sign_in("ann", password).await.ok(200);
    }
    world
        .sign_in("ann", "cafe au lait")
        .await
        .refused(400, "bad_request");
    let ann = Actor::sign_in(&world, "ann", composed).await;
    let form = [
        ("password", parted),
        ("new_password", "\u{212b}ngstr\u{f6}m units"),
    ];
    ann.post("/api/password", &form).await.ok(200);
    world
        .sign_in("ann", "\u{c5}ngstro\u{308}m units")
        .await
        .ok(200);
}

#[rocket::async_test]
async fn a_hash_of_what_was_sent_is_renewed_at_sign_in() {
    let world = World::new().await;
    let (composed, parted) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    world.actor("ann").await;
    let mut beside = world.place.beside().await;
    let hash = hash_as_sent(parted);
    let set = format!("update people set password_hash = '{hash}' where name = 'ann'");
    beside.run(&set).await;
    // Nobody else could have known until it is made anew.
    world
        .sign_in("ann", composed)
        .await
        .refused(400, "bad_request");
    world.sign_in("ann", parted).await.ok(200);
    world.sign_in("ann", composed).await.ok(200);
    let left = format!("select count(*) from people where password_hash = '{hash}'");
    assert_eq!(beside.number(&left).await, 0);
}

/// Passwords that nobody should set, with what is said of each.
fn poor() -> Vec<(String, &'static str)> {
    vec![
        ("seven77".to_owned(), "must have at least 8 characters"),
        (
            "a\u{301}a\u{301}a\u{301}a\u{301}".to_owned(),
            "must have at least 8 characters",
        ),
        ("x".repeat(1025), "must have at most 1024 bytes"),
        (
            "password1".to_owned(),
            "must not be one of the commonest passwords",
        ),
        (
            "Iloveyou1".to_owned(),
            "must not be one of the commonest passwords",
        ),
        (
            "ANN.LEE@example.com".to_owned(),
            "must not be the name or the address of the account",
        ),
    ]
}

#[rocket::async_test]
async fn poor_passwords_are_refused_wherever_one_is_set() {
    let world = World::with(SETTINGS).await;
    let ann = world.actor("Annabel Lee").await;
    let account = json!({"email": "admin@example.com", "password": PASSWORD});
    let url = |path: &str| format!("{}{path}", world.base());
    let told = Told::of(world.http.post(url("/auth/login")).json(&account)).await;
    let token = told.with(200).json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    for (password, what) in poor() {
        let told = world.sign_up("bo", &password).await;
        let told = told.refused(400, "bad_request").json();
        assert_eq!(told["error"], format!("password {what}"));

        if !what.contains("address") {
            let form = [("password", PASSWORD), ("new_password", &password)];
            let told = ann.post("/api/password", &form).await;
            let told = told.refused(400, "bad_request").json();
            assert_eq!(told["error"], format!("new_password {what}"));
        }

        let owner = [
            ("email", "ann.lee@example.com"),
            ("password", &password),
            ("domain", "shop.example"),
        ];
        let told = world.post("/owner/register", &owner).await.with(400).json();
        assert_eq!(told["data"], format!("password {what}"));

        let body =
            json!({"firstName": "Ann", "email": "ann.lee@example.com", "password": password});
        let request = world.http.post(url("/auth/register"));
        let told = Told::of(request.header("Authorization", &token).json(&body)).await;
        let told = told.with(422).json();
        assert_eq!(
            told["details"]["password"]["message"],
            format!("password {what}")
        );

        let made = developers::add_admin(world.services(), "ann.lee@example.com", &password).await;
        assert_eq!(
            made.expect_err("refused").text(),
            format!("password {what}")
        );
    }
    let form = [("password", PASSWORD), ("new_password", "annabel  LEE")];
    ann.post("/api/password", &form)
        .await
        .refused(400, "bad_request");
    world
        .sign_up("long name here", "Long Name Here")
        .await
        .refused(400, "bad_request");
    let owner = [
        ("email", "o@shop.example"),
        ("password", "shop.example"),
        ("domain", "shop.example"),
    ];
    world.post("/owner/register", &owner).await.with(400);
    // An operator may want the bound of the first servers.
    let world = world.restart_with("password_min = 6").await;
    world.sign_up("cy", "sechs!").await.ok(201);
    world
        .sign_up("di", "fünf!")
        .await
        .refused(400, "bad_request");
}
