//! A fair semaphore: permits are given to waiting tenants in round-robin order.
//!
//! # Why
//! An ordinary semaphore is first come, first served: a tenant that asks a thousand times at once makes all
//! others wait for a thousand permits. Here each of n waiting tenants gets every n-th permit.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::{
    error::{Error, Result},
    model::TenantId,
};

/// The most waiting callers: of all tenants together, and of one tenant.
const MOST_WAITING: usize = 8_192;
const MOST_OF_TENANT: usize = MOST_WAITING / 2;

/// See the module.
#[derive(Debug)]
pub struct Turns {
    state: Mutex<State>,
    patience: Duration,
}

#[derive(Debug)]
struct State {
    free: usize,
    order: VecDeque<TenantId>,
    /// Never empty for a tenant that has an entry.
    waiting: HashMap<TenantId, VecDeque<oneshot::Sender<Turn>>>,
    length: usize,
}

/// A permit; dropping it hands it to the next waiting caller.
#[derive(Debug)]
pub struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// A semaphore with so many permits; a caller that waits longer than `patience` is refused.
    pub fn new(at_once: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                free: at_once.max(1),
                order: VecDeque::new(),
                waiting: HashMap::new(),
                length: 0,
            }),
            patience,
        })
    }

    /// Waits for a permit for a tenant.
    pub async fn take(self: &Arc<Self>, tenant: TenantId) -> Result<Turn> {
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Turn(Some(Arc::clone(self))));
            }
            state.wait(tenant).ok_or_else(busy)?
        };
        match timeout(self.patience, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// Hands a returned permit to the next caller that still waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                match state.next() {
                    Some(next) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            match next.send(Turn(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // The caller has given up: the permit stays with the semaphore.
                Err(mut turn) => drop(turn.0.take()),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, tenant: TenantId) -> Option<oneshot::Receiver<Turn>> {
        let of_tenant = self.waiting.get(&tenant).map_or(0, VecDeque::len);
        if self.length >= MOST_WAITING || of_tenant >= MOST_OF_TENANT {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        if of_tenant == 0 {
            self.order.push_back(tenant);
        }
        self.waiting.entry(tenant).or_default().push_back(sender);
        self.length += 1;
        Some(receiver)
    }

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let tenant = self.order.pop_front()?;
        let waiting = self.waiting.get_mut(&tenant)?;
        let next = waiting.pop_front()?;
        self.length -= 1;
        if waiting.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.order.push_back(tenant);
        }
        Some(next)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

fn busy() -> Error {
    Error::unavailable(
        "the server is busy, please try again",
        Duration::from_secs(1),
    )
}

#[cfg(test)]
mod tests {
    use futures_util::future::{FutureExt, join_all};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn tenant(number: i64) -> TenantId {
        TenantId::new(number)
    }

    #[tokio::test]
    async fn tenants_take_turns_whoever_asked_more_often() {
        let turns = Turns::new(1, PATIENCE);
        let first = turns.take(tenant(9)).await.expect("it is free");
        let order = Mutex::new(Vec::new());
        let asked = [1, 1, 1, 1, 2, 1, 3, 2];
        let tasks = asked.map(|number| {
            let (turns, order) = (&turns, &order);
            async move {
                let turn = turns.take(tenant(number)).await.expect("its turn");
                order.lock().expect("no panic").push(number);
                drop(turn);
            }
        });
        tokio::join!(join_all(tasks), async { drop(first) });
        let order = order.into_inner().expect("no panic");
        assert_eq!(order, [1, 2, 3, 1, 2, 1, 1, 1]);
    }

    #[tokio::test]
    async fn a_turn_of_somebody_who_went_away_is_not_lost() {
        let turns = Turns::new(2, PATIENCE);
        let held = [
            turns.take(tenant(1)).await.expect("it is free"),
            turns.take(tenant(1)).await.expect("so is the other"),
        ];
        let mut gone = Box::pin(turns.take(tenant(2)));
        let mut handed = Box::pin(turns.take(tenant(3)));
        assert!((&mut gone).now_or_never().is_none(), "none is free");
        assert!((&mut handed).now_or_never().is_none(), "none is free");
        drop(gone);
        drop(held);
        // One caller gives up without taking its permit.
        drop(handed);
        for _ in 0..2 {
            let both = [turns.take(tenant(4)).await, turns.take(tenant(4)).await];
            assert!(both.iter().all(Result::is_ok));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_refused_and_then_may_take_a_turn() {
        let turns = Turns::new(1, PATIENCE);
        let held = turns.take(tenant(1)).await.expect("it is free");
        let refused = turns.take(tenant(2)).await.expect_err("it is held");
        assert!(refused.retry_after().is_some());
        drop(held);
        turns.take(tenant(2)).await.expect("it is free again");
    }

    #[tokio::test]
    async fn a_tenant_that_fills_the_queue_leaves_room_for_others() {
        let turns = Turns::new(1, PATIENCE);
        let held = turns.take(tenant(1)).await.expect("it is free");
        let mut waiting: Vec<_> = (0..MOST_OF_TENANT)
            .map(|_| Box::pin(turns.take(tenant(1))))
            .collect();
        for wait in &mut waiting {
            assert!(wait.now_or_never().is_none());
        }
        turns.take(tenant(1)).await.expect_err("too many wait");
        let mut other = Box::pin(turns.take(tenant(2)));
        assert!((&mut other).now_or_never().is_none(), "it waits");
        drop(held);
        drop(waiting);
        other.await.expect("its turn");
    }
}
