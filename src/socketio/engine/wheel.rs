//! A timer wheel: one timer for all sessions.

use std::{
    sync::{Mutex, OnceLock, Weak},
    time::Duration,
};

use super::protocol::millis;
use crate::sync::lock;

/// How many slots the ring has. An entry that is due after more than one turn is skipped until then.
const SLOTS: u64 = 512;

/// A ring of slots. Time is in milliseconds since the server was made.
pub(super) struct Wheel<S> {
    /// How many milliseconds one slot stands for.
    pub(super) grain: u64,
    ring: Mutex<Ring<S>>,
    started: OnceLock<()>,
}

struct Ring<S> {
    slots: Vec<Vec<Entry<S>>>,
    /// The first slot that has not been visited.
    next: u64,
}

/// A session to be checked. The reference is weak: a timer does not keep a session alive.
pub(super) struct Entry<S> {
    pub(super) at: u64,
    pub(super) session: Weak<S>,
}

impl<S> Wheel<S> {
    /// A wheel whose resolution suits durations of `shortest`.
    pub(super) fn new(shortest: Duration) -> Self {
        Self {
            grain: (millis(shortest) / 32).clamp(4, 200),
            ring: Mutex::new(Ring {
                slots: (0..SLOTS).map(|_| Vec::new()).collect(),
                next: 0,
            }),
            started: OnceLock::new(),
        }
    }

    /// Adds a session to be checked at `at`, or up to one grain later.
    pub(super) fn insert(&self, at: u64, session: Weak<S>) {
        let mut ring = lock(&self.ring);
        let slot = at.div_ceil(self.grain).max(ring.next);
        let index = (slot % SLOTS) as usize;
        ring.slots[index].push(Entry { at, session });
    }

    /// Calls `start` if it has not been called yet.
    pub(super) fn start_once(&self, start: impl FnOnce()) {
        self.started.get_or_init(start);
    }

    /// Moves all entries that are due at `now` to `due`.
    pub(super) fn advance(&self, now: u64, due: &mut Vec<Entry<S>>) {
        let mut ring = lock(&self.ring);
        let last = now / self.grain;
        // After a long pause, one whole turn visits every slot.
        let first = ring.next.max(last.saturating_sub(SLOTS - 1));
        for slot in first..=last {
            let entries = &mut ring.slots[(slot % SLOTS) as usize];
            due.extend(entries.extract_if(.., |entry| entry.at <= now));
            if entries.is_empty() && entries.capacity() > 64 {
                *entries = Vec::new();
            }
        }
        ring.next = ring.next.max(last + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAIN: u64 = 4;
    const TURN: u64 = GRAIN * SLOTS;

    fn wheel() -> Wheel<()> {
        Wheel::new(Duration::ZERO)
    }

    fn insert(wheel: &Wheel<()>, at: u64) {
        wheel.insert(at, Weak::new());
    }

    fn advance(wheel: &Wheel<()>, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        wheel.advance(now, &mut due);
        let mut times: Vec<_> = due.iter().map(|entry| entry.at).collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn the_grain_follows_the_shortest_time_within_bounds() {
        for (shortest, grain) in [(0, GRAIN), (640, 20), (20_000, 200)] {
            let wheel = Wheel::<()>::new(Duration::from_millis(shortest));
            assert_eq!(wheel.grain, grain);
        }
    }

    #[test]
    fn nothing_is_taken_early_or_more_than_a_grain_late() {
        let wheel = wheel();
        // More than two turns: entries in the same slots that are due later have to be skipped.
        let mut left: Vec<_> = (1..3 * TURN).step_by(7).collect();
        for at in &left {
            insert(&wheel, *at);
        }
        for now in (0..=3 * TURN).step_by(4) {
            let (due, later) = left.iter().partition(|at| **at <= now);
            left = later;
            assert_eq!(advance(&wheel, now), due);
        }
        assert!(left.is_empty());
    }

    #[test]
    fn what_is_due_already_is_taken_at_the_next_step() {
        let wheel = wheel();
        assert!(advance(&wheel, 100).is_empty());
        insert(&wheel, 100);
        insert(&wheel, 1);
        // The same moment again visits nothing.
        assert!(advance(&wheel, 100).is_empty());
        assert_eq!(advance(&wheel, 100 + GRAIN), [1, 100]);
    }

    #[test]
    fn after_a_long_sleep_everything_due_is_taken_once() {
        let wheel = wheel();
        let (times, now) = ([1, TURN - 1, TURN, 3 * TURN + 5], 5 * TURN + 2);
        for at in times {
            insert(&wheel, at);
        }
        insert(&wheel, now + TURN);
        assert_eq!(advance(&wheel, now), times);
        assert!(advance(&wheel, now + TURN - 1).is_empty());
        assert_eq!(advance(&wheel, now + TURN + GRAIN), [now + TURN]);
    }
}
