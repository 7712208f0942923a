//! For random histories: a stale snapshot and the events after it are a fresh snapshot.

use std::{collections::HashSet, sync::Arc};

use parlance::{
    dialect::messenger::events,
    model::{PersonId, Position, TenantId},
    pubsub::Published,
};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{
    support::actor::{Actor, list, text},
    support::history::{Action, CHATS, history},
    support::mirror::Mirror,
    support::place::Beside,
    support::poll::but_presence,
    support::stage::Stage,
    support::world::World,
};

async fn replay(world: &World, history: &[Vec<(usize, Action)>], beside: &mut Beside) {
    let mut stage = Stage::set(world).await;
    let mut mirrors = Vec::new();
    for actor in &stage.people {
        let mirror = Mirror::take(actor, beside).await;
        mirrors.push((mirror.clone(), mirror));
    }
    for round in history {
        stage.round(round).await;
        for (who, action) in round.iter().filter(|(who, _)| !stage.is_gone(*who)) {
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
    let people = stage.people.iter().zip(mirrors).enumerate();
    for (_, (actor, (_, mut mirror))) in people.filter(|(who, _)| !stage.is_gone(*who)) {
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
            let path = but_presence(&path);
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

/// Events without values that are read at delivery: a chat's facts, what people are called, somebody's settings, how
/// many have reacted, and what is said by a message that was edited, and by what answers it.
fn lasting(mut events: Vec<Value>) -> Vec<Value> {
    let rewritten = |event: &&Value| event["type"] == "edited" || event["type"] == "deleted";
    let rewritten = events.iter().filter(rewritten);
    let rewritten: HashSet<_> = rewritten
        .map(|event| event["message"]["id"].as_i64())
        .collect();
    for event in &mut events {
        for key in ["chat", "person"] {
            if let Some(it) = event.get_mut(key) {
                *it = it["id"].clone();
            }
        }
        for key in ["settings", "count"] {
            if let Some(it) = event.get_mut(key) {
                *it = Value::Null;
            }
        }
        if let Some(people) = event.get_mut("people") {
            *people = people[0]["id"].clone();
        }
        if let Some(message) = event.get_mut("message") {
            message["reactions"] = Value::Null;
            if rewritten.contains(&message["id"].as_i64()) {
                *message = message["id"].clone();
            } else if rewritten.contains(&message["reply_to"]["id"].as_i64()) {
                message["reply_to"] = message["reply_to"]["id"].clone();
            }
        }
    }
    events
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

/// What a random history found once, or nearly did.
#[rocket::async_test]
async fn who_leaves_a_chat_after_it_was_closed_is_told_the_same_from_memory_and_from_the_log() {
    let world = World::new().await;
    let history = [
        vec![(2, Action::Join(0))],
        vec![(0, Action::Open(0, false))],
        vec![(2, Action::Leave(0))],
    ];
    hear_out(&world, &history).await;
    world.stop().await;
}

/// What a random history found once: a chat that the first two are not in has the place of one that they are in.
#[rocket::async_test]
async fn a_chat_that_takes_the_title_of_a_renamed_one_ends_no_listener() {
    let world = World::new().await;
    let history = [
        vec![(0, Action::Rename(0, 0))],
        vec![(2, Action::Create(0))],
        vec![(2, Action::Open(0, false))],
    ];
    hear_out(&world, &history).await;
    world.stop().await;
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
    // The places of the stage may come to other chats: who renames one lets another one have its title.
    let kept = stage.chats[0].expect("the first chat");
    let from = ann.now().await;
    // Everybody has asked once, so that all later changes are delivered from memory.
    for actor in &stage.people {
        actor.now().await;
    }
    let listeners: Vec<_> = [(&ann, 200), (&ann, 1), (&bo, 3)]
        .map(|(actor, limit)| (actor, listen(actor, from.clone(), limit)))
        .into();
    for round in history {
        let stays = |who: usize, action: &Action| match action {
            Action::Leave(_) | Action::Create(_) | Action::Erase => who == 2,
            Action::Remove(_, person) => *person == 2,
            Action::DeleteChat(_) => false,
            _ => true,
        };
        let round: Vec<_> = round
            .iter()
            .filter(|(who, action)| stays(*who, action))
            .cloned()
            .collect();
        stage.round(&round).await;
    }
    let head = world.store().head().await.expect("a head");
    assert_eq!(world.head(), head, "everything written is told");
    for (_, (_, until)) in &listeners {
        until.send_replace(head.get());
    }
    // Wakes all that still wait; the change that does so is beyond the range that is compared.
    ann.say(kept, "the end").await;
    for (actor, (listening, _)) in listeners {
        let heard = listening.await.expect("a listener does not fail");
        let within = |event: &Value| {
            event["position"]
                .as_i64()
                .is_some_and(|at| at <= head.get())
        };
        let heard = lasting(heard.into_iter().filter(within).collect());
        let range = (place_of(&from), head.get());
        let told = log_of(world, actor, range).await;
        assert_eq!(heard, told, "what {} hears", actor.name);
    }
    // A person who joined and left gets the same events from memory as from the log.
    let people = stage.people.iter().enumerate();
    for (_, actor) in people.filter(|(who, _)| !stage.is_gone(*who)) {
        let (mut heard, mut cursor) = (Vec::new(), from.clone());
        loop {
            let path = but_presence(&format!("/api/events?after={cursor}&timeout=0&limit=7"));
            let told = actor.get(&path).await.with(200).json();
            heard.extend(list(&told, "events"));
            cursor = text(&told, "cursor");
            if told["more"] == false {
                break;
            }
        }
        let told = log_of(world, actor, (place_of(&from), place_of(&cursor))).await;
        let heard = lasting(heard);
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
    let log = log
        .into_iter()
        .map(|change| Arc::new(Published::new(change)));
    let told =
        log.map(|change| serde_json::from_str(events::encode_change(&change)).expect("JSON"));
    lasting(told.collect())
}
