//! Who is signed in: tokens, and the logins in use, kept in memory and ended exactly.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::Rng;
use sha2::{Digest, Sha256};

use crate::{
    chat::{
        housekeeping::{HOUSE, ROWS_AT_ONCE},
        latest::Latest,
        lifetime::Lifetime,
        tokens,
    },
    error::Result,
    model::{
        ClientId, Login, LoginId, Person, PersonId, Position, TenantId, Timestamp, TokenHash,
        TokenTerms, hex,
    },
    store::{Holder, Store},
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
        Self(hex::encode(&bytes))
    }

    /// A new token that a person gives a program: it can be told from all others.
    pub(super) fn for_programs() -> Self {
        Self(format!("{}{}", tokens::PREFIX, Self::random().0))
    }

    /// The token that a tenant's client asked for by a secret of its own. A client that knows the secret
    /// knows the token, and nobody else: it is told apart by the tenant, and from every other hash.
    pub fn of_key(tenant: TenantId, key: &ClientId) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"parlance token of key\0");
        hasher.update(tenant.get().to_be_bytes());
        hasher.update(key.as_str());
        Self(hex::encode(&hasher.finalize()))
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

/// The client id as it is kept and shown, of what somebody says under one. A guest's client may use the
/// secret that made its token for this too, and agents see the client id of a message: so
/// of guests' own names for things only a digest is kept.
pub fn client_id_of(person: &Person, client_id: ClientId) -> ClientId {
    if !person.is_guest() {
        return client_id;
    }
    let mut hasher = Sha256::new();
    hasher.update(b"parlance client id of guest\0");
    hasher.update(person.id.get().to_be_bytes());
    hasher.update(client_id.as_str());
    ClientId::from_digest(hasher.finalize().into())
}

/// The hash by which a token is found.
pub fn hash(token: &str) -> TokenHash {
    TokenHash::new(hex::encode(&Sha256::digest(token.as_bytes())))
}

/// A login that is in use.
#[derive(Debug)]
pub struct LiveLogin {
    /// The login as it was read.
    pub login: Login,
    /// Whose it is, as they were when it was read.
    pub person: Arc<Person>,
    /// The same as they are.
    pub(super) latest: Latest,
    /// The hash of its token.
    pub token: TokenHash,
    /// Where the tenant's own system is asked whether the token is good, if it is to be asked.
    pub verify_url: Option<String>,
    /// What it is good for and how long, if a person made it for a program.
    pub terms: Option<TokenTerms>,
    /// Ends with the login: waits and connections that use it are notified at once.
    pub life: Lifetime,
    used_at: AtomicI64,
    written_at: AtomicI64,
    /// Somebody sees to it that its token is verified again and again.
    pub(super) is_renewed: AtomicBool,
    /// When its holder last proved the password: with it a login begins.
    proved_at: AtomicI64,
}

impl LiveLogin {
    /// Its holder has proved the password again.
    pub(super) fn prove(&self, now: Timestamp) {
        self.proved_at.fetch_max(now.get(), Ordering::Relaxed);
    }

    /// How long ago its holder proved the password.
    pub(super) fn since_proof(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::new(self.proved_at.load(Ordering::Relaxed)))
    }
}

/// Whether a login is good is to be looked up again.
struct Lost;

