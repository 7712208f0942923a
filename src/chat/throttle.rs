//! Slows down who guesses passwords or makes accounts by the dozen; pure, with the time handed in.
//!
//! The first attempts are free. Each one after them doubles a pause, up to a cap, and who comes
//! during the pause is told when it ends. Nothing is ever locked: after the pause one attempt goes
//! through, so nobody can be shut out of their own account for longer than the cap.
//!
//! An attempt is counted when it begins, not when it fails: a thousand guesses at once would all
//! begin before the first one failed.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    error::{Error, Result},
    model::Millis,
};

/// Most accounts, and most addresses, that are remembered.
const MOST: usize = 10_000;

/// How pauses grow.
#[derive(Debug, Clone, Copy)]
struct Ladder {
    /// Attempts without a pause.
    free: u32,
    /// The longest pause.
    cap: Duration,
    /// How long after the last pause everything is forgotten.
    forget: Duration,
}

/// Guesses at one account, from wherever they come.
const ACCOUNT: Ladder = Ladder {
    free: 5,
    cap: Duration::from_mins(1),
    forget: Duration::from_mins(15),
};

/// Guesses from one address, at whatever account; many people may share it.
const ADDRESS: Ladder = Ladder {
    free: 20,
    cap: Duration::from_mins(15),
    forget: Duration::from_hours(1),
};

/// Accounts made from one address.
const SIGN_UP: Ladder = Ladder {
    free: 20,
    cap: Duration::from_mins(15),
    forget: Duration::from_hours(1),
};

/// Guests that come to desks from one address; a shop's own network may bring many.
const GUEST: Ladder = Ladder {
    free: 60,
    cap: Duration::from_mins(5),
    forget: Duration::from_mins(15),
};

impl Ladder {
    /// The pause after `count` attempts: nothing, then 1 s, 2 s, 4 s, … up to the cap.
    fn pause(self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(step) => {
                let seconds = 1_u64.checked_shl(step - 1).unwrap_or(u64::MAX);
                Duration::from_secs(seconds).min(self.cap)
            }
        }
    }
}

/// Counts attempts to sign in, per account and per address, and sign-ups per address.
#[derive(Debug)]
pub struct Throttle {
    on: bool,
    tallies: Mutex<Tallies>,
}

/// Guarded together: an attempt counts in two of them or in none.
#[derive(Debug)]
struct Tallies {
    accounts: Tally<String>,
    addresses: Tally<IpAddr>,
    sign_ups: Tally<IpAddr>,
    guests: Tally<IpAddr>,
}

impl Throttle {
    /// A throttle that remembers nothing yet; one that is not `on` lets everybody pass.
    pub fn new(on: bool) -> Self {
        Self {
            on,
            tallies: Mutex::new(Tallies {
                accounts: Tally::new(ACCOUNT),
                addresses: Tally::new(ADDRESS),
                sign_ups: Tally::new(SIGN_UP),
                guests: Tally::new(GUEST),
            }),
        }
    }

    /// Begins an attempt to prove a password. `account` is the folded name, whether or not there is
    /// such an account; `network` is the address that counts as one client.
    ///
    /// Dropping the [`Attempt`] leaves it counted as a failure.
    pub fn attempt(&self, account: &str, network: IpAddr, now: Millis) -> Result<Attempt<'_>> {
        let attempt = Attempt {
            throttle: self,
            account: account.to_owned(),
            network,
            began: now,
        };
        if !self.on {
            return Ok(attempt);
        }
        let mut tallies = self.tallies();
        let wait = tallies
            .accounts
            .wait(&attempt.account, now)
            .max(tallies.addresses.wait(&network, now));
        refuse_during(wait, "too many attempts to sign in")?;
        tallies.accounts.count(&attempt.account, now);
        tallies.addresses.count(&network, now);
        Ok(attempt)
    }

    /// Counts a sign-up from an address.
    pub fn sign_up(&self, network: IpAddr, now: Millis) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        self.tallies()
            .sign_ups
            .admit(&network, now, "too many accounts were made from here")
    }

    /// Counts a guest who comes to a desk from an address.
    pub fn guest(&self, network: IpAddr, now: Millis) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        self.tallies()
            .guests
            .admit(&network, now, "too many chats were begun from here")
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that has begun and counts as failed until it is told otherwise.
#[derive(Debug)]
#[must_use = "an attempt counts as failed unless it is told that it succeeded"]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: String,
    network: IpAddr,
    began: Millis,
}

