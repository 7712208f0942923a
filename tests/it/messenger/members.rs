//! Who is in a chat, and as what: adding, promoting, removing, and who may.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list},
    support::world::World,
};

/// Ids and roles, who came last first.
async fn members(actor: &Actor, chat: i64) -> Vec<Value> {
    let told = actor.get(&format!("/api/chats/{chat}/members")).await;
    let told = told.with(200).json();
    let members = list(&told, "members");
    let short = |member: &Value| json!([member["id"], member["role"]]);
    members.iter().map(short).collect()
}

async fn add(actor: &Actor, chat: i64, people: &[&Actor]) -> Told {
    let people: Vec<_> = people.iter().map(|person| person.id).collect();
    let path = format!("/api/chats/{chat}/members");
    Told::of(
        actor
            .request(Method::POST, &path)
            .json(&json!({"members": people})),
    )
    .await
}

async fn rank(actor: &Actor, chat: i64, person: &Actor, role: &str) -> Told {
    let path = format!("/api/chats/{chat}/members/{}", person.id);
    actor.patch(&path, &[("role", role)]).await
}

async fn remove(actor: &Actor, chat: i64, person: &Actor) -> Told {
    let path = format!("/api/chats/{chat}/members/{}", person.id);
    actor.delete(&path).await
}

/// What of comings, goings and roles somebody was told since a cursor.
async fn told_of(actor: &Actor, since: &str) -> Vec<Value> {
    let (events, _) = actor.events(since, 0).await;
    let members = events.iter().filter(|event| event["type"] == "member");
    let short = |event: &Value| json!([event["person"]["id"], event["role"], event["joined"]]);
    members.map(short).collect()
}

#[rocket::async_test]
async fn admins_add_promote_and_remove() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let chat = ann.make_private("plans", &[&bo]).await;
    let since = bo.now().await;
    add(&ann, chat, &[&cy, &dee, &cy]).await.ok(200);
    add(&ann, chat, &[&cy]).await.ok(200);
    rank(&ann, chat, &cy, "admin").await.ok(200);
    rank(&ann, chat, &cy, "admin").await.ok(200);
    remove(&cy, chat, &dee).await.ok(200);
    assert_eq!(
        members(&bo, chat).await,
        [
            json!([cy.id, "admin"]),
            json!([bo.id, "member"]),
            json!([ann.id, "admin"])
        ]
    );
    assert_eq!(
        told_of(&bo, &since).await,
        [
            json!([cy.id, "member", true]),
            json!([dee.id, "member", true]),
            json!([cy.id, "admin", true]),
            json!([dee.id, null, false]),
        ],
        "what changes nothing is not told"
    );
    let roles = [ann.chat(chat).await, bo.chat(chat).await].map(|chat| chat["role"].clone());
    assert_eq!(roles, ["admin", "member"]);
    // Who was removed is out until added again, and then has no rank of before.
    dee.get(&format!("/api/chats/{chat}"))
        .await
        .refused(404, "not_found");
    remove(&ann, chat, &cy).await.ok(200);
    add(&ann, chat, &[&cy, &dee]).await.ok(200);
    assert_eq!(cy.chat(chat).await["role"], "member");
    dee.say(chat, "back").await;
    world.stop().await;
}

#[rocket::async_test]
async fn a_chat_keeps_an_admin() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make_private("plans", &[&bo]).await;
    rank(&ann, chat, &ann, "member")
        .await
        .refused(409, "conflict");
    rank(&ann, chat, &bo, "admin").await.ok(200);
    rank(&ann, chat, &ann, "member").await.ok(200);
    rank(&ann, chat, &ann, "admin")
        .await
        .refused(403, "forbidden");
    rank(&bo, chat, &bo, "member")
        .await
        .refused(409, "conflict");
    // Taking oneself out is leaving: the longest member follows.
    remove(&bo, chat, &bo).await.ok(200);
    assert_eq!(members(&ann, chat).await, [json!([ann.id, "admin"])]);
    bo.get(&format!("/api/chats/{chat}"))
        .await
        .refused(404, "not_found");
    world.stop().await;
}

