//! The keys in use: the lifetimes of the tenants for which connections act.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::OnceCell;

use crate::{
    chat::{accounts::OPEN, lifetime::Lifetime},
    error::{Error, Result},
    model::{Tenant, TenantId},
    store::Store,
};

/// How many lifetimes are kept before unused ones are removed.
const MANY: usize = 1_000;

/// The lifetimes of the tenants' keys. A caller that read a tenant before its key ended and relies on it afterwards would
/// not be notified; so every end increments `ends`, and what was read before is read again.
#[derive(Debug, Default)]
pub(super) struct Keys {
    ends: AtomicU64,
    lives: Mutex<HashMap<TenantId, Weak<Lifetime>>>,
    /// Whose secrets those are that were asked for lately: every event of some clients names one, and so does
    /// every connection that comes back. What is here of a tenant never changes but by its end.
    known: Mutex<HashMap<String, Tenant>>,
    /// The tenant for which every client may act: it never ends.
    open: OnceCell<Tenant>,
}

impl Keys {
    /// The number of the tenant that has this secret.
    pub(super) async fn tenant_of(
        &self,
        store: &Store,
        application_id: &str,
    ) -> Result<Option<TenantId>> {
        let tenant = self.tenant(store, application_id).await?;
        Ok(tenant.map(|tenant| tenant.id))
    }

    /// The tenant that has this secret.
    async fn tenant(&self, store: &Store, application_id: &str) -> Result<Option<Tenant>> {
        if let Some(known) = lock(&self.known).get(application_id) {
            return Ok(Some(known.clone()));
        }
        let ends = self.ends.load(Ordering::Acquire);
        let Some(tenant) = store.tenant_by_key(application_id).await? else {
            return Ok(None);
        };
        let mut known = lock(&self.known);
        // A suspended one may be resumed, which nobody is told of here.
        if self.ends.load(Ordering::Acquire) == ends && tenant.suspended_at.is_none() {
            if known.len() >= MANY {
                known.clear();
            }
            known.insert(application_id.to_owned(), tenant.clone());
        }
        Ok(Some(tenant))
    }

    /// The tenant for which every client may act.
    pub(super) async fn open(&self, store: &Store) -> Result<Tenant> {
        let read = async {
            let tenant = store.tenant(OPEN).await?;
            let missing = || Error::internal("the tenant for everybody is missing");
            tenant.ok_or_else(missing)
        };
        self.open.get_or_try_init(|| read).await.cloned()
    }

    /// The tenant that has this secret, and how long it has it; a refusal where it is suspended.
    pub(super) async fn find(
        &self,
        store: &Store,
        application_id: &str,
    ) -> Result<Option<(Tenant, Arc<Lifetime>)>> {
        loop {
            let ends = self.ends.load(Ordering::Acquire);
            let Some(tenant) = self.tenant(store, application_id).await? else {
                return Ok(None);
            };
            if tenant.suspended_at.is_some() {
                return Err(suspended());
            }
            let mut lives = lock(&self.lives);
            if self.ends.load(Ordering::Acquire) != ends {
                continue;
            }
            if let Some(life) = lives.get(&tenant.id).and_then(Weak::upgrade) {
                return Ok(Some((tenant, life)));
            }
            if lives.len() >= MANY {
                lives.retain(|_, life| life.strong_count() > 0);
            }
            let life = Arc::new(Lifetime::default());
            lives.insert(tenant.id, Arc::downgrade(&life));
            return Ok(Some((tenant, life)));
        }
    }

    /// Forgets everything that was read, without ending anything: the store is read again.
    pub(super) fn forget_all(&self) {
        let mut known = lock(&self.known);
        self.ends.fetch_add(1, Ordering::AcqRel);
        known.clear();
    }

    /// Ends all keys that are in use.
    pub(super) fn end_all(&self) {
        let mut lives = lock(&self.lives);
        let mut known = lock(&self.known);
        self.ends.fetch_add(1, Ordering::AcqRel);
        known.clear();
        drop(known);
        let ended: Vec<_> = lives
            .drain()
            .filter_map(|(_, life)| life.upgrade())
            .collect();
        drop(lives);
        for life in ended {
            life.lose();
        }
    }

    /// Ends the key of a tenant that is gone from the store, or suspended there.
    pub(super) fn end(&self, tenant: TenantId) {
        let mut lives = lock(&self.lives);
        let mut known = lock(&self.known);
        self.ends.fetch_add(1, Ordering::AcqRel);
        known.retain(|_, known| known.id != tenant);
        drop(known);
        let life = lives.remove(&tenant);
        drop(lives);
        if let Some(life) = life.as_ref().and_then(Weak::upgrade) {
            life.end();
        }
    }
}

/// The refusal of the secret of a tenant that an administrator of the server has suspended.
fn suspended() -> Error {
    Error::forbidden("this app is suspended")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
