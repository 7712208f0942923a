//! Who waits: how many at once, and which wait a newer one takes over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Result},
    model::{LoginId, PersonId},
};

/// The most waits a login may hold.
const PER_LOGIN: usize = 8;
/// The most waits a person may hold with all their logins.
const PER_PERSON: usize = 32;

/// The register of waits. No setting lifts its caps: each wait holds memory that one stranger's
/// loop must not take from the others.
#[derive(Debug, Default)]
pub struct Waiters {
    state: Arc<Mutex<State>>,
}

/// Guarded by the lock of [`Waiters`].
#[derive(Debug, Default)]
struct State {
    logins: HashMap<LoginId, Waits>,
    people: HashMap<PersonId, usize>,
    total: usize,
    next: u64,
}

#[derive(Debug, Default)]
struct Waits {
    count: usize,
    named: HashMap<String, (u64, CancellationToken)>,
}

/// A wait's place in the register; dropping it leaves.
#[derive(Debug)]
pub struct Waiting {
    state: Arc<Mutex<State>>,
    login: LoginId,
    person: PersonId,
    name: Option<(String, u64)>,
    /// Cancelled when a newer wait of the same name takes over.
    pub superseded: CancellationToken,
}

impl Waiters {
    /// Takes a place. Of two waits with the same name in one login the newer wins.
    pub fn admit(&self, login: LoginId, person: PersonId, name: Option<String>) -> Result<Waiting> {
        let mut state = lock(&self.state);
        let takes_over = name.as_ref().is_some_and(|name| {
            state
                .logins
                .get(&login)
                .is_some_and(|waits| waits.named.contains_key(name))
        });
        let of_login = state.logins.get(&login).map_or(0, |waits| waits.count);
        let of_person = state.people.get(&person).copied().unwrap_or(0);
        if !takes_over && (of_login >= PER_LOGIN || of_person >= PER_PERSON) {
            return Err(Error::too_many(
                format!(
                    "at most {PER_LOGIN} requests of a login and {PER_PERSON} of a person may wait at once"
                ),
                Duration::from_secs(1),
            ));
        }
        state.next += 1;
        state.total += 1;
        let number = state.next;
        *state.people.entry(person).or_default() += 1;
        let superseded = CancellationToken::new();
        let waits = state.logins.entry(login).or_default();
        waits.count += 1;
        if let Some(name) = &name
            && let Some((_, older)) = waits
                .named
                .insert(name.clone(), (number, superseded.clone()))
        {
            // It ends at once, but its place is given back only when it has: until then a name
            // may hold two places, and a client that loops no more than that.
            older.cancel();
        }
        drop(state);
        let name = name.map(|name| (name, number));
        Ok(Waiting {
            state: Arc::clone(&self.state),
            login,
            person,
            name,
            superseded,
        })
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        lock(&self.state).total
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.total = state.total.saturating_sub(1);
        if let Some(waits) = state.logins.get_mut(&self.login) {
            waits.count = waits.count.saturating_sub(1);
            if let Some((name, number)) = &self.name
                && waits
                    .named
                    .get(name)
                    .is_some_and(|(current, _)| current == number)
            {
                waits.named.remove(name);
            }
            if waits.count == 0 {
                state.logins.remove(&self.login);
            }
        }
        if let Some(count) = state.people.get_mut(&self.person) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.people.remove(&self.person);
            }
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

    #[test]
    fn a_login_may_wait_eight_times() {
        let waiters = Waiters::default();
        let mut held: Vec<_> = (0..8)
            .map(|_| waiters.admit(LOGIN, PERSON, None).expect("a place"))
            .collect();
        assert!(waiters.admit(LOGIN, PERSON, None).is_err());
        held.pop();
        assert!(waiters.admit(LOGIN, PERSON, None).is_ok());
    }

    #[test]
    fn a_person_may_wait_thirty_two_times() {
        let waiters = Waiters::default();
        let held: Vec<_> = (0..32)
            .map(|n| {
                waiters
                    .admit(LoginId::new(n / 8), PERSON, None)
                    .expect("a place")
            })
            .collect();
        assert!(waiters.admit(LoginId::new(99), PERSON, None).is_err());
        drop(held);
        assert_eq!(waiters.count(), 0);
        assert!(lock(&waiters.state).logins.is_empty() && lock(&waiters.state).people.is_empty());
    }

    #[test]
    fn the_newer_wait_of_a_name_wins() {
        let waiters = Waiters::default();
        let older = waiters
            .admit(LOGIN, PERSON, Some("tab".into()))
            .expect("a place");
        let newer = waiters
            .admit(LOGIN, PERSON, Some("tab".into()))
            .expect("a place");
        assert!(older.superseded.is_cancelled() && !newer.superseded.is_cancelled());
        drop(older);
        let newest = waiters
            .admit(LOGIN, PERSON, Some("tab".into()))
            .expect("a place");
        assert!(newer.superseded.is_cancelled() && !newest.superseded.is_cancelled());
    }
}
