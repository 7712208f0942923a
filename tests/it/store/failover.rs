//! Another PostgreSQL takes over, or the connection to it is cut: what is lost is told, and no number is given twice.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, text},
    support::cluster::{Cluster, Pair, Way},
    support::everything::{Everything, Viewer, Waits},
    support::place::Place,
    support::poll::{answer, hold},
    support::socketio::json_after,
    support::socketio_client::Ws,
    support::stream::Events,
    support::world::{World, soon_holds},
};

/// An epoch goes on so far beyond the end of the one before.
const LOSSLESS: &str = "databases.chat.failover = \"lossless\"";
const LEAP: i64 = 1 << 20;

async fn say(actor: &Actor, chat: i64, content: &str) -> Told {
    actor
        .post(&format!("/api/chats/{chat}"), &[("content", content)])
        .await
}

fn id(told: &Told) -> i64 {
    told.header("X-Message-Id").parse().expect("a number")
}

/// Sends until it is accepted; until then it is refused as by a server that is busy.
async fn accepted(actor: &Actor, chat: i64, content: &str, key: &str) -> Told {
    let accepted = async {
        loop {
            let told = actor.say_as(chat, content, key).await;
            if told.status == 201 {
                return told;
            }
            told.refused(503, "busy");
        }
    };
    tokio::time::timeout(crate::support::world::FOREVER, accepted)
        .await
        .expect("it is accepted again")
}

fn after(cursor: &str) -> String {
    format!("/api/events?after={cursor}&timeout=55")
}

/// A socket that acts for a user of the embed dialect, and with what it may come back.
async fn socket(world: &World) -> (Ws, Value, Value) {
    let mut ws = world.websocket("&recovery=1", &[]).await;
    ws.send("40").await;
    let reply = json_after(&ws.text_after("40").await, "40");
    let user = json!({"user": {"external_id": "u-1", "name": "Gus", "photo": ""}});
    ws.send(&format!("42{}", json!(["create-user", user])))
        .await;
    ws.text_after("42[\"create-user\"").await;
    (ws, reply["sid"].clone(), json!({"pid": reply["pid"]}))
}

#[rocket::async_test]
async fn a_standby_that_lacks_messages_begins_another_epoch_and_everybody_is_told() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world("").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let kept = id(&say(&ann, chat, "kept").await.ok(201));
    let (mut ws, sid, back) = socket(&world).await;
    pair.part().await;
    let mut lost = Vec::new();
    for number in 0..5 {
        lost.push(id(&say(&ann, chat, &format!("lost {number}"))
            .await
            .ok(201)));
    }
    let lost_chat = ann.make("lost").await;
    let cursor = bo.now().await;
    let poll = hold(&bo, &after(&cursor));
    let of_chat = hold(
        &bo,
        &format!("/api/chats/{chat}?after={}&timeout=55", lost[4]),
    );
    let mut stream = Events::open(&bo, "/api/events", Some(&cursor)).await;
    world.waiting(3).await;
    pair.fail_over().await;

    // Nobody sends anything: the waits end by themselves.
    let gone = answer(poll).await.refused(410, "gone");
    let fresh = text(&gone.json(), "cursor");
    answer(of_chat).await.refused(410, "gone");
    let block = stream.event().await;
    assert_eq!(block.event.as_deref(), Some("gone"));
    let again = text(&block.json(), "cursor");
    assert_eq!(block.id.as_deref(), Some(again.as_str()));
    assert_eq!(stream.next().await, None, "a stream tells nothing more");
    // A browser comes back with the id that it was told last.
    Events::open(&bo, "/api/events", Some(&again)).await;
    ws.closed().await;
    let mut ws = world.websocket("&recovery=1", &[]).await;
    ws.send(&format!("40{back}")).await;
    let reply = json_after(&ws.text_after("40").await, "40");
    assert_ne!(
        reply["sid"], sid,
        "it is another connection, and not recovered"
    );
    bo.get(&after(&cursor)).await.refused(410, "gone");

    let sent = id(&accepted(&ann, chat, "after", "key").await);
    assert!(sent > lost[4] + LEAP / 2, "{sent} is none of {lost:?}");
    assert_eq!(bo.said(chat).await, ["kept", "after"]);
    let (events, _) = bo.events(&fresh, 0).await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "message")
        .collect();
    assert_eq!(told.len(), 1, "{events:?}");
    assert_eq!(told[0]["message"]["id"], sent);
    let next = ann.make("next").await;
    assert!(next > lost_chat, "{next} after {lost_chat}");
    assert!(id(&say(&ann, next, "hello").await.ok(201)) > sent);
    assert!(kept < lost[0]);
    world.get("/health").await.with(200);
}

