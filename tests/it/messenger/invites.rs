//! Invitations: coming into a chat by a link, with an account and without one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::world::World,
};

/// Makes an invitation, and returns what is told of it.
async fn invite(actor: &Actor, chat: i64, terms: &[(&str, &str)]) -> Value {
    let path = format!("/api/chats/{chat}/invites");
    actor.post(&path, terms).await.with(200).json()
}

async fn code_of(actor: &Actor, chat: i64, terms: &[(&str, &str)]) -> String {
    text(&invite(actor, chat, terms).await, "code")
}

async fn accept(actor: &Actor, code: &str) -> Told {
    actor.post(&format!("/api/invites/{code}"), &[]).await
}

async fn sign_up(world: &World, name: &str, code: &str) -> Told {
    let form = [
        ("name", name),
        ("password", PASSWORD),
        ("email", "a@example.com"),
        ("invite", code),
    ];
    world.post("/api/reg", &form).await
}

async fn listed(actor: &Actor, chat: i64) -> Vec<Value> {
    let told = actor.get(&format!("/api/chats/{chat}/invites")).await;
    list(&told.with(200).json(), "invites")
}

#[rocket::async_test]
async fn an_invitation_tells_what_it_is_to_and_brings_people_in() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make_private("plans", &[]).await;
    let made = invite(&ann, chat, &[("uses", "2"), ("expires", "3600")]).await;
    let code = text(&made, "code");
    assert_eq!(
        json!([made["status"], made["url"], made["uses_left"]]),
        json!(["ok", format!("/invite/{code}"), 2])
    );
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    assert!(code.len() == 22 && code.chars().all(is_plain), "{code}");
    // Everybody who has the code is told what it is to, and no more.
    let told = world.get(&format!("/api/invites/{code}")).await.with(200);
    let expected = json!({"title": "plans", "members_count": 1, "invited_by": "ann",
        "expires_at": made["expires_at"]});
    assert_eq!(told.json(), expected);
    let since = ann.now().await;
    let came = accept(&bo, &code).await.ok(200);
    assert_eq!(came.header("Location"), format!("/api/chats/{chat}"));
    assert_eq!(bo.chat(chat).await["role"], "member");
    let (events, _) = ann.events(&since, 0).await;
    assert_eq!(
        json!([events[0]["type"], events[0]["person"]["id"]]),
        json!(["member", bo.id])
    );
    // Who is in it comes again as often as they like, and uses nothing.
    accept(&bo, &code).await.ok(200);
    accept(&ann, &code).await.ok(200);
    let shown = &listed(&ann, chat).await[0];
    assert_eq!(
        json!([
            shown["prefix"],
            shown["uses_left"],
            shown["created_by"],
            shown.get("code")
        ]),
        json!([code[..4], 1, ann.id, null])
    );
    // What is kept of a code is a hash.
    let mut beside = world.place.beside().await;
    let kept = format!(
        "select count(*) from invites where code_hash like '%{code}%' or prefix = '{code}'"
    );
    assert_eq!(beside.number(&kept).await, 0);
    let world = world.restart().await;
    let cy = world.actor("cy").await;
    accept(&cy, &code).await.ok(200);
    let dee = world.actor("dee").await;
    accept(&dee, &code).await.refused(404, "not_found");
    accept(&cy, &code).await.ok(200);
    world
        .get(&format!("/api/invites/{code}"))
        .await
        .refused(404, "not_found");
    assert_eq!(listed(&ann.at(&world), chat).await, Vec::<Value>::new());
    world.stop().await;
}

