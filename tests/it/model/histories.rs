//! For random histories: a stale snapshot and the events after it are a fresh snapshot.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::join_all;
use parlance::{
    dialect::messenger::events,
    model::{PersonId, Position, TenantId},
    pubsub::Published,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{
    support::actor::{Actor, list, text},
    support::mirror::Mirror,
    support::place::Beside,
    support::world::World,
};

const PEOPLE: usize = 3;
const CHATS: usize = 3;

/// One thing that one person does.
#[derive(Debug, Clone)]
enum Action {
    Create(usize),
    Join(usize),
    Leave(usize),
    Say(usize, u8),
    /// The same words under the same key are the same message.
    SayAs(usize, u8),
    Read(usize, u8),
    /// Gets another name.
    Rename(u8),
    /// Asks for events with a small limit.
    Follow(u8),
    /// Asks, and gives up before the answer.
    Drop,
    /// Loses the state since the first snapshot.
    Rewind,
    /// Begins with a new snapshot.
    Reload,
}

fn action() -> impl Strategy<Value = Action> {
    let chat = 0..CHATS;
    prop_oneof![
        2 => chat.clone().prop_map(Action::Create),
        3 => chat.clone().prop_map(Action::Join),
        2 => chat.clone().prop_map(Action::Leave),
        6 => (chat.clone(), any::<u8>()).prop_map(|(chat, word)| Action::Say(chat, word)),
        3 => (chat.clone(), 0..3_u8).prop_map(|(chat, key)| Action::SayAs(chat, key)),
        3 => (chat, any::<u8>()).prop_map(|(chat, which)| Action::Read(chat, which)),
        1 => any::<u8>().prop_map(Action::Rename),
        3 => (1..6_u8).prop_map(Action::Follow),
        1 => Just(Action::Drop),
        1 => Just(Action::Rewind),
        1 => Just(Action::Reload),
    ]
}

/// Rounds of actions; those of one round run concurrently.
fn history() -> impl Strategy<Value = Vec<Vec<(usize, Action)>>> {
    vec(vec((0..PEOPLE, action()), 1..5), 1..14)
}

/// The state of one history: its people, the chats they made, the messages they sent.
struct Stage {
    number: u32,
    people: Vec<Actor>,
    chats: Vec<Option<i64>>,
    sent: Vec<i64>,
}

static STAGES: AtomicU32 = AtomicU32::new(0);

impl Stage {
    async fn set(world: &World) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let names: Vec<_> = (0..PEOPLE)
            .map(|person| format!("{person} of {number}"))
            .collect();
        let people = join_all(names.iter().map(|name| world.actor(name))).await;
        Self {
            number,
            people,
            chats: vec![None; CHATS],
            sent: Vec::new(),
        }
    }

    /// Runs one action; returns a chat made or a message sent.
    async fn act(&self, who: usize, action: &Action) -> (Option<(usize, i64)>, Option<i64>) {
        let actor = &self.people[who];
        let at = |chat: &usize| self.chats[*chat];
        match action {
            Action::Create(chat) => {
                let title = format!("chat {chat} of {}", self.number);
                let told = actor.post("/api/chats", &[("title", &title)]).await;
                if told.status == 409 {
                    return (None, None);
                }
                let id = told
                    .ok(201)
                    .header("Location")
                    .rsplit('/')
                    .next()
                    .and_then(|id| id.parse().ok());
                return (id.map(|id| (*chat, id)), None);
            }
            Action::Join(chat) => {
                if let Some(chat) = at(chat) {
                    actor.join(chat).await;
                }
            }
            Action::Leave(chat) => {
                if let Some(chat) = at(chat) {
                    actor.leave(chat).await;
                }
            }
            Action::Say(chat, word) => {
                if let Some(chat) = at(chat) {
                    return (None, Some(actor.say(chat, &format!("word {word}")).await));
                }
            }
            Action::SayAs(chat, key) => {
                if let Some(chat) = at(chat) {
                    actor
                        .say_as(chat, &format!("key {key}"), &format!("k{key}"))
                        .await
                        .ok(201);
                }
            }
            Action::Read(chat, which) => {
                if let (Some(chat), false) = (at(chat), self.sent.is_empty()) {
                    let up_to = self.sent[usize::from(*which) % self.sent.len()].to_string();
                    let path = format!("/api/chats/{chat}/read");
                    let told = actor.post(&path, &[("up_to", &up_to)]).await;
                    assert!(matches!(told.status, 200 | 403), "{}", told.body);
                }
            }
            Action::Rename(number) => {
                let name = format!("{who} of {} once {number}", self.number);
                let told = actor.patch("/api/me", &[("name", &name)]).await.with(200);
                assert_eq!(told.json()["name"], name.as_str());
            }
            Action::Drop => {
                let request =
                    actor.request(reqwest::Method::GET, "/api/events?after=now&timeout=5");
                let asked = tokio::spawn(request.send());
                tokio::task::yield_now().await;
                asked.abort();
            }
            Action::Follow(_) | Action::Rewind | Action::Reload => {}
        }
        (None, None)
    }

    /// Runs all actions of one round concurrently.
    async fn round(&mut self, round: &[(usize, Action)]) {
        let done = join_all(round.iter().map(|(who, action)| self.act(*who, action))).await;
        for (made, sent) in done {
            if let Some((chat, id)) = made {
                self.chats[chat] = Some(id);
            }
            self.sent.extend(sent);
        }
    }
}

