//! Every act of an administrator is written down, once and exactly; what changes nothing is no act.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, list},
    support::administration::{acts, administrator, ask, link_token},
    support::world::World,
};

#[rocket::async_test]
async fn every_act_is_written_down_once() {
    let world = World::with("ip_header = 'X-Real-IP'").await;
    let root = administrator(&world, "root").await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    let message = bo.say(chat, "hello").await;
    let person = format!("/api/admin/people/{}", bo.id);
    let under = |end: &str| format!("{person}/{end}");
    let promote = [("administrator", "true")];
    let demote = [("administrator", "false")];

    let made = root.post("/api/admin/people", &[("name", "cy")]).await;
    let cy = made.with(201).json()["id"].as_i64().expect("a number");
    let invited = root.post("/api/admin/invitations", &[]).await.with(201);
    assert_eq!(link_token(&invited, "invited").len(), 64);
    let told = root.get("/api/admin/invitations").await.with(200).json();
    let invitation = format!("/api/admin/invitations/{}", told["invitations"][0]["id"]);
    root.delete(&invitation).await.ok(200);
    ask(&root, "PATCH", &person, &promote).await.ok(200);
    ask(&root, "PATCH", &person, &demote).await.ok(200);
    root.post(&under("password-link"), &[]).await.with(201);
    root.post(&under("logout"), &[]).await.ok(200);
    let again = Actor::sign_in(&world, "bo", PASSWORD).await;
    let logins = root.get("/api/admin/logins").await.with(200).json();
    let login = &logins["logins"][0];
    assert_eq!(login["person"]["id"], again.id);
    let login = format!("/api/admin/logins/{}", login["id"]);
    root.delete(&login).await.ok(200);
    again.get("/api/me").await.refused(401, "unauthenticated");
    root.post(&under("deactivate"), &[]).await.ok(200);
    root.post(&under("reactivate"), &[]).await.ok(200);
    let named = [("name", "Robert")];
    ask(&root, "PATCH", &person, &named).await.ok(200);
    root.delete(&format!("/api/admin/people/{cy}"))
        .await
        .ok(200);
    let below = format!("/api/admin/chats/{chat}");
    root.delete(&format!("{below}/messages/{message}"))
        .await
        .ok(200);
    root.delete(&below).await.ok(200);
    let closed = [("registration", "closed")];
    ask(&root, "PUT", "/api/admin/registration", &closed)
        .await
        .ok(200);
    let preset = [("registration", "default")];
    ask(&root, "PUT", "/api/admin/registration", &preset)
        .await
        .ok(200);

    let expected = json!([
        ["root", "create", "person", "cy", null],
        ["root", "invite", "invitation", null, null],
        ["root", "revoke_invitation", "invitation", null, null],
        ["root", "promote", "person", "bo", null],
        ["root", "demote", "person", "bo", null],
        ["root", "password_link", "person", "bo", null],
        ["root", "sign_out", "person", "bo", null],
        ["root", "end_login", "person", "bo", null],
        ["root", "deactivate", "person", "bo", null],
        ["root", "reactivate", "person", "bo", null],
        ["root", "rename", "person", "bo", "to Robert"],
        ["root", "delete", "person", "cy", null],
        [
            "root",
            "take_down",
            "message",
            null,
            format!("in chat {chat}, tea")
        ],
        ["root", "delete", "chat", "tea", null],
        ["root", "set_registration", "server", null, "closed"],
        ["root", "set_registration", "server", null, "default"],
    ]);
    assert_eq!(Value::from(acts(&root).await), expected);
    let told = root.get("/api/admin/audit?limit=200").await.json();
    let entries = list(&told, "audit");
    assert_eq!(entries[0]["by"]["id"], root.id);
    assert_eq!(entries[0]["address"], "127.0.0.1");
    assert_eq!(entries[3]["target"]["id"], message);
    assert_eq!(entries[15]["target"]["id"], cy);
    let machine = &entries[16];
    assert_eq!(
        (&machine["act"], &machine["by"]),
        (&json!("promote"), &Value::Null)
    );
    assert_eq!((&machine["address"], entries.len()), (&Value::Null, 17));

    // Pages of it, from the newest on.
    let mut pages = Vec::new();
    let mut path = "/api/admin/audit?limit=6".to_owned();
    loop {
        let page = root.get(&path).await.with(200).json();
        pages.extend(list(&page, "audit"));
        if page["has_more"] == false {
            break;
        }
        path = format!(
            "/api/admin/audit?limit=6&before={}",
            pages[pages.len() - 1]["id"]
        );
    }
    assert_eq!(pages, entries);
}

