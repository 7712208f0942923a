//! Who waits: how many at once, and which wait a newer one takes over.
//!
//! # Why
//! A client that gave up is seldom noticed before something is written to it, so its waits keep their
//! places for a while. To refuse newer ones would shut a client out by waits that it has given up (a browser's
//! `EventSource` gives up for good on a 429): therefore the newest wait always lives, and past a cap
//! the oldest ends.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::bus::NamedWait,
    error::{Error, Result},
    model::{Clock, LoginId, PersonId, Timestamp},
};

/// The most waits of a login that live.
const PER_LOGIN: usize = 8;
/// The most waits of a person that live, with all their logins.
const PER_PERSON: usize = 32;
/// The most waits of a person that were superseded and have not ended yet: a client that reads nothing can
/// keep a stream from ending, and must not accumulate them.
const ENDING: usize = 256;
/// When to try again past that.
const ENDED_SOON: Duration = Duration::from_secs(1);

/// The register of waits. No setting lifts its caps: each wait holds memory that one client's
/// loop must not take from the others.
#[derive(Debug, Default)]
pub struct WaitLimit {
    state: Arc<Mutex<State>>,
}

/// Guarded by the lock of [`WaitLimit`].
#[derive(Debug, Default)]
struct State {
    people: HashMap<PersonId, Waits>,
    total: usize,
    next: u64,
}

/// The waits of one person.
#[derive(Debug, Default)]
struct Waits {
    /// Those that live, the oldest first.
    living: VecDeque<Wait>,
    /// How many were superseded and have not ended yet.
    ending: usize,
}

#[derive(Debug)]
struct Wait {
    number: u64,
    login: LoginId,
    name: Option<String>,
    since: Timestamp,
    superseded: CancellationToken,
}

/// A wait's place in the register; dropping it leaves.
#[derive(Debug)]
pub struct WaitPermit {
    state: Arc<Mutex<State>>,
    person: PersonId,
    number: u64,
    /// Cancelled when a newer wait takes over.
    pub superseded: CancellationToken,
}

impl WaitLimit {
    /// Takes a place. Of two waits with the same name in one login the newer wins; where there are too
    /// many the oldest of the login ends, or of the person when the login has none.
    pub fn admit(
        &self,
        login: LoginId,
        person: PersonId,
        name: Option<&str>,
    ) -> Result<WaitPermit> {
        let mut state = lock(&self.state);
        state.next += 1;
        let number = state.next;
        let waits = state.people.entry(person).or_default();
        if waits.ending >= ENDING {
            let sentence = "too many requests of yours are still ending";
            return Err(Error::too_many(sentence, ENDED_SOON));
        }
        if name.is_some() {
            waits.end_first(|wait| wait.login == login && wait.name.as_deref() == name);
        }
        let of_login = |wait: &Wait| wait.login == login;
        let full = waits.living.len() >= PER_PERSON;
        let login_full = waits.living.iter().filter(|wait| of_login(wait)).count() >= PER_LOGIN;
        if (login_full || full) && !waits.end_first(of_login) {
            waits.end_first(|_| true);
        }
        let superseded = CancellationToken::new();
        waits.living.push_back(Wait {
            number,
            login,
            name: name.map(str::to_owned),
            since: Clock.now(),
            superseded: superseded.clone(),
        });
        state.total += 1;
        drop(state);
        Ok(WaitPermit {
            state: Arc::clone(&self.state),
            person,
            number,
            superseded,
        })
    }

    /// Ends the wait that is older than one of the same name at another server.
    pub(in crate::chat) fn supersede(&self, newer: &NamedWait) {
        let mut state = lock(&self.state);
        if let Some(waits) = state.people.get_mut(&newer.person) {
            waits.end_first(|wait| {
                let is_older = wait.since < newer.since;
                wait.login == newer.login && wait.name.as_ref() == Some(&newer.name) && is_older
            });
        }
    }

    /// How many wait, or have yet to end.
    pub fn count(&self) -> usize {
        lock(&self.state).total
    }
}

impl Waits {
    /// Tells the oldest such wait to end; says whether there was one.
    fn end_first(&mut self, is_meant: impl Fn(&Wait) -> bool) -> bool {
        let oldest = self.living.iter().position(is_meant);
        let Some(wait) = oldest.and_then(|place| self.living.remove(place)) else {
            return false;
        };
        wait.superseded.cancel();
        self.ending += 1;
        true
    }
}

