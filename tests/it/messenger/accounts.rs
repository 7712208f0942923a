//! Accounts: who I am, my cookies, my password and my logins.

use reqwest::Method;
use serde_json::Value;

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::world::World,
};

async fn with_cookies(world: &World, cookies: &str) -> Told {
    let request = world.http.get(format!("{}/api/me", world.base()));
    Told::of(request.header("Cookie", cookies)).await
}

#[rocket::async_test]
async fn i_am_who_i_signed_up_as() {
    let world = World::new().await;
    let ann = world.actor(" Ann  Lee ").await;
    let me = ann.get("/api/me").await.with(200);
    assert_eq!(me.header("Cache-Control"), "no-store");
    let me = me.json();
    assert_eq!(
        (&me["id"], &me["name"]),
        (&ann.id.into(), &"Ann  Lee".into())
    );
    assert_eq!(me["email"], "a@example.com");
    assert!(text(&me, "created_at").ends_with('Z'));
    world.get("/api/me").await.refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn both_cookies_count_and_only_together() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (id, token) = (ann.id, ann.token.as_str());
    for sound in [
        format!("user_id={id}; token={token}"),
        format!("token={token}; user_id={id}"),
        format!("user_id={id}; access_token={token}"),
        format!("theme=dark; user_id={id}; token={token}; x=y"),
    ] {
        with_cookies(&world, &sound).await.with(200);
    }
    let other = bo.id;
    let cut = &token[1..];
    let long = "f".repeat(5000);
    for wrong in [
        String::new(),
        format!("user_id={id}"),
        format!("token={token}"),
        format!("user_id={other}; token={token}"),
        format!("user_id={id}; token={}", bo.token),
        format!("user_id={id}; token={cut}"),
        format!("user_id={id}; token="),
        format!("user_id={id}; token={long}"),
        format!("user_id=; token={token}"),
        format!("user_id=-{id}; token={token}"),
        format!("user_id=ann; token={token}"),
        format!("user_id=99999999999999999999; token={token}"),
        format!("user_id={id}; token={}", token.to_uppercase() + "x"),
        format!("USER_ID={id}; TOKEN={token}"),
        "=; ;;=,;user_id".to_owned(),
    ] {
        with_cookies(&world, &wrong)
            .await
            .refused(401, "unauthenticated");
    }
}

#[rocket::async_test]
async fn a_new_password_ends_the_other_logins() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let change = async |old: &str, new: &str| {
        ann.post("/api/password", &[("password", old), ("new_password", new)])
            .await
    };
    change("wrong horse", "battery staple")
        .await
        .refused(400, "bad_request");
    change(PASSWORD, "short").await.refused(400, "bad_request");
    change(PASSWORD, &"x".repeat(1025))
        .await
        .refused(400, "bad_request");
    ann.post("/api/password", &[("password", PASSWORD)])
        .await
        .refused(400, "bad_request");
    ann.post("/api/password", &[("new_password", PASSWORD)])
        .await
        .refused(400, "bad_request");
    phone.get("/api/me").await.with(200);
    change(PASSWORD, "battery staple").await.ok(200);
    phone.get("/api/me").await.refused(401, "unauthenticated");
    ann.get("/api/me").await.with(200);
    let old = [("name", "ann"), ("password", PASSWORD)];
    world
        .post("/api/login", &old)
        .await
        .refused(400, "bad_request");
    Actor::sign_in(&world, "ann", "battery staple").await;
    world
        .post("/api/password", &[])
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn no_login_by_the_old_password_outlives_the_change() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let (mut old, mut began) = (PASSWORD.to_owned(), 0);
    for round in 0..8 {
        let new = format!("battery staple {round}");
        let form = [("password", old.as_str()), ("new_password", new.as_str())];
        let sign_in = async |_| {
            let form = [("name", "ann"), ("password", old.as_str())];
            world.post("/api/login", &form).await
        };
        let (changed, told) = futures_util::join!(
            ann.post("/api/password", &form),
            futures_util::future::join_all((0..8).map(sign_in))
        );
        changed.ok(200);
        for told in told {
            if told.status == 200 {
                began += 1;
                let cookie = |name| told.cookie(name).expect("a login sets both").0;
                let cookies = format!("user_id={}; token={}", cookie("user_id"), cookie("token"));
                with_cookies(&world, &cookies)
                    .await
                    .refused(401, "unauthenticated");
            } else {
                told.refused(400, "bad_request");
            }
        }
        old = new;
    }
    assert!(began > 0, "nobody signed in while the password was changed");
    Actor::sign_in(&world, "ann", &old).await;
}

#[rocket::async_test]
async fn a_password_is_not_cut_at_the_length_bcrypt_reads() {
    let world = World::new().await;
    let (one, other) = ("x".repeat(100), "x".repeat(99) + "y");
    let form = [
        ("name", "ann"),
        ("password", one.as_str()),
        ("email", "a@example.com"),
    ];
    world.post("/api/reg", &form).await.ok(201);
    let wrong = [("name", "ann"), ("password", other.as_str())];
    world
        .post("/api/login", &wrong)
        .await
        .refused(400, "bad_request");
    Actor::sign_in(&world, "ann", &one).await;
}

