//! A Socket.IO connection that was lost at one server comes back at another.

use parlance::{
    chat::connections,
    model::{Connection, TenantId, Timestamp, TokenHash},
    store::Store,
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    support::nodes::{servers, servers_that_hear_nothing, stop},
    support::place::{Beside, Place},
    support::service_room::{self, TOKENS},
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::tenants::{CLOSED_SETTINGS, send},
    support::world::World,
};

const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

/// A connection of the first user.
async fn connect(world: &World, auth: &Value) -> Ws {
    service_room::connect(world, TOKENS[0], auth).await
}

/// The answer to `CONNECT`, and a message after it.
async fn returned(ws: &mut Ws) -> (Value, Value) {
    let reply = json_after(&ws.text().await, "40");
    let message = ws.text_after("42[\"message\"").await;
    (reply, json_after(&message, "42"))
}

/// The offset that an event has as its last argument.
fn offset_of(event: &Value) -> Value {
    let arguments = event.as_array().expect("an event");
    arguments.last().expect("an offset").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_comes_back_at_another_server_with_what_it_missed() {
    let Some(servers) = servers(3, CLOSED_SETTINGS).await else {
        return;
    };
    service_room::make(&servers).await;
    let says = async |world: &World, message: &str| {
        let two = [("Authorization", TOKENS[1].to_owned())];
        let said = json!({ "message": message });
        let path = "/api/events/send_message?room=tea";
        send(world, "POST", path, &two, &said).await.with(200);
    };
    let mut beside = servers[0].place.beside().await;
    let mut ws = connect(&servers[0], &json!({})).await;
    let first = json_after(&ws.text_after("40").await, "40");
    ws.send("42[\"join\",\"tea\"]").await;
    ws.text_after("42[\"info\"").await;
    // What it has entered is written down before it is answered.
    let entered = "select count(*) from connections where acting like '%|%:%'";
    assert_eq!(beside.number(entered).await, 1);
    says(&servers[1], "one").await;
    let heard = json_after(&ws.text_after("42[\"message\"").await, "42");
    let mut offset = offset_of(&heard);
    // It also comes back to a server that has seen it being lost before.
    for (number, home) in [1, 2, 0, 1].into_iter().enumerate() {
        drop(ws);
        let message = format!("missed {number}");
        says(&servers[number % 3], &message).await;
        let auth = json!({"pid": first["pid"], "offset": offset});
        ws = connect(&servers[home], &auth).await;
        let (reply, heard) = returned(&mut ws).await;
        assert_eq!(reply["sid"], first["sid"], "it is the same connection");
        let said = heard[1]["message"].as_str().expect("base64");
        assert_eq!(said, base64(&message));
        offset = offset_of(&heard);
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_told_nothing_again_by_a_server_that_had_yet_to_hear_of_it() {
    let Some(servers) = servers_that_hear_nothing(2, CLOSED_SETTINGS).await else {
        return;
    };
    service_room::make(&servers[..1]).await;
    let sender = [("Authorization", TOKENS[1].to_owned())];
    // The other server looks by itself a few times a second, so in some of these it has done that just before.
    for number in 0..5 {
        let (mut ws, first) = service_room::joined(&servers[0], TOKENS[0]).await;
        let said = json!({"message": format!("told {number}")});
        let path = "/api/events/send_message?room=tea";
        let told = send(&servers[0], "POST", path, &sender, &said);
        told.await.with(200);
        let heard = json_after(&ws.text_after("42[\"message\"").await, "42");
        drop(ws);
        let auth = json!({"pid": first["pid"], "offset": offset_of(&heard)});
        let mut ws = connect(&servers[1], &auth).await;
        let back = json_after(&ws.text_after("40").await, "40");
        assert_eq!(back["sid"], first["sid"], "it is the same connection");
        // What it has missed is told before this is answered.
        ws.send("421[\"nothing\"]").await;
        loop {
            let text = ws.text().await;
            if text.starts_with("431") {
                break;
            }
            assert!(!text.starts_with("42[\"message\""), "{text}");
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_has_come_back_elsewhere_is_closed_where_it_was() {
    let Some(servers) = servers(2, CLOSED_SETTINGS).await else {
        return;
    };
    service_room::make(&servers).await;
    let (mut old, reply) = service_room::joined(&servers[0], TOKENS[0]).await;
    let (other, _) = service_room::joined(&servers[0], TOKENS[1]).await;
    for home in [1, 0, 1] {
        // Its client has given it up, and its server does not know.
        let mut new = connect(&servers[home], &json!({"pid": reply["pid"]})).await;
        let back = json_after(&new.text_after("40").await, "40");
        assert_eq!(back["sid"], reply["sid"], "it is the same connection");
        // Should its client be there after all, it comes back: it would not after a packet of Socket.IO's.
        while let Some(message) = old.next().await {
            assert_ne!(message, Message::text("41"));
        }
        old = new;
    }
    for mut stays in [old, other] {
        stays.send("420[\"leave\"]").await;
        stays.text_after("430").await;
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_could_not_be_written_down_stays_and_is_written_down_later() {
    let Some(servers) = servers(2, CLOSED_SETTINGS).await else {
        return;
    };
    service_room::make(&servers).await;
    let mut beside = servers[0].place.beside().await;
    let (ws, reply) = service_room::joined(&servers[0], TOKENS[0]).await;
    let count = async |beside: &mut Beside, sql: &str, expected| {
        soon(async {
            while beside.number(sql).await != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let lost = "select count(*) from connections where left_at is not null";
    drop(ws);
    count(&mut beside, lost, 1).await;
    for statement in [
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$",
        "create trigger refuse before insert or update on connections for each row execute function refuse()",
    ] {
        beside.run(statement).await;
    }
    let mut ws = connect(&servers[1], &json!({"pid": reply["pid"]})).await;
    let back = json_after(&ws.text_after("40").await, "40");
    assert_eq!(back["sid"], reply["sid"], "it is the same connection");
    // It was tried before this is answered.
    ws.send("421[\"nothing\"]").await;
    ws.text_after("431").await;
    // The word of an earlier attempt comes late.
    let sid = reply["sid"].as_str().expect("an id");
    connections::tell_returned(servers[0].services(), sid);
    beside.run("drop trigger refuse on connections").await;
    count(&mut beside, lost, 0).await;
    ws.send("420[\"leave\"]").await;
    ws.text_after("430").await;
    stop(servers).await;
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}

async fn keep(store: &Store, connections: Vec<(TokenHash, Connection)>) {
    let written = store.write(TenantId::new(1), move |tx| {
        Box::pin(async move { tx.keep_connections(&connections, NOW).await })
    });
    written.await.expect("it is written");
}

#[rocket::async_test]
async fn who_has_lost_a_connection_says_nothing_of_one_that_somebody_else_has() {
    let place = Place::make().await;
    let store = place.store().await;
    let hash = TokenHash::new("hash".to_owned());
    let one = |holder: i64, left_at: Option<Timestamp>| {
        let connection = Connection {
            socket_id: format!("socket of {holder}"),
            identities: String::new(),
            holder,
            left_at,
        };
        (hash.clone(), connection)
    };
    for at_once in [false, true] {
        let written = vec![one(1, None), one(2, None), one(1, Some(NOW))];
        if at_once {
            keep(&store, written).await;
        } else {
            for connection in written {
                keep(&store, vec![connection]).await;
            }
        }
        let kept = store.connection(&hash).await.expect("an answer");
        let kept = kept.expect("it is kept");
        assert_eq!((kept.holder, kept.left_at), (2, None));
        keep(&store, vec![one(2, Some(NOW))]).await;
        let kept = store.connection(&hash).await.expect("an answer");
        let kept = kept.expect("it is kept");
        assert_eq!((kept.holder, kept.left_at), (2, Some(NOW)));
    }
    store.close().await;
}
