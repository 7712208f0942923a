//! What clients and proxies rely on at `/api/events`, the same for every dialect, as a poll and as a stream.

use std::collections::VecDeque;

use reqwest::{Method, RequestBuilder, header::AUTHORIZATION};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    support::actor::{Told, list, text},
    support::stream::Events,
    support::support_world::{Guest, Owner},
    support::world::{World, every_dialect},
};

/// Every value of `dialect`; none is the messenger's.
fn dialects() -> impl Iterator<Item = &'static str> {
    [""].into_iter().chain(every_dialect())
}

/// Somebody who runs a desk, whose guest says something: every dialect tells them of that.
struct Desk {
    world: World,
    owner: Owner,
    guest: Guest,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let owner = world.owner("localhost").await;
        let guest = world.guest("localhost").await;
        Self {
            world,
            owner,
            guest,
        }
    }

    /// The address of a dialect's events.
    fn path(&self, dialect: &str, more: &str) -> String {
        let chat = u64::from_str_radix(&self.guest.chat, 16).expect("a number in hex");
        format!(
            "{}/api/events?dialect={dialect}&room=chat-{chat}&{more}",
            self.world.base()
        )
    }

    /// A request by the owner.
    fn ask(&self, dialect: &str, more: &str) -> RequestBuilder {
        let request = self
            .world
            .http
            .request(Method::GET, self.path(dialect, more));
        request.header(AUTHORIZATION, format!("Bearer {}", self.owner.token))
    }

    async fn poll(&self, dialect: &str, more: &str) -> Told {
        Told::of(self.ask(dialect, more)).await
    }

    fn hold(&self, dialect: &str, more: &str) -> JoinHandle<Told> {
        tokio::spawn(Told::of(self.ask(dialect, more)))
    }

    async fn stream(&self, dialect: &str, more: &str) -> Events {
        let mut stream = Events::of(self.ask(dialect, more), None).await;
        let first = stream.next().await.expect("a beginning");
        assert!(
            first.comment && first.id.is_some(),
            "a place to resume from"
        );
        stream
    }

    async fn says(&self, message: &str) {
        self.guest.says(&self.world, message).await;
    }
}

async fn answer(held: JoinHandle<Told>) -> Value {
    let told = held.await.expect("a held request is answered").with(200);
    assert_eq!(told.header("Cache-Control"), "no-store");
    told.json()
}

/// What an empty answer says beside its cursor.
fn ending(told: &Value) -> Value {
    json!([told["events"], told["more"], told["superseded"]])
}

/// The events of an answer; of those that are told under a twin name too, once.
fn heard(told: &Value) -> Vec<Value> {
    let is_twin = |event: &Value| {
        let name = event.get("event").and_then(Value::as_str);
        name.is_some_and(|name| name.starts_with('/'))
    };
    let events = list(told, "events").into_iter();
    events.filter(|event| !is_twin(event)).collect()
}

fn within(value: &Value, most: std::ops::RangeInclusive<u64>) {
    let number = value.as_u64().expect("a number");
    assert!(most.contains(&number), "{number} is not in {most:?}");
}

