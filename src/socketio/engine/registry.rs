//! All sessions that are alive, by their secret ids.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::{Session, Sid, lock};

/// How many parts the map has, so that sessions opened at once seldom wait for each other.
const SHARDS: usize = 16;

/// All sessions that are alive.
#[derive(Default)]
pub(super) struct Registry {
    shards: [Mutex<HashMap<Sid, Arc<Session>>>; SHARDS],
}

impl Registry {
    fn shard(&self, sid: &Sid) -> &Mutex<HashMap<Sid, Arc<Session>>> {
        // The ids are random, so any byte of one spreads them evenly.
        let byte = sid.as_str().bytes().next().unwrap_or_default();
        &self.shards[usize::from(byte) % SHARDS]
    }

    pub(super) fn insert(&self, session: &Arc<Session>) {
        lock(self.shard(session.sid())).insert(*session.sid(), Arc::clone(session));
    }

    pub(super) fn remove(&self, sid: &Sid) {
        let mut shard = lock(self.shard(sid));
        shard.remove(sid);
        if shard.capacity() > 64 && shard.len() < shard.capacity() / 4 {
            shard.shrink_to_fit();
        }
    }

    /// The session that a client speaks of, if there is one.
    pub(super) fn find(&self, sid: &str) -> Option<Arc<Session>> {
        let sid = Sid::parse(sid)?;
        lock(self.shard(&sid)).get(&sid).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(lock(shard).values().cloned());
        }
        all
    }
}
