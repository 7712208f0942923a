//! What one server writes is heard at the others, once and in the order of the log.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use sqlx::postgres::PgListener;

use crate::{
    support::actor::{Actor, Told, list, text},
    support::nodes::{figure, servers, servers_by_postgres, servers_that_hear_nothing, stop},
    support::poll::{answer, but_presence, hold},
    support::security_world::{CONNECTIONS, Connection, Credentials},
    support::stream::Events,
    support::world::{World, soon_holds},
};

/// How many messages are sent in a test of order.
const MANY: usize = 40;

/// The owner's request at one of the servers.
fn ask(world: &World, token: &str, more: &str) -> reqwest::RequestBuilder {
    let path = but_presence(&format!("/api/events?{more}"));
    let request = world
        .http
        .request(Method::GET, format!("{}{path}", world.base()));
    request.bearer_auth(token)
}

/// What a message event says, if it is one.
fn said(event: &Value) -> Option<String> {
    (event["type"] == "message").then(|| text(&event["message"], "content"))
}

/// What polls at a server hear after a cursor, until so many messages were heard.
async fn polled(world: &World, token: &str, mut cursor: String) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < MANY {
        let more = format!("after={cursor}&timeout=50&limit=7");
        let told = Told::of(ask(world, token, &more)).await.with(200).json();
        heard.extend(list(&told, "events").iter().filter_map(said));
        cursor = text(&told, "cursor");
    }
    heard
}

async fn streamed(mut stream: Events) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < MANY {
        heard.extend(said(&stream.event().await.json()));
    }
    heard
}

