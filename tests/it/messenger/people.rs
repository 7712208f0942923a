//! What people say of themselves, finding others, and the end of an account.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::poll::{answer, hold},
    support::security_world::{By, CONNECTIONS, Connection, Credentials},
    support::stream::Events,
    support::world::World,
};

/// A private chat of somebody with others.
async fn private(who: &Actor, others: &[&Actor]) -> i64 {
    let members: Vec<_> = others.iter().map(|other| other.id.to_string()).collect();
    let form = [
        ("title", "private"),
        ("private", "true"),
        ("members", &members.join(",")),
    ];
    let told = who.post("/api/chats", &form).await.ok(201);
    let id = told.header("Location").rsplit('/').next();
    id.and_then(|id| id.parse().ok())
        .expect("where the chat is")
}

async fn rename(who: &Actor, name: &str) -> Value {
    let told = who.patch("/api/me", &[("name", name)]).await;
    told.with(200).json()
}

async fn end(who: &Actor, password: &str) -> Told {
    let request = who.request(reqwest::Method::DELETE, "/api/me");
    Told::of(request.form(&[("password", password)])).await
}

/// The events of people among what somebody was told.
fn of_people(events: &[Value]) -> Vec<Value> {
    let of_people = events.iter().filter(|event| event["type"] == "person");
    of_people
        .map(|event| json!([event["person"]["id"], event["person"]["name"]]))
        .collect()
}

#[rocket::async_test]
async fn a_new_name_is_shown_everywhere_at_once() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = private(&ann, &[&bo]).await;
    ann.say(chat, "as ann").await;
    let since = bo.now().await;
    let mut stream = Events::open(&bo, &format!("/api/events?after={since}"), None).await;
    let held = hold(&bo, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(2).await;
    let me = rename(&ann, "Anna Lee").await;
    assert_eq!(me["name"], "Anna Lee");
    let told = answer(held).await.with(200).json();
    let expected = json!({"type": "person", "position": told["events"][0]["position"],
        "person": {"id": ann.id, "name": "Anna Lee", "photo": null, "deleted_at": null}});
    assert_eq!(told["events"], json!([expected]));
    let block = stream.event().await;
    assert_eq!(
        (block.event.as_deref(), block.json()),
        (Some("person"), expected)
    );
    // What she says from now on, also by a connection that was there before, bears the new name.
    ann.say(chat, "as anna").await;
    let said = stream.event().await.json();
    assert_eq!(said["people"], json!([{"id": ann.id, "name": "Anna Lee"}]));
    let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    assert_eq!(page["people"], json!([{"id": ann.id, "name": "Anna Lee"}]));
    let chats = bo.get("/api/chats").await.with(200).json();
    assert_eq!(chats["people"], json!([{"id": ann.id, "name": "Anna Lee"}]));
    assert_eq!(ann.get("/api/me").await.with(200).json(), me);
}

