//! What there is to do for a socket, done one after another.

use std::{future::poll_fn, panic::AssertUnwindSafe, sync::atomic::Ordering};

use futures_util::FutureExt;

use super::{Admission, Event, Refusal, Socket, lock, socket::Phase};
use crate::engine::Reason;

/// One thing to do for a socket.
pub(super) enum TaskQueue {
    /// Decide whether to let it in.
    Ask,
    /// Handle an event, which weighs so many bytes.
    Event(Event, usize),
    /// Tell the handler that the outbox is empty again.
    Drained,
    /// Tell the handler that it is gone.
    Gone(Reason),
}

impl Socket {
    /// Queues something to do. A task works on it only while there is something, so that an idle
    /// socket has none.
    pub(super) fn give(&self, work: TaskQueue) {
        let mut state = lock(&self.0.state);
        state.work.push_back(work);
        if !state.busy {
            state.busy = true;
            drop(state);
            tokio::spawn(run_tasks(self.clone()));
        }
    }

    async fn do_one(&self, work: TaskQueue) {
        let handler = self.0.hub.handler();
        match work {
            TaskQueue::Ask => self.ask().await,
            TaskQueue::Event(event, _) => handler.event(self, event).await,
            TaskQueue::Drained => handler.drained(self).await,
            TaskQueue::Gone(reason) => handler.disconnected(self, reason).await,
        }
    }

    async fn ask(&self) {
        let hub = &self.0.hub;
        // Those who come back were asked before.
        let is_in = hub.restore(self) || self.ask_handler().await;
        hub.asked();
        if is_in {
            hub.handler().connected(self).await;
        }
    }

    async fn ask_handler(&self) -> bool {
        let handler = self.0.hub.handler();
        let decided = AssertUnwindSafe(handler.admit(self, self.auth()))
            .catch_unwind()
            .await;
        let decided = decided.unwrap_or_else(|_| {
            tracing::error!(namespace = %self.namespace(), "A handler panicked while it let somebody in.");
            Err(Refusal::new("internal error"))
        });
        match decided {
            Ok(admission) => self.let_in(admission),
            Err(refusal) => {
                self.0.client.refuse(self, &refusal);
                false
            }
        }
    }

    fn let_in(&self, admission: Admission) -> bool {
        let Admission { pid, restored } = admission;
        let missed = match restored {
            Some(restored) => {
                self.restore_id(restored.id);
                self.0.recovered.store(true, Ordering::Relaxed);
                restored.missed
            }
            None => Vec::new(),
        };
        self.0.hub.enter(self, pid.as_deref(), &missed)
    }
}

/// Works until there is nothing left to do.
async fn run_tasks(socket: Socket) {
    loop {
        let work = {
            let mut state = lock(&socket.0.state);
            let Some(work) = state.work.pop_front() else {
                state.busy = false;
                // An idle socket keeps no room for work.
                state.work = std::collections::VecDeque::new();
                return;
            };
            work
        };
        let weight = match &work {
            TaskQueue::Event(_, weight) => *weight,
            TaskQueue::Ask | TaskQueue::Drained | TaskQueue::Gone(_) => 0,
        };
        if matches!(work, TaskQueue::Event(..) | TaskQueue::Ask) {
            // What it is answered goes in whatever its size, so no question is taken up before what
            // was answered last is on its way.
            poll_fn(|cx| socket.session().poll_room(cx)).await;
        }
        // After leaving, events that were sent before are still heard; those not let in are not.
        let unheard = weight > 0 && socket.phase() == Phase::Asking;
        if !unheard {
            let done = AssertUnwindSafe(socket.do_one(work)).catch_unwind().await;
            if done.is_err() {
                tracing::error!(namespace = %socket.namespace(), "A handler panicked.");
            }
        }
        socket.0.client.worked_off(weight);
    }
}
