//! People who send one message after the other at a server that runs as a process, and what they were answered.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Client;
use tokio::task::JoinHandle;

use crate::support::{
    actor::Actor,
    binary::{Started, parlance},
    nodes::same_database,
    world::World,
};

/// How many send at a time.
const SENDERS: usize = 4;

/// What was answered: a message's text, and its id.
type Answered = Arc<Mutex<Vec<(String, i64)>>>;

/// Another server of a database, as a process.
pub(crate) async fn process(world: &World, folder: &Path) -> Started {
    let mut command = parlance(folder);
    same_database(&mut command, world);
    command.env("ROCKET_RATE_LIMITS", "false");
    let begun = tokio::task::spawn_blocking(move || Started::begin(command));
    begun.await.expect("it starts")
}

/// Has a server do nothing, with its connections open, until it is told to go on.
pub(crate) fn pause(server: &Started) {
    signal(server, "-STOP");
}

/// Has it go on.
pub(crate) fn go_on(server: &Started) {
    signal(server, "-CONT");
}

fn signal(server: &Started, signal: &str) {
    let id = server.child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.expect("kill is there").success());
}

/// They send until they are told to stop, or the server no longer answers. A refusal ends the test.
pub(crate) struct Senders {
    sending: Vec<JoinHandle<()>>,
    answered: Answered,
    is_over: Arc<AtomicBool>,
}

impl Senders {
    pub(crate) fn start(server: &Started, who: &Actor, chat: i64) -> Self {
        let (answered, is_over) = (Answered::default(), Arc::<AtomicBool>::default());
        let cookies = format!("user_id={}; token={}", who.id, who.token);
        let path = format!("http://127.0.0.1:{}/api/chats/{chat}", server.port);
        let sending = (0..SENDERS).map(|sender| {
            let there = (path.clone(), cookies.clone(), sender);
            tokio::spawn(send(there, Arc::clone(&answered), Arc::clone(&is_over)))
        });
        Self {
            sending: sending.collect(),
            answered,
            is_over,
        }
    }

    /// How many messages were answered.
    pub(crate) fn count(&self) -> usize {
        self.answered.lock().expect("nobody panics here").len()
    }

    /// None has ended: whatever they sent was accepted.
    pub(crate) fn all_send(&self) {
        let has_ended = self.sending.iter().any(JoinHandle::is_finished);
        assert!(!has_ended, "one was refused");
    }

    /// What was answered, once all have ended by themselves: the server is gone.
    pub(crate) async fn ended(self) -> Vec<(String, i64)> {
        for sending in self.sending {
            sending.await.expect("who sends does not fail");
        }
        let answered = self.answered.lock().expect("nobody panics here");
        answered.clone()
    }

    /// Has them stop.
    pub(crate) async fn stop(self) -> Vec<(String, i64)> {
        self.is_over.store(true, Ordering::Release);
        self.ended().await
    }
}

async fn send(
    (path, cookies, sender): (String, String, usize),
    answered: Answered,
    is_over: Arc<AtomicBool>,
) {
    let http = Client::new();
    let mut number = 0;
    while !is_over.load(Ordering::Acquire) {
        let key = format!("{sender}-{number}");
        let request = http.post(&path).header("Cookie", cookies.as_str());
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
        number += 1;
    }
}

/// What somebody has heard is in the order of the log, and has each of these messages once.
pub(crate) fn has_each_once(heard: &[(i64, String)], expected: &[(String, i64)]) {
    assert!(
        heard.is_sorted_by(|a, b| a.0 < b.0),
        "in the order of the log"
    );
    for (said, id) in expected {
        let times = heard.iter().filter(|(_, other)| other == said).count();
        assert_eq!(times, 1, "{said}");
        assert!(heard.contains(&(*id, said.clone())), "{said}");
    }
}
