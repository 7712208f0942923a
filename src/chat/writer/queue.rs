//! The writer's queue: any task submits drafts, and the one task that writes takes them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::chat::writer::fair::{Capacity, FairQueue, Next, Origin};

/// Why a draft was not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// Too much waits already.
    Full,
    /// The writer takes nothing more.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<J> {
    fair: FairQueue<J>,
    closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            state: Mutex::new(State {
                fair: FairQueue::new(capacity),
                closed: false,
            }),
            changed: Notify::new(),
        }
    }

    /// Adds a draft that weighs so many rows.
    pub(super) fn push(
        &self,
        origin: Origin,
        weight: usize,
        command: J,
    ) -> Result<(), (J, NotTaken)> {
        let mut state = self.state();
        if state.closed {
            return Err((command, NotTaken::Closed));
        }
        let refused = state.fair.push(origin, weight, command, Instant::now());
        drop(state);
        if let Some(command) = refused {
            return Err((command, NotTaken::Full));
        }
        self.changed.notify_one();
        Ok(())
    }

    /// How many drafts wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().fair.waiting()
    }

    /// Refuses new drafts; what waits is still given out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    /// Refuses new drafts, and drops what waits.
    pub(super) fn abandon(&self) {
        let dropped = {
            let mut state = self.state();
            state.closed = true;
            state.fair.clear()
        };
        drop(dropped);
    }

    /// What the next transaction writes; nothing once the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Vec<J>> {
        loop {
            let changed = self.changed.notified();
            let (next, closed) = {
                let mut state = self.state();
                let closed = state.closed;
                (state.fair.take(Instant::now(), closed), closed)
            };
            match next {
                Next::Batch(commands) => return Some(commands),
                Next::Idle if closed => return None,
                Next::Idle => changed.await,
                Next::Pause(until) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// What has come since for the transaction under way.
    pub(super) fn more(&self) -> Vec<J> {
        self.state().fair.take_more(Instant::now())
    }

    /// Records how long the last transaction took, so that flows other than its own come next.
    pub(super) fn finished(&self, took: Duration) {
        self.state().fair.finished(took, Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
