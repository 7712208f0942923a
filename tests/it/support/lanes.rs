//! Several lanes in one PostgreSQL database, and tenants that move to them.

use std::time::Duration;

use parlance::{
    model::{Clock, Lane},
    store::Store,
};

use serde_json::{Value, json};

use crate::support::{
    place::Beside,
    socketio::json_after,
    socketio_client::Ws,
    support_world::{Guest, Owner},
    world::World,
};

/// The tenant of cookie accounts.
pub(crate) const HOME: i64 = 1;

/// The sites of these tests: each is in a lane of its own.
pub(crate) const SITES: [&str; 3] = ["one.example", "two.example", "three.example"];
/// Adds lanes until there are so many.
pub(crate) async fn add(world: &World, count: usize) {
    let added = world.store().add_lanes(count, Duration::ZERO).await;
    added.expect("no older server lives");
}

/// Has a tenant go on in another lane.
pub(crate) async fn move_to(store: &Store, tenant: i64, lane: i64) {
    let lane = Lane::new(lane).expect("a lane");
    let moved = store.move_tenant(tenant.to_string(), lane, Clock.now());
    moved.await.expect("it is a higher lane");
}

/// The tenant of a site.
pub(crate) async fn site(beside: &mut Beside, domain: &str) -> i64 {
    let sql = format!("select tenant_id from domains where domain = '{domain}'");
    beside.number(&sql).await
}

/// The owner and a guest of each site, of which the second and the third are in lanes of these numbers.
pub(crate) async fn sites(servers: &[World]) -> Vec<(Owner, Guest)> {
    add(&servers[0], SITES.len()).await;
    let mut beside = servers[0].place.beside().await;
    let mut people = Vec::new();
    for (number, domain) in SITES.iter().enumerate() {
        let world = &servers[number % servers.len()];
        let owner = world.owner(domain).await;
        let tenant = site(&mut beside, domain).await;
        if number > 0 {
            let lane = i64::try_from(number + 1).expect("few");
            move_to(world.store(), tenant, lane).await;
        }
        people.push((owner, world.guest(domain).await));
    }
    people
}

/// The heads of all lanes, each counted from where its lane begins. No lane has a gap.
pub(crate) async fn without_gaps(beside: &mut Beside) -> Vec<i64> {
    let all = "select position from changes union all select id from messages order by 1";
    let positions = beside.numbers(all).await;
    let heads = beside
        .numbers("select head from log union all select head from lanes order by 1")
        .await;
    let mut written = Vec::new();
    for (lane, head) in heads.into_iter().enumerate() {
        let start = i64::try_from(lane).expect("few") << 45;
        let own = positions.iter().filter(|it| **it >> 45 == start >> 45);
        assert!(own.copied().eq(start + 1..=head), "lane {}", lane + 1);
        written.push(head - start);
    }
    written
}

/// Everything of the database agrees with itself.
pub(crate) async fn is_sound(world: &World) {
    let options = world.place.options();
    let checked = parlance::store::check::check_all(&options).await;
    for checked in checked.expect("it can be read") {
        assert_eq!(checked.wrong, Vec::<String>::new(), "{}", checked.what);
    }
}

/// A connection that asks for recovery, and the answer to its `CONNECT`.
pub(crate) async fn connect(world: &World, auth: &Value) -> Ws {
    let mut ws = world.websocket("&recovery=1", &[]).await;
    ws.send(&format!("40{auth}")).await;
    ws
}

/// Acts for the owners of all sites.
pub(crate) async fn act_for_all(ws: &mut Ws, people: &[(Owner, Guest)]) {
    for (owner, _) in people {
        let argument = json!({ "token": owner.token });
        ws.send(&format!("420[\"getWaitingChats\",{argument}]"))
            .await;
        ws.text_after("430").await;
    }
}

/// A site's word and number, as a socket is told them, and the offset.
pub(crate) fn told(packet: &str) -> (String, Option<String>) {
    let event = json_after(packet, "42");
    let found = event[1]["message"]["message"].as_str();
    let offset = event
        .as_array()
        .and_then(|all| all.last())
        .and_then(Value::as_str);
    let found = found.unwrap_or_else(|| panic!("{packet}"));
    (found.to_owned(), offset.map(str::to_owned))
}
