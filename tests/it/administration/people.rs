//! People and chats as administrators find them, and people who are deactivated.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list},
    support::administration::{administrator, ask},
    support::security_world::{CONNECTIONS, Connection, Credentials, Held},
    support::world::World,
};

/// The names in a page of people.
fn names(told: &Told) -> Vec<String> {
    let people = list(&told.json(), "people");
    let names = people.iter().map(|person| person["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

#[rocket::async_test]
async fn people_are_found_by_the_beginning_of_their_names() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    for name in ["Ann", "anna", "Ännchen", "Bo", "100% Cy", "a_b"] {
        world.actor(name).await;
    }
    let find = async |path: &str| names(&root.get(path).await.with(200));
    assert_eq!(find("/api/admin/people?query=AN").await, ["anna", "Ann"]);
    assert_eq!(find("/api/admin/people?query=%C3%A4n").await, ["Ännchen"]);
    assert_eq!(find("/api/admin/people?query=100%25").await, ["100% Cy"]);
    assert_eq!(find("/api/admin/people?query=a_").await, ["a_b"]);
    assert!(find("/api/admin/people?query=%25").await.is_empty());
    assert_eq!(
        find("/api/admin/people?only=administrators").await,
        ["root"]
    );
    let mut all = Vec::new();
    let mut path = "/api/admin/people?limit=3".to_owned();
    loop {
        let page = root.get(&path).await.with(200).json();
        all.extend(list(&page, "people"));
        if page["has_more"] == false {
            break;
        }
        path = format!(
            "/api/admin/people?limit=3&before={}",
            all[all.len() - 1]["id"]
        );
    }
    assert_eq!(all.len(), 7);
    let one = root
        .get(&format!("/api/admin/people/{}", root.id))
        .await
        .with(200)
        .json();
    assert_eq!(one, all[6]);
    assert_eq!(
        (&one["administrator"], &one["account"], &one["logins"]),
        (&json!(true), &json!("messenger"), &json!(1))
    );
    root.get("/api/admin/people/999")
        .await
        .refused(404, "not_found");
}

#[rocket::async_test]
async fn an_account_is_made_with_a_password_or_a_link() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let form = [
        ("name", "Bo"),
        ("password", PASSWORD),
        ("email", "bo@example.com"),
    ];
    let made = root.post("/api/admin/people", &form).await.with(201);
    assert!(made.json()["url"].is_null());
    let path = made.header("Location").to_owned();
    let bo = root.get(&path).await.with(200).json();
    assert_eq!(
        (&bo["name"], &bo["email"]),
        (&json!("Bo"), &json!("bo@example.com"))
    );
    Actor::sign_in(&world, "bo", PASSWORD).await;
    for (name, password) in [("bo", PASSWORD), ("b\u{200b}O", PASSWORD), ("cy", "short")] {
        let form = [("name", name), ("password", password)];
        let told = root.post("/api/admin/people", &form).await;
        told.refused(400, "bad_request");
    }
    let made = root.post("/api/admin/people", &[("name", "dee")]).await;
    let made = made.with(201).json();
    let dee = root.get(&format!("/api/admin/people/{}", made["id"])).await;
    assert_eq!(dee.with(200).json()["has_password"], false);
    let sign_in = [("name", "dee"), ("password", "")];
    world
        .post("/api/login", &sign_in)
        .await
        .refused(400, "bad_request");
}

#[rocket::async_test]
async fn chats_are_found_and_not_read() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    let open = ann.make("Tea time").await;
    let form = [
        ("title", "Secrets"),
        ("private", "true"),
        ("members", &bo.id.to_string()),
    ];
    ann.post("/api/chats", &form).await.ok(201);
    let found = root.get("/api/admin/chats").await.with(200).json();
    let found = list(&found, "chats");
    assert_eq!(found.len(), 2);
    let secret = &found[0];
    assert_eq!(
        (&secret["title"], &secret["kind"]),
        (&json!("Secrets"), &json!("private"))
    );
    assert_eq!(secret["created_by"]["name"], "ann");
    let path = format!("/api/chats/{}", secret["id"]);
    root.get(&path).await.refused(404, "not_found");
    ann.say(secret["id"].as_i64().expect("a number"), "sesame")
        .await;
    let told = root
        .get(&format!("/api/admin{}", &path[4..]))
        .await
        .with(200);
    assert!(!told.body.contains("sesame"));
    let members = told.json()["members"].clone();
    assert_eq!(
        members,
        json!([{"id": ann.id, "name": "ann", "role": "admin"}, {"id": bo.id, "name": "bo", "role": "member"}])
    );
    let found = root
        .get("/api/admin/chats?query=TEA")
        .await
        .with(200)
        .json();
    assert_eq!(
        (
            &found["chats"][0]["id"],
            found["chats"].as_array().map(Vec::len)
        ),
        (&json!(open), Some(1))
    );

    // Its members hear of the end of it, and its title is free.
    let now = ann.now().await;
    root.delete(&format!("/api/admin/chats/{open}"))
        .await
        .ok(200);
    let (events, _) = ann.events(&now, 5).await;
    assert_eq!(events[0]["type"], "chat");
    assert!(!events[0]["chat"]["deleted_at"].is_null());
    ann.get(&format!("/api/chats/{open}"))
        .await
        .refused(404, "not_found");
    bo.make("tea time").await;
}

