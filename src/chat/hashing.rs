//! The queue of passwords that are to be hashed: those that wait are hashed several at a time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parlance_bcrypt::{Hash, LANES, SALT_BYTES, Salted, hash};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Error, Result};

/// What is to be hashed.
pub(super) struct Job {
    pub(super) cost: u32,
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) password: String,
    /// Its place among those that wait, which it has until it is taken.
    pub(super) _place: Arc<OwnedSemaphorePermit>,
}

struct Waiting {
    job: Job,
    reply: oneshot::Sender<Hash>,
}

/// See the module.
#[derive(Clone)]
pub(super) struct HashQueue(Arc<Shared>);

struct Shared {
    /// How many threads hash at the same time.
    threads: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    running: usize,
}

impl std::fmt::Debug for HashQueue {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Hashes").finish_non_exhaustive()
    }
}

impl HashQueue {
    pub(super) fn new(threads: usize) -> Self {
        Self(Arc::new(Shared {
            threads,
            state: Mutex::default(),
        }))
    }

    /// The hash. A caller that stops waiting before its turn has nothing hashed.
    pub(super) async fn hash(&self, job: Job) -> Result<Hash> {
        let (reply, hashed) = oneshot::channel();
        let begins = {
            let mut state = self.0.state();
            state.waiting.push_back(Waiting { job, reply });
            let begins = state.running < self.0.threads;
            state.running += usize::from(begins);
            begins
        };
        if begins {
            let thread = Thread(Arc::clone(&self.0));
            tokio::task::spawn_blocking(move || thread.run());
        }
        hashed.await.map_err(Error::internal)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that hashes until nothing waits.
struct Thread(Arc<Shared>);

impl Drop for Thread {
    fn drop(&mut self) {
        // Else it was counted out when nothing waited.
        if std::thread::panicking() {
            self.0.state().running -= 1;
        }
    }
}

impl Thread {
    fn run(self) {
        while let Some(taken) = self.next() {
            let salted: Vec<_> = taken.iter().map(Waiting::salted).collect();
            let cost = taken.first().map_or(0, |first| first.job.cost);
            let hashes = hash(cost, &salted);
            for (Waiting { job, reply }, hash) in taken.into_iter().zip(hashes) {
                // Free before the caller goes on.
                drop(job);
                // The caller may have stopped waiting.
                let _ = reply.send(hash);
            }
        }
    }

    /// What is hashed next, all of one cost; nothing when nothing waits, and then this thread counts no more.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.0.state();
        let mut taken: Vec<Waiting> = Vec::with_capacity(LANES);
        while taken.len() < LANES
            && let Some(next) = state.waiting.front()
            && taken
                .first()
                .is_none_or(|first| first.job.cost == next.job.cost)
        {
            let next = state.waiting.pop_front();
            taken.extend(next.filter(|next| !next.reply.is_closed()));
        }
        state.running -= usize::from(taken.is_empty());
        (!taken.is_empty()).then_some(taken)
    }
}

impl Waiting {
    fn salted(&self) -> Salted<'_> {
        Salted {
            password: self.job.password.as_bytes(),
            salt: self.job.salt,
        }
    }
}
