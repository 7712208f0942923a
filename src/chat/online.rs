//! Who is online: has a wait or a connection, or had one less than a minute ago.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::{Person, PersonId};

/// For how long after their last wait somebody is still online: longer than between two polls.
const LASTS: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Online(Arc<Mutex<State>>);

/// Guarded by the lock of [`Online`].
#[derive(Debug, Default)]
struct State {
    people: HashMap<PersonId, Seen>,
    /// Who has stopped waiting, and when: the earliest first.
    left: VecDeque<(Instant, PersonId)>,
}

/// Somebody who is online.
#[derive(Debug, Default)]
struct Seen {
    /// How many waits and connections they have.
    holds: usize,
    /// When the last of them ended.
    left_at: Option<Instant>,
}

/// A wait or a connection of somebody; dropping it ends it.
#[derive(Debug)]
pub(super) struct Attendance {
    state: Arc<Mutex<State>>,
    person: PersonId,
}

impl Online {
    /// Notes that a person has a wait or a connection, as long as what is returned lives.
    pub(super) fn attend(&self, person: &Person) -> Attendance {
        let mut state = lock(&self.0);
        state.forget_the_gone();
        let seen = state.people.entry(person.id).or_default();
        seen.holds += 1;
        seen.left_at = None;
        Attendance {
            state: Arc::clone(&self.0),
            person: person.id,
        }
    }

    /// Whether a person is online.
    pub(super) fn is_online(&self, person: PersonId) -> bool {
        let mut state = lock(&self.0);
        state.forget_the_gone();
        state.people.contains_key(&person)
    }
}

impl State {
    fn forget_the_gone(&mut self) {
        let now = Instant::now();
        while let Some((left_at, person)) = self.left.front().copied() {
            if left_at + LASTS > now {
                return;
            }
            self.left.pop_front();
            // A person who has returned since, or left again, is not removed by this.
            let is_gone = |seen: &Seen| seen.left_at == Some(left_at);
            if self.people.get(&person).is_some_and(is_gone) {
                self.people.remove(&person);
            }
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let Some(seen) = state.people.get_mut(&self.person) else {
            return;
        };
        seen.holds = seen.holds.saturating_sub(1);
        if seen.holds == 0 {
            let now = Instant::now();
            seen.left_at = Some(now);
            state.left.push_back((now, self.person));
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