#[rocket::async_test]
async fn the_address_is_the_one_that_the_proxy_tells() {
    let world = World::with("ip_header = 'X-Real-IP'").await;
    let root = administrator(&world, "root").await;
    let request = root.request(reqwest::Method::POST, "/api/admin/invitations");
    let told = crate::support::actor::Told::of(request.header("X-Real-IP", "203.0.113.9")).await;
    told.with(201);
    let told = root.get("/api/admin/audit?limit=1").await.json();
    assert_eq!(told["audit"][0]["address"], "203.0.113.9");
}

#[rocket::async_test]
async fn what_changes_nothing_leaves_no_entry() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    let message = bo.say(chat, "hello").await;
    let person = format!("/api/admin/people/{}", bo.id);
    let under = |end: &str| format!("{person}/{end}");
    root.post(&under("deactivate"), &[]).await.ok(200);
    let take_down = format!("/api/admin/chats/{chat}/messages/{message}");
    root.delete(&take_down).await.ok(200);
    let before = acts(&root).await;
    root.delete(&take_down).await.ok(200);
    for nothing in ["deactivate", "logout"] {
        root.post(&under(nothing), &[]).await.ok(200);
    }
    let demote = [("administrator", "false")];
    ask(&root, "PATCH", &person, &demote).await.ok(200);
    let preset = [("registration", "default")];
    ask(&root, "PUT", "/api/admin/registration", &preset)
        .await
        .ok(200);
    for (method, path, form, status, code) in [
        ("DELETE", "/api/admin/chats/999", None, 404, "not_found"),
        ("DELETE", "/api/admin/logins/999", None, 404, "not_found"),
        (
            "DELETE",
            "/api/admin/invitations/999",
            None,
            404,
            "not_found",
        ),
        (
            "POST",
            "/api/admin/people/999/deactivate",
            None,
            404,
            "not_found",
        ),
        (
            "POST",
            "/api/admin/people/999/password-link",
            None,
            404,
            "not_found",
        ),
        (
            "POST",
            "/api/admin/tenants/999/suspend",
            None,
            404,
            "not_found",
        ),
        (
            "POST",
            "/api/admin/tenants/1/suspend",
            None,
            404,
            "not_found",
        ),
        (
            "POST",
            "/api/admin/tenants/2/suspend",
            None,
            404,
            "not_found",
        ),
        (
            "PUT",
            "/api/admin/registration",
            Some(("registration", "x")),
            400,
            "bad_request",
        ),
        (
            "POST",
            "/api/admin/people",
            Some(("name", "ROOT")),
            400,
            "bad_request",
        ),
        (
            "POST",
            "/api/admin/invitations",
            Some(("expires", "59")),
            400,
            "bad_request",
        ),
        ("GET", "/api/admin/people?only=x", None, 400, "bad_request"),
    ] {
        let form: Vec<_> = form.into_iter().collect();
        let told = ask(&root, method, path, &form).await;
        told.refused(status, code);
    }
    let link = root.post(&under("password-link"), &[]).await;
    link.refused(409, "conflict");
    let promote = [("administrator", "true")];
    ask(&root, "PATCH", &person, &promote)
        .await
        .refused(409, "conflict");
    assert_eq!(acts(&root).await, before);
}
