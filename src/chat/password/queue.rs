//! Passwords that wait to be hashed: threads of their own take several at a time.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, task::spawn_blocking};

use super::bcrypt::{self, Hash, SIDE_BY_SIDE, Salt};
use crate::error::{Error, Result};

/// A password to be hashed.
pub(super) struct Work {
    pub(super) cost: u32,
    pub(super) salt: Salt,
    pub(super) password: String,
}

struct Waiting {
    work: Work,
    reply: oneshot::Sender<Hash>,
}

/// See the module.
pub(super) struct Hashing {
    /// How many threads hash at a time.
    parallel: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    at_work: usize,
}

impl fmt::Debug for Hashing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Hashing").finish_non_exhaustive()
    }
}

impl Hashing {
    pub(super) fn new(parallel: usize) -> Arc<Self> {
        Arc::new(Self {
            parallel,
            state: Mutex::default(),
        })
    }

    /// The hash of a password. A caller that stops waiting is passed over.
    pub(super) async fn hash(self: &Arc<Self>, work: Work) -> Result<Hash> {
        let (reply, hash) = oneshot::channel();
        let begins = {
            let mut state = self.state();
            state.waiting.push_back(Waiting { work, reply });
            let begins = state.at_work < self.parallel;
            state.at_work += usize::from(begins);
            begins
        };
        if begins {
            let queue = Arc::clone(self);
            spawn_blocking(move || AtWork(queue).work_off());
        }
        hash.await.map_err(Error::internal)
    }

    /// The first that waits, and some of those behind it that have its cost; when none waits a thread ends.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        let State { waiting, at_work } = &mut *state;
        waiting.retain(|one| !one.reply.is_closed());
        let Some(first) = waiting.pop_front() else {
            *at_work -= 1;
            return None;
        };
        let cost = first.work.cost;
        let mut taken = vec![first];
        while taken.len() < SIDE_BY_SIDE
            && waiting.front().is_some_and(|next| next.work.cost == cost)
        {
            taken.extend(waiting.pop_front());
        }
        Some(taken)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that hashes.
struct AtWork(Arc<Hashing>);

impl Drop for AtWork {
    fn drop(&mut self) {
        // After a panic the next caller begins anew.
        if std::thread::panicking() {
            self.0.state().at_work -= 1;
        }
    }
}

impl AtWork {
    fn work_off(self) {
        while let Some(mut taken) = self.0.next() {
            match &mut taken[..] {
                [one, two, three, four] => side_by_side([one, two, three, four]),
                [one, two, three] => side_by_side([one, two, three]),
                [one, two] => side_by_side([one, two]),
                rest => rest.iter_mut().for_each(|one| side_by_side([one])),
            }
        }
    }
}

/// Hashes passwords of one cost.
fn side_by_side<const N: usize>(passwords: [&mut Waiting; N]) {
    let cost = passwords.first().map_or(0, |one| one.work.cost);
    let asked = passwords.each_ref();
    let asked = asked.map(|one| (one.work.password.as_bytes(), &one.work.salt));
    let hashes = bcrypt::hash(cost, asked);
    for (one, hash) in passwords.into_iter().zip(hashes) {
        let (gone, _) = oneshot::channel();
        // The caller may have stopped waiting.
        let _ = std::mem::replace(&mut one.reply, gone).send(hash);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn work(number: u8) -> Work {
        Work {
            cost: 4 + u32::from(number % 3 == 2),
            salt: [number; 16],
            password: format!("password {number}"),
        }
    }

    #[tokio::test]
    async fn each_gets_the_hash_of_their_own_password() {
        for parallel in [1, 2] {
            let queue = Hashing::new(parallel);
            let hashes = (0..23).map(|number| queue.hash(work(number)));
            for (number, hash) in join_all(hashes).await.into_iter().enumerate() {
                let Work {
                    cost,
                    salt,
                    password,
                } = work(u8::try_from(number).expect("a small number"));
                let [alone] = bcrypt::hash(cost, [(password.as_bytes(), &salt)]);
                assert_eq!(hash.expect("hashed"), alone, "{number}");
            }
            assert_eq!(queue.state().at_work, 0);
        }
    }

    #[test]
    fn several_of_one_cost_are_taken_in_their_order() {
        let queue = Hashing::new(1);
        let mut kept = Vec::new();
        for (number, cost) in (0..).zip([4, 4, 5, 4, 4, 4, 4, 4]) {
            let (reply, hash) = oneshot::channel();
            kept.push(hash);
            let work = Work {
                cost,
                ..work(number)
            };
            queue.state().waiting.push_back(Waiting { work, reply });
        }
        queue.state().at_work = 1;
        let next = || {
            let taken = queue.next()?;
            Some(taken.iter().map(|one| one.work.salt[0]).collect::<Vec<_>>())
        };
        assert_eq!(next(), Some(vec![0, 1]));
        assert_eq!(next(), Some(vec![2]));
        assert_eq!(next(), Some(vec![3, 4, 5, 6]));
        assert_eq!(next(), Some(vec![7]));
        assert_eq!(next(), None);
    }
}
