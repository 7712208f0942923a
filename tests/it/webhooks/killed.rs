//! A server that is killed while it tells: the next one goes on, and what was under way comes again with the same id.

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    support::binary::{Started, parlance},
    support::place::Place,
    support::receiver::Receiver,
};

fn start(folder: &std::path::Path, database: &str) -> Started {
    let mut command = parlance(folder);
    command
        .env(
            "ROCKET_DATABASES",
            format!("{{chat={{url=\"{database}\"}}}}"),
        )
        .env("ROCKET_VERIFY_ALLOW", "[\"127.0.0.0/8\"]")
        .env("ROCKET_BCRYPT_COST", "4")
        .env("ROCKET_ADMIN_EMAIL", "admin@example.com")
        .env("ROCKET_ADMIN_PASSWORD", "correct horse");
    Started::begin(command)
}

/// Sends JSON to the binary; what it answers, if that is a success.
async fn post(server: &Started, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let url = format!("http://127.0.0.1:{}{path}", server.port);
    let mut request = Client::new().post(url).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("it answers");
    let status = answer.status();
    let answer = answer.text().await.expect("text");
    assert!(status.is_success(), "{path}: {answer}");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_change_and_repeats_under_the_same_id() {
    crate::with_tls();
    let place = Place::make().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut receiver = Receiver::start().await;
    let mut server = start(folder.path(), &place.url());
    let account = json!({"email": "admin@example.com", "password": "correct horse"});
    let admin = post(&server, "/auth/login", &[], &account).await;
    let admin = admin["token"].as_str().expect("a token").to_owned();
    let app = post(
        &server,
        "/app",
        &[("Authorization", &admin)],
        &json!({"name": "shop"}),
    )
    .await;
    let key = app["applicationId"].as_str().expect("a key").to_owned();
    let user =
        json!({"appId": key, "appUserId": 1, "firstName": "Ann", "token": "a-token-of-hers"});
    post(&server, "/user", &[], &user).await;
    let room = json!({"room": "tea", "appId": key, "users": [1]});
    post(&server, "/room", &[], &room).await;
    let hook = json!({"url": receiver.url(), "kinds": ["message.created"], "dialect": "embed"});
    post(&server, "/webhook", &[("appId", &key)], &hook).await;
    for round in 0..2 {
        let path = "/api/events/send_message?room=tea";
        for number in 0..5 {
            let said = json!({"message": format!("{round}.{number}")});
            post(
                &server,
                path,
                &[("Authorization", "a-token-of-hers")],
                &said,
            )
            .await;
        }
        for number in 0..2 {
            assert_eq!(
                receiver.takes().await["data"]["msg"],
                format!("{round}.{number}")
            );
        }
        let under_way = receiver.next().await;
        let id = under_way.id().to_owned();
        // Killed, as by `kill -9`.
        drop(server);
        drop(under_way);
        server = start(folder.path(), &place.url());
        let mut again = receiver.next().await;
        // That the one before was received may not have been written down any more.
        if again.id() != id {
            assert_eq!(again.json()["data"]["msg"], format!("{round}.1"));
            again.answer(200);
            again = receiver.next().await;
        }
        assert_eq!(again.id(), id);
        again.answer(200);
        for number in 3..5 {
            assert_eq!(
                receiver.takes().await["data"]["msg"],
                format!("{round}.{number}")
            );
        }
    }
    assert!(!receiver.has_more());
}