#[rocket::async_test]
async fn a_direct_chat_is_called_as_the_other_one_is_now() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let form = [("members", ann.id.to_string())];
    let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
    bo.post("/api/chats", &form).await.ok(201);
    rename(&ann, "anna").await;
    let (chats, _) = bo.chats().await;
    assert_eq!(chats[0]["title"], "anna");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_of_before_speaks_under_the_new_name() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = private(&ann, &[&bo]).await;
    for (number, by) in CONNECTIONS.into_iter().enumerate() {
        let mut socket = opened(&world, by, &ann).await;
        let say = |text: &str| json!({"chat": {"id": chat}, "user": {"id": ann.id}, "message": {"type": "text", "value": text}});
        let first = socket.ask("new-message", &say("before")).await;
        assert_eq!(first.expect("it stands")["status"], "ok");
        let since = bo.now().await;
        let name = format!("anna {number}");
        rename(&ann, &name).await;
        let second = socket.ask("new-message", &say("after")).await;
        assert_eq!(second.expect("it stands")["status"], "ok");
        let (events, _) = bo.events(&since, 5).await;
        let said: Vec<_> = events.iter().filter(|it| it["type"] == "message").collect();
        assert_eq!(
            said[0]["people"],
            json!([{"id": ann.id, "name": name}]),
            "{by:?}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_whose_person_had_too_many_names_is_closed_so_that_its_client_comes_back() {
    let world = World::new().await;
    let (ann, _) = world.ann_and_bo().await;
    for by in [By::WebSocket4, By::Polling4] {
        let mut socket = opened(&world, by, &ann).await;
        let list = json!({"user": {"id": ann.id}});
        let told = socket.ask("list-chats", &list).await;
        assert_eq!(told.expect("it stands")["status"], "ok");
        for number in 0..33 {
            rename(&ann, &format!("{by:?} {number}")).await;
        }
        let heard = socket.heard_to_the_end().await;
        // After this packet a client would stay away.
        assert!(!heard.iter().any(|packet| packet == "41"), "{heard:?}");
    }
    world.stop().await;
}

async fn opened(world: &World, by: By, who: &Actor) -> Connection {
    let connection = Connection::open(world, by, &Credentials::of(who)).await;
    connection.expect("it is let in")
}

#[rocket::async_test]
async fn those_are_told_who_share_a_chat_and_nobody_else() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let chat = private(&ann, &[&bo, &dee]).await;
    let open = ann.make("open").await;
    cy.get(&format!("/api/chats/{open}")).await.with(200);
    dee.leave(chat).await;
    let since = cy.now().await;
    // Those who listen have topics of their own, which are asked first.
    let held: Vec<_> = [&bo, &cy, &dee]
        .map(|who| hold(who, "/api/events?timeout=50"))
        .into();
    world.waiting(3).await;
    rename(&ann, "anna").await;
    ann.leave(chat).await;
    // She is no member any more, and her messages are there: so is her new name.
    rename(&ann, "annie").await;
    let marker = ann.make("marker").await;
    for held in held {
        answer(held).await.with(200);
    }
    let told = async |who: &Actor, world: &World| {
        let (events, _) = who.at(world).events(&since, 5).await;
        assert!(
            events.iter().any(|event| event["chat_id"] == marker),
            "{}",
            who.name
        );
        of_people(&events)
    };
    let expected = [json!([ann.id, "anna"]), json!([ann.id, "annie"])];
    assert_eq!(told(&bo, &world).await, expected);
    assert_eq!(told(&ann, &world).await, expected);
    assert!(told(&cy, &world).await.is_empty());
    assert!(told(&dee, &world).await.is_empty());
    // The log says the same, of the person as they are by now.
    let world = world.restart().await;
    let expected = [json!([ann.id, "annie"]), json!([ann.id, "annie"])];
    for who in [&ann, &bo] {
        assert_eq!(told(who, &world).await, expected);
    }
    for who in [&cy, &dee] {
        assert!(told(who, &world).await.is_empty());
    }
}

#[rocket::async_test]
async fn a_name_is_its_owners_alone() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    for taken in [
        "bo",
        " BO ",
        "b\u{200b}o",
        "deleted",
        "Deleted",
        "\u{441}y \u{441}y x",
    ] {
        let told = ann.patch("/api/me", &[("name", taken)]).await;
        if taken.contains('\u{441}') {
            told.refused(400, "bad_request");
            continue;
        }
        told.refused(400, "bad_request");
    }
    for wrong in ["", "  ", "a\nb", &"x".repeat(65)] {
        let told = ann.patch("/api/me", &[("name", wrong)]).await;
        told.refused(400, "bad_request");
    }
    // Only its spelling.
    assert_eq!(rename(&ann, "ANN").await["name"], "ANN");
    assert_eq!(rename(&ann, "anna").await["name"], "anna");
    // The old name is free, and nobody signs in by it.
    let form = [("name", "ann"), ("password", PASSWORD)];
    world
        .post("/api/login", &form)
        .await
        .refused(400, "bad_request");
    let again = Actor::sign_in(&world, "Anna", PASSWORD).await;
    assert_eq!(again.id, ann.id);
    let other = world.actor("ann").await;
    assert_ne!(other.id, ann.id);
    rename(&bo, "bob").await;
    ann.patch("/api/me", &[("name", "ann")])
        .await
        .refused(400, "bad_request");
    world
        .post(
            "/api/reg",
            &[
                ("name", "anna"),
                ("password", PASSWORD),
                ("email", "a@b.example"),
            ],
        )
        .await
        .refused(400, "bad_request");
    for reserved in ["deleted", "DELETED"] {
        let form = [
            ("name", reserved),
            ("password", PASSWORD),
            ("email", "a@b.example"),
        ];
        world
            .post("/api/reg", &form)
            .await
            .refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn one_of_two_who_want_a_name_gets_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    for round in 0..8 {
        let name = format!("cy {round}");
        let form = [("name", name.as_str())];
        let reg = [
            ("name", name.as_str()),
            ("password", PASSWORD),
            ("email", "a@b.example"),
        ];
        let (one, other, third) = futures_util::join!(
            ann.patch("/api/me", &form),
            bo.patch("/api/me", &form),
            world.post("/api/reg", &reg)
        );
        let told = [one.status, other.status, third.status];
        let won = told.iter().filter(|status| **status < 300).count();
        assert_eq!(won, 1, "{told:?}");
        assert!(
            told.iter().all(|status| matches!(status, 200 | 201 | 400)),
            "{told:?}"
        );
    }
}

