//! What the server knows without asking the database, and the end of its log, which polls read.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread::available_parallelism,
};

use serde::Serialize;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tokio::sync::{Semaphore, watch};

use crate::store::Store;

/// How many messages polls can look back.
const RETAINED: usize = 10_000;

const INSTANT: &[BorrowedFormatItem] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

pub struct State {
    pub store: Store,
    pub bcrypt_cost: u32,
    /// As many passwords are hashed at once as there are cores.
    pub hashing: Semaphore,
    logins: RwLock<HashMap<String, i64>>,
    members: RwLock<HashSet<(i64, i64)>>,
    log: Mutex<VecDeque<Arc<Logged>>>,
    newest: watch::Sender<i64>,
}

/// A message as polls tell it.
pub struct Logged {
    pub id: i64,
    pub chat: i64,
    pub json: String,
}

/// A message as the messenger's polls tell it.
#[derive(Serialize)]
struct Message<'m> {
    id: i64,
    content: &'m str,
    sender_id: i64,
    time: &'m str,
    chat_id: i64,
    r#type: &'static str,
    client_id: Option<&'m str>,
    edited_at: Option<&'m str>,
    deleted_at: Option<&'m str>,
}

impl State {
    pub fn new(store: Store, bcrypt_cost: u32) -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        Self {
            store,
            bcrypt_cost,
            hashing: Semaphore::new(cores),
            logins: RwLock::default(),
            members: RwLock::default(),
            log: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }

    pub fn signed_in(&self, token: &str) -> Option<i64> {
        let logins = self.logins.read().unwrap_or_else(PoisonError::into_inner);
        logins.get(token).copied()
    }

    pub fn sign_in(&self, token: String, person: i64) {
        let mut logins = self.logins.write().unwrap_or_else(PoisonError::into_inner);
        logins.insert(token, person);
    }

    pub fn is_member(&self, chat: i64, person: i64) -> bool {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.contains(&(chat, person))
    }

    pub fn add_members(&self, chat: i64, people: &[i64]) {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        members.extend(people.iter().map(|person| (chat, *person)));
    }

    /// Tells those who wait; to be called in the order of the commits.
    pub fn publish(&self, id: i64, chat: i64, sender: i64, content: &str, time: &str) {
        let message = Message {
            id,
            content,
            sender_id: sender,
            time,
            chat_id: chat,
            r#type: "text",
            client_id: None,
            edited_at: None,
            deleted_at: None,
        };
        let json = serde_json::to_string(&message).unwrap_or_default();
        let mut log = self.log();
        if log.len() == RETAINED {
            log.pop_front();
        }
        log.push_back(Arc::new(Logged { id, chat, json }));
        drop(log);
        self.newest.send_replace(id);
    }

    pub fn newest(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// What came after a place in the chats that count.
    pub fn after(&self, place: i64, counts: impl Fn(i64) -> bool) -> Vec<Arc<Logged>> {
        let log = self.log();
        let first = log.partition_point(|logged| logged.id <= place);
        let newer = log.range(first..);
        newer
            .filter(|logged| counts(logged.chat))
            .take(100)
            .cloned()
            .collect()
    }

    fn log(&self) -> MutexGuard<'_, VecDeque<Arc<Logged>>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Now in milliseconds, as the database keeps it, and as clients are told.
pub fn now() -> (i64, String) {
    let now = OffsetDateTime::now_utc();
    let milliseconds = now.unix_timestamp() * 1000 + i64::from(now.millisecond());
    (milliseconds, now.format(INSTANT).unwrap_or_default())
}
