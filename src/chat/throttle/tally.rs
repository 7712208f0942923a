//! Counts how often each key came, and how long it has to pause; bounded.

use std::{collections::HashMap, hash::Hash, time::Duration};

use crate::model::Millis;

/// Most keys that are remembered.
pub(super) const MOST: usize = 10_000;

/// How pauses grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ladder {
    /// Attempts without a pause.
    pub(super) free: u32,
    /// The longest pause.
    pub(super) cap: Duration,
    /// How long after the last pause everything is forgotten.
    pub(super) forget: Duration,
}

impl Ladder {
    /// The pause after `count` attempts: nothing, then 1 s, 2 s, 4 s, … up to the cap.
    pub(super) fn pause(self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(step) => {
                let seconds = 1_u64.checked_shl(step - 1).unwrap_or(u64::MAX);
                Duration::from_secs(seconds).min(self.cap)
            }
        }
    }
}

/// How often each key came, and when it may come again.
#[derive(Debug)]
pub(super) struct Tally<K> {
    ladder: Ladder,
    pub(super) entries: HashMap<K, Entry>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    count: u32,
    /// When the pause ends.
    until: Millis,
}

impl<K: Eq + Hash + Clone> Tally<K> {
    pub(super) fn new(ladder: Ladder) -> Self {
        Self {
            ladder,
            entries: HashMap::new(),
        }
    }

    pub(super) fn wait(&self, key: &K, now: Millis) -> Duration {
        self.entries
            .get(key)
            .map_or(Duration::ZERO, |entry| entry.until.since(now))
    }

    pub(super) fn count(&mut self, key: &K, now: Millis) {
        let ladder = self.ladder;
        if !self.entries.contains_key(key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key.clone()).or_insert(Entry {
            count: 0,
            until: now,
        });
        if entry.until.plus(ladder.forget) <= now {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.until = now.plus(ladder.pause(entry.count));
    }

    /// Takes back what was counted at `began`, with its pause unless others came since.
    pub(super) fn give_back(&mut self, key: &K, began: Millis) {
        if let Some(entry) = self.entries.get_mut(key) {
            if entry.until == began.plus(self.ladder.pause(entry.count)) {
                entry.until = began;
            }
            entry.count = entry.count.saturating_sub(1);
        }
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets what is old, and if that is not enough a quarter of the rest, the oldest first.
    fn make_room(&mut self, now: Millis) {
        if self.entries.len() < MOST {
            return;
        }
        let forget = self.ladder.forget;
        self.entries
            .retain(|_, entry| entry.until.plus(forget) > now);
        if self.entries.len() < MOST {
            return;
        }
        let mut ends: Vec<_> = self.entries.values().map(|entry| entry.until).collect();
        let (_, limit, _) = ends.select_nth_unstable(MOST / 4);
        let limit = *limit;
        let mut surplus = MOST / 4;
        self.entries.retain(|_, entry| {
            let goes = surplus > 0 && entry.until <= limit;
            surplus -= usize::from(goes);
            !goes
        });
    }
}