async fn replay(world: &World, history: &[Vec<(usize, Action)>], beside: &mut Beside) {
    let mut stage = Stage::set(world).await;
    let mut mirrors = Vec::new();
    for actor in &stage.people {
        let mirror = Mirror::take(actor, beside).await;
        mirrors.push((mirror.clone(), mirror));
    }
    for round in history {
        stage.round(round).await;
        for (who, action) in round {
            let (actor, (first, mirror)) = (&stage.people[*who], &mut mirrors[*who]);
            match action {
                Action::Follow(limit) => drop(mirror.follow(actor, *limit, beside).await),
                Action::Rewind => mirror.rewind(first),
                Action::Reload => {
                    *mirror = Mirror::take(actor, beside).await;
                    first.clone_from(mirror);
                }
                _ => {}
            }
        }
    }
    for (actor, (_, mut mirror)) in stage.people.iter().zip(mirrors) {
        while mirror.follow(actor, 200, beside).await {}
        let fresh = Mirror::take(actor, beside).await;
        assert_eq!(mirror.shown(), fresh.shown(), "what {} sees", actor.name);
        mirror.agrees_with_the_list(actor).await;
    }
}

fn cases(count: u32) -> TestRunner {
    TestRunner::new(Config {
        cases: count,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    })
}

#[test]
fn a_stale_snapshot_and_what_happened_since_are_a_fresh_snapshot() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let tried = cases(48).run(&history(), |history| {
        runtime.block_on(async {
            let mut beside = world.place.beside().await;
            replay(&world, &history, &mut beside).await;
        });
        Ok(())
    });
    runtime.block_on(world.stop());
    tried.expect("no history breaks it");
}

/// Follows events by long-polls until it has all up to a position.
fn listen(
    actor: &Actor,
    from: String,
    limit: u8,
) -> (JoinHandle<Vec<Value>>, tokio::sync::watch::Sender<i64>) {
    let (until, end) = tokio::sync::watch::channel(i64::MAX);
    let actor = actor.clone();
    let listening = async move {
        let (mut cursor, mut heard) = (from, Vec::new());
        while place_of(&cursor) < *end.borrow() {
            let path = format!("/api/events?after={cursor}&timeout=20&limit={limit}");
            let told = actor.get(&path).await.with(200).json();
            heard.extend(list(&told, "events"));
            cursor = text(&told, "cursor");
        }
        heard
    };
    (tokio::spawn(listening), until)
}

fn place_of(cursor: &str) -> i64 {
    let (_, position) = cursor.rsplit_once('.').expect("a cursor has a position");
    position.parse().expect("a position is a number")
}

