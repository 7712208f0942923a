//! A server that is killed: nothing that it has answered is lost, and nothing is written twice.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parlance::model::Lane;
use reqwest::Client;

use crate::{
    support::binary::{Started, parlance},
    support::lanes::{HOME, add, move_to, without_gaps},
    support::nodes::{listen, same_database, servers, stop},
    support::world::World,
};

/// Who sends at the server that is killed.
const SENDERS: usize = 4;
/// So many were answered when it is killed.
const ANSWERED: usize = 40;

/// Another server of the same database, as a process.
async fn binary(world: &World, folder: &Path) -> Started {
    let mut command = parlance(folder);
    same_database(&mut command, world);
    command.env("ROCKET_RATE_LIMITS", "false");
    let begun = tokio::task::spawn_blocking(move || Started::begin(command));
    begun.await.expect("it starts")
}

/// One sender at the server that is killed: what was answered, by its key.
async fn send(
    (base, cookies): (String, String),
    (chat, sender): (i64, usize),
    answered: Arc<std::sync::Mutex<Vec<(String, i64)>>>,
    is_over: Arc<AtomicBool>,
) {
    let http = Client::new();
    for number in 0.. {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        let key = format!("{sender}-{number}");
        let request = http.post(format!("{base}/api/chats/{chat}"));
        let request = request.header("Cookie", cookies.as_str());
        let form = [("content", key.as_str()), ("client_id", key.as_str())];
        let Ok(told) = request.form(&form).send().await else {
            return;
        };
        assert_eq!(told.status(), 201);
        let id = told.headers().get("X-Message-Id");
        let id = id.and_then(|id| id.to_str().ok()?.parse().ok());
        let id = id.expect("a message has an id");
        let mut answered = answered.lock().expect("nobody panics here");
        answered.push((key, id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_has_answered_is_in_the_log_once_and_the_others_go_on() {
    kill_one(Lane::FIRST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_in_another_lane() {
    kill_one(Lane::new(3).expect("a lane")).await;
}

async fn kill_one(lane: Lane) {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    if lane != Lane::FIRST {
        add(&servers[0], 4).await;
        move_to(servers[0].store(), HOME, lane.number()).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut third = binary(&servers[0], folder.path()).await;
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let listening = listen(&servers, &ann, "the last").await;
    let answered = Arc::<std::sync::Mutex<Vec<_>>>::default();
    let is_over = Arc::<AtomicBool>::default();
    let cookies = format!("user_id={}; token={}", ann.id, ann.token);
    let base = format!("http://127.0.0.1:{}", third.port);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (there, told) = ((base.clone(), cookies.clone()), Arc::clone(&answered));
            tokio::spawn(send(there, (chat, sender), told, Arc::clone(&is_over)))
        })
        .collect();
    // The others write meanwhile.
    let mut beside = Vec::new();
    let count = || answered.lock().expect("nobody panics here").len();
    while count() < ANSWERED {
        let world = &servers[beside.len() % servers.len()];
        let said = format!("beside {}", beside.len());
        beside.push((said.clone(), ann.at(world).say(chat, &said).await));
    }
    third.child.kill().expect("it is killed");
    for sender in senders {
        sender.await.expect("who sends does not fail");
    }
    is_over.store(true, Ordering::Release);
    // The others go on at once.
    for world in &servers {
        let said = format!("after {}", beside.len());
        beside.push((said.clone(), ann.at(world).say(chat, &said).await));
    }
    ann.say(chat, "the last").await;
    let mut expected = answered.lock().expect("nobody panics here").clone();
    expected.extend(beside);
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        assert!(
            heard.is_sorted_by(|a, b| a.0 < b.0),
            "in the order of the log"
        );
        for (said, id) in &expected {
            let times = heard.iter().filter(|(_, other)| other == said).count();
            assert_eq!(times, 1, "{said}");
            assert!(heard.contains(&(*id, said.clone())), "{said}");
        }
    }
    without_gaps(&mut servers[0].place.beside().await).await;
    stop(servers).await;
}