#[rocket::async_test]
async fn whatever_is_open_in_whatever_dialect_ends_with_the_epoch_and_is_opened_again() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world("").await;
    let ann = world.actor("ann").await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let chat = ann.make("tea").await;
    ann.say(chat, "kept").await;
    let mut opened = Vec::new();
    let mut count = 0;
    for (login, waits) in [(&ann, Waits::Polls), (&phone, Waits::Streams)] {
        let viewer = Viewer::of(login, chat);
        opened.push(Everything::open(&world, &viewer, waits, &mut count).await);
    }
    pair.in_step().await;
    pair.fail_over().await;
    for everything in opened {
        everything.ended_with_epoch().await;
    }
    let viewer = Viewer::of(&ann, chat);
    let mut count = 0;
    let mut again = Everything::open(&world, &viewer, Waits::Polls, &mut count).await;
    again.stands().await;
    assert_eq!(ann.said(chat).await, ["kept"]);
}

#[rocket::async_test]
async fn a_standby_that_has_everything_goes_on_with_the_same_cursors() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world(LOSSLESS).await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let before = id(&say(&ann, chat, "before").await.ok(201));
    let cursor = bo.now().await;
    let poll = hold(&bo, &after(&cursor));
    world.waiting(1).await;
    pair.in_step().await;
    pair.fail_over().await;
    let sent = id(&accepted(&ann, chat, "after", "key").await);
    assert_eq!(sent, before + 1, "the log goes on");
    let told = answer(poll).await.with(200).json();
    assert_eq!(told["events"][0]["message"]["id"], sent);
    let epochs = pair.standby.number("select count(*) from epochs").await;
    assert_eq!(epochs, 0);

    // The operator's word does not hold against the log.
    pair.primary.start_again();
    pair.way.turn(&pair.primary);
    ann.say_as(chat, "left behind", "other")
        .await
        .refused(503, "busy");
}

#[rocket::async_test]
async fn a_log_that_went_back_begins_another_epoch_whatever_the_operator_says() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world(LOSSLESS).await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    pair.part().await;
    let lost = id(&say(&ann, chat, "lost").await.ok(201));
    let cursor = ann.now().await;
    pair.fail_over().await;
    let sent = id(&accepted(&ann, chat, "after", "key").await);
    assert!(sent > lost + LEAP / 2, "{sent} after {lost}");
    ann.get(&after(&cursor)).await.refused(410, "gone");
}

#[rocket::async_test]
async fn the_old_primary_and_another_server_are_refused_until_the_right_one_is_back() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world("databases.chat.connect_timeout = 1").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    pair.in_step().await;
    pair.fail_over().await;
    accepted(&ann, chat, "one", "key").await;
    let cursor = ann.now().await;
    let other = Cluster::start().expect("another one");
    other.make_database().await;
    pair.primary.start_again();
    let rows = "select head from log";
    let left = pair.primary.number(rows).await;
    for wrong in [&pair.primary, &other] {
        pair.way.turn(wrong);
        ann.say_as(chat, "lost", "other").await.refused(503, "busy");
        ann.get("/api/chats").await.refused(503, "busy");
        world.get("/health").await.refused(503, "busy");
    }
    assert_eq!(pair.primary.number(rows).await, left, "nothing was written");
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(other.number(tables).await, 0);
    pair.way.turn(&pair.standby);
    accepted(&ann, chat, "two", "third").await;
    let (events, _) = ann.events(&cursor, 0).await;
    assert_eq!(events.len(), 1, "the epoch is the same: {events:?}");
    assert_eq!(ann.said(chat).await, ["one", "two"]);
}

