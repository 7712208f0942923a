//! All sessions by their secret ids.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::sid::Sid;
use crate::sync::lock;

/// How many maps there are. Sessions that are opened at the same time seldom share one.
const SHARDS: usize = 16;

/// All sessions by their ids.
pub(super) struct Registry<S> {
    shards: [Mutex<HashMap<Sid, Arc<S>>>; SHARDS],
}

impl<S> Default for Registry<S> {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl<S> Registry<S> {
    fn shard(&self, sid: &Sid) -> &Mutex<HashMap<Sid, Arc<S>>> {
        // Ids are random at their end, so its bytes are evenly distributed.
        let byte = sid.as_str().bytes().next_back().unwrap_or_default();
        &self.shards[usize::from(byte) % SHARDS]
    }

    pub(super) fn insert(&self, sid: &Sid, session: &Arc<S>) {
        lock(self.shard(sid)).insert(*sid, Arc::clone(session));
    }

    pub(super) fn remove(&self, sid: &Sid) {
        let mut shard = lock(self.shard(sid));
        shard.remove(sid);
        if shard.capacity() > 64 && shard.len() < shard.capacity() / 4 {
            shard.shrink_to_fit();
        }
    }

    /// The session of that id, if it exists.
    pub(super) fn find(&self, sid: &str) -> Option<Arc<S>> {
        let sid = Sid::parse(sid)?;
        lock(self.shard(&sid)).get(&sid).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    pub(super) fn all(&self) -> Vec<Arc<S>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(lock(shard).values().cloned());
        }
        all
    }
}