#[rocket::async_test]
async fn a_message_that_is_taken_down_leaves_a_tombstone_and_tells_its_chat() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    let form = [("members", bo.id.to_string())];
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let told = ann.post("/api/chats", &form).await.ok(201);
    let chat: i64 = told.header("Location")["/api/chats/".len()..]
        .parse()
        .expect("a number");
    let message = bo.say(chat, "something bad").await;
    let stays = bo.say(chat, "something else").await;
    let now = ann.now().await;
    let path = format!("/api/admin/chats/{chat}/messages/{message}");
    root.delete(&path).await.ok(200);
    let (events, _) = ann.events(&now, 5).await;
    assert_eq!(events[0]["type"], "deleted");
    assert_eq!(events[0]["message"]["id"], message);
    assert_eq!(events[0]["message"]["content"], "");
    assert_eq!(events[0]["message"]["sender_id"], bo.id);
    let page = ann.get(&format!("/api/chats/{chat}")).await.with(200);
    assert!(!page.body.contains("something bad"));
    assert!(page.body.contains(&stays.to_string()));
    root.delete(&path).await.ok(200);
    let elsewhere = ann.make("elsewhere").await;
    let path = format!("/api/admin/chats/{elsewhere}/messages/{stays}");
    root.delete(&path).await.refused(404, "not_found");
}

#[rocket::async_test]
async fn who_is_deactivated_is_gone_at_once_and_stays_in_the_chats() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    ann.say(chat, "hello").await;
    bo.join(chat).await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let (mut ending, mut staying) = (Vec::new(), Vec::new());
    for by in CONNECTIONS {
        for login in [&ann, &phone] {
            let credentials = Credentials::of(login);
            ending.push(
                Connection::open(&world, by, &credentials)
                    .await
                    .expect("in"),
            );
        }
        let credentials = Credentials::of(&bo);
        staying.push(
            Connection::open(&world, by, &credentials)
                .await
                .expect("in"),
        );
    }
    let mut held = Vec::new();
    for dialect in ["", "&dialect=embed", "&dialect=support"] {
        for accept in ["application/json", "text/event-stream"] {
            let credentials = Credentials::of(&phone).header("accept", accept);
            let path = format!("/api/events?timeout=50{dialect}");
            let status = if accept.contains("json") { 401 } else { 200 };
            let count = held.len() + 1;
            held.push((
                status,
                Held::begin(&world, &credentials, &path, count).await,
            ));
        }
    }
    let person = format!("/api/admin/people/{}", ann.id);
    root.post(&format!("{person}/deactivate"), &[])
        .await
        .ok(200);
    for (status, held) in held {
        assert_eq!(held.ended().await.0, status);
    }
    for line in ending {
        line.ended().await;
    }
    world.waiting(0).await;
    for mut line in staying {
        assert!(line.ask("leave", &Value::Null).await.is_some());
    }
    for login in [&ann, &phone] {
        login.get("/api/me").await.refused(401, "unauthenticated");
    }
    // The refusal of a wrong password, to the letter.
    let right = [("name", "ann"), ("password", PASSWORD)];
    let refused = world.post("/api/login", &right).await;
    let wrong = [("name", "bo"), ("password", "wrong horse")];
    let other = world.post("/api/login", &wrong).await;
    assert_eq!((refused.status, &refused.body), (400, &other.body));
    // What she said and what she is called stays, and her name is hers.
    let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    assert_eq!(page["messages"][0]["content"], "hello");
    assert_eq!(page["people"][0]["name"], "ann");
    let form = [("name", "ann"), ("password", PASSWORD), ("email", "a@b.c")];
    world
        .post("/api/reg", &form)
        .await
        .refused(400, "bad_request");
    let found = root
        .get("/api/admin/people?only=deactivated")
        .await
        .with(200);
    assert_eq!(names(&found), ["ann"]);

    root.post(&format!("{person}/reactivate"), &[])
        .await
        .ok(200);
    let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
    phone.get("/api/me").await.refused(401, "unauthenticated");
    ann.say(chat, "I am back").await;
}

