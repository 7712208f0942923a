//! Metrics: the documentation lists them all, and sockets, events, deliveries and waits are counted.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    support::actor::Told,
    support::support_world::Guest,
    support::world::{World, soon_holds},
};

/// Name, type, unit and sentence of each metric.
type Described = BTreeMap<String, (String, String, String)>;

/// What `/metrics` says of its metrics.
fn served(text: &str) -> Described {
    let mut described = Described::new();
    for line in text.lines() {
        let Some((what, rest)) = line
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let (name, said) = rest.split_once(' ').expect("a name and a word");
        let entry = described.entry(name.to_owned()).or_default();
        match what {
            "TYPE" => said.clone_into(&mut entry.0),
            "UNIT" => said.clone_into(&mut entry.1),
            "HELP" => said.trim_end_matches('.').clone_into(&mut entry.2),
            other => panic!("{other} is not known"),
        }
    }
    described
}

/// What the table of the documentation says.
fn documented() -> Described {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `parlance_"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let cell = |index: usize| cells[index].replace(['-', '`'], "");
        let told = (cell(1), cell(2), cells[4].to_owned());
        (cells[0].trim_matches('`').to_owned(), told)
    })
    .collect()
}

#[rocket::async_test]
async fn the_documentation_lists_every_metric() {
    let world = World::new().await;
    world.get("/health").await.with(200);
    let text = world.get("/metrics").await.with(200).body;
    assert_eq!(served(&text), documented(), "{text}");
    world.stop().await;
}

/// The value of a line of `/metrics`; nought where there is none.
async fn figure(world: &World, line: &str) -> i64 {
    let text = world.get("/metrics").await.with(200).body;
    let value = text
        .lines()
        .find_map(|other| other.strip_prefix(line)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().expect("a number"))
}

#[rocket::async_test]
async fn events_are_counted_by_dialect_name_and_outcome() {
    let world = World::new().await;
    let guest: Guest = world.guest_of_new_site().await;
    guest.says(&world, "hello").await;
    let argument = json!({"chatId": guest.chat, "token": "nobody's", "message": "hello"});
    world.refused("newMessage", argument, 401).await;
    let post = async |path: &str| {
        let url = format!("{}/api/events/{path}", world.base());
        Told::of(world.http.post(url).json(&json!({}))).await.status
    };
    assert_eq!(post("no-such-event-1").await, 404);
    assert_eq!(post("no-such-event-2").await, 404);
    post("chat/7/new-message").await;
    for (labels, count) in [
        (r#"dialect="support",event="getNewChat",outcome="ok""#, 1),
        (r#"dialect="support",event="newMessage",outcome="ok""#, 1),
        (
            r#"dialect="support",event="newMessage",outcome="refused""#,
            1,
        ),
        (r#"dialect="none",event="other",outcome="refused""#, 2),
        (
            r#"dialect="embed",event="new-message",outcome="refused""#,
            1,
        ),
    ] {
        let line = format!("parlance_events_total{{{labels}}}");
        assert_eq!(figure(&world, &line).await, count, "{labels}");
    }
    let text = world.get("/metrics").await.body;
    assert!(!text.contains("no-such-event") && !text.contains("chat/7"));
    world.stop().await;
}

#[rocket::async_test]
async fn sockets_deliveries_recoveries_and_waits_are_counted() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let sockets = r#"parlance_dialect_sockets{dialect="support"}"#;
    assert_eq!(figure(&world, sockets).await, 0);
    let mut desk = world.websocket("", &[]).await;
    let auth = json!({"token": owner.token, "recovery": 1, "pid": "unknown@1.0.0"});
    desk.send(&format!("40{auth}")).await;
    desk.text_after("40{").await;
    assert_eq!(figure(&world, sockets).await, 1);
    let refused = r#"parlance_recoveries_total{outcome="refused"}"#;
    assert_eq!(figure(&world, refused).await, 1);

    guest.says(&world, "hello").await;
    desk.text_after("42[\"newMessage\"").await;
    let told = r#"parlance_deliveries_total{dialect="support",transport="socket"}"#;
    assert!(figure(&world, told).await >= 1);

    let cursor = world.cursor();
    let path = format!(
        "/api/events?token={}&after={cursor}&timeout=25",
        owner.token
    );
    let wait = tokio::spawn(world.http.get(format!("{}{path}", world.base())).send());
    world.waiting(1).await;
    let waits = r#"parlance_waits_open{dialect="messenger",transport="long_poll"}"#;
    assert_eq!(figure(&world, waits).await, 1);
    guest.says(&world, "hello again").await;
    wait.await
        .expect("it does not panic")
        .expect("it is answered");
    assert_eq!(figure(&world, waits).await, 0);
    let told = r#"parlance_deliveries_total{dialect="messenger",transport="long_poll"}"#;
    assert_eq!(figure(&world, told).await, 1);

    drop(desk);
    soon_holds(async || figure(&world, sockets).await == 0).await;
    world.stop().await;
}