/// The event without values that are read at delivery: a chat's counts, and what people are called.
fn lasting(mut event: Value) -> Value {
    if let Some(person) = event.get_mut("person") {
        *person = person["id"].clone();
    }
    if let Some(people) = event.get_mut("people") {
        *people = people[0]["id"].clone();
    }
    if let Some(chat) = event.get_mut("chat") {
        *chat = chat["id"].clone();
    }
    event
}

#[test]
fn what_a_listener_hears_is_what_the_log_tells() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let tried = cases(24).run(&history(), |history| {
        runtime.block_on(hear_out(&world, &history));
        Ok(())
    });
    runtime.block_on(world.stop());
    tried.expect("no history breaks it");
}

/// The first two are in every chat and stay; the third joins and leaves. All are subscribed.
async fn hear_out(world: &World, history: &[Vec<(usize, Action)>]) {
    let mut stage = Stage::set(world).await;
    let (ann, bo) = (stage.people[0].clone(), stage.people[1].clone());
    for chat in 0..CHATS {
        let id = ann.make(&format!("chat {chat} of {}", stage.number)).await;
        bo.join(id).await;
        stage.chats[chat] = Some(id);
    }
    let from = ann.now().await;
    // Everybody has asked once, so that all later changes are delivered from memory.
    for actor in &stage.people {
        actor.now().await;
    }
    let listeners: Vec<_> = [(&ann, 200), (&ann, 1), (&bo, 3)]
        .map(|(actor, limit)| (actor, listen(actor, from.clone(), limit)))
        .into();
    for round in history {
        let stays = |action: &Action| !matches!(action, Action::Leave(_) | Action::Create(_));
        let round: Vec<_> = round
            .iter()
            .filter(|(who, action)| *who == 2 || stays(action))
            .cloned()
            .collect();
        stage.round(&round).await;
    }
    let services = world.services();
    let head = world.store().head().await.expect("a head");
    assert_eq!(services.head(), head, "everything written is told");
    for (_, (_, until)) in &listeners {
        until.send_replace(head.get());
    }
    // Wakes all that still wait; the change that does so is beyond the range that is compared.
    ann.say(stage.chats[0].expect("the first chat"), "the end")
        .await;
    for (actor, (listening, _)) in listeners {
        let heard = listening.await.expect("a listener does not fail");
        let within = |event: &Value| {
            event["position"]
                .as_i64()
                .is_some_and(|at| at <= head.get())
        };
        let heard: Vec<_> = heard.into_iter().filter(within).map(lasting).collect();
        let range = (place_of(&from), head.get());
        let told = log_of(world, actor, range).await;
        assert_eq!(heard, told, "what {} hears", actor.name);
    }
    // A person who joined and left gets the same events from memory as from the log.
    for actor in &stage.people {
        let (mut heard, mut cursor) = (Vec::new(), from.clone());
        loop {
            let path = format!("/api/events?after={cursor}&timeout=0&limit=7");
            let told = actor.get(&path).await.with(200).json();
            heard.extend(list(&told, "events").into_iter().map(lasting));
            cursor = text(&told, "cursor");
            if told["more"] == false {
                break;
            }
        }
        let told = log_of(world, actor, (place_of(&from), place_of(&cursor))).await;
        assert_eq!(heard, told, "what {} is told afterwards", actor.name);
    }
}

/// The events of a range for one person, read from the log.
async fn log_of(world: &World, actor: &Actor, (after, until): (i64, i64)) -> Vec<Value> {
    let store = world.store();
    let person = store
        .person(TenantId::new(1), PersonId::new(actor.id))
        .await
        .expect("an answer");
    let person = person.expect("the person is there");
    let range = (Position::new(after), Position::new(until));
    let log = store
        .changes_for(&person, range, 10_000)
        .await
        .expect("the log");
    log.into_iter()
        .map(|change| Arc::new(Published::new(change)))
        .map(|change| lasting(serde_json::from_str(events::encode_change(&change)).expect("JSON")))
        .collect()
}
