//! Who is removed, and whose chat is deleted or closed to them, hears nothing more of it, by whichever way they
//! listen: the same change that takes the chat away ends their waits for it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list},
    support::poll::{answer, hold},
    support::security_world::{CONNECTIONS, Connection, Credentials},
    support::stream::Events,
    support::world::World,
};

/// A word that is said in the chat once they are out.
const SECRET: &str = "sesame";
/// The same as the service API tells it, in base64.
const SECRET_IN_BASE64: &str = "c2VzYW1l";
/// A word that is said in a chat where they stay, and the same in base64.
const MARKER: &str = "marker";
const MARKER_IN_BASE64: &str = "bWFya2Vy";

/// How the chat ends for one of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Removed,
    Left,
    Deleted,
}

/// Sockets of one person that hear the chat as each of the event-style dialects that has a word for it.
async fn sockets(world: &World, person: &Actor, chat: i64) -> Vec<Connection> {
    let mut sockets = Vec::new();
    for by in CONNECTIONS {
        let opened = Connection::open(world, by, &Credentials::of(person)).await;
        let mut socket = opened.expect("it is let in");
        let own = json!({"user": {"id": person.id}});
        assert!(socket.is_answered("list-chats", &own).await);
        let room = json!(format!("chat-{chat}"));
        socket.ask("join", &room).await.expect("an answer");
        sockets.push(socket);
    }
    sockets
}

/// Streams of one person, of the messenger and of the dialects.
async fn streams(person: &Actor, chat: i64) -> Vec<Events> {
    let mut streams = Vec::new();
    for query in [
        String::new(),
        "?dialect=embed".to_owned(),
        format!("?dialect=service&room=chat-{chat}"),
    ] {
        let path = format!("/api/events{query}");
        streams.push(Events::open(person, &path, None).await);
    }
    streams
}

async fn end(how: End, ann: &Actor, bo: &Actor, chat: i64) {
    let path = format!("/api/chats/{chat}");
    let told = match how {
        End::Removed => ann.delete(&format!("{path}/members/{}", bo.id)).await,
        End::Left => bo.post(&format!("{path}/leave"), &[]).await,
        End::Deleted => ann.delete(&path).await,
    };
    told.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_out_hears_nothing_more_by_whichever_way_they_listen() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    for how in [End::Removed, End::Left, End::Deleted] {
        let stays = ann.make_private("stays", &[&bo]).await;
        let chat = ann.make_private("ends", &[&bo]).await;
        let since = bo.now().await;
        let mut sockets = sockets(&world, &bo, chat).await;
        let streams = streams(&bo, stays).await;
        let waits = [
            format!("/api/chats/{chat}?after={since}&timeout=50"),
            format!("/api/events?after={since}&timeout=50"),
        ];
        let waits = waits.map(|path| hold(&bo, &path));
        // Three streams wait as well.
        world.waiting(5).await;
        end(how, &ann, &bo, chat).await;
        let [of_chat, of_all] = waits;
        answer(of_chat).await.refused(404, "not_found");
        let told = answer(of_all).await.with(200).json();
        let events = list(&told, "events");
        assert_eq!(events.len(), 1, "{how:?}: {events:?}");
        assert_eq!(
            events[0]["type"],
            if how == End::Deleted {
                "chat"
            } else {
                "member"
            }
        );
        // What is said there now, and that somebody types, is for others.
        let path = format!("/api/chats/{chat}");
        let said = ann.post(&path, &[("content", SECRET)]).await.status;
        assert_eq!(said, if how == End::Deleted { 404 } else { 201 });
        let typing = json!({"chat": {"id": chat}, "user": {"id": ann.id}, "typing": true});
        let typed = ann.request(Method::POST, "/api/events/typing?dialect=embed");
        let typed = Told::of(typed.json(&typing)).await.status;
        assert_eq!(typed, if how == End::Deleted { 404 } else { 200 });
        ann.say(stays, MARKER).await;
        for socket in &mut sockets {
            let heard = socket.until(MARKER).await;
            is_silent(how, &heard);
        }
        for mut stream in streams {
            is_silent(how, &streamed(&mut stream).await);
        }
        let (events, _) = bo.events(&since, 0).await;
        let heard: Vec<_> = events.iter().map(Value::to_string).collect();
        is_silent(how, &heard);
        for (path, form) in [("", ("content", "x")), ("/read", ("up_to", "1"))] {
            bo.post(&format!("/api/chats/{chat}{path}"), &[form])
                .await
                .refused(404, "not_found");
        }
        // The sockets can do nothing there either.
        for mut socket in sockets {
            let place = json!({"chat": {"id": chat}, "user": {"id": bo.id},
                "message": {"value": "x", "type": "text"}});
            for event in ["new-message", "list-messages", "typing", "seen"] {
                let told = socket.ask(event, &place).await.expect("an answer");
                assert_ne!(told["status"], "ok", "{how:?} {event}: {told}");
            }
        }
        world.waiting(0).await;
    }
    world.stop().await;
}

