//! Asks a tenant's own system whether a token that it issued is still good.
//!
//! An answer is believed for a while, because a phone that loses its network connects again every few seconds, and many
//! that ask for the same token at once ask once. What is remembered is found by the token's hash, never by the token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};
use url::Url;

use crate::{
    chat::{
        logins,
        outgoing::{Call, Client, Failure},
    },
    model::{TenantId, TokenHash},
};

/// How long everything about a question may take.
const TOTAL: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
const MOST_BYTES: usize = 64 << 10;

/// How long a bad answer is believed, and no longer than a good one.
const BAD_FOR: Duration = Duration::from_secs(5);
/// The most answers that are remembered.
const MOST: usize = 10_000;
/// The most questions to one tenant's system at a time.
const AT_ONCE: usize = 32;
/// How long a question waits for its turn among those.
const TURN: Duration = Duration::from_secs(3);

/// What the tenant's system says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is good.
    Good,
    /// It is not, or the answer was none that counts.
    Bad,
    /// The system cannot be reached, or must not be asked.
    Unavailable,
}

/// Whose system is asked, and where.
type Whose<'a> = (TenantId, &'a str);
type Key = (TenantId, String, TokenHash);
/// Held while it is being asked, so that others wait for the same answer.
type Slot = Arc<tokio::sync::Mutex<Option<(Verdict, Instant)>>>;

/// Asks, and remembers for a while.
#[derive(Debug)]
pub struct Verifier {
    client: Arc<Client>,
    good_for: Duration,
    known: Mutex<HashMap<Key, Slot>>,
    /// The turns of the tenants whose systems are being asked.
    turns: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
}

impl Verifier {
    /// A verifier that asks by this client, and believes a good answer for so long.
    pub fn new(client: Arc<Client>, good_for: Duration) -> Self {
        Self {
            client,
            good_for,
            known: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// How long a good answer is believed.
    pub fn good_for(&self) -> Duration {
        self.good_for
    }

    /// What the tenant's system says of a token.
    pub async fn verify(&self, (tenant, url): Whose<'_>, token: &str) -> Verdict {
        let slot = self.slot((tenant, url.to_owned(), logins::hash(token)));
        let mut known = slot.lock().await;
        if let Some((verdict, since)) = *known
            && since.elapsed() < self.lasts(verdict)
        {
            return verdict;
        }
        let verdict = self.ask(tenant, url, token).await;
        *known = Some((verdict, Instant::now()));
        verdict
    }

    /// How long the last answer about a token is still believed: not at all where there is none.
    pub(super) async fn believed_for(
        &self,
        (tenant, url): Whose<'_>,
        token: &TokenHash,
    ) -> Duration {
        let slot = self.slot((tenant, url.to_owned(), token.clone()));
        let known = *slot.lock().await;
        known.map_or(Duration::ZERO, |(verdict, since)| {
            self.lasts(verdict).saturating_sub(since.elapsed())
        })
    }

    /// Asks when it is this question's turn: many devices of one tenant take neither all our
    /// connections nor their own system's.
    async fn ask(&self, tenant: TenantId, url: &str, token: &str) -> Verdict {
        let turns = self.turns_of(tenant);
        match tokio::time::timeout(TURN, turns.acquire()).await {
            Ok(Ok(_turn)) => ask(&self.client, url, token).await,
            Ok(Err(_)) | Err(_) => Verdict::Unavailable,
        }
    }

    /// How long an answer is believed.
    fn lasts(&self, verdict: Verdict) -> Duration {
        match verdict {
            Verdict::Good => self.good_for,
            Verdict::Bad => BAD_FOR.min(self.good_for),
            Verdict::Unavailable => Duration::ZERO,
        }
    }

    fn slot(&self, key: Key) -> Slot {
        let mut known = lock(&self.known);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.retain(|_, slot| self.is_fresh(slot));
            if known.len() >= MOST {
                known.clear();
            }
        }
        Arc::clone(known.entry(key).or_default())
    }

    /// Whether somebody is asking, or the answer is still believed.
    fn is_fresh(&self, slot: &Slot) -> bool {
        slot.try_lock().map_or(true, |known| {
            known.is_some_and(|(verdict, since)| since.elapsed() < self.lasts(verdict))
        })
    }

    fn turns_of(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut turns = lock(&self.turns);
        if let Some(turns) = turns.get(&tenant).and_then(Weak::upgrade) {
            return turns;
        }
        turns.retain(|_, turns| turns.strong_count() > 0);
        let fresh = Arc::new(Semaphore::new(AT_ONCE));
        turns.insert(tenant, Arc::downgrade(&fresh));
        fresh
    }
}

/// Whether the system at that address says that the token is good.
async fn ask(client: &Client, url: &str, token: &str) -> Verdict {
    let Ok(mut url) = Url::parse(url) else {
        return Verdict::Unavailable;
    };
    url.query_pairs_mut().append_pair("token", token);
    let call = Call {
        url: &url,
        body: None,
        headers: &[],
        total: TOTAL,
        most: Some(MOST_BYTES),
    };
    match client.send(call).await {
        Ok(answer) if !(200..300).contains(&answer.status) => Verdict::Bad,
        Ok(answer) if answer.body.trim_ascii() == b"false" => Verdict::Bad,
        Ok(_) => Verdict::Good,
        Err(Failure::NotAllowed | Failure::Unreachable) => Verdict::Unavailable,
        Err(Failure::TimedOut | Failure::Broken) => Verdict::Bad,
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
