//! A person has a bounded number of logins: past that the least recently used end.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD},
    support::security_world::{By, Connection, Credentials},
    support::support_world::Guest,
    support::world::World,
};

const LOGINS: usize = 100;
const GUEST_LOGINS: usize = 20;

async fn count(world: &World, person: i64) -> i64 {
    let mut beside = world.place.beside().await;
    let sql = format!("select count(*) from logins where person_id = {person}");
    beside.number(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_several_times_at_once_is_signed_out() {
    let world = World::new().await;
    world.actor("ann").await;
    for _ in 0..20 {
        let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
        let all = join_all((0..8).map(|_| ann.post("/api/logout", &[]))).await;
        let (signed_out, late): (Vec<_>, Vec<_>) = all.iter().partition(|told| told.status < 300);
        assert!(!signed_out.is_empty());
        assert!(
            late.iter().all(|told| told.status == 401),
            "not one is told that it is not there"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_hundred_logins_and_those_in_use_stay() {
    let world = World::new().await;
    let idle = world.actor("ann").await;
    let connected = Actor::sign_in(&world, "ann", PASSWORD).await;
    let mut line = Connection::open(&world, By::WebSocket4, &Credentials::of(&connected))
        .await
        .expect("it is let in");
    let waiting = Connection::open(&world, By::Polling4, &Credentials::of(&idle)).await;
    drop(waiting);
    for _ in 2..LOGINS {
        Actor::sign_in(&world, "ann", PASSWORD).await;
    }
    idle.get("/api/me").await.with(200);
    let last = Actor::sign_in(&world, "ann", PASSWORD).await;
    assert_eq!(
        count(&world, idle.id).await,
        i64::try_from(LOGINS).expect("small")
    );
    // The login that was used last, or is connected, does not end.
    for login in [&idle, &connected, &last] {
        login.get("/api/me").await.with(200);
    }
    assert!(line.is_answered("leave", &Value::Null).await);
    for _ in 0..20 {
        Actor::sign_in(&world, "ann", PASSWORD).await;
    }
    assert_eq!(
        count(&world, idle.id).await,
        i64::try_from(LOGINS).expect("small")
    );
    assert!(line.is_answered("leave", &Value::Null).await);
    connected.get("/api/me").await.with(200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_comes_again_and_again_has_twenty() {
    let world = World::new().await;
    let first = world.guest_of_new_site().await;
    let person = i64::from_str_radix(&first.id, 16).expect("hex");
    let token = Credentials::default().asking("token", &first.token);
    let line = Connection::open(&world, By::WebSocket3, &token).await;
    let mut line = line.expect("it is let in");
    let again = json!({"guestToken": first.token});
    let mut seen = HashSet::from([first.token.clone()]);
    let mut tokens = vec![first.token.clone()];
    for _ in 0..GUEST_LOGINS + 5 {
        let guest = Guest::from(world.said("getNewChat", again.clone()).await);
        assert_eq!((&guest.id, &guest.chat), (&first.id, &first.chat));
        assert!(seen.insert(guest.token.clone()), "a new token each time");
        tokens.push(guest.token);
        assert!(count(&world, person).await <= i64::try_from(GUEST_LOGINS).expect("small"));
    }
    // The one that is connected lives; of the others the oldest are gone and the newest are not.
    let read = |token: &str| json!({"chatId": first.chat, "token": token});
    let told = line.ask("getChatMessages", &read(&first.token)).await;
    assert_eq!(told.expect("it stands")["statusCode"], 200);
    let sentence = world
        .refused("getChatMessages", read(&tokens[1]), 401)
        .await;
    assert_eq!(sentence, "Guest not found");
    let newest = tokens.last().expect("there are some");
    world.said("getChatMessages", read(newest)).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_by_the_bound_is_an_end_as_any_other() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let idle = Actor::sign_in(&world, "ann", PASSWORD).await;
    // It was never used, so no client has it.
    for _ in 0..LOGINS {
        Actor::sign_in(&world, "ann", PASSWORD).await;
    }
    idle.get("/api/me").await.refused(401, "unauthenticated");
    ann.get("/api/me").await.refused(401, "unauthenticated");
    world.stop().await;
}
