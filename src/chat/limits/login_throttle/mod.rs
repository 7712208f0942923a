//! Slows down who guesses passwords, tokens or secrets, or makes accounts by the dozen; pure, with the
//! time passed in.
//!
//! # Why
//! The first attempts are free. Each one after them doubles a pause, up to a cap, and an attempt
//! during the pause is refused with the time of its end. Nothing is ever locked: after the pause one attempt goes
//! through, so no user is shut out of their own account for longer than the cap.
//!
//! Only what was found to be wrong is counted. So that a thousand guesses at once do not all begin before
//! the first has failed, attempts begin together only as far as they could all be wrong without a pause;
//! the others wait for an outcome, and begin as those before them were right, or are refused with the
//! pause that those have begun. Who was never checked has not guessed.
//!
//! A browser from which somebody has signed in before shows a *device cookie* (`chat::device_cookies`). Its
//! attempts have a counter of their own and no other, so that guesses of others do not slow down who is
//! known (OWASP's scheme). Who has a login and proves the password anew is counted by that login, alone
//! and with longer pauses: a thief of it guesses no further, and its owner may sign in anew.
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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backoff::{Backoff, BackoffTable, Budget, Budgets, Look, Recent, Verdict};
use tokio::sync::Notify;

use crate::{
    error::{Error, Kind, Result},
    model::{LoginId, TenantId, TokenHash},
};

/// Guesses of one account's password, from wherever they come.
const ACCOUNT: Backoff = Backoff::new(5, Duration::from_mins(1), Duration::from_mins(15));

/// Wrong passwords from a browser that has signed in to the account before.
const DEVICE: Backoff = ACCOUNT;

/// Wrong passwords by who has a login already: longer pauses, for its owner can sign in anew.
const LOGIN: Backoff = Backoff::new(5, Duration::from_hours(1), Duration::from_hours(24));

/// Guesses of passwords from one address, at whatever account; many people may share it.
const ADDRESS: Backoff = Backoff::new(20, Duration::from_mins(15), Duration::from_hours(1));

/// Accounts made from one address.
const SIGN_UP: Backoff = Backoff::new(20, Duration::from_mins(15), Duration::from_hours(1));

/// Conversations that guests open from one address; a shop's own network may bring many.
const GUEST: Backoff = Backoff::new(60, Duration::from_mins(5), Duration::from_mins(15));

/// Wrong tokens and keys from one address: a cap that keeps an office no longer from its first visit.
const TOKEN: Backoff = Backoff::new(20, Duration::from_mins(1), Duration::from_mins(15));

/// Connections from one address that want to come back and are not known: many may be late at once.
const RECOVERY: Backoff = Backoff::new(100, Duration::from_mins(1), Duration::from_mins(15));

/// Wrong tokens for one app, from wherever they come.
const OF_APP: Budget = Budget {
    burst: 100,
    every: Duration::from_secs(1),
};

/// Wrong tokens that name no app.
const OF_NO_APP: Budget = Budget {
    burst: 1_000,
    every: Duration::from_millis(10),
};

/// How many tokens that were good are remembered.
const GOOD: usize = 100_000;
/// How many tokens that were wrong are, each with its address.
const WRONG: usize = 50_000;
/// The longest that an attempt waits for the outcome of others.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(30);

/// Counts attempts: to sign in, per account and per address, or per device; with tokens, per address and per app; to
/// sign up, to open a conversation and to recover a connection, per address.
#[derive(Debug)]
pub struct LoginThrottle {
    on: bool,
    tables: Mutex<BackoffTables>,
}

/// Guarded together: an attempt counts in all of its tallies or in none.
#[derive(Debug)]
struct BackoffTables {
    accounts: BackoffTable<String>,
    devices: BackoffTable<u64>,
    logins: BackoffTable<LoginId>,
    addresses: BackoffTable<IpAddr>,
    sign_ups: BackoffTable<IpAddr>,
    guests: BackoffTable<IpAddr>,
    tokens: BackoffTable<IpAddr>,
    recoveries: BackoffTable<IpAddr>,
    apps: Budgets<Option<TenantId>>,
    good: Recent<u64>,
    wrong: Recent<(IpAddr, u64)>,
}

/// Who tries to prove a password.
#[derive(Debug, Clone, Copy)]
pub enum Guesser<'a> {
    /// Anybody: counted for the account, by its folded name whether or not there is one, and for the
    /// address that they come from.
    Stranger(&'a str, IpAddr),
    /// A browser that has signed in to the account before, by the nonce of its cookie.
    Device(u64),
    /// The holder of a login.
    Login(LoginId),
}

/// What is attempted.
#[derive(Debug)]
enum Attempted {
    /// To prove an account's password.
    Password(String, IpAddr),
    Device(u64),
    Login(LoginId),
    SignUp(IpAddr),
    Guest(IpAddr),
    /// To prove a token, of some app if that was said.
    Token(Option<TenantId>, u64, IpAddr),
    Recovery(IpAddr),
    /// Nothing that counts.
    Nothing,
}