#[rocket::async_test]
async fn i_see_my_logins_and_end_them() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let form = [("name", "ann"), ("password", PASSWORD)];
    let request = world
        .http
        .post(format!("{}/api/login", world.base()))
        .form(&form);
    Told::of(request.header("User-Agent", "Phone/1.0 (ä)"))
        .await
        .ok(200);
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;

    let logins = async |who: &Actor| list(&who.get("/api/logins").await.with(200).json(), "logins");
    let mine = logins(&ann).await;
    assert_eq!(mine.len(), 3);
    let current: Vec<_> = mine
        .iter()
        .filter(|login| login["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    assert!(mine.iter().any(|login| {
        login["client"]
            .as_str()
            .is_some_and(|client| client.starts_with("Phone/1.0"))
    }));
    assert!(mine.iter().all(|login| login["address"] == "127.0.0.1"));
    let id = |login: &Value| login["id"].as_i64().expect("a number");
    let of_phone = logins(&phone).await;
    let of_phone = of_phone
        .iter()
        .find(|login| login["current"] == true)
        .expect("its own");

    let path = |login: &Value| format!("/api/logins/{}", id(login));
    bo.delete(&path(of_phone)).await.refused(404, "not_found");
    ann.delete("/api/logins/999999")
        .await
        .refused(404, "not_found");
    ann.delete("/api/logins/x").await.refused(404, "not_found");
    phone.get("/api/me").await.with(200);
    ann.delete(&path(of_phone)).await.ok(200);
    phone.get("/api/me").await.refused(401, "unauthenticated");
    ann.delete(&path(of_phone)).await.refused(404, "not_found");
    assert_eq!(logins(&ann).await.len(), 2);
    ann.delete(&path(current[0])).await.ok(200);
    ann.get("/api/logins").await.refused(401, "unauthenticated");
    bo.get("/api/me").await.with(200);
}

#[rocket::async_test]
async fn logging_out_everywhere_ends_every_login() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let told = phone.post("/api/logout-all", &[]).await.ok(200);
    for cookie in ["user_id", "token"] {
        assert_eq!(told.cookie(cookie).expect("both are emptied").0, "");
    }
    for gone in [&ann, &phone] {
        gone.get("/api/me").await.refused(401, "unauthenticated");
        gone.post("/api/logout-all", &[])
            .await
            .refused(401, "unauthenticated");
    }
    bo.get("/api/me").await.with(200);
    Actor::sign_in(&world, "ann", PASSWORD).await;
}

#[rocket::async_test]
async fn logins_outlive_the_server_and_ended_ones_stay_ended() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    bo.get("/api/logout").await.ok(200);
    let world = world.restart().await;
    ann.at(&world).get("/api/me").await.with(200);
    bo.at(&world)
        .get("/api/me")
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn logins_end_when_they_are_old_or_long_unused() {
    for column in ["used_at", "created_at"] {
        let world = World::new().await;
        let ann = world.actor("ann").await;
        let mut beside = world.place.beside().await;
        beside.run(&format!("update logins set {column} = 1")).await;
        let world = world.restart().await;
        ann.at(&world)
            .get("/api/me")
            .await
            .refused(401, "unauthenticated");
        Actor::sign_in(&world, "ann", PASSWORD)
            .await
            .get("/api/me")
            .await
            .with(200);
    }
}

#[rocket::async_test]
async fn a_closed_server_takes_no_new_accounts() {
    let world = World::with("registration = 'closed'").await;
    let form = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("email", "a@example.com"),
    ];
    world
        .post("/api/reg", &form)
        .await
        .refused(403, "forbidden");
}

#[rocket::async_test]
async fn nothing_secret_is_kept_in_the_clear() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut beside = world.place.beside().await;
    let with = async |beside: &mut crate::support::place::Beside,
                      table: &str,
                      column: &str,
                      text: &str| {
        let sql = format!("select count(*) from {table} where {column} like '%{text}%'");
        beside.number(&sql).await
    };
    assert_eq!(
        with(&mut beside, "logins", "token_hash", &ann.token).await,
        0
    );
    assert_eq!(
        with(&mut beside, "people", "password_hash", PASSWORD).await,
        0
    );
    assert_eq!(
        with(&mut beside, "people", "password_hash", "$04$").await,
        1
    );
}

#[rocket::async_test]
async fn the_account_routes_answer_no_other_method() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for (method, path, allow) in [
        (Method::GET, "/api/reg", "OPTIONS, POST"),
        (Method::PUT, "/api/login", "OPTIONS, POST"),
        (Method::DELETE, "/api/logout", "GET, HEAD, OPTIONS, POST"),
        (Method::GET, "/api/logout-all", "OPTIONS, POST"),
        (Method::POST, "/api/logins", "GET, HEAD, OPTIONS"),
        (Method::GET, "/api/logins/1", "DELETE, OPTIONS"),
        (Method::GET, "/api/password", "OPTIONS, POST"),
    ] {
        let told = Told::of(ann.request(method, path))
            .await
            .refused(405, "method_not_allowed");
        assert_eq!(told.header("Allow"), allow, "{path}");
    }
    ann.get("/api/me").await.with(200);
}
