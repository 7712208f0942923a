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
enum Deed {
    Create(usize),
    Join(usize),
    Leave(usize),
    Say(usize, u8),
    /// The same words under the same key are the same message.
    SayAs(usize, u8),
    Read(usize, u8),
    /// Asks for news with a small limit.
    Follow(u8),
    /// Asks, and is gone before the answer.
    Drop,
    /// Loses what was learned since the first snapshot.
    Rewind,
    /// Begins with a new snapshot.
    Reload,
}

fn deed() -> impl Strategy<Value = Deed> {
    let chat = 0..CHATS;
    prop_oneof![
        2 => chat.clone().prop_map(Deed::Create),
        3 => chat.clone().prop_map(Deed::Join),
        2 => chat.clone().prop_map(Deed::Leave),
        6 => (chat.clone(), any::<u8>()).prop_map(|(chat, word)| Deed::Say(chat, word)),
        3 => (chat.clone(), 0..3_u8).prop_map(|(chat, key)| Deed::SayAs(chat, key)),
        3 => (chat, any::<u8>()).prop_map(|(chat, which)| Deed::Read(chat, which)),
        3 => (1..6_u8).prop_map(Deed::Follow),
        1 => Just(Deed::Drop),
        1 => Just(Deed::Rewind),
        1 => Just(Deed::Reload),
    ]
}

/// Rounds of deeds; what is done in one round is done at once.
fn history() -> impl Strategy<Value = Vec<Vec<(usize, Deed)>>> {
    vec(vec((0..PEOPLE, deed()), 1..5), 1..14)
}

/// The stage of one history: its people, the chats they made, the messages they sent.
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

    /// What one deed changes on the server; tells a chat made or a message sent.
    async fn act(&self, who: usize, deed: &Deed) -> (Option<(usize, i64)>, Option<i64>) {
        let actor = &self.people[who];
        let at = |chat: &usize| self.chats[*chat];
        match deed {
            Deed::Create(chat) => {
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
            Deed::Join(chat) => {
                if let Some(chat) = at(chat) {
                    actor.join(chat).await;
                }
            }
            Deed::Leave(chat) => {
                if let Some(chat) = at(chat) {
                    actor.leave(chat).await;
                }
            }
            Deed::Say(chat, word) => {
                if let Some(chat) = at(chat) {
                    return (None, Some(actor.say(chat, &format!("word {word}")).await));
                }
            }
            Deed::SayAs(chat, key) => {
                if let Some(chat) = at(chat) {
                    actor
                        .say_as(chat, &format!("key {key}"), &format!("k{key}"))
                        .await
                        .ok(201);
                }
            }
            Deed::Read(chat, which) => {
                if let (Some(chat), false) = (at(chat), self.sent.is_empty()) {
                    let up_to = self.sent[usize::from(*which) % self.sent.len()].to_string();
                    let path = format!("/api/chats/{chat}/read");
                    let told = actor.post(&path, &[("up_to", &up_to)]).await;
                    assert!(matches!(told.status, 200 | 403), "{}", told.body);
                }
            }
            Deed::Drop => {
                let request =
                    actor.request(reqwest::Method::GET, "/api/events?after=now&timeout=5");
                let asked = tokio::spawn(request.send());
                tokio::task::yield_now().await;
                asked.abort();
            }
            Deed::Follow(_) | Deed::Rewind | Deed::Reload => {}
        }
        (None, None)
    }

    /// Does everything of one round at once.
    async fn round(&mut self, round: &[(usize, Deed)]) {
        let done = join_all(round.iter().map(|(who, deed)| self.act(*who, deed))).await;
        for (made, sent) in done {
            if let Some((chat, id)) = made {
                self.chats[chat] = Some(id);
            }
            self.sent.extend(sent);
        }
    }
}

async fn replay(world: &World, history: &[Vec<(usize, Deed)>], beside: &mut Beside) {
    let mut stage = Stage::set(world).await;
    let mut mirrors = Vec::new();
    for actor in &stage.people {
        let mirror = Mirror::take(actor, beside).await;
        mirrors.push((mirror.clone(), mirror));
    }
    for round in history {
        stage.round(round).await;
        for (who, deed) in round {
            let (actor, (first, mirror)) = (&stage.people[*who], &mut mirrors[*who]);
            match deed {
                Deed::Follow(limit) => drop(mirror.follow(actor, *limit, beside).await),
                Deed::Rewind => mirror.rewind(first),
                Deed::Reload => {
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

/// Follows events by held polls until it has heard of everything up to a position.
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

/// The event without what is told as it is now and not as it was: a chat's counts.
fn lasting(mut event: Value) -> Value {
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

/// The first two are in every chat and stay; the third comes and goes. All listen.
async fn hear_out(world: &World, history: &[Vec<(usize, Deed)>]) {
    let mut stage = Stage::set(world).await;
    let (ann, bo) = (stage.people[0].clone(), stage.people[1].clone());
    for chat in 0..CHATS {
        let id = ann.make(&format!("chat {chat} of {}", stage.number)).await;
        bo.join(id).await;
        stage.chats[chat] = Some(id);
    }
    let from = ann.now().await;
    // Everybody has asked once, so that everything from here on is told to them in memory.
    for actor in &stage.people {
        actor.now().await;
    }
    let listeners: Vec<_> = [(&ann, 200), (&ann, 1), (&bo, 3)]
        .map(|(actor, limit)| (actor, listen(actor, from.clone(), limit)))
        .into();
    for round in history {
        let stays = |deed: &Deed| !matches!(deed, Deed::Leave(_) | Deed::Create(_));
        let round: Vec<_> = round
            .iter()
            .filter(|(who, deed)| *who == 2 || stays(deed))
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
    // Whoever still waits is woken; what wakes them is beyond the range that is compared.
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
    // Who came and went is told afterwards, from memory, what the log tells them.
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

/// What the log tells one person of a range, as events.
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
