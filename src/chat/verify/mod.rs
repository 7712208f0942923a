//! Asks a tenant's own system whether a token that it issued is still good.
//!
//! # Why
//! The address to ask is a customer's, and so is the answer. A server that fetches whatever address
//! a customer names can be made to fetch its operator's own network; so `ask` connects only where
//! `guard` lets it. An answer is believed for a while, because a phone that loses its network
//! connects again every few seconds, and many that ask for the same token at once ask once.
//!
//! What is remembered is found by the token's hash, never by the token.

mod ask;
mod guard;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    chat::logins,
    error::Result,
    model::{Network, Tenant, TenantId, TokenHash},
};

pub use ask::check_url;
pub use guard::{Lookup, Names, SystemNames};

/// How long a good answer is believed.
const GOOD_FOR: Duration = Duration::from_mins(1);
/// How long a bad one is.
const BAD_FOR: Duration = Duration::from_secs(5);
/// The most answers that are remembered.
const MOST: usize = 10_000;

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

impl Verdict {
    /// How long it is believed.
    fn lasts(self) -> Duration {
        match self {
            Self::Good => GOOD_FOR,
            Self::Bad => BAD_FOR,
            Self::Unavailable => Duration::ZERO,
        }
    }
}

type Key = (TenantId, String, TokenHash);
/// Held while it is being asked, so that others wait for the same answer.
type Slot = Arc<tokio::sync::Mutex<Option<(Verdict, Instant)>>>;

/// Asks, and remembers for a while.
#[derive(Debug)]
pub struct Verifier {
    client: ask::Client,
    known: Mutex<HashMap<Key, Slot>>,
}

impl Verifier {
    /// A verifier that may also ask in these networks.
    pub fn new(allowed: Vec<Network>) -> Result<Self> {
        Self::with_names(allowed, Arc::new(SystemNames))
    }

    /// The same with names looked up in another way.
    pub fn with_names(allowed: Vec<Network>, names: Arc<dyn Names>) -> Result<Self> {
        Ok(Self {
            client: ask::Client::new(allowed, names)?,
            known: Mutex::default(),
        })
    }

    /// What the tenant's system says of a token; good where the tenant names no address to ask.
    pub async fn verify(&self, tenant: &Tenant, token: &str) -> Verdict {
        let Some(url) = &tenant.verify_url else {
            return Verdict::Good;
        };
        let slot = self.slot((tenant.id, url.clone(), logins::hash(token)));
        let mut known = slot.lock().await;
        if let Some((verdict, since)) = *known
            && since.elapsed() < verdict.lasts()
        {
            return verdict;
        }
        let verdict = self.client.ask(url, token).await;
        *known = Some((verdict, Instant::now()));
        verdict
    }

    fn slot(&self, key: Key) -> Slot {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.retain(|_, slot| is_fresh(slot));
            if known.len() >= MOST {
                known.clear();
            }
        }
        Arc::clone(known.entry(key).or_default())
    }
}

/// Whether somebody is asking, or the answer is still believed.
fn is_fresh(slot: &Slot) -> bool {
    slot.try_lock().map_or(true, |known| {
        known.is_some_and(|(verdict, since)| since.elapsed() < verdict.lasts())
    })
}