#[rocket::async_test]
async fn a_picture_is_an_address_and_an_email_one_of_mail() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = private(&ann, &[&bo]).await;
    let since = bo.now().await;
    let photo = "https://example.com/ann.png";
    let me = ann
        .patch("/api/me", &[("photo", photo)])
        .await
        .with(200)
        .json();
    assert_eq!((&me["photo"], &me["name"]), (&photo.into(), &"ann".into()));
    // Nobody else sees an address of mail, so nobody is told of another one.
    let me = ann
        .patch("/api/me", &[("email", "ann@mail.example")])
        .await
        .with(200)
        .json();
    assert_eq!(
        (&me["photo"], &me["email"]),
        (&photo.into(), &"ann@mail.example".into())
    );
    ann.patch("/api/me", &[]).await.with(200);
    let found = bo
        .get(&format!("/api/people/{}", ann.id))
        .await
        .with(200)
        .json();
    assert_eq!(found["photo"], photo);
    assert!(found.get("email").is_none());
    assert_eq!(me["external_photos"], true);
    let me = ann
        .patch("/api/me", &[("photo", "")])
        .await
        .with(200)
        .json();
    assert_eq!(me["photo"], Value::Null);
    let (events, _) = bo.events(&since, 5).await;
    let photos: Vec<_> = events
        .iter()
        .map(|event| &event["person"]["photo"])
        .collect();
    assert_eq!(photos.len(), 2, "{events:?}");
    for wrong in ["javascript:alert(1)", "photo.png", "ftp://a.example/b"] {
        ann.patch("/api/me", &[("photo", wrong)])
            .await
            .refused(400, "bad_request");
    }
    ann.patch("/api/me", &[("email", "nobody")])
        .await
        .refused(400, "bad_request");
    assert_ne!(chat, 0);
}

#[rocket::async_test]
async fn people_are_found_by_how_their_names_begin() {
    let world = World::new().await;
    let ann = world.actor("Ann Lee").await;
    for name in ["anna", "ANTON", "bo", "\u{c4}nne", "an_"] {
        world.actor(name).await;
    }
    let names = async |path: &str| {
        let json = ann.get(path).await.with(200).json();
        let people = list(&json, "people");
        let names: Vec<_> = people.iter().map(|person| text(person, "name")).collect();
        (names, json["has_more"] == true)
    };
    let all = ["an_", "Ann Lee", "anna", "ANTON", "bo", "\u{c4}nne"];
    assert_eq!(
        names("/api/people").await,
        (all.map(str::to_owned).into(), false)
    );
    let (found, _) = names("/api/people?query=aN").await;
    assert_eq!(found, ["an_", "Ann Lee", "anna", "ANTON"]);
    assert_eq!(names("/api/people?query=ANN%20l").await.0, ["Ann Lee"]);
    assert_eq!(names("/api/people?query=%C3%A4").await.0, ["\u{c4}nne"]);
    assert_eq!(names("/api/people?query=an_").await.0, ["an_"]);
    assert!(names("/api/people?query=an%25").await.0.is_empty());
    // Page by page.
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let json = ann
            .get(&format!("/api/people?limit=2{before}"))
            .await
            .with(200)
            .json();
        let page = list(&json, "people");
        seen.extend(page.iter().map(|person| text(person, "name")));
        let last = page.last().expect("no page is empty");
        before = format!("&before={}", last["id"]);
        if json["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, all);
    let long = "x".repeat(65);
    for wrong in ["limit=0", "limit=201", "before=x", &format!("query={long}")] {
        let told = ann.get(&format!("/api/people?{wrong}")).await;
        told.refused(400, "bad_request");
    }
    for path in ["/api/people", "/api/people/1"] {
        world.get(path).await.refused(401, "unauthenticated");
    }
    ann.get("/api/people/999999")
        .await
        .refused(404, "not_found");
    ann.get("/api/people/x").await.refused(404, "not_found");
}

#[rocket::async_test]
async fn those_who_share_a_small_chat_know_who_is_online() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let person = async |who: &Actor, of: &Actor| {
        let found = who.get(&format!("/api/people/{}", of.id)).await;
        found.with(200).json()
    };
    let found = person(&ann, &bo).await;
    assert_eq!(
        (&found["online"], &found["last_seen"]),
        (&Value::Null, &Value::Null)
    );
    let chat = private(&ann, &[&cy]).await;
    assert_eq!(person(&ann, &cy).await["online"], false);
    assert!(text(&person(&ann, &cy).await, "last_seen").ends_with('Z'));
    let held = hold(&cy, "/api/events?after=now&timeout=50");
    world.waiting(1).await;
    assert_eq!(person(&ann, &cy).await["online"], true);
    ann.say(chat, "hi").await;
    answer(held).await.with(200);
    // For a minute after.
    assert_eq!(person(&ann, &cy).await["online"], true);
    assert_eq!(person(&bo, &cy).await["online"], Value::Null);
    // In a larger chat nobody is told.
    let mut beside = world.place.beside().await;
    beside
        .run(&format!(
            "update chats set members_count = 51 where id = {chat}"
        ))
        .await;
    assert_eq!(person(&ann, &cy).await["online"], Value::Null);
    assert_eq!(person(&cy, &cy).await["online"], true);
}

