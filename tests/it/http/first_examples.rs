//! The examples of requests, as Swagger UI fills them in: they do for a reader who changes nothing of them, on a
//! server on which nothing is yet.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{actor::Told, conformity::document, world::World};

/// Requests of the messenger that mean something that a new server does not have, and do not go without.
const NEEDING: [&str; 8] = [
    "POST /api/me/second-factor/confirm",
    "POST /api/me/recovery-codes",
    "POST /api/chats/{chat}/members",
    "PATCH /api/chats/{chat}/messages/{message}",
    "POST /api/chats/{chat}/read",
    "POST /hooks/{secret}",
    // They end what the others need.
    "POST /api/logout-all",
    "POST /api/password",
];

/// Every request with a body: its method and path, the API's name, the body's schema, and the example.
fn requests() -> Vec<(String, &'static Value, &'static Value, &'static Value)> {
    let mut found = Vec::new();
    for (path, methods) in document()["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let body = &operation["requestBody"]["content"]["application/json"];
            let name = body["schema"]["$ref"].as_str().unwrap_or_default();
            let schema = document().pointer(name.trim_start_matches('#'));
            if let (Some(schema), Some(example)) = (schema, body.get("example")) {
                let route = format!("{} {path}", method.to_uppercase());
                found.push((route, &operation["tags"][0], schema, example));
            }
        }
    }
    assert!(found.len() > 50, "{} requests", found.len());
    found
}

fn example_of(route: &str) -> &'static Value {
    let all = requests();
    let found = all.into_iter().find(|(known, ..)| known == route);
    found.expect("a request with an example").3
}

#[test]
fn no_example_names_what_it_could_leave_out_and_may_not_be_there() {
    for (route, _, schema, example) in requests() {
        let required = schema["required"].as_array().expect("a list");
        for (name, property) in schema["properties"].as_object().expect("properties") {
            let is_id = property["format"] == "int64" && !["expires", "uses"].contains(&&**name);
            let names_something = is_id
                || property["items"]["format"] == "int64"
                || ["invite", "code", "client_id", "verifyUrl"].contains(&&**name)
                || (name == "token" && route.contains("/owner/"));
            let is_left_out = example.get(name).is_none();
            let may_be = names_something && !required.contains(&json!(name));
            assert!(!may_be || is_left_out, "{route} has {name}: {example}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messengers_examples_do_for_the_only_person_in_the_only_chat() {
    let world = World::new().await;
    let post = |path: &str| world.http.post(format!("{}{path}", world.base()));
    let asked = post("/api/reg").json(example_of("POST /api/reg"));
    let told = Told::of(asked).await.with(201);
    let cookie = |name| told.cookie(name).expect("a login").0;
    let cookies = format!("user_id={}; token={}", cookie("user_id"), cookie("token"));
    let first = post("/api/chats").header("Cookie", &cookies);
    let first = Told::of(first.json(&json!({"title": "first"}))).await;
    assert_eq!(first.with(201).header("Location"), "/api/chats/1");
    let mut count = 0;
    for (route, api, _, example) in requests() {
        let is_met = api == "messenger" && route != "POST /api/reg" && !route.starts_with("DELETE");
        if !is_met || NEEDING.contains(&&*route) {
            continue;
        }
        count += 1;
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let path = path.replace("{chat}", "1").replace("{person}", "1");
        let method: Method = method.parse().expect("a method");
        let request = world
            .http
            .request(method, format!("{}{path}", world.base()));
        let told = Told::of(request.header("Cookie", &cookies).json(example)).await;
        assert!(
            matches!(told.status, 200 | 201),
            "{route} {example}: {}",
            told.body
        );
    }
    assert!(count >= 10, "{count} requests");
    let site = post("/owner/register").json(example_of("POST /owner/register"));
    Told::of(site).await.with(200);
    let owner = post("/owner/login").json(example_of("POST /owner/login"));
    Told::of(owner).await.with(200);
    world.stop().await;
}