/// Whether an attempt has begun, or waits for the outcome of others.
#[derive(Debug)]
enum Turn<T> {
    Begun(T),
    Waits(Arc<Notify>),
}

impl LoginThrottle {
    /// A throttle that remembers nothing yet; one that is not `on` lets everybody pass.
    pub fn new(on: bool) -> Self {
        Self {
            on,
            tables: Mutex::new(BackoffTables {
                accounts: BackoffTable::new(ACCOUNT),
                devices: BackoffTable::new(DEVICE),
                logins: BackoffTable::new(LOGIN),
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

    /// Begins an attempt to prove a password, once enough of those under way are over.
    ///
    /// Dropping the [`Attempt`] leaves it counted as a failure.
    pub async fn password(&self, guesser: Guesser<'_>) -> Result<Attempt<'_>> {
        self.in_turn(|now| self.try_password(guesser, now)).await
    }

    fn try_password(&self, guesser: Guesser<'_>, now: Instant) -> Result<Turn<Attempt<'_>>> {
        self.admit(now, |tables| {
            const MANY: &str = "too many attempts to sign in";
            Ok(match guesser {
                Guesser::Stranger(account, network) => {
                    let account = account.to_owned();
                    let looks = [
                        tables.accounts.look(&account, now),
                        tables.addresses.look(&network, now),
                    ];
                    if let Some(turn) = allowed(looks, MANY)? {
                        return Ok(Turn::Waits(turn));
                    }
                    tables.accounts.start(&account, now);
                    tables.addresses.start(&network, now);
                    Turn::Begun(Attempted::Password(account, network))
                }
                Guesser::Device(device) => {
                    if let Some(turn) = allowed([tables.devices.look(&device, now)], MANY)? {
                        return Ok(Turn::Waits(turn));
                    }
                    tables.devices.start(&device, now);
                    Turn::Begun(Attempted::Device(device))
                }
                Guesser::Login(login) => {
                    if let Some(turn) = allowed([tables.logins.look(&login, now)], MANY)? {
                        return Ok(Turn::Waits(turn));
                    }
                    tables.logins.start(&login, now);
                    Turn::Begun(Attempted::Login(login))
                }
            })
        })
    }

    /// Counts a sign-up from an address.
    pub fn sign_up(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.count(now, |tables| {
            let wait = tables.sign_ups.wait(&network, now);
            refuse_during(wait, "too many accounts were made from here")?;
            tables.sign_ups.count(&network, now);
            Ok(Attempted::SignUp(network))
        })
    }

    /// Counts a conversation that a guest opens from an address.
    pub fn guest(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.count(now, |tables| {
            let wait = tables.guests.wait(&network, now);
            refuse_during(wait, "too many chats were begun from here")?;
            tables.guests.count(&network, now);
            Ok(Attempted::Guest(network))
        })
    }

    /// Begins an attempt to prove a token or another secret, of an app if that is known, once enough of
    /// those under way are over.
    pub async fn token(
        &self,
        app: Option<TenantId>,
        token: &TokenHash,
        network: IpAddr,
    ) -> Result<Attempt<'_>> {
        self.in_turn(|now| self.try_token(app, token, network, now))
            .await
    }

    fn try_token(
        &self,
        app: Option<TenantId>,
        token: &TokenHash,
        network: IpAddr,
        now: Instant,
    ) -> Result<Turn<Attempt<'_>>> {
        let token = fingerprint(token);
        self.admit(now, |tables| {
            if tables.good.has(&token) || tables.wrong.has(&(network, token)) {
                return Ok(Turn::Begun(Attempted::Nothing));
            }
            let looks = [
                tables.tokens.look(&network, now),
                tables.apps.look(&app, budget(app), now),
            ];
            if let Some(turn) = allowed(looks, "too many wrong tokens")? {
                return Ok(Turn::Waits(turn));
            }
            tables.tokens.start(&network, now);
            tables.apps.start(&app, now);
            Ok(Turn::Begun(Attempted::Token(app, token, network)))
        })
    }

    /// Begins an attempt of a connection to come back, once enough of those under way are over.
    pub async fn recovery(&self, network: IpAddr) -> Result<Attempt<'_>> {
        self.in_turn(|now| self.try_recovery(network, now)).await
    }

    fn try_recovery(&self, network: IpAddr, now: Instant) -> Result<Turn<Attempt<'_>>> {
        self.admit(now, |tables| {
            let looks = [tables.recoveries.look(&network, now)];
            if let Some(turn) = allowed(looks, "too many connections that nobody knows")? {
                return Ok(Turn::Waits(turn));
            }
            tables.recoveries.start(&network, now);
            Ok(Turn::Begun(Attempted::Recovery(network)))
        })
    }

    /// Tries until an attempt has begun or is refused. A task that is woken, and does not wait for the same
    /// again, wakes the next: there may be room for several.
    async fn in_turn<'a>(
        &'a self,
        attempt: impl Fn(Instant) -> Result<Turn<Attempt<'a>>>,
    ) -> Result<Attempt<'a>> {
        let end = tokio::time::Instant::now() + OUTCOME_TIMEOUT;
        let mut woken: Option<Arc<Notify>> = None;
        loop {
            let tried = attempt(now());
            if let Some(woken) = woken.take()
                && !matches!(&tried, Ok(Turn::Waits(turn)) if Arc::ptr_eq(turn, &woken))
            {
                woken.notify_one();
            }
            match tried? {
                Turn::Begun(attempt) => return Ok(attempt),
                Turn::Waits(turn) => {
                    let waited = tokio::time::timeout_at(end, turn.notified()).await;
                    waited.map_err(|late| {
                        let sentence = "too many attempts are under way, please try again";
                        Error::unavailable(sentence, Duration::from_secs(2)).because(late)
                    })?;
                    woken = Some(turn);
                }
            }
        }
    }