#[rocket::async_test]
async fn a_deleted_account_leaves_what_it_wrote_and_nothing_else() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let chat = private(&ann, &[&bo, &cy]).await;
    ann.say(chat, "stays").await;
    let direct = [("members", bo.id.to_string())];
    let direct = direct.each_ref().map(|(key, value)| (*key, value.as_str()));
    ann.post("/api/chats", &direct).await.ok(201);
    end(&ann, "wrong horse").await.refused(400, "bad_request");
    end(&ann, "").await.refused(400, "bad_request");
    Told::of(ann.request(reqwest::Method::DELETE, "/api/me"))
        .await
        .refused(400, "bad_request");
    ann.get("/api/me").await.with(200);
    let since = bo.now().await;
    let told = end(&ann, PASSWORD).await.ok(200);
    for cookie in ["user_id", "token"] {
        assert_eq!(told.cookie(cookie).expect("both are emptied").0, "");
    }
    ann.get("/api/me").await.refused(401, "unauthenticated");
    let (events, _) = bo.events(&since, 5).await;
    let first = &events[0];
    assert_eq!(
        json!([
            first["type"],
            first["person"]["id"],
            first["person"]["name"]
        ]),
        json!(["person", ann.id, "deleted"])
    );
    assert!(text(&first["person"], "deleted_at").ends_with('Z'));
    // The longest member of the chat becomes its admin.
    let passages = events[1..].iter().map(|event| {
        json!([
            event["chat_id"] == chat,
            event["person"]["id"],
            event["joined"],
            event["role"]
        ])
    });
    let passages: Vec<_> = passages.collect();
    assert!(
        passages.contains(&json!([true, ann.id, false, null])),
        "{passages:?}"
    );
    assert!(
        passages.contains(&json!([true, bo.id, true, "admin"])),
        "{passages:?}"
    );
    let page = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    assert_eq!(page["messages"][0]["content"], "stays");
    assert_eq!(page["people"], json!([{"id": ann.id, "name": "deleted"}]));
    bo.get(&format!("/api/people/{}", ann.id))
        .await
        .refused(404, "not_found");
    let people = bo.get("/api/people").await.with(200).json();
    assert_eq!(list(&people, "people").len(), 2);
    // Nothing of her is kept.
    let form = [("name", "ann"), ("password", PASSWORD)];
    world
        .post("/api/login", &form)
        .await
        .refused(400, "bad_request");
    let mut beside = world.place.beside().await;
    let kept = format!(
        "select count(*) from people where id = {} and (email is not null or photo is not null \
         or account_key is not null or password_hash is not null or name <> 'deleted')",
        ann.id
    );
    assert_eq!(beside.number(&kept).await, 0);
    for table in [
        "logins",
        "name_looks",
        "second_factors",
        "recovery_codes",
        "sign_ins",
    ] {
        let sql = format!("select count(*) from {table} where person_id = {}", ann.id);
        assert_eq!(beside.number(&sql).await, 0, "{table}");
    }
    let sql = format!(
        "select count(*) from members where person_id = {} and standing = 'in'",
        ann.id
    );
    assert_eq!(beside.number(&sql).await, 0);
    // Her name is free, and its new owner is somebody else.
    let other = world.actor("ann").await;
    assert_ne!(other.id, ann.id);
    // Two accounts can be gone at a time.
    end(&other, PASSWORD).await.ok(200);
    end(&cy, PASSWORD).await.ok(200);
}

#[rocket::async_test]
async fn an_interrupted_deletion_is_finished() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = private(&ann, &[&bo]).await;
    let mut beside = world.place.beside().await;
    let gone = format!(
        "update people set deleted_at = 1, name = 'deleted' where id = {}",
        ann.id
    );
    beside.run(&gone).await;
    let since = bo.now().await;
    let done = parlance::chat::housekeeping::expire(world.services()).await;
    done.expect("the database is there");
    let (events, _) = bo.events(&since, 5).await;
    let left: Vec<_> = events
        .iter()
        .map(|event| json!([event["chat_id"], event["person"]["id"], event["joined"]]))
        .collect();
    assert_eq!(
        left,
        [json!([chat, ann.id, false]), json!([chat, bo.id, true])]
    );
}