impl Attempt<'_> {
    /// The password was right: the account starts afresh, and the address has one attempt back. It
    /// does not start afresh: its owner may hold an account of their own.
    pub fn succeeded(self) {
        let mut tallies = self.throttle.tallies();
        tallies.accounts.forget(&self.account);
        tallies.addresses.give_back(&self.network, self.began);
    }

    /// Nobody found out whether the password was right, by no fault of the caller.
    pub fn abandoned(self) {
        let mut tallies = self.throttle.tallies();
        tallies.accounts.give_back(&self.account, self.began);
        tallies.addresses.give_back(&self.network, self.began);
    }
}

/// What throttles count an address as: itself, or of IPv6 its /64, which is what one customer gets.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn refuse_during(wait: Duration, text: &'static str) -> Result<()> {
    if wait.is_zero() {
        Ok(())
    } else {
        Err(Error::too_many(text, wait))
    }
}

/// How often each key came, and when it may come again.
#[derive(Debug)]
struct Tally<K> {
    ladder: Ladder,
    entries: HashMap<K, Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    count: u32,
    /// When the pause ends.
    until: Millis,
}

impl<K: Eq + Hash + Clone> Tally<K> {
    fn new(ladder: Ladder) -> Self {
        Self {
            ladder,
            entries: HashMap::new(),
        }
    }

    /// Counts one more, unless it is paused.
    fn admit(&mut self, key: &K, now: Millis, refusal: &'static str) -> Result<()> {
        refuse_during(self.wait(key, now), refusal)?;
        self.count(key, now);
        Ok(())
    }

    fn wait(&self, key: &K, now: Millis) -> Duration {
        self.entries
            .get(key)
            .map_or(Duration::ZERO, |entry| entry.until.since(now))
    }