#[rocket::async_test]
async fn a_failover_while_the_server_is_stopped_is_noticed_at_the_start() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let world = pair.way.world("").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let before = id(&say(&ann, chat, "before").await.ok(201));
    let cursor = ann.now().await;
    let first = world.stop().await;
    pair.in_step().await;
    pair.fail_over().await;
    let world = pair.way.world("").await;
    let ann = ann.at(&world);
    ann.get(&after(&cursor)).await.refused(410, "gone");
    let sent = id(&say(&ann, chat, "after").await.ok(201));
    assert!(sent > before + LEAP / 2, "{sent} after {before}");
    let cursor = ann.now().await;
    let second = world.stop().await;
    let world = pair.way.world("").await;
    let path = format!("/api/events?after={cursor}&timeout=0");
    ann.at(&world).get(&path).await.with(200);
    // Each of them would remove the database.
    drop((first, second));
}

#[rocket::async_test]
async fn a_database_that_was_copied_to_another_server_begins_another_epoch() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let before = ann.say(chat, "before").await;
    let cursor = ann.now().await;
    let place = world.stop().await;
    if let Place::Sqlite(_) = &place {
        return;
    }
    // As a dump says it that was made of another one.
    let mut beside = place.beside().await;
    beside
        .run("update log set system = '1', timeline = 9")
        .await;
    let url = place.url();
    let world = World::on(place, &url, "databases.chat.failover = \"lossless\"").await;
    let ann = ann.at(&world);
    ann.get(&after(&cursor)).await.refused(410, "gone");
    assert!(ann.say(chat, "after").await > before + LEAP / 2);
}

#[rocket::async_test]
async fn another_process_that_begins_an_epoch_is_noticed_without_a_batch() {
    let world = World::new().await;
    if let Place::Sqlite(_) = &world.place {
        return;
    }
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let before = ann.say(chat, "before").await;
    let poll = hold(&bo, &after(&bo.now().await));
    world.waiting(1).await;
    let begun = parlance::store::backup::renew_epoch(&world.place.options()).await;
    begun.expect("it begins");
    // Nobody sends anything.
    answer(poll).await.refused(410, "gone");
    let sent = id(&accepted(&ann, chat, "after", "key").await);
    assert!(sent > before + LEAP / 2);
}

#[rocket::async_test]
async fn a_connection_that_is_cut_off_with_the_lock_stops_nobody_for_long() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    cluster.make_database().await;
    let way = Way::to(&cluster).await;
    let world = way.world("").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let before = id(&say(&ann, chat, "before").await.ok(201));
    way.cut_next_lock();
    // Its transaction holds the lock, and its end of the connection stays open.
    ann.say_as(chat, "cut", "key").await.refused(503, "busy");
    assert!(way.has_cut());
    let sent = accepted(&ann, chat, "cut", "key").await;
    assert_eq!(id(&sent), before + 1);
    assert_eq!(ann.said(chat).await, ["before", "cut"], "once");
}

#[rocket::async_test]
async fn a_commit_that_waits_for_a_standby_that_is_not_there_is_told_to_be_unknown_and_settled() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    cluster.make_database().await;
    let way = Way::to(&cluster).await;
    let world = way.world("").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let cursor = bo.now().await;
    cluster
        .set("set synchronous_standby_names = 'nobody'")
        .await;
    let mut said = 0;
    let unknown = loop {
        let told = ann.say_as(chat, &said.to_string(), &said.to_string()).await;
        if told.status == 503 {
            break told;
        }
        told.ok(201);
        said += 1;
    };
    assert!(
        unknown.body.contains("not known whether this was written"),
        "{}",
        unknown.body
    );
    // Nobody is told of it before it is settled, and reads go on.
    assert_eq!(bo.events(&cursor, 0).await.0.len(), said);
    bo.say_as(chat, "no", "other").await.refused(503, "busy");
    cluster.set("reset synchronous_standby_names").await;
    let again = accepted(&ann, chat, &said.to_string(), &said.to_string()).await;
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    let expected: Vec<_> = (0..=said).map(|number| number.to_string()).collect();
    assert_eq!(bo.said(chat).await, expected, "each once");
    soon_holds(async || bo.events(&cursor, 0).await.0.len() == said + 1).await;
}
