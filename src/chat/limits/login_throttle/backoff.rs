//! Counts how often each key came, and how long it has to pause; bounded.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    time::{Duration, Instant},
};

/// Most keys that are remembered.
pub(super) const MOST: usize = 10_000;

/// How pauses grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    /// Attempts without a pause.
    pub(super) free: u32,
    /// The longest pause.
    pub(super) cap: Duration,
    /// How long after the last pause everything is forgotten.
    pub(super) forget: Duration,
}

impl Backoff {
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
pub(super) struct BackoffTable<K> {
    ladder: Backoff,
    pub(super) entries: HashMap<K, Entry>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    count: u32,
    /// When the pause ends.
    until: Instant,
}

impl<K: Eq + Hash + Clone> BackoffTable<K> {
    pub(super) fn new(ladder: Backoff) -> Self {
        Self {
            ladder,
            entries: HashMap::new(),
        }
    }

    pub(super) fn wait(&self, key: &K, now: Instant) -> Duration {
        self.entries.get(key).map_or(Duration::ZERO, |entry| {
            entry.until.saturating_duration_since(now)
        })
    }

    pub(super) fn count(&mut self, key: &K, now: Instant) {
        let ladder = self.ladder;
        if !self.entries.contains_key(key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key.clone()).or_insert(Entry {
            count: 0,
            until: now,
        });
        if entry.until + ladder.forget <= now {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.until = now + ladder.pause(entry.count);
    }

    /// Takes back what was counted at `began`, with its pause unless others came since.
    pub(super) fn give_back(&mut self, key: &K, began: Instant) {
        if let Some(entry) = self.entries.get_mut(key) {
            if entry.until == began + self.ladder.pause(entry.count) {
                entry.until = began;
            }
            entry.count = entry.count.saturating_sub(1);
        }
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets what is old, and if that is not enough a quarter of the rest, the oldest first.
    fn make_room(&mut self, now: Instant) {
        if self.entries.len() < MOST {
            return;
        }
        let forget = self.ladder.forget;
        self.entries.retain(|_, entry| entry.until + forget > now);
        if self.entries.len() < MOST {
            return;
        }
        let mut ends: Vec<_> = self.entries.values().map(|entry| entry.until).collect();
        let (_, limit, _) = ends.select_nth_unstable(MOST / 4 - 1);
        let limit = *limit;
        let mut surplus = MOST / 4;
        self.entries.retain(|_, entry| {
            let goes = surplus > 0 && entry.until <= limit;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

/// A steady rate of wrong guesses with a burst, where a doubling pause would shut out everybody else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// How many may come at once.
    pub(super) burst: u32,
    /// After how long one more may.
    pub(super) every: Duration,
}

impl Budget {
    fn saved(self) -> Duration {
        self.every.saturating_mul(self.burst.saturating_sub(1))
    }
}

/// When each key's budget will be whole again.
#[derive(Debug, Default)]
pub(super) struct Budgets<K> {
    whole_at: HashMap<K, Instant>,
}

impl<K: Eq + Hash + Clone> Budgets<K> {
    pub(super) fn wait(&self, key: &K, budget: Budget, now: Instant) -> Duration {
        let whole_at = self.whole_at.get(key);
        let left = whole_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        left.saturating_sub(budget.saved())
    }

    pub(super) fn count(&mut self, key: &K, budget: Budget, now: Instant) {
        if self.whole_at.len() >= MOST {
            self.whole_at.retain(|_, at| *at > now);
        }
        let whole_at = self.whole_at.entry(key.clone()).or_insert(now);
        *whole_at = now.max(*whole_at) + budget.every;
    }

    pub(super) fn give_back(&mut self, key: &K, budget: Budget) {
        if let Some(whole_at) = self.whole_at.get_mut(key)
            && let Some(earlier) = whole_at.checked_sub(budget.every)
        {
            *whole_at = earlier;
        }
    }
}

/// What came lately, at most so much of it; the oldest is forgotten first.
#[derive(Debug)]
pub(super) struct Recent<T> {
    most: usize,
    known: HashSet<T>,
    order: VecDeque<T>,
}

impl<T: Eq + Hash + Copy> Recent<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn has(&self, it: &T) -> bool {
        self.known.contains(it)
    }

    pub(super) fn note(&mut self, it: T) {
        if !self.known.insert(it) {
            return;
        }
        self.order.push_back(it);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Its place in the order stays until it is its turn.
    pub(super) fn forget(&mut self, it: &T) {
        self.known.remove(it);
    }
}