#[rocket::async_test]
async fn who_is_renamed_or_deleted_is_so_everywhere() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    ann.say(chat, "hello").await;
    let path = format!("/api/admin/people/{}", ann.id);
    for taken in ["bo", "ROOT"] {
        let told = ask(&root, "PATCH", &path, &[("name", taken)]).await;
        told.refused(400, "bad_request");
    }
    let now = bo.now().await;
    ask(&root, "PATCH", &path, &[("name", "Anna")])
        .await
        .ok(200);
    let (events, _) = bo.events(&now, 5).await;
    assert_eq!(events[0]["type"], "person", "{events:?}");
    assert_eq!(events[0]["person"]["name"], "Anna");
    ann.get("/api/me").await.with(200);
    let anna = Actor::sign_in(&world, "anna", PASSWORD).await;
    let line = Connection::open(&world, CONNECTIONS[1], &Credentials::of(&anna)).await;
    root.delete(&path).await.ok(200);
    line.expect("it was let in").ended().await;
    for login in [&ann, &anna] {
        login.get("/api/me").await.refused(401, "unauthenticated");
    }
    root.delete(&path).await.refused(404, "not_found");
    let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    assert_eq!(page["messages"][0]["content"], "hello");
    world.actor("Anna").await;
}

#[rocket::async_test]
async fn nobody_signs_in_while_they_are_deactivated() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    let person = format!("/api/admin/people/{}", ann.id);
    for _ in 0..5 {
        let sign_in = async |_| {
            let form = [("name", "ann"), ("password", PASSWORD)];
            world.post("/api/login", &form).await
        };
        let deactivate = format!("{person}/deactivate");
        let (done, told) = futures_util::join!(
            root.post(&deactivate, &[]),
            futures_util::future::join_all((0..8).map(sign_in))
        );
        done.ok(200);
        for told in told {
            if told.status == 200 {
                let cookie = |name| told.cookie(name).expect("both are set").0;
                let token = cookie("token");
                let login = ann.with_login("ann", ann.id, token);
                login.get("/api/me").await.refused(401, "unauthenticated");
            } else {
                told.refused(400, "bad_request");
            }
        }
        root.post(&format!("{person}/reactivate"), &[])
            .await
            .ok(200);
    }
}

#[rocket::async_test]
async fn figures_say_what_there_is() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    ann.say(chat, "hello").await;
    let line = Connection::open(&world, CONNECTIONS[1], &Credentials::of(&ann)).await;
    let told = root.get("/api/admin/figures").await.with(200).json();
    for (name, value) in [
        ("people", 2),
        ("people_deactivated", 0),
        ("administrators", 1),
        ("chats", 1),
        ("messages", 1),
        ("logins", 2),
        ("tenants", 0),
        ("sockets", 1),
        ("waiting", 0),
    ] {
        assert_eq!(told[name], value, "{name}: {told}");
    }
    assert!(told["database_bytes"].as_i64() > Some(10_000), "{told}");
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert!(told["uptime_seconds"].as_u64().is_some());
    let logins = root.get("/api/admin/logins").await.with(200).json();
    let logins = list(&logins, "logins");
    let of = |actor: &Actor| logins.iter().find(|it| it["person"]["id"] == actor.id);
    assert_eq!(of(&ann).expect("hers")["connected"], true);
    drop(line);
    let told = ask(&root, "POST", "/api/admin/figures", &[]).await;
    told.refused(405, "method_not_allowed");
}