#[rocket::async_test]
async fn an_invitation_ends_in_many_ways_and_then_opens_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let mut beside = world.place.beside().await;
    for how in ["code", "id", "expired", "demoted", "left", "deleted"] {
        let chat = ann.make_private(how, &[&bo]).await;
        let path = format!("/api/chats/{chat}");
        let rank = format!("{path}/members/{}", bo.id);
        ann.patch(&rank, &[("role", "admin")]).await.ok(200);
        let code = code_of(&bo, chat, &[]).await;
        world.get(&format!("/api/invites/{code}")).await.with(200);
        match how {
            "code" => drop(ann.delete(&format!("{path}/invites/{code}")).await.ok(200)),
            "id" => {
                let id = &listed(&ann, chat).await[0]["id"];
                ann.delete(&format!("{path}/invites/{id}")).await.ok(200);
                ann.delete(&format!("{path}/invites/{id}"))
                    .await
                    .refused(404, "not_found");
            }
            "expired" => beside.run("update invites set expires_at = 1").await,
            "demoted" => drop(ann.patch(&rank, &[("role", "member")]).await.ok(200)),
            "left" => bo.leave(chat).await,
            _ => drop(ann.delete(&path).await.ok(200)),
        }
        world
            .get(&format!("/api/invites/{code}"))
            .await
            .refused(404, "not_found");
        accept(&cy, &code).await.refused(404, "not_found");
        sign_up(&world, "newcomer", &code)
            .await
            .refused(400, "bad_request");
        // Nobody comes back by an invitation of their own.
        if how == "left" {
            accept(&bo, &code).await.refused(404, "not_found");
        }
    }
    let people = beside
        .number("select count(*) from people where name = 'newcomer'")
        .await;
    assert_eq!(people, 0);
    for code in ["x", "AAAAAAAAAAAAAAAAAAAAAA", "1", "a.b", "%20"] {
        world
            .get(&format!("/api/invites/{code}"))
            .await
            .refused(404, "not_found");
        accept(&cy, code).await.refused(404, "not_found");
    }
    world.stop().await;
}

#[rocket::async_test]
async fn who_may_not_invite_is_refused_and_who_was_removed_stays_out() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let chat = ann.make_private("plans", &[&bo, &dee]).await;
    let code = code_of(&ann, chat, &[]).await;
    let path = format!("/api/chats/{chat}");
    ann.delete(&format!("{path}/members/{}", dee.id))
        .await
        .ok(200);
    let invites = format!("{path}/invites");
    let one = format!("{invites}/{code}");
    for (who, status, code) in [
        (&bo, 403, "forbidden"),
        (&cy, 404, "not_found"),
        (&dee, 404, "not_found"),
    ] {
        who.post(&invites, &[]).await.refused(status, code);
        who.get(&invites).await.refused(status, code);
        who.delete(&one).await.refused(status, code);
    }
    for (method, path) in [
        (Method::POST, &invites),
        (Method::GET, &invites),
        (Method::DELETE, &one),
        (Method::POST, &format!("/api/invites/{code}")),
    ] {
        let request = world
            .http
            .request(method, format!("{}{path}", world.base()));
        Told::of(request).await.refused(401, "unauthenticated");
    }
    accept(&dee, &code).await.refused(403, "forbidden");
    let direct = ann
        .post("/api/chats", &[("members", &bo.id.to_string())])
        .await;
    let direct = direct.ok(201).header("Location").to_owned();
    ann.post(&format!("{direct}/invites"), &[])
        .await
        .refused(403, "forbidden");
    for wrong in [
        ("uses", "0"),
        ("uses", "10001"),
        ("uses", "x"),
        ("expires", "0"),
        ("expires", "31536001"),
        ("expires", "x"),
    ] {
        ann.post(&invites, &[wrong])
            .await
            .refused(400, "bad_request");
    }
    // Another chat's admins take nothing back here.
    let other = cy.make_private("other", &[]).await;
    cy.delete(&format!("/api/chats/{other}/invites/{code}"))
        .await
        .refused(404, "not_found");
    world.get(&format!("/api/invites/{code}")).await.with(200);
    for _ in 1..50 {
        invite(&ann, chat, &[]).await;
    }
    ann.post(&invites, &[]).await.refused(409, "conflict");
    ann.delete(&one).await.ok(200);
    invite(&ann, chat, &[]).await;
    let page = ann
        .get(&format!("{invites}?limit=30"))
        .await
        .with(200)
        .json();
    let first = list(&page, "invites");
    let before = &first.last().expect("some")["id"];
    let rest = ann
        .get(&format!("{invites}?limit=30&before={before}"))
        .await;
    let rest = rest.with(200).json();
    assert_eq!(
        json!([page["has_more"], rest["has_more"]]),
        json!([true, false])
    );
    let ids = first
        .iter()
        .chain(rest["invites"].as_array().expect("a list"));
    let ids: BTreeSet<_> = ids.map(|invite| invite["id"].to_string()).collect();
    assert_eq!(ids.len(), 50);
    world.stop().await;
}

