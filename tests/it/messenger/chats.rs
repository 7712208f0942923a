//! Chats beyond the document: lists and pages, coming and going, read marks.

use parlance::{
    chat::logins,
    model::{Clock, Name, Names, PersonKind, TenantId},
    store::NewPerson,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, contents, list, text},
    support::world::World,
};

async fn messages(actor: &Actor, path: &str) -> (Vec<String>, bool) {
    let json = actor.get(path).await.with(200).json();
    (contents(&list(&json, "messages")), json["has_more"] == true)
}

#[rocket::async_test]
async fn the_list_tells_what_i_need_to_know_of_each_chat() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let message = ann.say(chat, "hi").await;
    let shown = |listed: &Value| {
        json!(
            ["unread", "open", "member", "members_count", "last_position"]
                .map(|key| listed[key].clone())
        )
    };
    assert_eq!(
        shown(&ann.chat(chat).await),
        json!([0, true, true, 1, message])
    );
    assert_eq!(
        shown(&bo.chat(chat).await),
        json!([0, true, false, 1, message])
    );
    bo.join(chat).await;
    ann.say(chat, "bo?").await;
    let last = ann.say(chat, "bo!").await;
    assert_eq!(shown(&bo.chat(chat).await), json!([2, true, true, 2, last]));
    bo.leave(chat).await;
    assert_eq!(
        shown(&bo.chat(chat).await),
        json!([0, true, false, 1, last])
    );
    let people = bo.get("/api/chats").await.json()["people"].clone();
    assert_eq!(people, json!([{"id": ann.id, "name": "ann"}]));
}

#[rocket::async_test]
async fn the_list_comes_in_pages_by_newest_activity() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut chats = Vec::new();
    for number in 0..5 {
        chats.push(ann.make(&format!("chat {number}")).await);
    }
    ann.say(chats[1], "up").await;
    let expected = [chats[1], chats[4], chats[3], chats[2], chats[0]];
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = ann
            .get(&format!("/api/chats?limit=2{before}"))
            .await
            .with(200)
            .json();
        let listed = list(&page, "chats");
        seen.extend(
            listed
                .iter()
                .map(|chat| chat["id"].as_i64().expect("a number")),
        );
        if page["has_more"] == false {
            break;
        }
        before = format!("&before={}", listed[1]["last_position"]);
    }
    assert_eq!(seen, expected);
    for wrong in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "before=x",
        "before=-1",
        "limit=1&limit=2",
    ] {
        ann.get(&format!("/api/chats?{wrong}"))
            .await
            .refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn history_comes_in_pages_both_ways() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(ann.say(chat, &format!("m{number}")).await);
        ann.say(other, "elsewhere").await;
    }
    let path = format!("/api/chats/{chat}");
    let all: Vec<_> = (0..7).map(|number| format!("m{number}")).collect();
    assert_eq!(messages(&ann, &path).await, (all.clone(), false));
    assert_eq!(
        messages(&ann, &format!("{path}?limit=3")).await,
        (all[4..].to_vec(), true)
    );
    let older = format!("{path}?limit=3&before={}", ids[4]);
    assert_eq!(messages(&ann, &older).await, (all[1..4].to_vec(), true));
    let oldest = format!("{path}?limit=3&before={}", ids[1]);
    assert_eq!(messages(&ann, &oldest).await, (all[..1].to_vec(), false));
    assert_eq!(
        messages(&ann, &format!("{path}?before={}", ids[0])).await,
        (vec![], false)
    );
    assert_eq!(
        messages(&ann, &format!("{path}?before=0")).await,
        (vec![], false)
    );

    let newer = ann
        .get(&format!("{path}?after={}&limit=2", ids[1]))
        .await
        .with(200)
        .json();
    assert_eq!(contents(&list(&newer, "messages")), ["m2", "m3"]);
    assert_eq!(
        (&newer["more"], &newer["retry_ms"]),
        (&json!(true), &json!(0))
    );
    let rest = ann
        .get(&format!("{path}?after={}", text(&newer, "cursor")))
        .await
        .with(200)
        .json();
    assert_eq!(contents(&list(&rest, "messages")), ["m4", "m5", "m6"]);
    assert_eq!(rest["more"], false);
    let end = ann
        .get(&format!("{path}?after={}", text(&rest, "cursor")))
        .await
        .with(200)
        .json();
    assert_eq!(end["messages"], json!([]));

    for wrong in [
        "limit=0",
        "limit=201",
        "before=x",
        "before=1&after=1",
        "after=1&timeout=x",
        "after=1&timeout=1.5",
    ] {
        ann.get(&format!("{path}?{wrong}"))
            .await
            .refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn one_message_is_found_in_its_own_chat_only() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    let id = ann.say(chat, "hi").await;
    let one = bo
        .get(&format!("/api/chats/{chat}/messages/{id}"))
        .await
        .with(200)
        .json();
    for (key, value) in [
        ("content", json!("hi")),
        ("id", json!(id)),
        ("sender_id", json!(ann.id)),
        ("chat_id", json!(chat)),
        ("type", json!("text")),
        ("edited_at", Value::Null),
        ("deleted_at", Value::Null),
        ("client_id", Value::Null),
    ] {
        assert_eq!(one[key], value, "{key}");
    }
    for nothing in [
        format!("/api/chats/{other}/messages/{id}"),
        format!("/api/chats/999999/messages/{id}"),
        format!("/api/chats/{chat}/messages/999999"),
        format!("/api/chats/{chat}/messages/0"),
        format!("/api/chats/{chat}/messages/x"),
        format!("/api/chats/{chat}/messages/-1"),
        format!("/api/chats/{chat}/messages/99999999999999999999"),
    ] {
        bo.get(&nothing).await.refused(404, "not_found");
    }
    world
        .get(&format!("/api/chats/{chat}/messages/{id}"))
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn people_come_and_go() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let since = bo.now().await;
    bo.join(chat).await;
    bo.join(chat).await;
    assert_eq!(bo.chat(chat).await["members_count"], 2);
    bo.leave(chat).await;
    bo.leave(chat).await;
    assert_eq!(bo.chat(chat).await["members_count"], 1);
    let (events, _) = bo.events(&since, 0).await;
    let joined: Vec<_> = events.iter().map(|event| &event["joined"]).collect();
    assert_eq!(joined, [true, false], "coming twice is coming once");
    for gone in ["join", "leave"] {
        let path = format!("/api/chats/999999/{gone}");
        bo.post(&path, &[]).await.refused(404, "not_found");
        bo.post(&format!("/api/chats/x/{gone}"), &[])
            .await
            .refused(404, "not_found");
        world
            .post(&format!("/api/chats/{chat}/{gone}"), &[])
            .await
            .refused(401, "unauthenticated");
        Told::of(bo.request(Method::GET, &format!("/api/chats/{chat}/{gone}")))
            .await
            .refused(405, "method_not_allowed");
    }
}

