//! Slows down who guesses passwords, tokens or secrets, or makes accounts by the dozen; pure, with the
//! time handed in.
//!
//! # Why
//! The first attempts are free. Each one after them doubles a pause, up to a cap, and who comes
//! during the pause is told when it ends. Nothing is ever locked: after the pause one attempt goes
//! through, so nobody can be shut out of their own account for longer than the cap.
//!
//! An attempt is counted when it begins, not when it fails: a thousand guesses at once would all
//! begin before the first one failed. Who was never checked, by no fault of their own, is given it back.
//!
//! The time is monotonic: a clock that is set forth or back neither locks out nor frees anybody.
//!
//! Tokens of other systems may be short, so guesses of tokens are counted as well. Every request brings
//! one, so what passed before passes (`good`), and a client that repeats its expired token guesses
//! nothing new (`wrong`). By app there is a rate instead of a pause: strangers who guess at an app's
//! tokens from everywhere delay its newcomers, and do not shut them out.

mod backoff;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backoff::{Backoff, BackoffTable, Budget, Budgets, Recent};

use crate::{
    error::{Error, Kind, Result},
    model::{TenantId, TokenHash},
};

/// Guesses of one account's password, from wherever they come.
const ACCOUNT: Backoff = Backoff {
    free: 5,
    cap: Duration::from_mins(1),
    forget: Duration::from_mins(15),
};

/// Guesses of passwords from one address, at whatever account; many people may share it.
const ADDRESS: Backoff = Backoff {
    free: 20,
    cap: Duration::from_mins(15),
    forget: Duration::from_hours(1),
};

/// Accounts made from one address.
const SIGN_UP: Backoff = Backoff {
    free: 20,
    cap: Duration::from_mins(15),
    forget: Duration::from_hours(1),
};

/// Guests that come to desks from one address; a shop's own network may bring many.
const GUEST: Backoff = Backoff {
    free: 60,
    cap: Duration::from_mins(5),
    forget: Duration::from_mins(15),
};

/// Wrong tokens and keys from one address: a cap that keeps an office no longer from its first visit.
const TOKEN: Backoff = Backoff {
    free: 20,
    cap: Duration::from_mins(1),
    forget: Duration::from_mins(15),
};

/// Connections from one address that want to come back and are not known: many may be late at once.
const RECOVERY: Backoff = Backoff {
    free: 100,
    cap: Duration::from_mins(1),
    forget: Duration::from_mins(15),
};

/// Wrong tokens for one app, from wherever they come.
const OF_APP: Budget = Budget {
    burst: 100,
    every: Duration::from_secs(1),
};

/// Wrong tokens of which nobody said for which app they are.
const OF_NO_APP: Budget = Budget {
    burst: 1_000,
    every: Duration::from_millis(10),
};

/// How many tokens that were good are remembered.
const GOOD: usize = 100_000;
/// How many tokens that were wrong are, each with its address.
const WRONG: usize = 50_000;

/// Counts attempts: to sign in, per account and per address; with tokens, per address and per app; to
/// sign up, to come to a desk and to come back, per address.
#[derive(Debug)]
pub struct LoginThrottle {
    on: bool,
    tables: Mutex<BackoffTables>,
}

/// Guarded together: an attempt counts in all of its tallies or in none.
#[derive(Debug)]
struct BackoffTables {
    accounts: BackoffTable<String>,
    addresses: BackoffTable<IpAddr>,
    sign_ups: BackoffTable<IpAddr>,
    guests: BackoffTable<IpAddr>,
    tokens: BackoffTable<IpAddr>,
    recoveries: BackoffTable<IpAddr>,
    apps: Budgets<Option<TenantId>>,
    good: Recent<u64>,
    wrong: Recent<(IpAddr, u64)>,
}

/// What is attempted.
#[derive(Debug)]
enum ChangeKind {
    /// To prove an account's password.
    Password(String),
    SignUp,
    Guest,
    /// To prove a token, of some app if that was said.
    Token(Option<TenantId>, u64),
    Recovery,
    /// Nothing that counts.
    Nothing,
}

impl LoginThrottle {
    /// A throttle that remembers nothing yet; one that is not `on` lets everybody pass.
    pub fn new(on: bool) -> Self {
        Self {
            on,
            tables: Mutex::new(BackoffTables {
                accounts: BackoffTable::new(ACCOUNT),
                addresses: BackoffTable::new(ADDRESS),
                sign_ups: BackoffTable::new(SIGN_UP),
                guests: BackoffTable::new(GUEST),
                tokens: BackoffTable::new(TOKEN),
                recoveries: BackoffTable::new(RECOVERY),
                apps: Budgets::default(),
                good: Recent::new(GOOD),
                wrong: Recent::new(WRONG),
            }),
        }
    }

    /// Begins an attempt to prove a password. `account` is the folded name, whether or not there is
    /// such an account; `network` is the address that counts as one client.
    ///
    /// Dropping the [`Attempt`] leaves it counted as a failure.
    pub fn attempt(&self, account: &str, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.admit(network, now, |tables| {
            let account = account.to_owned();
            let wait = tables.accounts.wait(&account, now);
            let wait = wait.max(tables.addresses.wait(&network, now));
            refuse_during(wait, "too many attempts to sign in")?;
            tables.accounts.count(&account, now);
            tables.addresses.count(&network, now);
            Ok(ChangeKind::Password(account))
        })
    }