#[rocket::async_test]
async fn signing_up_by_an_invitation_works_where_registration_is_closed() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make_private("plans", &[]).await;
    let code = code_of(&ann, chat, &[]).await;
    let told = sign_up(&world, "bo", &code).await.ok(201);
    assert_eq!(told.header("Location"), format!("/api/chats/{chat}"));
    let world = world.restart_with("registration = 'closed'").await;
    let ann = ann.at(&world);
    let since = ann.now().await;
    let form = [
        ("name", "cy"),
        ("password", PASSWORD),
        ("email", "a@example.com"),
    ];
    world
        .post("/api/reg", &form)
        .await
        .refused(403, "forbidden");
    sign_up(&world, "cy", "").await.refused(403, "forbidden");
    sign_up(&world, "cy", "AAAAAAAAAAAAAAAAAAAAAA")
        .await
        .refused(400, "bad_request");
    // A refusal leaves nothing behind, and uses nothing up.
    let once = code_of(&ann, chat, &[("uses", "1")]).await;
    for (name, password) in [("ann", PASSWORD), ("\u{430}nn", PASSWORD), ("cy", "short")] {
        let form = [
            ("name", name),
            ("password", password),
            ("email", "a@example.com"),
            ("invite", &once),
        ];
        world
            .post("/api/reg", &form)
            .await
            .refused(400, "bad_request");
    }
    sign_up(&world, "cy", &once).await.ok(201);
    let cy = Actor::sign_in(&world, "cy", PASSWORD).await;
    assert_eq!(cy.chat(chat).await["members_count"], 3);
    cy.say(chat, "here").await;
    let (events, _) = ann.events(&since, 0).await;
    let told: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(told, ["member", "message"]);
    sign_up(&world, "dee", &once)
        .await
        .refused(400, "bad_request");
    let mut beside = world.place.beside().await;
    assert_eq!(
        beside
            .number("select count(*) from people where tenant_id = 1")
            .await,
        3
    );
    beside.head_without_gaps().await;
    world.stop().await;
}

#[rocket::async_test]
async fn of_fifty_who_sign_up_at_once_by_the_last_use_one_is_let_in() {
    let world = World::with("registration = 'open'").await;
    let ann = world.actor("ann").await;
    let chat = ann.make_private("plans", &[]).await;
    let world = world.restart_with("registration = 'closed'").await;
    let ann = ann.at(&world);
    let code = code_of(&ann, chat, &[("uses", "1")]).await;
    let names: Vec<_> = (0..50).map(|number| format!("guest {number}")).collect();
    let told = join_all(names.iter().map(|name| sign_up(&world, name, &code))).await;
    let (fine, refused): (Vec<_>, Vec<_>) = told.into_iter().partition(|it| it.status == 201);
    assert_eq!((fine.len(), refused.len()), (1, 49));
    for told in refused {
        told.refused(400, "bad_request");
    }
    assert_eq!(ann.chat(chat).await["members_count"], 2);
    let mut beside = world.place.beside().await;
    assert_eq!(
        beside
            .number("select count(*) from people where tenant_id = 1")
            .await,
        2
    );
    assert_eq!(beside.number("select count(*) from logins").await, 2);
    assert_eq!(beside.number("select uses_left from invites").await, 0);
    beside.head_without_gaps().await;
    world.stop().await;
}

#[rocket::async_test]
async fn of_many_who_come_at_once_as_many_are_let_in_as_there_are_uses() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make_private("plans", &[]).await;
    let code = code_of(&ann, chat, &[("uses", "3")]).await;
    let names: Vec<_> = (0..10).map(|number| format!("guest {number}")).collect();
    let people = join_all(names.iter().map(|name| world.actor(name))).await;
    // Each asks twice at the same time.
    let told = join_all(people.iter().chain(&people).map(|who| accept(who, &code))).await;
    let fine = told.iter().filter(|told| told.status == 200).count();
    assert_eq!(ann.chat(chat).await["members_count"], 4);
    assert!((3..=6).contains(&fine), "{fine}");
    let mut beside = world.place.beside().await;
    assert_eq!(beside.number("select uses_left from invites").await, 0);
    world.stop().await;
}