/// What a stream tells, up to the marker.
async fn streamed(stream: &mut Events) -> Vec<String> {
    let mut heard: Vec<String> = Vec::new();
    loop {
        let data = stream.event().await.data.expect("it has data");
        let is_last = data.contains(MARKER) || data.contains(MARKER_IN_BASE64);
        heard.push(data);
        if is_last {
            return heard;
        }
    }
}

/// Nothing that is said or typed in the chat.
fn is_silent(how: End, heard: &[String]) {
    let told = |word: &str| heard.iter().any(|it| it.contains(word));
    let is_told = [SECRET, SECRET_IN_BASE64, "typing"].into_iter().any(told);
    assert!(!is_told, "{how:?}: {heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_looking_at_an_open_chat_sees_nothing_of_it_once_it_is_closed() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let stays = ann.make_private("stays", &[&bo]).await;
    let chat = ann.make("tea").await;
    let since = bo.now().await;
    // Bo has never joined: the room of the service API is open to all who may read the chat.
    let mut sockets = sockets(&world, &bo, chat).await;
    let of_chat = hold(&bo, &format!("/api/chats/{chat}?after={since}&timeout=50"));
    let mut stream = Events::open(&bo, "/api/events", None).await;
    world.waiting(2).await;
    let path = format!("/api/chats/{chat}");
    ann.patch(&path, &[("private", "true")]).await.ok(200);
    answer(of_chat).await.refused(404, "not_found");
    ann.patch(&path, &[("title", SECRET)]).await.ok(200);
    ann.say(chat, SECRET).await;
    ann.say(stays, MARKER).await;
    let streamed = streamed(&mut stream).await;
    assert_eq!(streamed.len(), 2, "{streamed:?}");
    assert!(streamed[0].contains(r#""open":false"#), "{streamed:?}");
    assert!(
        !streamed
            .iter()
            .any(|it| it.contains(SECRET) || it.contains("tea"))
    );
    for mut socket in sockets.drain(..) {
        let heard = socket.until(MARKER).await;
        let is_told = |it: &String| it.contains(SECRET) || it.contains(SECRET_IN_BASE64);
        assert!(!heard.iter().any(is_told), "{heard:?}");
        // It is in the room no longer, and cannot come back to it.
        let room = json!(format!("chat-{chat}"));
        for (event, argument) in [("seen", Value::Null), ("join", room)] {
            let told = socket.ask(event, &argument).await.expect("an answer");
            let is_well = told["status"] == "ok" || told.get("id").is_some();
            assert!(!is_well, "{event}: {told}");
        }
    }
    world.stop().await;
}

#[rocket::async_test]
async fn of_a_deleted_chat_nothing_is_told_any_more_but_that_it_is_deleted() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let stays = ann.make_private("stays", &[&bo]).await;
    let since = bo.now().await;
    let chat = ann.make_private("ends", &[&bo]).await;
    for number in 0..70 {
        ann.say(chat, &format!("{SECRET} {number}")).await;
    }
    let said = ann.say(chat, SECRET).await;
    bo.read(chat, said).await;
    ann.delete(&format!("/api/chats/{chat}")).await.ok(200);
    ann.say(stays, MARKER).await;
    let told = async |bo: &Actor| {
        let path = format!("/api/events?after={since}&timeout=0&limit=200");
        let told = bo.get(&path).await.with(200);
        assert!(!told.body.contains(SECRET), "{}", told.body);
        let events = list(&told.json(), "events");
        let types = events.iter().map(|event| event["type"].clone());
        types.collect::<Vec<_>>()
    };
    // One's own coming is one's own; the last two are of the chat that stays.
    let expected = ["member", "chat", "chat", "message"];
    assert_eq!(told(&bo).await, expected);
    let world = world.restart().await;
    assert_eq!(told(&bo.at(&world)).await, expected);
    world.stop().await;
}

#[rocket::async_test]
async fn who_was_away_for_long_reads_nothing_from_the_log_that_is_no_longer_theirs() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make_private("ends", &[&bo]).await;
    let since = bo.now().await;
    // Somebody else's wait keeps the chat's topic, which remembers some dozens of changes.
    let path = format!("/api/chats/{chat}?after={since}");
    bo.get(&path).await.with(200);
    ann.delete(&format!("/api/chats/{chat}/members/{}", bo.id))
        .await
        .ok(200);
    for number in 0..100 {
        ann.say(chat, &format!("{SECRET} {number}")).await;
    }
    bo.get(&path).await.refused(404, "not_found");
    let (events, _) = bo.events(&since, 0).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let world = world.restart().await;
    let bo = bo.at(&world);
    bo.get(&path).await.refused(404, "not_found");
    assert_eq!(bo.events(&since, 0).await.0.len(), 1);
    world.stop().await;
}
