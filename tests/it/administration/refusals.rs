//! Who is no administrator, or none any more, is refused by every route and by every verb.

use parlance::{
    chat::administration::{self, Administrator, NewAccount},
    error::Kind,
    model::{ChatId, LoginId, MessageId, Name, PersonId, RegistrationMode, TenantId},
};
use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::administration::{acts, administrator, ask},
    support::routes::routes,
    support::world::World,
};

/// Every route of administration, on a person, a chat and a message that there are.
fn requests(person: i64, chat: i64, message: i64) -> Vec<(Method, String)> {
    let found: Vec<_> = routes()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/api/admin"))
        .map(|(method, path)| {
            let path = path
                .replace("{person}", &person.to_string())
                .replace("{chat}", &chat.to_string())
                .replace("{message}", &message.to_string())
                .replace("{tenant}", "3")
                .replace("{login}", "1")
                .replace("{invitation}", "1")
                .replace("{webhook}", "1");
            assert!(!path.contains('{'), "{path} has a parameter of its own");
            (method.parse().expect("a method"), path)
        })
        .collect();
    assert!(found.len() > 20, "{found:?}");
    found
}

async fn try_one(by: &Actor, method: &Method, path: &str) -> Told {
    let request = by.request(method.clone(), path);
    let body = json!({"administrator": true, "name": "eve 2", "registration": "closed"});
    Told::of(match *method {
        Method::GET | Method::DELETE => request,
        _ => request.json(&body),
    })
    .await
}

#[rocket::async_test]
async fn every_route_refuses_whoever_is_no_administrator() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (bo, eve) = (world.actor("bo").await, world.actor("eve").await);
    let (gone, demoted) = (world.actor("gone").await, world.actor("demoted").await);
    for one in [&gone, &demoted] {
        let path = format!("/api/admin/people/{}", one.id);
        let promoted = ask(&root, "PATCH", &path, &[("administrator", "true")]).await;
        promoted.ok(200);
        one.get("/api/admin/people").await.with(200);
    }
    let path = format!("/api/admin/people/{}/deactivate", gone.id);
    root.post(&path, &[]).await.ok(200);
    let path = format!("/api/admin/people/{}", demoted.id);
    let form = [("administrator", "false")];
    ask(&root, "PATCH", &path, &form).await.ok(200);
    let chat = bo.make("tea").await;
    let message = bo.say(chat, "hello").await;
    let before = acts(&root).await;
    let stranger = eve.with_login("stranger", 999, "none".to_owned());
    for (method, path) in requests(bo.id, chat, message) {
        for (who, status, code) in [
            (&stranger, 401, "unauthenticated"),
            (&eve, 403, "forbidden"),
            (&gone, 401, "unauthenticated"),
            (&demoted, 403, "forbidden"),
        ] {
            try_one(who, &method, &path).await.refused(status, code);
        }
        let nobody = world
            .http
            .request(method.clone(), format!("{}{path}", world.base()));
        Told::of(nobody).await.refused(401, "unauthenticated");
    }
    assert_eq!(acts(&root).await, before, "nothing was done");
    assert_eq!(bo.said(chat).await, ["hello"]);
}

/// What every verb that changes something says to a proof.
async fn try_verbs(world: &World, admin: &Administrator, bo: PersonId) -> Vec<Kind> {
    let services = world.services();
    let chat = ChatId::new(1);
    let new = NewAccount {
        name: Name::parse("new").expect("a name"),
        email: None,
        password: None,
    };
    let site = TenantId::new(3);
    let mode = Some(RegistrationMode::Closed);
    let outcomes = [
        administration::create(services, admin, &new).await.err(),
        administration::invite(services, admin, None).await.err(),
        administration::revoke_invitation(services, admin, 1)
            .await
            .err(),
        administration::promote(services, admin, bo).await.err(),
        administration::demote(services, admin, bo).await.err(),
        administration::deactivate(services, admin, bo).await.err(),
        administration::reactivate(services, admin, bo).await.err(),
        administration::sign_out(services, admin, bo).await.err(),
        administration::rename(services, admin, bo, new.name.clone())
            .await
            .err(),
        administration::delete(services, admin, bo).await.err(),
        administration::end_login(services, admin, LoginId::new(1))
            .await
            .err(),
        administration::password_link(services, admin, bo, None)
            .await
            .err(),
        administration::delete_chat(services, admin, chat)
            .await
            .err(),
        administration::take_down(services, admin, chat, MessageId::new(3))
            .await
            .err(),
        administration::suspend(services, admin, site).await.err(),
        administration::resume(services, admin, site).await.err(),
        administration::choose_registration(services, admin, mode)
            .await
            .err(),
    ];
    outcomes
        .into_iter()
        .map(|error| error.expect("it is refused").kind())
        .collect()
}