    fn count(&mut self, key: &K, now: Millis) {
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
    fn give_back(&mut self, key: &K, began: Millis) {
        if let Some(entry) = self.entries.get_mut(key) {
            if entry.until == began.plus(self.ladder.pause(entry.count)) {
                entry.until = began;
            }
            entry.count = entry.count.saturating_sub(1);
        }
    }

    fn forget(&mut self, key: &K) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const START: Millis = Millis::new(1_800_000_000_000);

    fn network(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    /// The pause that a refusal tells, after checking that it is one.
    fn told<T: std::fmt::Debug>(refusal: Result<T>) -> Duration {
        let error = refusal.expect_err("it is paused");
        assert_eq!(error.kind(), Kind::TooMany);
        error.retry_after().expect("it says when")
    }

    fn fail(throttle: &Throttle, account: &str, from: IpAddr, now: Millis) {
        drop(throttle.attempt(account, from, now).expect("it may begin"));
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        let pauses: Vec<_> = (0..=14)
            .map(|count| ACCOUNT.pause(count).as_secs())
            .collect();
        assert_eq!(pauses, [0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(ACCOUNT.pause(u32::MAX), ACCOUNT.cap);
        assert_eq!(ADDRESS.pause(u32::MAX), seconds(900));
        assert_eq!(ADDRESS.pause(20), Duration::ZERO);
        assert_eq!(ADDRESS.pause(21), seconds(1));
    }

    #[test]
    fn an_account_is_slowed_down_wherever_the_guesses_come_from_and_never_locked() {
        let throttle = Throttle::new(true);
        let mut now = START;
        for guess in 0..5 {
            fail(&throttle, "ann", network(guess), now);
        }
        for (guess, pause) in [1, 2, 4, 8, 16, 32, 60, 60, 60].into_iter().enumerate() {
            let from = network(u8::try_from(guess).expect("few") + 10);
            fail(&throttle, "ann", from, now);
            assert_eq!(
                told(throttle.attempt("ann", network(1), now)),
                seconds(pause)
            );
            // Others are not slowed down.
            throttle
                .attempt("bo", network(1), now)
                .expect("bo may")
                .succeeded();
            let almost = now.plus(seconds(pause)).minus(Duration::from_millis(1));
            assert_eq!(
                told(throttle.attempt("ann", network(1), almost)),
                Duration::from_millis(1)
            );
            now = now.plus(seconds(pause));
        }
    }

    #[test]
    fn an_address_is_slowed_down_whatever_account_it_guesses_at() {
        let throttle = Throttle::new(true);
        for guess in 0..21 {
            fail(&throttle, &format!("person {guess}"), network(1), START);
        }
        assert_eq!(told(throttle.attempt("ann", network(1), START)), seconds(1));
        fail(&throttle, "ann", network(2), START);
    }

    #[test]
    fn guesses_made_at_once_are_counted_before_they_fail() {
        let throttle = Throttle::new(true);
        let begun: Vec<_> = (0..100)
            .filter_map(|_| throttle.attempt("ann", network(1), START).ok())
            .collect();
        assert_eq!(begun.len(), 6);
    }

    #[test]
    fn a_success_frees_the_account_but_not_the_address() {
        let throttle = Throttle::new(true);
        for _ in 0..4 {
            fail(&throttle, "ann", network(1), START);
        }
        throttle
            .attempt("ann", network(1), START)
            .expect("the fifth")
            .succeeded();
        for _ in 0..5 {
            fail(&throttle, "ann", network(2), START);
        }
        // An attacker's own account does not wash the address clean.
        for guess in 0..16 {
            fail(&throttle, &format!("person {guess}"), network(1), START);
            throttle
                .attempt("mallory", network(1), START)
                .expect("right each time")
                .succeeded();
        }
        fail(&throttle, "bo", network(1), START);
        told(throttle.attempt("mallory", network(1), START));
    }

    #[test]
    fn an_abandoned_attempt_is_not_held_against_anybody() {
        let throttle = Throttle::new(true);
        for _ in 0..100 {
            throttle
                .attempt("ann", network(1), START)
                .expect("always")
                .abandoned();
        }
    }

    #[test]
    fn everything_is_forgotten_after_a_quiet_while() {
        let throttle = Throttle::new(true);
        for _ in 0..6 {
            fail(&throttle, "ann", network(1), START);
        }
        let later = START.plus(seconds(1)).plus(ACCOUNT.forget);
        for _ in 0..5 {
            fail(&throttle, "ann", network(2), later);
        }
        throttle
            .attempt("ann", network(2), later)
            .expect("the sixth")
            .abandoned();
    }

    #[test]
    fn sign_ups_from_an_address_are_slowed_down() {
        let throttle = Throttle::new(true);
        for _ in 0..21 {
            throttle.sign_up(network(1), START).expect("free");
        }
        assert_eq!(told(throttle.sign_up(network(1), START)), seconds(1));
        throttle
            .sign_up(network(2), START)
            .expect("another address");
        throttle
            .attempt("ann", network(1), START)
            .expect("signing in is another matter")
            .succeeded();
    }

    #[test]
    fn guests_from_an_address_are_slowed_down() {
        let throttle = Throttle::new(true);
        for _ in 0..61 {
            throttle.guest(network(1), START).expect("free");
        }
        assert_eq!(told(throttle.guest(network(1), START)), seconds(1));
        throttle.guest(network(2), START).expect("another address");
        throttle.sign_up(network(1), START).expect("another matter");
    }

    #[test]
    fn an_ipv6_customer_counts_as_one() {
        let network = |text: &str| super::network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn a_throttle_that_is_off_lets_everybody_pass() {
        let throttle = Throttle::new(false);
        for _ in 0..100 {
            fail(&throttle, "ann", network(1), START);
            throttle.sign_up(network(1), START).expect("off");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let throttle = Throttle::new(true);
        for round in 0..25_000_u32 {
            let now = START.plus(Duration::from_millis(u64::from(round)));
            let from = IpAddr::from(round.to_be_bytes());
            fail(&throttle, &format!("person {round}"), from, now);
            assert!(throttle.tallies().accounts.entries.len() <= MOST);
            assert!(throttle.tallies().addresses.entries.len() <= MOST);
        }
        let tallies = throttle.tallies();
        assert!(tallies.accounts.entries.contains_key("person 24999"));
        assert!(!tallies.accounts.entries.contains_key("person 0"));
    }
}
