//! The heartbeat: pings and timeouts, and the task that turns the timer wheel.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior};

use super::{
    frame::Frame,
    protocol::{Revision, millis},
    reason::DisconnectReason,
    session::{Session, wake},
    shared::Shared,
    state::{NEVER, Phase, State},
};
use crate::sync::lock;

/// Starts the task that turns the wheel, if it does not run yet. It needs a runtime, so it is not
/// started with the server.
pub(super) fn start(shared: &Arc<Shared<Session>>) {
    let wheel = &shared.wheel;
    wheel.start_once(|| {
        tokio::spawn(turn(Arc::downgrade(shared), wheel.grain, shared.started));
    });
}

/// Turns the wheel for as long as the server exists.
async fn turn(shared: Weak<Shared<Session>>, grain: u64, started: Instant) {
    let mut ticks = tokio::time::interval_at(started, Duration::from_millis(grain));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut due = Vec::new();
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.wheel.advance(shared.now(), &mut due);
        for entry in due.drain(..) {
            if let Some(session) = entry.session.upgrade() {
                session.check(entry.at);
            }
        }
        if due.capacity() > 4096 {
            due = Vec::new();
        }
    }
}

/// What to do when the heartbeat is due.
enum Beat {
    /// Nothing: the client is alive.
    Wait,
    /// Send a ping.
    Ping,
    /// Close the session.
    Timeout,
}

impl Session {
    /// A client of revision 3 has sent a ping. The ping may carry data, the pong never does.
    pub(super) fn on_ping(&self) {
        let options = &self.shared.options;
        let timeout = options.ping_interval + options.ping_timeout;
        let mut state = lock(&self.state);
        if state.is_open() {
            state.due = self.shared.now() + millis(timeout);
            let transport_waker = state.push(Frame::PONG);
            drop(state);
            wake(transport_waker);
        }
    }

    /// A client of revision 4 has sent a pong.
    pub(super) fn on_pong(&self) {
        let mut state = lock(&self.state);
        if state.is_open() {
            state.awaiting_pong = false;
            state.due = self.shared.now() + millis(self.shared.options.ping_interval);
        }
    }

    /// Reading is paused or resumed. While it is paused no timeout applies: the pong may be unread.
    pub(super) fn note_stalled(&self, stalled: bool) {
        let mut state = lock(&self.state);
        if state.stalled != stalled && state.is_open() {
            state.stalled = stalled;
            let now = self.shared.now();
            state.last_progress = now;
            let timeout = now + millis(self.shared.options.ping_timeout);
            state.due = state.due.max(timeout);
        }
    }

    /// The client has received something of a backlog.
    pub(super) fn note_progress(&self) {
        lock(&self.state).last_progress = self.shared.now();
    }

    /// Until when a client with a backlog counts as alive because it receives something: its pong comes
    /// only after the whole backlog.
    fn alive_until(&self, state: &State) -> u64 {
        let options = &self.shared.options;
        let full = state.weight >= options.outbox_bytes;
        match (state.stalled, state.weight) {
            // Reading is paused because the client does not receive what is sent.
            (true, _) if full => {
                state.last_progress + millis(options.ping_interval + options.ping_timeout)
            }
            (true, _) => NEVER,
            (false, 0) => 0,
            (false, _) => state.last_progress + millis(options.ping_timeout),
        }
    }

    /// Adds the session to the wheel for its next check, if there is no earlier entry.
    pub(super) fn schedule(self: &Arc<Self>, state: &mut State) {
        let next = state.next_check();
        if next < state.scheduled {
            state.scheduled = next;
            self.shared.wheel.insert(next, Arc::downgrade(self));
        }
    }

    /// Decides what to do about a heartbeat that is due.
    fn beat(&self, state: &mut State, now: u64) -> Beat {
        let timeout = millis(self.shared.options.ping_timeout);
        let pinging = self.revision() == Revision::V4;
        let alive_until = self.alive_until(state);
        if state.stalled && alive_until > now {
            state.due = now + timeout;
            Beat::Wait
        } else if pinging && !state.awaiting_pong {
            state.awaiting_pong = true;
            state.due += timeout;
            Beat::Ping
        } else if pinging && alive_until > now {
            state.due = alive_until;
            Beat::Wait
        } else {
            Beat::Timeout
        }
    }

    /// Called by the wheel: sends a ping, calls `on_timer`, or closes the session.
    pub(super) fn check(self: &Arc<Self>, at: u64) {
        let now = self.shared.now();
        let mut transport_waker = None;
        let mut timer_of = None;
        let mut timed_out = false;
        {
            let mut state = lock(&self.state);
            if state.scheduled != at {
                return;
            }
            state.scheduled = NEVER;
            match state.phase {
                Phase::Closing(_) | Phase::Closed => return,
                Phase::ClosePending(_) => {
                    state.phase = Phase::Closed;
                    state.discard();
                    let prober = state.upgrade.take_waker();
                    drop(state);
                    self.shared.forget(self.sid());
                    wake(prober);
                    return;
                }
                Phase::Open => {}
            }
            if state.timer <= now {
                state.timer = NEVER;
                timer_of.clone_from(&state.connection);
            }
            if state.due <= now {
                match self.beat(&mut state, now) {
                    Beat::Wait => {}
                    Beat::Ping => transport_waker = state.push(Frame::PING),
                    Beat::Timeout => timed_out = true,
                }
            }
            if !timed_out {
                self.schedule(&mut state);
            }
        }
        wake(transport_waker);
        if timed_out {
            self.close(DisconnectReason::PingTimeout);
        } else if let Some(connection) = timer_of {
            connection.on_timer();
        }
    }
}