#[rocket::async_test]
async fn every_dialect_refuses_the_same_requests_in_the_same_way() {
    let desk = Desk::new().await;
    for dialect in dialects() {
        for accept in ["application/json", "text/event-stream"] {
            for (more, status, code) in [
                ("after=x", 400, "bad_cursor"),
                ("after=1.zzzzzzzz.1", 410, "gone"),
                ("limit=0", 400, "bad_request"),
                ("limit=201", 400, "bad_request"),
                ("limit=x", 400, "bad_request"),
                ("types=nonsense", 400, "bad_request"),
                ("timeout=x", 400, "bad_request"),
                ("timeout=1.5", 400, "bad_request"),
                ("timeout=", 400, "bad_request"),
            ] {
                let request = desk.ask(dialect, more).header("Accept", accept);
                let told = Told::of(request).await.refused(status, code);
                if status == 410 {
                    let cursor = text(&told.json(), "cursor");
                    desk.poll(dialect, &format!("timeout=0&after={cursor}"))
                        .await
                        .with(200);
                }
            }
            let ask = |more| desk.world.http.get(desk.path(dialect, more));
            for request in [
                ask(""),
                ask("").bearer_auth("no such token"),
                ask("token=no-such-token"),
            ] {
                let told = Told::of(request.header("Accept", accept)).await;
                told.refused(401, "unauthenticated");
            }
        }
        for (last, status, code) in [("x", 400, "bad_cursor"), ("1.zzzzzzzz.1", 410, "gone")] {
            let request = desk.ask(dialect, "").header("Accept", "text/event-stream");
            let told = Told::of(request.header("Last-Event-ID", last)).await;
            told.refused(status, code);
        }
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn a_dialect_that_is_not_there_is_refused_by_every_request_in_the_same_way() {
    let desk = Desk::new().await;
    let http = &desk.world.http;
    let receive = |name: &str| http.get(desk.path(name, "timeout=0"));
    let send = |name: &str| {
        let path = format!("/api/events/list-chats?dialect={name}");
        let request = http.post(format!("{}{path}", desk.world.base()));
        request.json(&json!({"user": {"id": desk.owner.id}}))
    };
    for name in ["nonsense", "Embed", "x"] {
        for request in [
            receive(name),
            receive(name).header("Accept", "text/event-stream"),
            send(name),
        ] {
            let told = Told::of(request).await.refused(400, "bad_request");
            assert!(told.body.contains("there is no such dialect"));
        }
    }
    // A dialect that is there, and has no such event.
    for name in ["messenger", "support", "service"] {
        let told = Told::of(send(name).bearer_auth(&desk.owner.token)).await;
        told.refused(404, "not_found");
    }
    for name in ["", "embed"] {
        let told = Told::of(send(name).bearer_auth(&desk.owner.token)).await;
        told.with(200);
        let told = Told::of(receive(name).bearer_auth(&desk.owner.token)).await;
        told.with(200);
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_takes_a_token_however_it_comes() {
    let desk = Desk::new().await;
    let (id, token) = (&desk.owner.id, &desk.owner.token);
    for dialect in dialects() {
        let ask = || desk.world.http.get(desk.path(dialect, "timeout=0"));
        for request in [
            ask().header(AUTHORIZATION, format!("Bearer {token}")),
            ask().header(AUTHORIZATION, format!("bearer  {token}")),
            ask().header(AUTHORIZATION, token.as_str()),
            desk.world
                .http
                .get(desk.path(dialect, &format!("timeout=0&token={token}"))),
            ask().header("Cookie", format!("user_id={id}; token={token}")),
            // What a proxy asks for is not ours.
            ask()
                .header(AUTHORIZATION, "Basic bWU6c2VjcmV0")
                .header("Cookie", format!("user_id={id}; token={token}")),
        ] {
            Told::of(request).await.with(200);
        }
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_answers_a_poll_in_the_same_way() {
    let desk = Desk::new().await;
    for dialect in dialects() {
        let told = desk.poll(dialect, "timeout=-5").await.with(200).json();
        assert_eq!(ending(&told), json!([[], false, null]));
        assert_eq!(told["retry_ms"], 0);
        let cursor = text(&told, "cursor");
        let held = desk.hold(dialect, &format!("after={cursor}&timeout=50"));
        desk.world.waiting(1).await;
        desk.says("hello").await;
        let told = answer(held).await;
        assert_eq!(heard(&told).len(), 1, "{told}");
        let again = desk
            .poll(dialect, &format!("after={cursor}&timeout=50"))
            .await;
        assert_eq!(again.with(200).json(), told, "the same from the log");
        let no_such = format!("after={cursor}&timeout=0&types=read,chat");
        let none = desk.poll(dialect, &no_such).await.with(200).json();
        assert_eq!(none["events"], json!([]));
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_tells_who_types_to_polls_and_streams() {
    for dialect in dialects() {
        let desk = Desk::new().await;
        let types = async |token: &str, typing: bool| {
            let argument = json!({"chatId": desk.guest.chat, "token": token, "typing": typing});
            desk.world.said("typing", argument).await;
        };
        let mut stream = desk.stream(dialect, "").await;
        let held = desk.hold(dialect, "after=now&timeout=50");
        let unwanted = desk.hold(dialect, "after=now&timeout=50&types=message,presence");
        desk.world.waiting(3).await;
        types(&desk.owner.token, true).await;
        // Who types is told so in the room of the chat service alone, as its document has it.
        if dialect == "service" {
            assert_eq!(stream.event().await.event.as_deref(), Some("is_typing"));
        } else {
            types(&desk.guest.token, true).await;
        }
        let told = answer(held).await;
        let events = list(&told, "events");
        assert_eq!(events.len(), 1, "{dialect}: {events:?}");
        if dialect != "service" {
            let event = stream.event().await;
            assert_eq!((event.event.as_deref(), &event.id), (Some("typing"), &None));
            let listed = events[0].get("data").unwrap_or(&events[0]);
            assert_eq!(&event.json(), listed, "{dialect}");
            let guest = i64::from_str_radix(&desk.guest.id, 16).expect("a number in hex");
            let expected = match dialect {
                "embed" => (&listed["user"]["id"], json!(guest.to_string())),
                "support" => (&listed["from"], json!(desk.guest.id)),
                _ => (&listed["person_id"], json!(guest)),
            };
            assert_eq!(*expected.0, expected.1, "{dialect}");
            types(&desk.guest.token, false).await;
            assert_eq!(stream.event().await.event.as_deref(), Some("typing"));
        }
        types(&desk.owner.token, false).await;
        desk.says("to all").await;
        assert_eq!(heard(&answer(unwanted).await).len(), 1, "{dialect}");
        desk.world.stop().await;
    }
}

#[rocket::async_test]
async fn every_dialect_bounds_the_bytes_of_an_answer() {
    let desk = Desk::new().await;
    let start = text(&desk.poll("", "timeout=0").await.json(), "cursor");
    for _ in 0..80 {
        desk.says(&"\u{436}".repeat(8_000)).await;
    }
    for dialect in dialects() {
        let (mut cursor, mut told, mut answers) = (start.clone(), 0, 0);
        loop {
            let more = format!("after={cursor}&timeout=0&limit=200");
            let answer = desk.poll(dialect, &more).await.with(200);
            assert!(answer.body.len() < (1 << 20) + 1024, "{dialect}");
            let json = answer.json();
            told += heard(&json).len();
            answers += 1;
            cursor = text(&json, "cursor");
            if json["more"] == false {
                break;
            }
        }
        assert_eq!(told, 80, "{dialect}");
        assert!(answers > 1, "{dialect}");
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_streams_in_the_same_way() {
    let desk = Desk::new().await;
    for dialect in dialects() {
        // Its headers are looked at when it is opened.
        let mut stream = desk.stream(dialect, "").await;
        let since = text(&desk.poll(dialect, "timeout=0").await.json(), "cursor");
        desk.says("one").await;
        let one = stream.event().await;
        let polled = desk.poll(dialect, &format!("after={since}")).await.json();
        assert_eq!(one.id.as_deref(), polled["cursor"].as_str());
        let listed = &polled["events"][0];
        let data = listed.get("data").unwrap_or(listed);
        assert_eq!(&one.json(), data, "{dialect}");
        drop(stream);
        desk.says("two").await;
        // The header counts before what stands in the address.
        let last = one.id.as_deref();
        let mut stream = Events::of(desk.ask(dialect, "after=now&limit=1"), last).await;
        assert_eq!(stream.next().await.expect("a beginning").id, one.id);
        let two = stream.event().await;
        let two = match two.event.as_deref() {
            Some(twin) if twin.starts_with('/') => stream.event().await,
            Some(_) | None => two,
        };
        assert!(two.id != one.id && two.event == one.event, "{dialect}");
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_lets_the_newest_wait_live() {
    let desk = Desk::new().await;
    for dialect in dialects() {
        let older = desk.hold(dialect, "poll=tab&timeout=50");
        desk.world.waiting(1).await;
        let newer = desk.hold(dialect, "poll=tab&timeout=50");
        let told = answer(older).await;
        assert_eq!(ending(&told), json!([[], false, true]));
        within(&told["retry_ms"], 5_000..=10_000);
        let mut held = VecDeque::from([newer]);
        desk.world.waiting(1).await;
        for number in 1..8 {
            held.push_back(desk.hold(dialect, "timeout=50"));
            desk.world.waiting(number + 1).await;
        }
        for _ in 0..8 {
            held.push_back(desk.hold(dialect, "timeout=50"));
            let oldest = held.pop_front().expect("there are nine");
            assert_eq!(ending(&answer(oldest).await), json!([[], false, true]));
            desk.world.waiting(8).await;
        }
        desk.says("to all").await;
        for held in held {
            assert_eq!(answer(held).await.get("superseded"), None);
        }
        let mut streams = VecDeque::new();
        for _ in 0..9 {
            streams.push_back(desk.stream(dialect, "").await);
        }
        let mut oldest = streams.pop_front().expect("there are nine");
        let last = oldest.next().await.expect("a last word");
        within(&json!(last.retry), 5_000..=10_000);
        assert_eq!(oldest.next().await, None, "{dialect}");
        desk.says("to all").await;
        for mut stream in streams {
            stream.event().await;
        }
        while desk.world.services().waiting() > 0 {
            desk.says("who is left?").await;
        }
    }
    desk.world.stop().await;
}

#[rocket::async_test]
async fn every_dialect_ends_its_waits_with_their_login() {
    for dialect in dialects() {
        let desk = Desk::new().await;
        let held = desk.hold(dialect, "timeout=50");
        let mut stream = desk.stream(dialect, "").await;
        desk.world.waiting(2).await;
        let form = [("token", desk.owner.token.as_str())];
        desk.world.post("/owner/logout", &form).await.with(200);
        let told = held.await.expect("a held request is answered");
        told.refused(401, "unauthenticated");
        assert_eq!(stream.next().await, None, "{dialect}");
        desk.world.stop().await;
    }
}

#[rocket::async_test]
async fn every_dialect_sends_its_waits_away_when_the_server_stops() {
    for dialect in dialects() {
        let desk = Desk::new().await;
        let held = desk.hold(dialect, "timeout=50");
        let mut stream = desk.stream(dialect, "").await;
        desk.world.waiting(2).await;
        desk.world.close();
        let told = answer(held).await;
        assert_eq!(ending(&told), json!([[], false, null]));
        within(&told["retry_ms"], 0..=5_000);
        let last = stream.next().await.expect("a last word");
        within(&json!(last.retry), 0..=5_000);
        assert_eq!(stream.next().await, None, "{dialect}");
        for accept in ["application/json", "text/event-stream"] {
            let late = desk.ask(dialect, "timeout=50").header("Accept", accept);
            let told = Told::of(late).await.refused(503, "shutting_down");
            assert_ne!(told.header("Retry-After"), "");
        }
        desk.world.stop().await;
    }
}