/// What a socket hears that acts for an agent.
async fn delivered(mut socket: Connection) -> Vec<String> {
    let last = format!("word {}\"", MANY - 1);
    let heard = socket.until(&last).await.into_iter();
    let heard = heard.filter(|packet| packet.starts_with("42[\"newMessage\""));
    let words = heard.filter_map(|packet| {
        let (_, word) = packet.split_once("\"message\":\"word ")?;
        let (number, _) = word.split_once('"')?;
        Some(format!("word {number}"))
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_at_any_server_is_heard_at_each_once_and_in_one_order() {
    let Some(servers) = servers(3, "").await else {
        return;
    };
    let owner = servers[0].owner("localhost").await;
    let guest = servers[1].guest("localhost").await;
    let token = owner.token.as_str();
    let mut listening = Vec::new();
    let mut sockets = Vec::new();
    for world in &servers {
        let now = Told::of(ask(world, token, "after=now&timeout=0")).await;
        let cursor = text(&now.with(200).json(), "cursor");
        let stream = Events::of(ask(world, token, ""), None).await;
        for by in CONNECTIONS {
            let socket = Connection::open(world, by, &Credentials::default()).await;
            let mut socket = socket.expect("it is let in");
            let argument = serde_json::json!({ "token": token });
            socket
                .ask("getWaitingChats", &argument)
                .await
                .expect("it acts");
            sockets.push(delivered(socket));
        }
        listening.push((polled(world, token, cursor), streamed(stream)));
    }
    let says = async {
        for number in 0..MANY {
            let world = &servers[number % servers.len()];
            guest.says(world, &format!("word {number}")).await;
        }
    };
    let (polls, streams): (Vec<_>, Vec<_>) = listening.into_iter().unzip();
    let (polls, streams, sockets, ()) =
        tokio::join!(join_all(polls), join_all(streams), join_all(sockets), says);
    let expected: Vec<_> = (0..MANY).map(|number| format!("word {number}")).collect();
    for heard in polls.into_iter().chain(streams).chain(sockets) {
        assert_eq!(heard, expected);
    }
    // Each server has published the whole log, without a gap.
    let head = servers[0].place.beside().await.head_without_gaps().await;
    for world in &servers {
        soon_holds(async || world.head().get() == head).await;
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_answered_though_every_notification_is_lost() {
    let Some(servers) = servers_that_hear_nothing(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let bo = servers[1].actor("bo").await;
    bo.join(chat).await;
    let held = hold(
        &bo,
        &format!("/api/events?after={}&timeout=50", bo.now().await),
    );
    servers[1].waiting(1).await;
    ann.say(chat, "hello").await;
    let told = answer(held).await.with(200).json();
    assert_eq!(
        list(&told, "events").iter().find_map(said).as_deref(),
        Some("hello")
    );
    let mut beside = servers[0].place.beside().await;
    let lost = "select count(*) from beside.lost";
    assert!(beside.number(lost).await > 0, "there was one to lose");
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_followed_by_a_notification_where_somebody_else_may_hear_it() {
    let Some(servers) = servers_by_postgres(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let url = servers[0].place.url();
    let listener = PgListener::connect(&url).await;
    let mut listener = listener.expect("the database answers");
    listener.listen("parlance").await.expect("it listens");
    ann.say(chat, "hello").await;
    let told = listener.recv().await.expect("there is a notification");
    let writer = told.payload().to_owned();
    // What is ended is no change of the log.
    ann.get("/api/logout").await.with(200);
    let told = listener.recv().await.expect("there is a notification");
    assert_eq!(told.payload(), writer);
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_one_server_is_good_at_another_at_once() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let there = ann.at(&servers[1]);
    for number in 0..30 {
        let id = ann.say(chat, &number.to_string()).await;
        let cursor = ann.now().await;
        let path = format!("/api/events?after={cursor}&timeout=0");
        let told = there.get(&path).await.with(200).json();
        assert_eq!(list(&told, "events").iter().find_map(said), None);
        there
            .get(&format!("/api/chats/{chat}?after={id}&timeout=0"))
            .await
            .with(200);
    }
    // What nobody has told is not waited for.
    let cursor = there.now().await;
    let (epoch, position) = cursor.rsplit_once('.').expect("a cursor");
    let position: i64 = position.parse().expect("a number");
    for after in [
        format!("{epoch}.{}", position + 1_000),
        format!("1.otherone.{position}"),
    ] {
        let path = format!("/api/events?after={after}&timeout=0");
        there.get(&path).await.refused(410, "gone");
    }
    let path = format!("/api/chats/{chat}?after={}", position + 1_000);
    there.get(&path).await.refused(410, "gone");
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_is_decided_on_what_every_server_has_written() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let bo = Actor::sign_up(&servers[1], "bo").await;
    let chat = ann.make_private("tea", &[&bo]).await;
    for number in 0..20 {
        let key = format!("key-{number}");
        let twice = [ann.clone(), ann.at(&servers[1])].map(|ann| {
            let key = key.clone();
            async move { ann.say_as(chat, "once", &key).await.with(201) }
        });
        let told = join_all(twice).await;
        assert_eq!(
            told[0].header("X-Message-Id"),
            told[1].header("X-Message-Id")
        );
    }
    assert_eq!(bo.said(chat).await.len(), 20, "each was written once");
    // Who was removed a moment ago at one server may not write at the other.
    let path = format!("/api/chats/{chat}/members/{}", bo.id);
    ann.delete(&path).await.with(200);
    let told = bo
        .post(&format!("/api/chats/{chat}"), &[("content", "no")])
        .await;
    assert!(matches!(told.status, 403 | 404), "{}", told.body);
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_under_an_old_name_after_another_server_has_told_the_new_one() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let bo = servers[0].actor("bo").await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let there = ann.at(&servers[1]);
    there.say(chat, "her login is known there").await;
    for number in 0..20 {
        let name = format!("ann {number}");
        ann.patch("/api/me", &[("name", &name)]).await.with(200);
        let since = bo.now().await;
        there.say(chat, &number.to_string()).await;
        for world in &servers {
            let bo = bo.at(world);
            let path = format!("/api/events?after={since}&timeout=50&types=message");
            let told = bo.get(&path).await.with(200).json();
            assert_eq!(told["events"][0]["people"][0]["name"], name.as_str());
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_server_tell_how_it_follows_the_others() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    for world in &servers {
        soon_holds(async || figure::<i64>(world, "parlance_other_servers").await == 1).await;
        soon_holds(async || figure::<i64>(world, "parlance_bus_heard").await == 1).await;
        let told = world.get("/health").await.with(200).json();
        assert_eq!(told["parts"]["bus"]["state"], "ok");
    }
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    ann.say(chat, "hello").await;
    let head = servers[0].head().get();
    soon_holds(async || servers[1].head().get() >= head).await;
    soon_holds(async || figure::<i64>(&servers[1], "parlance_tail_lag").await == 0).await;
    soon_holds(async || figure::<f64>(&servers[0], "parlance_notification_seconds").await > 0.0)
        .await;
    soon_holds(async || {
        let age: f64 = figure(&servers[1], "parlance_lease_age_seconds").await;
        age > 0.0 && age < 2.0
    })
    .await;
    stop(servers).await;
}
