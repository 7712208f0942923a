//! The one timer of all sessions: a ring of slots that a single task turns.

use std::{
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior};

use super::{Session, Shared, lock, millis};

/// How many slots the ring has. What is due later than one turn is passed over until its turn comes.
const SLOTS: u64 = 512;

/// A ring of slots. Time is in milliseconds since the server was made.
pub(super) struct Wheel {
    /// How many milliseconds one slot stands for.
    grain: u64,
    ring: Mutex<Ring>,
    turning: OnceLock<()>,
}

struct Ring {
    slots: Vec<Vec<Entry>>,
    /// The first slot that has not been visited.
    next: u64,
}

/// A session to be looked at. It is held weakly: a timer keeps nobody alive.
struct Entry {
    at: u64,
    session: Weak<Session>,
}

impl Wheel {
    /// A wheel fine enough for durations of `shortest`.
    pub(super) fn new(shortest: Duration) -> Self {
        Self {
            grain: (millis(shortest) / 32).clamp(4, 200),
            ring: Mutex::new(Ring {
                slots: (0..SLOTS).map(|_| Vec::new()).collect(),
                next: 0,
            }),
            turning: OnceLock::new(),
        }
    }

    /// Looks at the session at `at`, or a grain later.
    pub(super) fn insert(&self, at: u64, session: Weak<Session>) {
        let mut ring = lock(&self.ring);
        let slot = at.div_ceil(self.grain).max(ring.next);
        let index = (slot % SLOTS) as usize;
        ring.slots[index].push(Entry { at, session });
    }

    /// Starts turning, if nobody has yet. Needs a runtime, which is why `new` does not do it.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        self.turning.get_or_init(|| {
            tokio::spawn(turn(Arc::downgrade(shared), self.grain, shared.started));
        });
    }

    /// Takes out everything that is due at `now`.
    fn advance(&self, now: u64, due: &mut Vec<Entry>) {
        let mut ring = lock(&self.ring);
        let last = now / self.grain;
        // After a long sleep one whole turn visits every slot.
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

/// Turns the wheel for as long as the server is there.
async fn turn(shared: Weak<Shared>, grain: u64, started: Instant) {
    let mut ticks = tokio::time::interval_at(started, Duration::from_millis(grain));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut due = Vec::new();
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.wheel.advance(shared.now(), &mut due);
        for entry in due.drain(..) {
            if let Some(session) = entry.session.upgrade() {
                session.check(entry.at);
            }
        }
        if due.capacity() > 4096 {
            due = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAIN: u64 = 4;
    const TURN: u64 = GRAIN * SLOTS;

    fn wheel() -> Wheel {
        Wheel::new(Duration::ZERO)
    }

    fn insert(wheel: &Wheel, at: u64) {
        wheel.insert(at, Weak::new());
    }

    fn advance(wheel: &Wheel, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        wheel.advance(now, &mut due);
        let mut times: Vec<_> = due.iter().map(|entry| entry.at).collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn the_grain_follows_the_shortest_time_within_bounds() {
        for (shortest, grain) in [(0, GRAIN), (640, 20), (20_000, 200)] {
            let wheel = Wheel::new(Duration::from_millis(shortest));
            assert_eq!(wheel.grain, grain);
        }
    }

    #[test]
    fn nothing_is_taken_early_or_more_than_a_grain_late() {
        let wheel = wheel();
        // Past a second turn, which passes over what lies in the same slots and is due later.
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