    /// Counts a sign-up from an address.
    pub fn sign_up(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.admit(network, now, |tables| {
            let wait = tables.sign_ups.wait(&network, now);
            refuse_during(wait, "too many accounts were made from here")?;
            tables.sign_ups.count(&network, now);
            Ok(ChangeKind::SignUp)
        })
    }

    /// Counts a guest who comes to a desk from an address.
    pub fn guest(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.admit(network, now, |tables| {
            let wait = tables.guests.wait(&network, now);
            refuse_during(wait, "too many chats were begun from here")?;
            tables.guests.count(&network, now);
            Ok(ChangeKind::Guest)
        })
    }

    /// Begins an attempt to prove a token or another secret, of an app if that is known.
    pub fn token(
        &self,
        app: Option<TenantId>,
        token: &TokenHash,
        network: IpAddr,
        now: Instant,
    ) -> Result<Attempt<'_>> {
        let token = fingerprint(token);
        self.admit(network, now, |tables| {
            if tables.good.has(&token) || tables.wrong.has(&(network, token)) {
                return Ok(ChangeKind::Nothing);
            }
            let wait = tables.tokens.wait(&network, now);
            let wait = wait.max(tables.apps.wait(&app, budget(app), now));
            refuse_during(wait, "too many wrong tokens")?;
            tables.tokens.count(&network, now);
            tables.apps.count(&app, budget(app), now);
            tables.wrong.note((network, token));
            Ok(ChangeKind::Token(app, token))
        })
    }

    /// Begins an attempt of a connection to come back.
    pub fn recovery(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.admit(network, now, |tables| {
            let wait = tables.recoveries.wait(&network, now);
            refuse_during(wait, "too many connections that nobody knows")?;
            tables.recoveries.count(&network, now);
            Ok(ChangeKind::Recovery)
        })
    }

    fn admit(
        &self,
        network: IpAddr,
        now: Instant,
        count: impl FnOnce(&mut BackoffTables) -> Result<ChangeKind>,
    ) -> Result<Attempt<'_>> {
        let what = if self.on {
            count(&mut self.tables())?
        } else {
            ChangeKind::Nothing
        };
        Ok(Attempt {
            throttle: self,
            what,
            network,
            began: now,
        })
    }

    fn tables(&self) -> MutexGuard<'_, BackoffTables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that has begun and counts as failed until it is told otherwise.
#[derive(Debug)]
#[must_use = "an attempt counts as failed unless it is told that it succeeded"]
pub struct Attempt<'a> {
    throttle: &'a LoginThrottle,
    what: ChangeKind,
    network: IpAddr,
    began: Instant,
}

impl Attempt<'_> {
    /// What was shown was right: the account starts afresh, and the address has one attempt back. It
    /// does not start afresh: its owner may hold an account of their own.
    pub fn succeeded(self) {
        let mut tables = self.throttle.tables();
        match &self.what {
            ChangeKind::Password(account) => {
                tables.accounts.forget(account);
                tables.addresses.give_back(&self.network, self.began);
            }
            ChangeKind::Token(_, token) => {
                tables.good.note(*token);
                self.give_back(&mut tables);
            }
            ChangeKind::Recovery => self.give_back(&mut tables),
            // An account that was made is what is counted.
            ChangeKind::SignUp | ChangeKind::Guest | ChangeKind::Nothing => {}
        }
    }

    /// Nobody found out whether it was right, by no fault of the caller.
    pub fn abandoned(self) {
        self.give_back(&mut self.throttle.tables());
    }

    /// Tells how it went by what came of checking: right or wrong, or never checked.
    pub fn settle<T>(self, outcome: &Result<T>, is_right: impl FnOnce(&T) -> bool) {
        match outcome {
            Ok(checked) if is_right(checked) => self.succeeded(),
            Ok(_) => drop(self),
            Err(_) => self.abandoned(),
        }
    }

    /// Leaves it counted, unless the server failed at what was attempted.
    pub fn unless_failed<T>(self, outcome: &Result<T>) {
        if let Err(error) = outcome
            && matches!(
                error.kind(),
                Kind::Unavailable | Kind::ShuttingDown | Kind::Internal
            )
        {
            self.abandoned();
        }
    }

    fn give_back(&self, tables: &mut BackoffTables) {
        let (network, began) = (&self.network, self.began);
        match &self.what {
            ChangeKind::Password(account) => {
                tables.accounts.give_back(account, began);
                tables.addresses.give_back(network, began);
            }
            ChangeKind::SignUp => tables.sign_ups.give_back(network, began),
            ChangeKind::Guest => tables.guests.give_back(network, began),
            ChangeKind::Token(app, token) => {
                tables.tokens.give_back(network, began);
                tables.apps.give_back(app, budget(*app));
                tables.wrong.forget(&(*network, *token));
            }
            ChangeKind::Recovery => tables.recoveries.give_back(network, began),
            ChangeKind::Nothing => {}
        }
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

fn budget(app: Option<TenantId>) -> Budget {
    app.map_or(OF_NO_APP, |_| OF_APP)
}

/// Enough of a hash to tell tokens apart; nobody finds another token with the same 64 bits.
fn fingerprint(token: &TokenHash) -> u64 {
    let digits = token.as_str().get(..16).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

fn refuse_during(wait: Duration, text: &'static str) -> Result<()> {
    if wait.is_zero() {
        Ok(())
    } else {
        Err(Error::too_many(text, wait))
    }
}
