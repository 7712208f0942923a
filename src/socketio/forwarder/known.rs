//! Sessions that other servers were found to have. Requests for sessions that are alive are not counted against the
//! limit of an address, whichever server they come to.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A session that polls does so more often.
const LIFETIME: Duration = Duration::from_mins(2);
/// How many there are before the old ones are looked for.
const MANY: usize = 1_024;

#[derive(Default)]
pub(super) struct KnownSessions(Mutex<State>);

#[derive(Default)]
struct State {
    sessions: HashMap<Box<str>, Instant>,
    /// How many there may be before the old ones are looked for.
    room: usize,
}

impl KnownSessions {
    /// Notes that a session is alive now.
    pub(super) fn note(&self, sid: &str) {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(at) = state.sessions.get_mut(sid) {
            *at = now;
            return;
        }
        if state.sessions.len() >= state.room.max(MANY) {
            state.sessions.retain(|_, at| at.elapsed() < LIFETIME);
            state.room = 2 * state.sessions.len();
        }
        state.sessions.insert(sid.into(), now);
    }

    pub(super) fn forget(&self, sid: &str) {
        self.state().sessions.remove(sid);
    }

    pub(super) fn has(&self, sid: &str) -> bool {
        let state = self.state();
        let at = state.sessions.get(sid);
        at.is_some_and(|at| at.elapsed() < LIFETIME)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_is_known_for_a_while() {
        let known = KnownSessions::default();
        assert!(!known.has("one"));
        known.note("one");
        known.note("two");
        known.forget("two");
        assert!(known.has("one") && !known.has("two"));
        tokio::time::advance(LIFETIME / 2).await;
        known.note("one");
        tokio::time::advance(LIFETIME / 2).await;
        assert!(known.has("one"));
        tokio::time::advance(LIFETIME / 2).await;
        assert!(!known.has("one"));
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_are_not_heard_of_go() {
        let known = KnownSessions::default();
        for number in 0..5 * MANY {
            known.note(&number.to_string());
            tokio::time::advance(LIFETIME / 512).await;
        }
        assert!(known.state().sessions.len() <= 2 * MANY);
        assert!(known.has(&(5 * MANY - 1).to_string()));
    }
}