impl Drop for WaitPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.total = state.total.saturating_sub(1);
        let Some(waits) = state.people.get_mut(&self.person) else {
            return;
        };
        let living = waits.living.iter();
        match living
            .map(|wait| wait.number)
            .position(|number| number == self.number)
        {
            Some(place) => drop(waits.living.remove(place)),
            None => waits.ending = waits.ending.saturating_sub(1),
        }
        if waits.living.is_empty() && waits.ending == 0 {
            state.people.remove(&self.person);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: LoginId = LoginId::new(1);
    const PERSON: PersonId = PersonId::new(1);

    fn admit(wait_limit: &WaitLimit, login: i64, name: Option<&str>) -> WaitPermit {
        let admitted = wait_limit.admit(LoginId::new(login), PERSON, name);
        admitted.expect("the newest always gets a place")
    }

    fn lives(waiting: &WaitPermit) -> bool {
        !waiting.superseded.is_cancelled()
    }

    #[test]
    fn of_nine_waits_of_a_login_the_oldest_ends() {
        let wait_limit = WaitLimit::default();
        let other = admit(&wait_limit, 2, None);
        let mut held: Vec<_> = (0..12).map(|_| admit(&wait_limit, 1, None)).collect();
        let living: Vec<_> = held.iter().map(lives).collect();
        assert_eq!(living, [[false; 4].as_slice(), &[true; 8]].concat());
        assert!(lives(&other), "another login has places of its own");
        // A place that was given back is free.
        drop(held.pop());
        held.push(admit(&wait_limit, 1, None));
        assert_eq!(held.iter().filter(|waiting| lives(waiting)).count(), 8);
        drop(held);
        assert_eq!(wait_limit.count(), 1);
    }

    #[test]
    fn of_thirty_three_waits_of_a_person_the_oldest_ends() {
        let wait_limit = WaitLimit::default();
        let held: Vec<_> = (0..32).map(|n| admit(&wait_limit, n / 8, None)).collect();
        assert!(held.iter().all(lives));
        let of_a_new_login = admit(&wait_limit, 99, None);
        assert!(!lives(&held[0]) && held[1..].iter().all(lives));
        let of_the_same = admit(&wait_limit, 99, None);
        assert!(!lives(&of_a_new_login), "the login's own oldest goes first");
        let of_the_third = admit(&wait_limit, 2, None);
        assert!(!lives(&held[16]) && held[17..].iter().all(lives));
        assert!(held[1..16].iter().all(lives) && lives(&of_the_same));
        let stranger = wait_limit.admit(LOGIN, PersonId::new(2), None);
        assert!(lives(
            &stranger.expect("somebody else has places of their own")
        ));
        drop((held, of_a_new_login, of_the_same, of_the_third));
        assert_eq!(wait_limit.count(), 0);
        assert!(lock(&wait_limit.state).people.is_empty());
    }

    #[test]
    fn the_newer_wait_of_a_name_wins_and_costs_nobody_else_a_place() {
        let wait_limit = WaitLimit::default();
        let others: Vec<_> = (0..7).map(|_| admit(&wait_limit, 1, None)).collect();
        let mut newest = admit(&wait_limit, 1, Some("tab"));
        for _ in 0..20 {
            let newer = admit(&wait_limit, 1, Some("tab"));
            assert!(!lives(&newest) && lives(&newer));
            newest = newer;
        }
        let elsewhere = admit(&wait_limit, 2, Some("tab"));
        assert!(lives(&newest) && lives(&elsewhere) && others.iter().all(lives));
    }

    #[test]
    fn waits_that_do_not_end_are_bounded_too() {
        let wait_limit = WaitLimit::default();
        let held: Vec<_> = (0..PER_LOGIN + ENDING)
            .map(|_| admit(&wait_limit, 1, None))
            .collect();
        assert!(wait_limit.admit(LOGIN, PERSON, None).is_err());
        drop(held);
        assert!(lives(&admit(&wait_limit, 1, None)));
    }

    #[test]
    fn a_wait_at_another_server_ends_an_older_one_of_its_name_alone() {
        let wait_limit = WaitLimit::default();
        let tab = admit(&wait_limit, 1, Some("tab"));
        let others = [
            admit(&wait_limit, 1, Some("other")),
            admit(&wait_limit, 2, Some("tab")),
            admit(&wait_limit, 1, None),
        ];
        let now = Clock.now();
        let mut newer = NamedWait {
            person: PERSON,
            login: LOGIN,
            name: "tab".to_owned(),
            since: now.minus(Duration::from_mins(1)),
        };
        wait_limit.supersede(&newer);
        assert!(lives(&tab), "what is told late ends nothing that is newer");
        newer.since = now.plus(Duration::from_secs(1));
        wait_limit.supersede(&newer);
        assert!(!lives(&tab) && others.iter().all(lives));
        // It is told twice.
        wait_limit.supersede(&newer);
        assert!(others.iter().all(lives));
    }
}