/// The logins in use.
///
/// A login is read once and then believed until it is ended *here*: ending takes it out and cancels
/// its token. A reader that looked at the store before the end and comes to add it after would
/// bring it back, so every end moves `ends` on, and what was read before is not kept.
#[derive(Debug)]
pub struct Logins {
    idle: Duration,
    max: Duration,
    /// The most that a person has who is no guest.
    pub(super) most: usize,
    ends: AtomicU64,
    /// Whether a token was seen that people of several tenants have.
    has_shared: AtomicBool,
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
    /// Logins that live this long unused, and this long at all; so many of a person.
    pub fn new(idle: Duration, max: Duration, most: usize) -> Self {
        Self {
            idle,
            max,
            most,
            ends: AtomicU64::new(0),
            has_shared: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The live login that has this token, if it is one of these people's.
    pub async fn find(
        &self,
        store: &Store,
        people: &[PersonId],
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveLogin>>> {
        if token.is_empty() || token.len() > TOKEN_BYTES || people.is_empty() {
            return Ok(None);
        }
        let hash = hash(token);
        loop {
            let known = self.state().known(people, &hash);
            if let Some(Ok(found)) = known.map(|live| self.in_use(live, now)) {
                return Ok(found);
            }
            let ends = self.ends.load(Ordering::Acquire);
            // Boxed, as it is rare and large.
            let found = Box::pin(store.logins_by_token(&hash)).await?;
            let mut found = found.into_iter();
            let Some(holder) = found.find(|holder| people.contains(&holder.person.id)) else {
                return Ok(None);
            };
            let mut state = self.state();
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            let live = state.keep(hash.clone(), holder);
            drop(state);
            if let Ok(found) = self.in_use(live, now) {
                return Ok(found);
            }
        }
    }

    /// The live login that has this token, if it is one of these people's and in use.
    pub(super) fn known(
        &self,
        people: &[PersonId],
        token: &str,
        now: Timestamp,
    ) -> Option<Arc<LiveLogin>> {
        let live = self.state().known(people, &hash(token))?;
        self.use_now(&live, now).then_some(live)
    }

    /// The live logins that have this token: one, unless tenants' own tokens happen to be the same.
    /// Asks the store each time, for what is in memory need not be all.
    pub async fn find_all(
        &self,
        store: &Store,
        token: &str,
        now: Timestamp,
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
                .map(|holder| state.keep(hash.clone(), holder));
            let live: Vec<_> = live.collect();
            drop(state);
            let found: Result<Vec<_>, Lost> =
                live.into_iter().map(|it| self.in_use(it, now)).collect();
            if let Ok(found) = found {
                return Ok(found.into_iter().flatten().collect());
            }
        }
    }

    /// Notes that people of several tenants have the same token; whether none was noted before.
    pub(super) fn is_first_shared(&self) -> bool {
        !self.has_shared.swap(true, Ordering::Relaxed)
    }

    /// The live login of that number.
    pub async fn find_by_id(
        &self,
        store: &Store,
        id: LoginId,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveLogin>>> {
        loop {
            let known = self.state().numbered(id);
            if let Some(Ok(found)) = known.map(|live| self.in_use(live, now)) {
                return Ok(found);
            }
            let ends = self.ends.load(Ordering::Acquire);
            let Some((hash, holder)) = store.login_by_id(id).await? else {
                return Ok(None);
            };
            let mut state = self.state();
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            let live = state.keep(hash, holder);
            drop(state);
            if let Ok(found) = self.in_use(live, now) {
                return Ok(found);
            }
        }
    }

    /// A person is another one since a position. Their connections know it now; those that have seen it too often begin anew.
    pub(super) fn renamed(&self, position: Position, person: &Arc<Person>) {
        let state = self.state();
        // Who reads the store just now may have read the old name.
        self.ends.fetch_add(1, Ordering::AcqRel);
        let replaced: Vec<_> = state.replaced.iter().filter_map(Weak::upgrade).collect();
        let current = state.by_token.values().chain(&replaced);
        let theirs = current.filter(|live| live.person.id == person.id);
        let worn = theirs.filter(|live| !live.latest.set(position, person));
        let worn: Vec<_> = worn.cloned().collect();
        drop(state);
        for live in worn {
            self.take_out(&live, Lifetime::lose);
        }
    }

    /// Ends logins that are gone from the store.
    pub fn end(&self, ended: &[LoginId]) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        for login in ended {
            if let Some(live) = state.forget(*login) {
                live.life.end();
            }
        }
    }

    /// Forgets everything that was read, without ending anything: the store is read again.
    pub(super) fn forget_all(&self) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        state.by_token.clear();
        state.tokens.clear();
    }

    /// Ends all that are in use: their holders are looked up again when they come back.
    pub(super) fn end_all(&self) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        let State {
            by_token,
            tokens: _,
            replaced,
        } = std::mem::take(&mut *state);
        drop(state);
        let replaced = replaced.iter().filter_map(Weak::upgrade);
        for live in by_token.into_values().chain(replaced) {
            live.life.lose();
        }
    }

