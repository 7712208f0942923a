//! Registrations by tenants' servers, gathered into few transactions.
//!
//! # Why
//! A product that starts to use the server registers all its users one after the other, on many connections. A
//! transaction for each costs a commit and several round trips on PostgreSQL, so those who are registered while a
//! tenant's last transaction runs go into its next one, together.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    error::{Error, Kind, Result},
    model::{Clock, Person, TenantId},
    store::{NewPerson, Store},
};

/// How many people one transaction registers.
const AT_ONCE: usize = 256;
/// How many of one tenant may wait.
const MOST_WAITING: usize = 4_096;

/// A person, and whether they are new.
type Outcome = (Person, bool);

struct Waiting {
    new: NewPerson,
    reply: oneshot::Sender<Result<Outcome>>,
}

/// Who waits, by tenant: a tenant that has an entry has a task that writes.
type Queues = HashMap<TenantId, Vec<Waiting>>;

/// See the module.
#[derive(Default)]
pub(super) struct Registrations(Arc<Mutex<Queues>>);

impl fmt::Debug for Registrations {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Registrations").finish_non_exhaustive()
    }
}

impl Registrations {
    /// Finds a person by their tenant's own id for them, or makes them. Durable once this returns; a caller that
    /// stops waiting does not stop it.
    pub(super) async fn register(&self, store: &Store, new: NewPerson) -> Result<Outcome> {
        let (tenant, (reply, outcome)) = (new.tenant, oneshot::channel());
        let begins = {
            let mut queues = lock(&self.0);
            let begins = !queues.contains_key(&tenant);
            let waiting = queues.entry(tenant).or_default();
            if waiting.len() >= MOST_WAITING {
                return Err(Error::unavailable(
                    "more users are waiting to be registered than this server takes, please try again",
                    Duration::from_secs(1),
                ));
            }
            waiting.push(Waiting { new, reply });
            begins
        };
        if begins {
            let task = TenantTask {
                store: store.clone(),
                tenant,
                queues: Arc::clone(&self.0),
            };
            // A task of its own, because the first caller may go away.
            tokio::spawn(task.run());
        }
        outcome
            .await
            .unwrap_or_else(|_| Err(Error::shutting_down()))
    }
}

/// Writes what waits of one tenant.
struct TenantTask {
    store: Store,
    tenant: TenantId,
    queues: Arc<Mutex<Queues>>,
}

impl Drop for TenantTask {
    fn drop(&mut self) {
        // After a panic the next caller begins anew.
        if std::thread::panicking() {
            lock(&self.queues).remove(&self.tenant);
        }
    }
}

impl TenantTask {
    async fn run(self) {
        while let Some(taken) = self.next() {
            self.write(taken).await;
        }
    }

    /// Who is registered next; nobody when none waits, and then the task ends.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queues = lock(&self.queues);
        let waiting = queues.get_mut(&self.tenant)?;
        let some = waiting.len().min(AT_ONCE);
        let taken: Vec<_> = waiting.drain(..some).collect();
        if taken.is_empty() {
            queues.remove(&self.tenant);
            return None;
        }
        Some(taken)
    }

    async fn write(&self, taken: Vec<Waiting>) {
        let taken = taken.into_iter().map(|one| (one.new, one.reply));
        let (new, replies): (Vec<_>, Vec<_>) = taken.unzip();
        let new = Arc::new(new);
        match self.register(&new).await {
            Ok(people) => {
                for (reply, person) in replies.into_iter().zip(people) {
                    // The caller may have gone away.
                    drop(reply.send(Ok(person)));
                }
            }
            // While the database is out of reach one fares no better than many.
            Err(error) if new.len() == 1 || error.kind() == Kind::Unavailable => {
                for reply in replies {
                    drop(reply.send(Err(error.duplicate())));
                }
            }
            Err(error) => {
                tracing::warn!(cause = ?error, "People are registered one by one, for together it failed.");
                for (reply, one) in replies.into_iter().zip(new.iter()) {
                    let alone = Arc::new(vec![one.clone()]);
                    let outcome = self.register(&alone).await;
                    let missing = || Error::internal("a registration without an outcome");
                    let outcome =
                        outcome.and_then(|people| people.into_iter().next().ok_or_else(missing));
                    drop(reply.send(outcome));
                }
            }
        }
    }

    async fn register(&self, new: &Arc<Vec<NewPerson>>) -> Result<Vec<Outcome>> {
        let (new, tenant, now) = (Arc::clone(new), self.tenant, Clock.now());
        let registered = self.store.write(tenant, move |tx| {
            Box::pin(async move { tx.register_all(tenant, &new, now).await })
        });
        registered.await
    }
}

fn lock(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}
