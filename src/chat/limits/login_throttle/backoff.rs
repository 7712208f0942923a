//! Counts how often each key came, how many attempts are under way, and how long it has to pause; bounded.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

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
    /// So many attempts without a pause, the longest pause, and how long after the last pause everything is
    /// forgotten.
    pub(super) const fn new(free: u32, cap: Duration, forget: Duration) -> Self {
        Self { free, cap, forget }
    }

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

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Verdict {
    /// Right, and what was counted is forgotten.
    Forgiven,
    /// Nothing to count: it was right, or was never checked.
    Neutral,
    /// Wrong.
    Wrong,
}

/// Whether an attempt may begin.
#[derive(Debug)]
pub(super) enum Look {
    /// At once.
    Free,
    /// Not before so long.
    Paused(Duration),
    /// Others are under way, and if all of them are wrong it may not: their outcome is to be waited for.
    Busy(Arc<Notify>),
}

/// How often each key came, and when it may come again.
#[derive(Debug)]
pub(super) struct BackoffTable<K> {
    ladder: Backoff,
    pub(super) entries: HashMap<K, Entry>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    count: u32,
    /// When the pause ends.
    until: Instant,
    /// Attempts that have begun and have no outcome yet.
    pending: u32,
    /// Wakes one of those who wait for them.
    turn: Arc<Notify>,
}

impl Entry {
    fn new(now: Instant) -> Self {
        Self {
            count: 0,
            until: now,
            pending: 0,
            turn: Arc::default(),
        }
    }

    fn count_at(&self, ladder: Backoff, now: Instant) -> u32 {
        let is_old = self.until + ladder.forget <= now;
        if is_old { 0 } else { self.count }
    }
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

    /// Counts what is not attempted but done.
    pub(super) fn count(&mut self, key: &K, now: Instant) {
        let ladder = self.ladder;
        let entry = self.entry(key, now);
        entry.count = entry.count_at(ladder, now).saturating_add(1);
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

    /// Whether an attempt may begin.
    pub(super) fn look(&self, key: &K, now: Instant) -> Look {
        let Some(entry) = self.entries.get(key) else {
            return Look::Free;
        };
        let wait = entry.until.saturating_duration_since(now);
        if !wait.is_zero() {
            return Look::Paused(wait);
        }
        let if_all_are_wrong = entry
            .count_at(self.ladder, now)
            .saturating_add(entry.pending);
        if entry.pending > 0 && !self.ladder.pause(if_all_are_wrong).is_zero() {
            return Look::Busy(Arc::clone(&entry.turn));
        }
        Look::Free
    }

    /// An attempt begins.
    pub(super) fn start(&mut self, key: &K, now: Instant) {
        self.entry(key, now).pending += 1;
    }

    /// One that began has ended: the next attempt that waits for it may begin. Tells whether the count has changed.
    pub(super) fn end(&mut self, key: &K, verdict: Verdict, now: Instant) -> bool {
        let ladder = self.ladder;
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        let before = entry.count;
        entry.pending = entry.pending.saturating_sub(1);
        match verdict {
            Verdict::Neutral => {}
            Verdict::Forgiven => {
                entry.count = 0;
                entry.until = entry.until.min(now);
            }
            Verdict::Wrong => {
                entry.count = entry.count_at(ladder, now).saturating_add(1);
                entry.until = now + ladder.pause(entry.count);
            }
        }
        entry.turn.notify_one();
        let has_changed = verdict == Verdict::Wrong || entry.count != before;
        if entry.count == 0 && entry.pending == 0 {
            self.entries.remove(key);
        }
        has_changed
    }

    fn entry(&mut self, key: &K, now: Instant) -> &mut Entry {
        if !self.entries.contains_key(key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key.clone());
        entry.or_insert_with(|| Entry::new(now))
    }

    /// Forgets what is old, and if that is not enough a quarter of the rest, the oldest first; not what
    /// is under way.
    fn make_room(&mut self, now: Instant) {
        if self.entries.len() < MOST {
            return;
        }
        let forget = self.ladder.forget;
        self.entries
            .retain(|_, entry| entry.until + forget > now || entry.pending > 0);
        if self.entries.len() < MOST {
            return;
        }
        let mut ends: Vec<_> = self.entries.values().map(|entry| entry.until).collect();
        let (_, limit, _) = ends.select_nth_unstable(MOST / 4 - 1);
        let limit = *limit;
        let mut surplus = MOST / 4;
        self.entries.retain(|_, entry| {
            let goes = surplus > 0 && entry.until <= limit && entry.pending == 0;
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

/// What each key has left of its budget.
#[derive(Debug, Default)]
pub(super) struct Budgets<K> {
    spent: HashMap<K, Spent>,
}

#[derive(Debug)]
struct Spent {
    /// When the budget will be whole again.
    whole_at: Instant,
    /// As for [`Entry`].
    pending: u32,
    turn: Arc<Notify>,
}

impl<K: Eq + Hash + Clone> Budgets<K> {
    /// Whether an attempt may begin.
    pub(super) fn look(&self, key: &K, budget: Budget, now: Instant) -> Look {
        let Some(spent) = self.spent.get(key) else {
            return Look::Free;
        };
        let left = spent.whole_at.saturating_duration_since(now);
        let wait = left.saturating_sub(budget.saved());
        if !wait.is_zero() {
            return Look::Paused(wait);
        }
        let if_all_are_wrong = left.saturating_add(budget.every.saturating_mul(spent.pending));
        if spent.pending > 0 && if_all_are_wrong > budget.saved() {
            return Look::Busy(Arc::clone(&spent.turn));
        }
        Look::Free
    }

    /// An attempt begins.
    pub(super) fn start(&mut self, key: &K, now: Instant) {
        if self.spent.len() >= MOST {
            self.spent
                .retain(|_, spent| spent.whole_at > now || spent.pending > 0);
        }
        let spent = self.spent.entry(key.clone()).or_insert_with(|| Spent {
            whole_at: now,
            pending: 0,
            turn: Arc::default(),
        });
        spent.pending += 1;
    }

    /// One that began has ended.
    pub(super) fn end(&mut self, key: &K, budget: Budget, verdict: Verdict, now: Instant) {
        let Some(spent) = self.spent.get_mut(key) else {
            return;
        };
        spent.pending = spent.pending.saturating_sub(1);
        if verdict == Verdict::Wrong {
            spent.whole_at = now.max(spent.whole_at) + budget.every;
        }
        spent.turn.notify_one();
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
}
