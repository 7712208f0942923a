//! Lookups that many callers need at once, gathered into few statements.
//!
//! # Why
//! When a server or a proxy was restarted, thousands of connections come back within seconds, and each has to be
//! looked up. One statement for each costs more than everything else about a return, and the pool of connections for
//! reading makes all other requests wait for them. So what is asked for while a statement runs is looked up by
//! the next one, and where lookups come without end the statements keep a pace.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use crate::error::{Error, Result};

/// How many keys one statement looks up.
const KEYS: usize = 1_000;
/// How many statements run without a pause, where there were none for a while.
const BURST: u32 = 16;
/// How long it takes until one more may.
const PAUSE: Duration = Duration::from_millis(200);

type Reply<V> = oneshot::Sender<Result<Option<V>>>;

/// See the module.
pub(super) struct Gathered<K, V>(Arc<Mutex<State<K, V>>>);

struct State<K, V> {
    waiting: HashMap<K, Vec<Reply<V>>>,
    /// Whether a task looks up what waits.
    is_reading: bool,
    pace: Pace,
}

/// How many statements may run now.
struct Pace {
    left: u32,
    /// When that many were left.
    at: Instant,
}

impl Pace {
    /// When the next statement may run.
    fn next(&mut self, now: Instant) -> Instant {
        let more = now.saturating_duration_since(self.at).as_millis() / PAUSE.as_millis();
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(more).min(BURST);
        self.at = if self.left == BURST {
            now
        } else {
            self.at + PAUSE * more
        };
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                now
            }
            None => {
                self.at += PAUSE;
                self.at
            }
        }
    }
}

impl<K, V> fmt::Debug for Gathered<K, V> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Gathered").finish_non_exhaustive()
    }
}

impl<K, V> Default for Gathered<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            waiting: HashMap::new(),
            is_reading: false,
            pace: Pace {
                left: BURST,
                at: Instant::now(),
            },
        })))
    }
}

impl<K, V> Gathered<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// What `read` finds for a key, in a statement that begins after this was called.
    pub(super) async fn get<F, R>(&self, key: K, read: F) -> Result<Option<V>>
    where
        F: Fn(Vec<K>) -> R + Send + 'static,
        R: Future<Output = Result<Vec<(K, V)>>> + Send + 'static,
    {
        let (reply, found) = oneshot::channel();
        let begins = {
            let mut state = lock(&self.0);
            state.waiting.entry(key).or_default().push(reply);
            !std::mem::replace(&mut state.is_reading, true)
        };
        if begins {
            // A task of its own, because the first caller may go away.
            tokio::spawn(read_all(Reading(Arc::clone(&self.0)), read));
        }
        found.await.unwrap_or_else(|_| Err(Error::shutting_down()))
    }
}

/// What the task has that looks up: after a panic the next caller begins anew.
struct Reading<K, V>(Arc<Mutex<State<K, V>>>);

impl<K, V> Drop for Reading<K, V> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = lock(&self.0);
            state.is_reading = false;
            state.waiting.clear();
        }
    }
}

/// Looks up what waits until nothing does.
async fn read_all<K, V, F, R>(reading: Reading<K, V>, read: F)
where
    K: Eq + Hash + Clone,
    V: Clone,
    F: Fn(Vec<K>) -> R,
    R: Future<Output = Result<Vec<(K, V)>>>,
{
    let shared = &reading.0;
    loop {
        let next = {
            let mut state = lock(shared);
            if state.waiting.is_empty() {
                state.is_reading = false;
                return;
            }
            state.pace.next(Instant::now())
        };
        sleep_until(next).await;
        let mut asked = take(&mut lock(shared).waiting);
        match read(asked.keys().cloned().collect()).await {
            Ok(found) => {
                for (key, value) in found {
                    answer(asked.remove(&key), || Ok(Some(value.clone())));
                }
                for (_, waiting) in asked {
                    answer(Some(waiting), || Ok(None));
                }
            }
            Err(error) => {
                for (_, waiting) in asked {
                    answer(Some(waiting), || Err(error.duplicate()));
                }
            }
        }
    }
}

/// As many as one statement looks up.
fn take<K: Eq + Hash + Clone, T>(waiting: &mut HashMap<K, T>) -> HashMap<K, T> {
    if waiting.len() <= KEYS {
        return std::mem::take(waiting);
    }
    let keys: Vec<_> = waiting.keys().take(KEYS).cloned().collect();
    keys.into_iter()
        .filter_map(|key| waiting.remove_entry(&key))
        .collect()
}

fn answer<V>(waiting: Option<Vec<Reply<V>>>, value: impl Fn() -> Result<Option<V>>) {
    for reply in waiting.into_iter().flatten() {
        // The caller may have gone away.
        drop(reply.send(value()));
    }
}

fn lock<K, V>(shared: &Mutex<State<K, V>>) -> MutexGuard<'_, State<K, V>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn thousands_who_ask_within_seconds_are_found_by_few_statements() {
        const ASKING: u64 = 10_000;
        let gathered = Gathered::default();
        let statements = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let asking = (0..ASKING).map(|number| {
            let (gathered, statements) = (&gathered, Arc::clone(&statements));
            async move {
                sleep_until(began + Duration::from_micros(500) * u32::try_from(number).unwrap())
                    .await;
                let read = move |keys: Vec<u64>| {
                    statements.fetch_add(1, Ordering::Relaxed);
                    assert!(keys.len() <= KEYS);
                    async move {
                        // Every tenth is nobody.
                        let found = keys.into_iter().filter(|key| key % 10 > 0);
                        Ok(found.map(|key| (key, key + 1)).collect())
                    }
                };
                let asked = Instant::now();
                let found = gathered.get(number, read).await.expect("it can be read");
                assert_eq!(found, (number % 10 > 0).then_some(number + 1));
                assert!(asked.elapsed() <= PAUSE + Duration::from_millis(1));
            }
        });
        join_all(asking).await;
        let statements = statements.load(Ordering::Relaxed);
        assert!(statements < 100, "{statements}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_alone_does_not_wait_and_a_failure_is_everybodys() {
        let gathered = Gathered::default();
        let began = Instant::now();
        let find = |_| async { Ok(Vec::<(u8, u8)>::new()) };
        assert_eq!(gathered.get(1, find).await.expect("it can be read"), None);
        assert_eq!(Instant::now(), began);
        let fail = |_| async { Err(Error::internal("it cannot be read")) };
        let asking = [1, 1, 2].map(|key| gathered.get(key, fail));
        for outcome in join_all(asking).await {
            outcome.expect_err("it cannot be read");
        }
    }
}
