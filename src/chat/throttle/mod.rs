//! Slows down who guesses passwords or makes accounts by the dozen; pure, with the time handed in.
//!
//! # Why
//! The first attempts are free. Each one after them doubles a pause, up to a cap, and who comes
//! during the pause is told when it ends. Nothing is ever locked: after the pause one attempt goes
//! through, so nobody can be shut out of their own account for longer than the cap.
//!
//! An attempt is counted when it begins, not when it fails: a thousand guesses at once would all
//! begin before the first one failed.

mod tally;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tally::{Ladder, Tally};

use crate::{
    error::{Error, Result},
    model::Millis,
};

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
        let mut tallies = self.tallies();
        let wait = tallies.sign_ups.wait(&network, now);
        refuse_during(wait, "too many accounts were made from here")?;
        tallies.sign_ups.count(&network, now);
        Ok(())
    }

    /// Counts a guest who comes to a desk from an address.
    pub fn guest(&self, network: IpAddr, now: Millis) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        let mut tallies = self.tallies();
        let wait = tallies.guests.wait(&network, now);
        refuse_during(wait, "too many chats were begun from here")?;
        tallies.guests.count(&network, now);
        Ok(())
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