#[rocket::async_test]
async fn who_may_not_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let (private, open) = (
        ann.make_private("plans", &[&bo, &dee]).await,
        ann.make("tea").await,
    );
    remove(&ann, private, &dee).await.ok(200);
    bo.join(open).await;
    let since = ann.now().await;
    for chat in [private, open] {
        let path = format!("/api/chats/{chat}/members");
        for (who, status, code) in [
            (&bo, 403, "forbidden"),
            (&cy, if chat == open { 403 } else { 404 }, ""),
            (&dee, if chat == open { 403 } else { 404 }, ""),
        ] {
            let code = match (code, status) {
                ("", 403) => "forbidden",
                ("", _) => "not_found",
                (code, _) => code,
            };
            add(who, chat, &[&cy]).await.refused(status, code);
            rank(who, chat, &bo, "admin").await.refused(status, code);
            remove(who, chat, &ann).await.refused(status, code);
            let seen = if who.id == bo.id || chat == open {
                200
            } else {
                404
            };
            assert_eq!(who.get(&path).await.status, seen);
        }
        world.get(&path).await.refused(401, "unauthenticated");
        world.post(&path, &[]).await.refused(401, "unauthenticated");
        let one = format!("{path}/{}", bo.id);
        for method in [Method::PATCH, Method::DELETE] {
            let url = format!("{}{one}", world.base());
            let told = Told::of(world.http.request(method, url)).await;
            told.refused(401, "unauthenticated");
        }
        // What an admin asks for must be there, and must be said.
        add(&ann, chat, &[]).await.refused(400, "bad_request");
        ann.post(&path, &[("members", "999999")])
            .await
            .refused(400, "bad_request");
        ann.post(&path, &[("members", "x")])
            .await
            .refused(400, "bad_request");
        rank(&ann, chat, &cy, "admin")
            .await
            .refused(404, "not_found");
        for role in ["owner", "", "Admin"] {
            rank(&ann, chat, &bo, role)
                .await
                .refused(400, "bad_request");
        }
        ann.patch(&one, &[]).await.refused(400, "bad_request");
        ann.delete(&format!("{path}/999999"))
            .await
            .refused(404, "not_found");
        for wrong in ["limit=0", "before=x"] {
            ann.get(&format!("{path}?{wrong}"))
                .await
                .refused(400, "bad_request");
        }
    }
    let many: Vec<_> = (1..=1_001).map(|id| id.to_string()).collect();
    let path = format!("/api/chats/{private}/members");
    ann.post(&path, &[("members", &many.join(","))])
        .await
        .refused(400, "bad_request");
    assert_eq!(ann.events(&since, 0).await.0, Vec::<Value>::new());
    world.stop().await;
}

#[rocket::async_test]
async fn members_come_in_pages_and_none_is_missed() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut people = Vec::new();
    for number in 0..6 {
        people.push(world.actor(&format!("guest {number}")).await);
    }
    let chat = ann
        .make_private("plans", &people.iter().collect::<Vec<_>>())
        .await;
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/chats/{chat}/members?limit=3{before}");
        let page = people[0].get(&path).await.with(200).json();
        let members = list(&page, "members");
        seen.extend(members.iter().map(|member| member["id"].clone()));
        let last = members.last().expect("a page holds somebody");
        before = format!("&before={}", last["joined_position"]);
        if page["has_more"] == false {
            assert!(page["cursor"].is_string());
            break;
        }
        // A member who joins meanwhile is on no later page.
        remove(&ann, chat, &people[5]).await.ok(200);
        add(&ann, chat, &[&people[5]]).await.ok(200);
    }
    let mut expected: Vec<_> = people.iter().rev().map(|person| json!(person.id)).collect();
    expected.push(json!(ann.id));
    assert_eq!(seen, expected);
    world.stop().await;
}

#[rocket::async_test]
async fn a_direct_chat_is_of_two_people_and_nobody_governs_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let made = ann
        .post("/api/chats", &[("members", &bo.id.to_string())])
        .await;
    let path = made.ok(201).header("Location").to_owned();
    let again = bo
        .post("/api/chats", &[("members", &ann.id.to_string())])
        .await;
    assert_eq!(again.ok(200).header("Location"), path);
    let chat: i64 = path
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("a number");
    for (who, other) in [(&ann, &bo), (&bo, &ann)] {
        let listed = who.chat(chat).await;
        let shown = [
            "title",
            "direct",
            "open",
            "person_id",
            "role",
            "members_count",
            "notify",
        ];
        assert_eq!(
            json!(shown.map(|key| listed[key].clone())),
            json!([other.name, true, false, other.id, "member", 2, "all"])
        );
        add(who, chat, &[&cy]).await.refused(403, "forbidden");
        rank(who, chat, who, "admin")
            .await
            .refused(403, "forbidden");
        remove(who, chat, other).await.refused(403, "forbidden");
        who.patch(&path, &[("title", "us")])
            .await
            .refused(403, "forbidden");
        who.patch(&path, &[("open", "true")])
            .await
            .refused(403, "forbidden");
        who.delete(&path).await.refused(403, "forbidden");
    }
    cy.get(&path).await.refused(404, "not_found");
    let body = json!({"members": [bo.id], "description": "x"});
    let told = Told::of(ann.request(Method::POST, "/api/chats").json(&body)).await;
    told.refused(400, "bad_request");
    world.stop().await;
}