    fn admit(
        &self,
        now: Instant,
        begin: impl FnOnce(&mut BackoffTables) -> Result<Turn<Attempted>>,
    ) -> Result<Turn<Attempt<'_>>> {
        let begun = if self.on {
            begin(&mut self.tables())?
        } else {
            Turn::Begun(Attempted::Nothing)
        };
        Ok(match begun {
            Turn::Waits(turn) => Turn::Waits(turn),
            Turn::Begun(what) => Turn::Begun(Attempt {
                throttle: self,
                what,
                began: now,
            }),
        })
    }

    fn count(
        &self,
        now: Instant,
        count: impl FnOnce(&mut BackoffTables) -> Result<Attempted>,
    ) -> Result<Attempt<'_>> {
        let what = if self.on {
            count(&mut self.tables())?
        } else {
            Attempted::Nothing
        };
        Ok(Attempt {
            throttle: self,
            what,
            began: now,
        })
    }

    fn tables(&self) -> MutexGuard<'_, BackoffTables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that has begun and counts as failed until its success is recorded.
#[derive(Debug)]
#[must_use = "an attempt counts as failed unless its success is recorded"]
pub struct Attempt<'a> {
    throttle: &'a LoginThrottle,
    what: Attempted,
    began: Instant,
}

impl Attempt<'_> {
    /// What was shown was right: the account starts afresh. The address does not: who holds an account of
    /// their own would wash it clean.
    pub fn succeeded(self) {
        self.ended(Verdict::Forgiven, now());
    }

    /// Nobody found out whether it was right, by no fault of the caller.
    pub fn abandoned(self) {
        self.ended(Verdict::Neutral, now());
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

    fn ended(mut self, verdict: Verdict, now: Instant) {
        self.end(verdict, now);
    }

    fn end(&mut self, verdict: Verdict, now: Instant) {
        let what = std::mem::replace(&mut self.what, Attempted::Nothing);
        let is_right = verdict == Verdict::Forgiven;
        // What many share is not forgiven.
        let shared = match verdict {
            Verdict::Forgiven => Verdict::Neutral,
            Verdict::Neutral | Verdict::Wrong => verdict,
        };
        let mut tables = self.throttle.tables();
        match what {
            Attempted::Password(account, network) => {
                tables.accounts.end(&account, verdict, now);
                tables.addresses.end(&network, shared, now);
            }
            Attempted::Device(device) => tables.devices.end(&device, verdict, now),
            Attempted::Login(login) => tables.logins.end(&login, verdict, now),
            // These were counted when they came.
            Attempted::SignUp(network) if verdict == Verdict::Neutral => {
                tables.sign_ups.give_back(&network, self.began);
            }
            Attempted::Guest(network) if verdict == Verdict::Neutral => {
                tables.guests.give_back(&network, self.began);
            }
            Attempted::Token(app, token, network) => {
                tables.tokens.end(&network, shared, now);
                tables.apps.end(&app, budget(app), shared, now);
                if is_right {
                    tables.good.note(token);
                } else if verdict == Verdict::Wrong {
                    tables.wrong.note((network, token));
                }
            }
            Attempted::Recovery(network) => tables.recoveries.end(&network, shared, now),
            Attempted::SignUp(_) | Attempted::Guest(_) | Attempted::Nothing => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.end(Verdict::Wrong, now());
    }
}

/// Whether nothing stands in the way of an attempt; else whose outcome it waits for.
fn allowed<const N: usize>(looks: [Look; N], text: &'static str) -> Result<Option<Arc<Notify>>> {
    let mut wait = Duration::ZERO;
    let mut busy = None;
    for look in looks {
        match look {
            Look::Free => {}
            Look::Paused(pause) => wait = wait.max(pause),
            Look::Busy(turn) => busy = Some(turn),
        }
    }
    refuse_during(wait, text)?;
    Ok(busy)
}

/// The time, which tests may stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
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

/// Enough of a hash to tell tokens apart; another token with the same 64 bits cannot be found.
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
