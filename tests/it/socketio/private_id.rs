//! The private id by which a connection is recovered: stored hashed, and valid for two minutes.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    support::actor::Actor,
    support::place::Beside,
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::world::World,
};

/// A connection with the ids that its client has.
struct Known {
    ws: Ws,
    sid: String,
    private: String,
}

impl Known {
    /// Connects, with more auth data.
    async fn connect(world: &World, actor: &Actor, more: Value) -> Self {
        let mut ws = world.websocket("&recovery=1", &[]).await;
        let mut auth = more;
        auth["token"] = json!(actor.token);
        ws.send(&format!("40{auth}")).await;
        let reply = json_after(&ws.text_after("40").await, "40");
        let text = |name: &str| reply[name].as_str().expect("it is told").to_owned();
        let (sid, private) = (text("sid"), text("pid"));
        Self { ws, sid, private }
    }

    /// Connects for the first time.
    async fn new(world: &World, actor: &Actor) -> Self {
        Self::connect(world, actor, json!({})).await
    }

    /// The offset of the last event.
    async fn offset(&mut self) -> String {
        // The reply is an event, which has the offset as its last argument.
        self.ws.send(r#"420["join","no such room"]"#).await;
        let event = json_after(&self.ws.text_after("42").await, "42");
        let last = event.as_array().and_then(|event| event.last()).cloned();
        self.ws.text_after("430").await;
        let offset = last.as_ref().and_then(Value::as_str);
        offset.expect("an event ends with the place").to_owned()
    }

    /// Drops the connection, waits until that is stored, and returns the auth data for recovery.
    async fn break_off(mut self, beside: &mut Beside) -> Value {
        let back = json!({"pid": self.private, "offset": self.offset().await});
        drop(self.ws);
        let sql = format!(
            "select count(*) from connections where socket_id = '{}' and left_at is not null",
            self.sid
        );
        soon(async {
            while beside.number(&sql).await != 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        back
    }
}

fn sha256(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").expect("a string takes it");
    }
    hex
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_a_private_id_hashed_only() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let known = Known::new(&world, &ann).await;
    let (sid, private) = (known.sid.clone(), known.private.clone());
    assert!(private.len() >= 32 && !private.contains(&sid));
    let mut beside = world.place.beside().await;
    known.break_off(&mut beside).await;
    let hash = sha256(&private);
    for (text, count) in [
        (format!("private_hash = '{hash}'"), 1),
        (format!("private_hash like '%{private}%'"), 0),
        (format!("socket_id like '%{private}%'"), 0),
        (format!("acting like '%{private}%'"), 0),
        (format!("acting like '%{}%'", ann.token), 0),
        ("true".to_owned(), 1),
    ] {
        let sql = format!("select count(*) from connections where {text}");
        assert_eq!(beside.number(&sql).await, count, "{text}");
    }
    // The stored hash is not accepted as a private id.
    let mut back = json!({"pid": hash, "offset": ann.now().await});
    let other = Known::connect(&world, &ann, back.clone()).await;
    assert!(other.sid != sid && other.private != private);
    back["pid"] = json!(private);
    let again = Known::connect(&world, &ann, back).await;
    assert_eq!((again.sid, again.private), (sid, private));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_too_late_is_new() {
    let mut world = World::new().await;
    let ann = world.actor("ann").await;
    let mut beside = world.place.beside().await;
    for (milliseconds, comes_back) in [(0, true), (100_000, true), (121_000, false)] {
        let known = Known::new(&world, &ann).await;
        let (sid, private) = (known.sid.clone(), known.private.clone());
        let back = known.break_off(&mut beside).await;
        let sql = format!("update connections set left_at = left_at - {milliseconds}");
        beside.run(&sql).await;
        // The server that lost the connection has it in memory; another one reads when that was.
        world = world.restart().await;
        let again = Known::connect(&world, &ann, back).await;
        assert_eq!(again.sid == sid, comes_back, "{milliseconds}");
        assert_eq!(again.private == private, comes_back, "{milliseconds}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_back_is_not_lost() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut beside = world.place.beside().await;
    let first = Known::new(&world, &ann).await;
    let (sid, private) = (first.sid.clone(), first.private.clone());
    let back = first.break_off(&mut beside).await;
    let lost = "select count(*) from connections where left_at is not null";
    assert_eq!(beside.number(lost).await, 1);
    let mut again = Known::connect(&world, &ann, back.clone()).await;
    assert_eq!(again.sid, sid);
    let chat = ann.make("tea").await;
    let room = r#"42["roomData""#;
    again.ws.send(&format!(r#"42["join","chat-{chat}"]"#)).await;
    let here = json_after(&again.ws.text_after(room).await, "42");
    assert_eq!(
        beside.number(lost).await,
        0,
        "it was written down that it is back"
    );

    // It reconnects from another network before the server has noticed the loss: the old socket is
    // disconnected, and the new one gets the event about that.
    let back = json!({"pid": private, "offset": here[2]});
    let mut twin = Known::connect(&world, &ann, back).await;
    assert_eq!(twin.sid, sid);
    assert!(again.ws.closed().await.is_some());
    soon(async {
        let alone = |told: &Value| told[1]["users"].as_array().map(Vec::len) == Some(1);
        while !alone(&json_after(&twin.ws.text_after(room).await, "42")) {}
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(beside.number(lost).await, 0, "only the old socket was lost");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_ids_are_not_guessed_without_end() {
    let rates = "rate_limits = true\nrate_per_address = 0\nrate_per_login = 0\nrate_per_tenant = 0";
    let world = World::with(rates).await;
    let ann = world.actor("ann").await;
    let mut beside = world.place.beside().await;
    let known = Known::new(&world, &ann).await;
    let sid = known.sid.clone();
    let back = known.break_off(&mut beside).await;
    for number in 0..101 {
        let mut wrong = back.clone();
        wrong["pid"] = json!(format!("guess {number}"));
        let other = Known::connect(&world, &ann, wrong).await;
        assert_ne!(other.sid, sid);
    }
    // During the pause after that, the right id is refused as well.
    let again = Known::connect(&world, &ann, back).await;
    assert_ne!(again.sid, sid);
    world.stop().await;
}
