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
//!
//! Who has several servers of one database before them guesses at no more of them than at one: what was wrong here
//! is told to the others over the bus, which count it as well, and so is the right password that ends a pause. What
//! the bus loses is counted here alone, and attempts that are under way at several servers do not wait for each other.

mod attempted;
mod backoff;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub(in crate::chat) use attempted::{Attempted, Outcome};
pub(in crate::chat) use backoff::Verdict;
use backoff::{Backoff, BackoffTable, Budget, Budgets, Look, Recent};
use tokio::sync::Notify;

use crate::{
    chat::bus::{Bus, Event},
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
    bus: Arc<Bus>,
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

impl BackoffTables {
    /// An attempt begins.
    fn begin(&mut self, attempted: &Attempted, now: Instant) {
        match attempted {
            Attempted::Password(account, network) => {
                self.accounts.start(account, now);
                self.addresses.start(network, now);
            }
            Attempted::Device(device) => self.devices.start(device, now),
            Attempted::Login(login) => self.logins.start(login, now),
            // These count as they come, and are given back if nothing came of them.
            Attempted::SignUp(network) => self.sign_ups.count(network, now),
            Attempted::Guest(network) => self.guests.count(network, now),
            Attempted::Token(app, _, network) => {
                self.tokens.start(network, now);
                self.apps.start(app, now);
            }
            Attempted::Recovery(network) => self.recoveries.start(network, now),
            Attempted::Nothing => {}
        }
    }

    /// One that began has ended; tells whether that counts at other servers.
    fn end(
        &mut self,
        attempted: Attempted,
        verdict: Verdict,
        (began, now): (Instant, Instant),
    ) -> bool {
        // What many share is not forgiven.
        let shared = match verdict {
            Verdict::Forgiven => Verdict::Neutral,
            Verdict::Neutral | Verdict::Wrong => verdict,
        };
        let is_wrong = verdict == Verdict::Wrong;
        match attempted {
            Attempted::Password(account, network) => {
                self.addresses.end(&network, shared, now);
                self.accounts.end(&account, verdict, now)
            }
            Attempted::Device(device) => self.devices.end(&device, verdict, now),
            Attempted::Login(login) => self.logins.end(&login, verdict, now),
            Attempted::SignUp(network) => {
                if verdict == Verdict::Neutral {
                    self.sign_ups.give_back(&network, began);
                }
                is_wrong
            }
            Attempted::Guest(network) => {
                if verdict == Verdict::Neutral {
                    self.guests.give_back(&network, began);
                }
                is_wrong
            }
            Attempted::Token(app, token, network) => {
                self.tokens.end(&network, shared, now);
                self.apps.end(&app, budget(app), shared, now);
                match verdict {
                    Verdict::Forgiven => self.good.note(token),
                    Verdict::Wrong => self.wrong.note((network, token)),
                    Verdict::Neutral => {}
                }
                is_wrong
            }
            Attempted::Recovery(network) => self.recoveries.end(&network, shared, now),
            Attempted::Nothing => false,
        }
    }
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

/// Whether an attempt has begun, or waits for the outcome of others.
#[derive(Debug)]
enum Turn<T> {
    Begun(T),
    Waits(Arc<Notify>),
}

impl LoginThrottle {
    /// A throttle that remembers nothing yet; one that is not `on` lets everybody pass.
    pub(in crate::chat) fn new(on: bool, bus: Arc<Bus>) -> Self {
        Self {
            on,
            bus,
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
                    Turn::Begun(Attempted::Password(account, network))
                }
                Guesser::Device(device) => {
                    if let Some(turn) = allowed([tables.devices.look(&device, now)], MANY)? {
                        return Ok(Turn::Waits(turn));
                    }
                    Turn::Begun(Attempted::Device(device))
                }
                Guesser::Login(login) => {
                    if let Some(turn) = allowed([tables.logins.look(&login, now)], MANY)? {
                        return Ok(Turn::Waits(turn));
                    }
                    Turn::Begun(Attempted::Login(login))
                }
            })
        })
    }

    /// Counts a sign-up from an address.
    pub fn sign_up(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.at_once(now, |tables| {
            let wait = tables.sign_ups.wait(&network, now);
            refuse_during(wait, "too many accounts were made from here")?;
            Ok(Attempted::SignUp(network))
        })
    }

    /// Counts a conversation that a guest opens from an address.
    pub fn guest(&self, network: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        self.at_once(now, |tables| {
            let wait = tables.guests.wait(&network, now);
            refuse_during(wait, "too many chats were begun from here")?;
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
        turn: impl FnOnce(&BackoffTables) -> Result<Turn<Attempted>>,
    ) -> Result<Turn<Attempt<'_>>> {
        let mut turned = Turn::Begun(Attempted::Nothing);
        if self.on {
            let mut tables = self.tables();
            turned = turn(&tables)?;
            if let Turn::Begun(attempted) = &turned {
                tables.begin(attempted, now);
            }
        }
        Ok(match turned {
            Turn::Waits(turn) => Turn::Waits(turn),
            Turn::Begun(what) => Turn::Begun(Attempt {
                throttle: self,
                what,
                began: now,
            }),
        })
    }

    /// Counts what is done, and waits for nobody.
    fn at_once(
        &self,
        now: Instant,
        count: impl FnOnce(&BackoffTables) -> Result<Attempted>,
    ) -> Result<Attempt<'_>> {
        let mut what = Attempted::Nothing;
        if self.on {
            let mut tables = self.tables();
            what = count(&tables)?;
            tables.begin(&what, now);
        }
        Ok(Attempt {
            throttle: self,
            what,
            began: now,
        })
    }

    /// Counts how an attempt at another server went.
    pub(in crate::chat) fn heard(&self, outcome: Outcome) {
        if self.on {
            let (mut tables, now) = (self.tables(), now());
            tables.begin(&outcome.attempted, now);
            tables.end(outcome.attempted, outcome.verdict, (now, now));
        }
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
        let attempted = std::mem::replace(&mut self.what, Attempted::Nothing);
        if attempted == Attempted::Nothing {
            return;
        }
        let told = Outcome {
            attempted: attempted.clone(),
            verdict,
        };
        let counts = self
            .throttle
            .tables()
            .end(attempted, verdict, (self.began, now));
        if counts {
            self.throttle.bus.tell(Event::Attempted(told));
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
