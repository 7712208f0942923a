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
                session.look(entry.at);
            }
        }
        if due.capacity() > 4096 {
            due = Vec::new();
        }
    }
}
