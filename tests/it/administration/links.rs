//! One-time links: good once, for a time, and for one person.

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::administration::{administrator, link_token},
    support::world::World,
};

const NEW: &str = "battery staple";

async fn set(world: &World, token: &str, password: &str) -> Told {
    let form = [("token", token), ("new_password", password)];
    world.post("/api/password-link/use", &form).await
}

#[rocket::async_test]
async fn a_new_password_by_a_link_is_set_once() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    let path = format!("/api/admin/people/{}/password-link", ann.id);
    let first = root.post(&path, &[]).await.with(201);
    let told = root.post(&path, &[("expires", "60")]).await.with(201);
    let token = link_token(&told, "password");
    // A newer one takes the place of the one before.
    let old = link_token(&first, "password");
    set(&world, &old, NEW).await.refused(404, "not_found");
    let owner = world.post("/api/password-link", &[("token", &token)]).await;
    let owner = owner.with(200).json();
    assert_eq!(owner["name"], "ann");
    assert_eq!(owner["expires_at"], told.json()["expires_at"]);
    // What is refused uses nothing up.
    for bad in ["short", "password1", "ann"] {
        set(&world, &token, bad).await.refused(400, "bad_request");
    }
    ann.get("/api/me").await.with(200);
    let (one, two) = futures_util::join!(set(&world, &token, NEW), set(&world, &token, NEW));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    ann.get("/api/me").await.refused(401, "unauthenticated");
    Actor::sign_in(&world, "ann", NEW).await;
    let old = [("name", "ann"), ("password", PASSWORD)];
    let refused = world.post("/api/login", &old).await;
    refused.refused(400, "bad_request");
    let owner = world.post("/api/password-link", &[("token", &token)]).await;
    owner.refused(404, "not_found");
}

#[rocket::async_test]
async fn a_link_is_kept_by_its_hash_and_for_its_time() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    let path = format!("/api/admin/people/{}", ann.id);
    let told = root.post(&format!("{path}/password-link"), &[]).await;
    let token = link_token(&told.with(201), "password");
    let invited = root.post("/api/admin/invitations", &[]).await.with(201);
    let invitation = link_token(&invited, "invited");
    let mut beside = world.place.beside().await;
    for token in [&token, &invitation] {
        let sql = format!("select count(*) from one_time_links where token_hash = '{token}'");
        assert_eq!(beside.number(&sql).await, 0);
    }
    beside.run("update one_time_links set expires_at = 1").await;
    set(&world, &token, NEW).await.refused(404, "not_found");
    let owner = world.post("/api/password-link", &[("token", &token)]).await;
    owner.refused(404, "not_found");
    let told = root.get("/api/admin/invitations").await.with(200);
    assert_eq!(told.json()["invitations"].as_array().map(Vec::len), Some(0));
    let expired = parlance::chat::housekeeping::expire(world.services()).await;
    expired.expect("it works");
    let left = beside.number("select count(*) from one_time_links").await;
    assert_eq!(left, 0);
    // Who is deactivated has none.
    let told = root.post(&format!("{path}/password-link"), &[]).await;
    let token = link_token(&told.with(201), "password");
    root.post(&format!("{path}/deactivate"), &[]).await.ok(200);
    set(&world, &token, NEW).await.refused(404, "not_found");
    // An invitation is no link for a password, nor the other way round.
    let invited = root.post("/api/admin/invitations", &[]).await.with(201);
    let invitation = link_token(&invited, "invited");
    set(&world, &invitation, NEW)
        .await
        .refused(404, "not_found");
}

#[rocket::async_test]
async fn guesses_at_links_are_slowed_down() {
    let world = World::with("rate_limits = true\nip_header = 'X-Real-IP'").await;
    let mut statuses = Vec::new();
    for number in 0..40 {
        let form = [("token", format!("{number:064}"))];
        let url = format!("{}/api/password-link", world.base());
        let request = world.http.post(url).header("X-Real-IP", "203.0.113.9");
        statuses.push(Told::of(request.form(&form)).await.status);
    }
    assert_eq!(statuses[0], 404);
    assert_eq!(statuses[39], 429, "{statuses:?}");
}
