//! Who is signed in: tokens, and the logins in use, kept in memory and ended exactly.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{HOUSE, SOME},
    error::Result,
    model::{ClientId, Login, LoginId, Millis, Person, PersonId, TenantId, TokenHash},
    store::Store,
};

/// The most logins kept in memory; those that nobody waits with make room first.
const MOST: usize = 100_000;
/// Uses are written down no more often than this.
const TOUCH: Duration = Duration::from_mins(1);
/// The longest token that is looked at.
const TOKEN_BYTES: usize = 256;

/// A token as its owner holds it. Never logged, never stored.
pub struct Token(String);

impl Token {
    /// A new token of 256 random bits, in hex.
    pub fn random() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(hex(&bytes))
    }

    /// The token that a tenant's client asked for by a secret of its own. Whoever knows the secret
    /// knows the token, and nobody else: it is told apart by the tenant, and from every other hash.
    pub fn of_key(tenant: TenantId, key: &ClientId) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"parlance token of key\0");
        hasher.update(tenant.get().to_be_bytes());
        hasher.update(key.as_str());
        Self(hex(&hasher.finalize()))
    }

    /// The token, to hand to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash by which it is found.
    pub fn hash(&self) -> TokenHash {
        hash(&self.0)
    }
}

/// The hash by which a token is found.
pub fn hash(token: &str) -> TokenHash {
    TokenHash::new(hex(&Sha256::digest(token.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}

/// A login that is in use.
#[derive(Debug)]
pub struct LiveLogin {
    /// The login as it was read.
    pub login: Login,
    /// Whose it is.
    pub person: Arc<Person>,
    /// Cancelled when it ends: whoever waits with it is told at once.
    pub ended: CancellationToken,
    /// Who is rung when it ends.
    bells: Mutex<Vec<Weak<Notify>>>,
    used_at: AtomicI64,
    written_at: AtomicI64,
}

impl LiveLogin {
    /// Rings a bell when the login ends: one bell may serve many logins.
    pub fn ring_when_ended(&self, bell: &Arc<Notify>) {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|bell| bell.strong_count() > 0);
        if !bells
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(bell))
        {
            bells.push(Arc::downgrade(bell));
        }
        drop(bells);
        if self.ended.is_cancelled() {
            bell.notify_one();
        }
    }

    fn end(&self) {
        self.ended.cancel();
        let bells = std::mem::take(&mut *self.bells.lock().unwrap_or_else(PoisonError::into_inner));
        for bell in bells.iter().filter_map(Weak::upgrade) {
            bell.notify_one();
        }
    }
}

/// The logins in use.
///
/// A login is read once and then believed until it is ended *here*: ending takes it out and cancels
/// its token. A reader that looked at the store before the end and comes to add it after would
/// bring it back, so every end moves `ends` on, and what was read before is not kept.
#[derive(Debug)]
pub struct Logins {
    idle: Duration,
    max: Duration,
    ends: AtomicU64,
    state: Mutex<State>,
}

/// Guarded by the lock of [`Logins`].
#[derive(Debug, Default)]
struct State {
    by_token: HashMap<(PersonId, TokenHash), Arc<LiveLogin>>,
    tokens: HashMap<LoginId, (PersonId, TokenHash)>,
    /// Logins whose tokens were replaced, as long as somebody is connected with them.
    replaced: Vec<Weak<LiveLogin>>,
}

impl Logins {
    /// Logins that live this long unused, and this long at all.
    pub fn new(idle: Duration, max: Duration) -> Self {
        Self {
            idle,
            max,
            ends: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The live login of a person that has this token.
    pub async fn find(
        &self,
        store: &Store,
        person: PersonId,
        token: &str,
        now: Millis,
    ) -> Result<Option<Arc<LiveLogin>>> {
        if token.is_empty() || token.len() > TOKEN_BYTES {
            return Ok(None);
        }
        let key = (person, hash(token));
        loop {
            if let Some(live) = self.state().by_token.get(&key).cloned() {
                return Ok(self.use_now(&live, now).then_some(live));
            }
            let ends = self.ends.load(Ordering::Acquire);
            let Some((login, person)) = store.login(key.0, &key.1).await? else {
                return Ok(None);
            };
            let mut state = self.state();
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            let live = state.keep(key.clone(), login, person);
            drop(state);
            return Ok(self.use_now(&live, now).then_some(live));
        }
    }

    /// The live logins that have this token: one, unless tenants' own tokens happen to be the same.
    /// Asks the store each time, for what is in memory need not be all.
    pub async fn find_all(
        &self,
        store: &Store,
        token: &str,
        now: Millis,
    ) -> Result<Vec<Arc<LiveLogin>>> {
        if token.is_empty() || token.len() > TOKEN_BYTES {
            return Ok(Vec::new());
        }
        let hash = hash(token);
        loop {
            let ends = self.ends.load(Ordering::Acquire);
            let found = store.logins_by_token(&hash).await?;
            let mut state = self.state();
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            let live = found
                .into_iter()
                .map(|(login, person)| state.keep((person.id, hash.clone()), login, person));
            let live: Vec<_> = live.collect();
            drop(state);
            return Ok(live
                .into_iter()
                .filter(|live| self.use_now(live, now))
                .collect());
        }
    }

    /// The live login of that number.
    pub async fn find_by_id(
        &self,
        store: &Store,
        id: LoginId,
        now: Millis,
    ) -> Result<Option<Arc<LiveLogin>>> {
        loop {
            let ends = self.ends.load(Ordering::Acquire);
            let Some((login, hash, person)) = store.login_by_id(id).await? else {
                return Ok(None);
            };
            let mut state = self.state();
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            let live = state.keep((person.id, hash), login, person);
            drop(state);
            return Ok(self.use_now(&live, now).then_some(live));
        }
    }

    /// Ends logins that are gone from the store.
    pub fn end(&self, ended: &[LoginId]) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        for login in ended {
            if let Some(key) = state.tokens.remove(login)
                && let Some(live) = state.by_token.remove(&key)
            {
                live.end();
            }
        }
    }

    /// Takes no more the tokens of logins that are gone from the store; whoever is connected with one
    /// stays so, until [`Logins::end_replaced`].
    pub fn replace(&self, gone: &[LoginId]) {
        if gone.is_empty() {
            return;
        }
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        state.replaced.retain(|live| live.strong_count() > 0);
        for login in gone {
            if let Some(key) = state.tokens.remove(login)
                && let Some(live) = state.by_token.remove(&key)
            {
                state.replaced.push(Arc::downgrade(&live));
            }
        }
    }

    /// Ends the logins of a person whose tokens were replaced before.
    pub fn end_replaced(&self, person: PersonId) {
        let live: Vec<_> = {
            let mut state = self.state();
            state.replaced.retain(|live| live.strong_count() > 0);
            state.replaced.iter().filter_map(Weak::upgrade).collect()
        };
        for live in live.iter().filter(|live| live.person.id == person) {
            live.end();
        }
    }

    /// Ends the logins of a tenant that is no more.
    pub fn end_in(&self, tenant: TenantId) {
        let ended: Vec<_> = {
            let state = self.state();
            // What was read before the tenant went is not kept from here on.
            self.ends.fetch_add(1, Ordering::AcqRel);
            let of_tenant = state.by_token.values();
            let of_tenant = of_tenant.filter(|live| live.login.tenant == tenant);
            of_tenant.map(|live| live.login.id).collect()
        };
        self.end(&ended);
    }

    /// Forgets the logins of a tenant that is no more, some at a time.
    pub async fn forget_in(&self, store: &Store, tenant: TenantId) -> Result<()> {
        let mut after = LoginId::new(0);
        loop {
            let some = store.logins_in(tenant, after, SOME).await?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            after = *last;
            let mut tx = store.begin_for(tenant).await?;
            tx.forget_logins(&some).await?;
            tx.commit().await?;
        }
    }

    /// How many logins are kept in memory.
    pub fn count(&self) -> usize {
        self.state().by_token.len()
    }

    /// Writes down when logins were last used, for those used since. Whoever is connected with a
    /// login, or waits with it, uses it all the time.
    pub async fn flush(&self, store: &Store, now: Millis) -> Result<()> {
        let used: Vec<_> = self
            .state()
            .by_token
            .values()
            .filter_map(|live| {
                if Arc::strong_count(live) > 1 {
                    self.use_now(live, now);
                }
                let used = live.used_at.load(Ordering::Relaxed);
                let written = live.written_at.load(Ordering::Relaxed);
                let due = Millis::new(used).since(Millis::new(written)) >= TOUCH;
                due.then(|| {
                    live.written_at.store(used, Ordering::Relaxed);
                    (live.login.id, Millis::new(used))
                })
            })
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        for some in used.chunks(SOME) {
            let mut tx = store.begin_for(HOUSE).await?;
            tx.touch_logins(some).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Ends the logins that are past their time.
    pub async fn expire(&self, store: &Store, now: Millis) -> Result<()> {
        let before = (now.minus(self.idle), now.minus(self.max));
        let mut after = LoginId::new(0);
        loop {
            let expired = store.expired_logins(before, after, SOME).await?;
            let Some(last) = expired.last() else {
                break;
            };
            after = *last;
            let mut tx = store.begin_for(HOUSE).await?;
            tx.delete_expired_logins(&expired, before).await?;
            tx.commit().await?;
        }
        let state = self.state();
        let past = state.by_token.values();
        let past = past.filter(|live| !self.is_in_time(live, now));
        let past: Vec<_> = past.map(|live| live.login.id).collect();
        drop(state);
        self.end(&past);
        Ok(())
    }

    fn is_in_time(&self, live: &LiveLogin, now: Millis) -> bool {
        let used = Millis::new(live.used_at.load(Ordering::Relaxed));
        now.since(used) < self.idle && now.since(live.login.created_at) < self.max
    }

    /// Whether a login is good just now; notes that it is used if so.
    fn use_now(&self, live: &LiveLogin, now: Millis) -> bool {
        let current = self.is_in_time(live, now) && !live.ended.is_cancelled();
        if current {
            live.used_at.fetch_max(now.get(), Ordering::Relaxed);
        }
        current
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, key: (PersonId, TokenHash), login: Login, person: Person) -> Arc<LiveLogin> {
        if let Some(live) = self.by_token.get(&key) {
            return Arc::clone(live);
        }
        if self.by_token.len() >= MOST {
            // One that somebody waits with must stay, or its end would not reach them.
            self.by_token.retain(|_, live| Arc::strong_count(live) > 1);
            let by_token = &self.by_token;
            self.tokens.retain(|_, key| by_token.contains_key(key));
        }
        let used = login.used_at.get();
        let live = Arc::new(LiveLogin {
            person: Arc::new(person),
            ended: CancellationToken::new(),
            bells: Mutex::default(),
            used_at: AtomicI64::new(used),
            written_at: AtomicI64::new(used),
            login,
        });
        self.tokens.insert(live.login.id, key.clone());
        self.by_token.insert(key, Arc::clone(&live));
        live
    }
}
