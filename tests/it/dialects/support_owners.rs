//! Owners of support desks: registering, signing in and out.

use serde_json::json;

use crate::{
    support::actor::{PASSWORD, Told},
    support::world::World,
};

#[rocket::async_test]
async fn an_owner_registers_and_signs_in_and_out() {
    let world = World::new().await;
    let account = [("email", "Ann@Example.com"), ("password", PASSWORD)];
    let site = [account[0], account[1], ("domain", "LocalHost")];
    let told = world.post("/owner/register", &site).await.with(200);
    let registered = json!({"statusCode": 200, "status": "success", "data": "Owner registered"});
    assert_eq!(told.json(), registered);
    let told = world
        .post("/owner/login", &[("email", "ann@example.COM"), account[1]])
        .await;
    let told = told.with(200).json();
    let data = &told["data"];
    let token = data["token"].as_str().expect("a token").to_owned();
    let id = data["ownerId"].as_str().expect("an id");
    assert_eq!(told["statusCode"], 200);
    assert_eq!(told["status"], "success");
    assert_eq!(data["level"], "owner");
    assert_eq!(data["appId"].as_str().map(str::len), Some(36));
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(4));
    assert!(
        id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let told = world
        .post("/owner/logout", &[("token", &token)])
        .await
        .with(200);
    let removed = json!({"statusCode": 200, "status": "success", "data": "Token has been removed"});
    assert_eq!(told.json(), removed);
    let told = world
        .post("/owner/logout", &[("token", &token)])
        .await
        .with(400);
    let unknown = json!({"statusCode": 400, "status": "error", "data": "Owner not found"});
    assert_eq!(told.json(), unknown);
}

#[rocket::async_test]
async fn an_unknown_address_and_a_wrong_password_are_told_alike() {
    let world = World::new().await;
    world.owner("localhost").await;
    let refusal = json!({"statusCode": 404, "status": "error", "data": "Owner not found"});
    for (email, password) in [
        ("owner@localhost", "wrong horse"),
        ("nobody@localhost", PASSWORD),
        ("no address", PASSWORD),
    ] {
        let told = world
            .post("/owner/login", &[("email", email), ("password", password)])
            .await;
        assert_eq!(told.with(404).json(), refusal);
    }
}

#[rocket::async_test]
async fn a_wrong_field_is_named_as_validation_names_it() {
    let world = World::new().await;
    let sound = json!({"email": "ann@example.com", "password": PASSWORD, "domain": "localhost"});
    for (key, value, sentence) in [
        ("email", json!("ann"), "email must be an e-mail address"),
        ("email", json!(7), "email must be text"),
        ("email", json!(null), "email is required"),
        (
            "password",
            json!("short"),
            "password must have at least 8 characters",
        ),
        (
            "domain",
            json!("ann@localhost"),
            "domain must be a host name such as shop.example, or an address that begins with one",
        ),
        ("domain", json!(null), "domain is required"),
    ] {
        let mut body = sound.clone();
        body[key] = value;
        let request = world
            .http
            .post(format!("{}/owner/register", world.base()))
            .json(&body);
        let told = Told::of(request).await.with(400).json();
        let refusal = json!({
            "statusCode": 400, "status": "error", "data": sentence, "error": "Bad Request",
            "validation": {"source": "payload", "keys": [key]},
        });
        assert_eq!(told, refusal);
    }
}

#[rocket::async_test]
async fn a_body_that_is_no_form_is_refused_in_this_apis_shape() {
    let world = World::new().await;
    for path in ["/owner/register", "/owner/login", "/owner/logout"] {
        for (media_type, body, status) in [
            ("application/json", "{", 400),
            ("application/json", "[1]", 400),
            ("text/plain", "token=1", 415),
            ("application/x-www-form-urlencoded", "%zz=%f", 400),
        ] {
            let request = world.http.post(format!("{}{path}", world.base()));
            let told = Told::of(request.header("Content-Type", media_type).body(body)).await;
            let json = told.with(status).json();
            assert_eq!(json["statusCode"], status);
            assert_eq!(json["status"], "error");
            assert!(json["data"].is_string());
        }
    }
}

#[rocket::async_test]
async fn an_address_and_a_domain_are_taken_once() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let taken = |what: &str| json!({"statusCode": 400, "status": "error", "data": what});
    let again = [
        ("email", "OWNER@localhost"),
        ("password", PASSWORD),
        ("domain", "other"),
    ];
    let told = world.post("/owner/register", &again).await.with(400);
    assert_eq!(told.json(), taken("Email already taken"));
    let bo = [
        ("email", "bo@localhost"),
        ("password", PASSWORD),
        ("domain", "localhost"),
    ];
    let told = world.post("/owner/register", &bo).await.with(400);
    assert_eq!(told.json(), taken("Domain already taken"));
    // An owner of another domain is no colleague, and neither is a guest.
    let stranger = world.owner("elsewhere").await;
    let guest = world.guest("localhost").await;
    for token in [&stranger.token, &guest.token, "nonsense"] {
        let with = [bo[0], bo[1], bo[2], ("token", token)];
        let told = world.post("/owner/register", &with).await.with(400);
        assert_eq!(told.json(), taken("Domain already taken"));
    }
    let with = [bo[0], bo[1], bo[2], ("token", &owner.token)];
    world.post("/owner/register", &with).await.with(200);
    let told = world.post("/owner/login", &bo[..2]).await.with(200).json();
    assert_eq!(told["data"]["appId"], owner.application_id.as_str());
    let token = told["data"]["token"].as_str().expect("a token");
    guest.says(&world, "hi").await;
    let queue = world.said("getWaitingChats", json!({"token": token})).await;
    assert_eq!(queue["data"][0]["_id"], guest.chat.as_str());
}

#[rocket::async_test]
async fn registering_at_once_makes_one_owner_and_one_site() {
    let world = World::new().await;
    let tries = (0..8).map(|number| {
        let world = &world;
        async move {
            let email = format!("owner{}@localhost", number % 4);
            let site = [
                ("email", email.as_str()),
                ("password", PASSWORD),
                ("domain", "localhost"),
            ];
            world.post("/owner/register", &site).await.status
        }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
}

#[rocket::async_test]
async fn a_closed_server_takes_colleagues_alone() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let world = world.restart_with("owner_registration = \"closed\"").await;
    let bo = [
        ("email", "bo@localhost"),
        ("password", PASSWORD),
        ("domain", "other"),
    ];
    world.post("/owner/register", &bo).await.with(403);
    let bo = [
        bo[0],
        bo[1],
        ("domain", "localhost"),
        ("token", &owner.token),
    ];
    world.post("/owner/register", &bo).await.with(200);
}