#[rocket::async_test]
async fn who_posts_becomes_a_member() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    ann.say(chat, "anybody?").await;
    bo.say(chat, "me").await;
    let seen = bo.chat(chat).await;
    assert_eq!(
        json!([seen["member"], seen["members_count"], seen["unread"]]),
        json!([true, 2, 0])
    );
}

#[rocket::async_test]
async fn a_chat_with_members_has_an_admin() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    cy.join(chat).await;
    let since = cy.now().await;
    let admins = async |since: &str| {
        let (events, _) = cy.events(since, 0).await;
        let admins = events.iter().filter(|event| event["role"] == "admin");
        admins
            .map(|event| event["person"]["id"].as_i64().expect("a number"))
            .collect::<Vec<_>>()
    };
    ann.leave(chat).await;
    assert_eq!(
        admins(&since).await,
        [bo.id],
        "the longest member follows the last admin"
    );
    ann.join(chat).await;
    bo.leave(chat).await;
    assert_eq!(
        admins(&since).await,
        [bo.id, cy.id],
        "who came back has not been there longest"
    );
    ann.leave(chat).await;
    cy.leave(chat).await;
    let empty = cy.now().await;
    cy.say(chat, "alone").await;
    assert_eq!(
        admins(&empty).await,
        [cy.id],
        "who posts to an empty chat runs it"
    );
    cy.leave(chat).await;
    let empty = cy.now().await;
    cy.join(chat).await;
    assert_eq!(
        admins(&empty).await,
        [cy.id],
        "who joins an empty chat runs it"
    );
}

#[rocket::async_test]
async fn who_was_removed_stays_out() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.say_as(chat, "rude", "k1").await.ok(201);
    let mut beside = world.place.beside().await;
    beside
        .run(&format!(
            "update members set standing = 'removed' where person_id = {}",
            bo.id
        ))
        .await;
    for path in ["", "/join"] {
        bo.post(
            &format!("/api/chats/{chat}{path}"),
            &[("content", "let me in")],
        )
        .await
        .refused(403, "forbidden");
    }
    bo.say_as(chat, "rude", "k1")
        .await
        .refused(403, "forbidden");
    bo.post(&format!("/api/chats/{chat}/read"), &[("up_to", "99")])
        .await
        .refused(403, "forbidden");
}

#[rocket::async_test]
async fn another_tenants_people_see_and_hear_nothing_of_ours() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let message = ann.say(chat, "hi").await;
    let store = world.store();
    let name = Name::parse("eve").expect("a sound name");
    let now = Clock.now();
    let tenant = TenantId::new(2);
    let new = NewPerson {
        tenant,
        kind: PersonKind::Person,
        name,
        names: Names::default(),
        photo: None,
        external_id: None,
        email: None,
        account_key: None,
        password_hash: None,
    };
    let token = "e".repeat(64);
    let hash = logins::hash(&token);
    let added = store.write(tenant, move |tx| {
        Box::pin(async move {
            let person = tx.insert_person(&new, now).await?;
            tx.insert_login((tenant, person), &hash, None, None, now)
                .await?;
            Ok(person)
        })
    });
    let person = added.await.expect("a person of another tenant");
    let eve = ann.with_login("eve", person.get(), token);

    assert_eq!(eve.chats().await.0, Vec::<Value>::new());
    let since = eve.now().await;
    for path in ["", "/messages/1", "?after=0"] {
        eve.get(&format!("/api/chats/{chat}{path}"))
            .await
            .refused(404, "not_found");
    }
    eve.get(&format!("/api/chats/{chat}/messages/{message}"))
        .await
        .refused(404, "not_found");
    for path in ["", "/join", "/leave", "/read"] {
        eve.post(
            &format!("/api/chats/{chat}{path}"),
            &[("content", "hi"), ("up_to", "1")],
        )
        .await
        .refused(404, "not_found");
    }
    ann.make("ours").await;
    let theirs = eve.make("TEA").await;
    let (events, _) = eve.events(&since, 0).await;
    assert!(
        events.iter().all(|event| event["chat_id"] == theirs),
        "{events:?}"
    );
    let (events, _) = ann.events(&since, 0).await;
    assert!(
        events.iter().all(|event| event["chat_id"] != theirs),
        "{events:?}"
    );
    let (replayed, _) = eve.events(&format!("{}0", &since[..11]), 0).await;
    assert!(
        replayed.iter().all(|event| event["chat_id"] == theirs),
        "{replayed:?}"
    );
}