    /// Ends one that is in use, whose token is good no more though the store has it still.
    pub(super) fn end_live(&self, live: &LiveLogin) {
        self.take_out(live, Lifetime::end);
    }

    fn take_out(&self, live: &LiveLogin, end: fn(&Lifetime)) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        let known = state.forget(live.login.id);
        drop(state);
        // It may have been read again since.
        for live in std::iter::once(live).chain(known.as_deref()) {
            end(&live.life);
        }
    }

    /// Whether anybody beside this register, and beside who asks, has a login in hand.
    pub(super) fn is_relied_on(&self, live: &Arc<LiveLogin>) -> bool {
        let state = self.state();
        let known = state.tokens.get(&live.login.id);
        let known = known.and_then(|key| state.by_token.get(key));
        let here = usize::from(known.is_some_and(|known| Arc::ptr_eq(known, live)));
        Arc::strong_count(live) > here + 1
    }

    /// When a login was last used, of which `noted` is written down: a login that has a connection is used now.
    pub(super) fn last_used(&self, login: LoginId, noted: Timestamp, now: Timestamp) -> Timestamp {
        let state = self.state();
        let live = state.tokens.get(&login);
        match live.and_then(|key| state.by_token.get(key)) {
            Some(live) if Arc::strong_count(live) > 1 => now,
            Some(live) => noted.max(Timestamp::new(live.used_at.load(Ordering::Relaxed))),
            None => noted,
        }
    }

    /// The logins of a person that are kept in memory.
    pub(super) fn live_of(&self, person: PersonId) -> Vec<LoginId> {
        let state = self.state();
        let live = state.by_token.values();
        let theirs = live.filter(|live| live.person.id == person);
        theirs.map(|live| live.login.id).collect()
    }

    /// Whether somebody is connected with a login, or waits with it.
    pub(super) fn is_connected(&self, login: LoginId) -> bool {
        let state = self.state();
        let live = state.tokens.get(&login);
        let live = live.and_then(|key| state.by_token.get(key));
        live.is_some_and(|live| Arc::strong_count(live) > 1)
    }

    /// Ends the logins of a tenant that is no more, or is suspended, those too whose tokens were replaced before.
    pub fn end_in(&self, tenant: TenantId) {
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        let replaced = std::mem::take(&mut state.replaced);
        let (theirs, others) = replaced
            .into_iter()
            .filter_map(|live| live.upgrade())
            .partition::<Vec<_>, _>(|live| live.person.tenant == tenant);
        state.replaced = others.iter().map(Arc::downgrade).collect();
        let current = state.by_token.values();
        let current = current.filter(|live| live.person.tenant == tenant);
        let current: Vec<_> = current.map(|live| live.login.id).collect();
        let ended = current.into_iter().filter_map(|login| state.forget(login));
        let ended: Vec<_> = ended.chain(theirs).collect();
        drop(state);
        for live in ended {
            live.life.end();
        }
    }

    /// Takes no more the tokens of logins that are gone from the store; connections that use one
    /// stays so, until [`Logins::end_replaced`].
    pub fn replace(&self, gone: &[LoginId]) {
        if gone.is_empty() {
            return;
        }
        let mut state = self.state();
        self.ends.fetch_add(1, Ordering::AcqRel);
        state.replaced.retain(|live| live.strong_count() > 0);
        for login in gone {
            if let Some(live) = state.forget(*login) {
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
            live.life.end();
        }
    }

    /// Forgets the logins of a tenant that is no more, some at a time.
    pub async fn forget_in(&self, store: &Store, tenant: TenantId) -> Result<()> {
        let mut after = LoginId::new(0);
        loop {
            let some = store.logins_in(tenant, after, ROWS_AT_ONCE).await?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            after = *last;
            let forgotten = store.write(tenant, move |tx| {
                Box::pin(async move { tx.forget_logins(&some).await })
            });
            forgotten.await?;
        }
    }

    /// How many logins are kept in memory.
    pub fn count(&self) -> usize {
        self.state().by_token.len()
    }

    /// Writes down when logins were last used, for those used since. A connection that has a
    /// login, or waits with it, uses it all the time.
    pub async fn flush(&self, store: &Store, now: Timestamp) -> Result<()> {
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
                let due = Timestamp::new(used).since(Timestamp::new(written)) >= TOUCH;
                due.then(|| {
                    live.written_at.store(used, Ordering::Relaxed);
                    (live.login.id, Timestamp::new(used))
                })
            })
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        for some in used.chunks(ROWS_AT_ONCE) {
            let some = some.to_vec();
            let touched = store.write(HOUSE, move |tx| {
                Box::pin(async move { tx.touch_logins(&some).await })
            });
            touched.await?;
        }
        Ok(())
    }

    /// Ends the logins that are past their time.
    pub async fn expire(&self, store: &Store, now: Timestamp) -> Result<()> {
        let before = (now.minus(self.idle), now.minus(self.max), now);
        let mut after = LoginId::new(0);
        loop {
            let expired = store.expired_logins(before, after, ROWS_AT_ONCE).await?;
            let Some(last) = expired.last() else {
                break;
            };
            after = *last;
            let deleted = store.write(HOUSE, move |tx| {
                Box::pin(async move { tx.delete_expired_logins(&expired, before).await })
            });
            deleted.await?;
        }
        let state = self.state();
        let past = state.by_token.values();
        let past = past.filter(|live| !self.is_in_time(live, now));
        let past: Vec<_> = past.map(|live| live.login.id).collect();
        drop(state);
        self.end(&past);
        Ok(())
    }

    fn is_in_time(&self, live: &LiveLogin, now: Timestamp) -> bool {
        if let Some(terms) = &live.terms {
            return now < terms.expires_at;
        }
        let used = Timestamp::new(live.used_at.load(Ordering::Relaxed));
        now.since(used) < self.idle && now.since(live.login.created_at) < self.max
    }

    /// A login if it is good just now.
    fn in_use(&self, live: Arc<LiveLogin>, now: Timestamp) -> Result<Option<Arc<LiveLogin>>, Lost> {
        let is_good = self.use_now(&live, now);
        if !is_good && live.life.is_lost() {
            return Err(Lost);
        }
        Ok(is_good.then_some(live))
    }

    /// Whether a login is good just now; notes that it is used if so.
    fn use_now(&self, live: &LiveLogin, now: Timestamp) -> bool {
        let current = self.is_in_time(live, now) && !live.life.is_over();
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
    /// The login of one of these people that has this token.
    fn known(&self, people: &[PersonId], token: &TokenHash) -> Option<Arc<LiveLogin>> {
        let mut keys = people.iter().map(|person| (*person, token.clone()));
        keys.find_map(|key| self.by_token.get(&key).cloned())
    }

    /// The login of that number.
    fn numbered(&self, login: LoginId) -> Option<Arc<LiveLogin>> {
        let key = self.tokens.get(&login)?;
        self.by_token.get(key).cloned()
    }

    /// Takes a login out.
    fn forget(&mut self, login: LoginId) -> Option<Arc<LiveLogin>> {
        let key = self.tokens.remove(&login)?;
        self.by_token.remove(&key)
    }

    fn keep(&mut self, token: TokenHash, holder: Holder) -> Arc<LiveLogin> {
        let key = (holder.person.id, token);
        if let Some(live) = self.by_token.get(&key) {
            return Arc::clone(live);
        }
        if self.by_token.len() >= MOST {
            // One that somebody waits with must stay, or its end would not reach them.
            self.by_token.retain(|_, live| Arc::strong_count(live) > 1);
            let by_token = &self.by_token;
            self.tokens.retain(|_, key| by_token.contains_key(key));
        }
        let Holder {
            login,
            person,
            verify_url,
            terms,
        } = holder;
        let used = login.used_at.get();
        let person = Arc::new(person);
        let live = Arc::new(LiveLogin {
            latest: Latest::new(Arc::clone(&person)),
            person,
            token: key.1.clone(),
            verify_url,
            terms,
            life: Lifetime::default(),
            used_at: AtomicI64::new(used),
            written_at: AtomicI64::new(used),
            is_renewed: AtomicBool::new(false),
            proved_at: AtomicI64::new(login.created_at.get()),
            login,
        });
        self.tokens.insert(live.login.id, key.clone());
        self.by_token.insert(key, Arc::clone(&live));
        live
    }
}
