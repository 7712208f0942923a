//! Limits of requests: whoever asks too often is told when to come back, at every door.

use serde_json::json;

use crate::{
    actor::{Actor, Told},
    world::World,
};

async fn until_refused(mut ask: impl AsyncFnMut() -> Told) -> (usize, Told) {
    for count in 0..100 {
        let told = ask().await;
        if told.status == 429 {
            return (count, told);
        }
    }
    panic!("nobody was refused");
}

fn tells_when(told: &Told) {
    let wait: u64 = told.header("Retry-After").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_asks_too_often_is_told_when_to_come_back() {
    let world = World::with("rate_limits = true\nrate_per_login = 1").await;
    let ann = world.actor("ann").await;
    let (passed, told) = until_refused(async || ann.get("/api/me").await).await;
    assert!((9..=20).contains(&passed), "{passed}");
    tells_when(&told);
    told.refused(429, "rate_limited");
    // Others, and the same person on another device, are not held up.
    world.actor("bo").await.get("/api/me").await.with(200);
    let again = Actor::sign_in(&world, "ann", crate::actor::PASSWORD).await;
    again.get("/api/me").await.with(200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_events_are_counted_together() {
    let world = World::with("rate_limits = true\nrate_per_tenant = 1").await;
    let url = format!("{}/api/events/create-user", world.base());
    let body = json!({"user": {"external_id": "1", "name": "Name", "photo": "Photo"}});
    let home = world
        .services()
        .store
        .tenant(parlance::chat::accounts::HOME)
        .await;
    let key = home
        .expect("it answers")
        .expect("it is there")
        .application_id;
    let ask = async || Told::of(world.http.post(format!("{url}?key={key}")).json(&body)).await;
    let (passed, told) = until_refused(ask).await;
    assert!((4..=20).contains(&passed), "{passed}");
    tells_when(&told);
    assert_eq!(told.json()["data"]["code"], "rate_limited");
    world.stop().await;
}