#[rocket::async_test]
async fn a_proof_of_a_moment_before_changes_nothing() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    bo.say(chat, "hello").await;
    assert_eq!(chat, 1);
    for change in [
        "administrator = false",
        "deactivated_at = 1",
        "deleted_at = 1",
    ] {
        let name = format!("was {}", &change[..7]);
        let was = administrator(&world, &name).await;
        let caller = world.caller(was.id, &was.token).await;
        let from = "192.0.2.1".parse().expect("an address");
        let proof = administration::prove(world.services(), &caller, from).await;
        let proof = proof.expect("they are one");
        let mut beside = world.place.beside().await;
        let sql = format!("update people set {change} where id = {}", was.id);
        beside.run(&sql).await;
        drop(beside);
        let refusals = try_verbs(&world, &proof, PersonId::new(bo.id)).await;
        assert_eq!(refusals, [Kind::Forbidden; 17], "{change}");
    }
    assert!(acts(&root).await.is_empty());
    assert_eq!(bo.said(chat).await, ["hello"]);
}

#[rocket::async_test]
async fn somebody_always_administers() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let path = |of: &Actor| format!("/api/admin/people/{}", of.id);
    let demote = [("administrator", "false")];
    ask(&root, "PATCH", &path(&root), &demote)
        .await
        .refused(409, "conflict");
    let deactivate = format!("{}/deactivate", path(&root));
    root.post(&deactivate, &[]).await.refused(409, "conflict");
    root.delete(&path(&root)).await.refused(409, "conflict");
    // Two who demote each other at the same time: one of them comes first.
    for round in 0..6 {
        let other = administrator(&world, &format!("other {round}")).await;
        let (path_of_other, path_of_root) = (path(&other), path(&root));
        let (one, two) = futures_util::join!(
            ask(&root, "PATCH", &path_of_other, &demote),
            ask(&other, "PATCH", &path_of_root, &demote)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{} {}", one.body, two.body);
        if one.status == 403 {
            let promote = [("administrator", "true")];
            let back = ask(&other, "PATCH", &path_of_root, &promote).await;
            back.ok(200);
            ask(&root, "PATCH", &path_of_other, &demote).await.ok(200);
        }
    }
    let told = root.get("/api/admin/people?only=administrators").await;
    assert_eq!(
        told.with(200).json()["people"].as_array().map(Vec::len),
        Some(1)
    );
    // The other accounts of home have other administrators.
    Actor::sign_in(&world, "root", PASSWORD).await;
}

#[rocket::async_test]
async fn who_registers_apps_is_no_administrator_of_home() {
    let settings = "admin_email = 'admin@example.com'\nadmin_password = 'correct horse'";
    let world = World::with(settings).await;
    let root = administrator(&world, "root").await;
    let told = root.get("/api/admin/people?query=admin").await.with(200);
    let people = told.json()["people"].clone();
    let service = &people[0];
    assert_eq!(service["account"], "service", "{people}");
    assert_eq!(service["administrator"], false);
    let token = crate::support::tenants::sign_in(&world).await;
    let id = service["id"].as_i64().expect("a number");
    let service = root.with_login("service", id, token);
    service
        .get("/api/admin/people")
        .await
        .refused(403, "forbidden");
    let path = format!("/api/admin/people/{id}");
    ask(&root, "PATCH", &path, &[("administrator", "true")])
        .await
        .refused(409, "conflict");
}
