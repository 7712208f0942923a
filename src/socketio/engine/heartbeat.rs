//! The heartbeat: who has to be heard of until when, and what the wheel does about it.

use std::sync::Arc;

use super::{
    Frame, Reason, Revision, Session, lock, millis,
    session::wake,
    state::{NEVER, Phase, State},
};

/// What comes of a heartbeat that is due.
enum Beat {
    /// It goes on.
    On,
    /// The client is to be pinged.
    Ping,
    /// The client is gone.
    Over,
}

impl Session {
    /// A client of revision 3 has pinged. Its ping may carry data; the answer never does.
    pub(super) fn pinged(&self) {
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

    /// A client of revision 4 has answered our ping.
    pub(super) fn ponged(&self) {
        let mut state = lock(&self.state);
        if state.is_open() {
            state.awaiting_pong = false;
            state.due = self.shared.now() + millis(self.shared.options.ping_interval);
        }
    }

    /// While we do not read, the heartbeat is patient: the pong may be among what waits.
    pub(super) fn note_stalled(&self, stalled: bool) {
        let mut state = lock(&self.state);
        if state.stalled != stalled && state.is_open() {
            state.stalled = stalled;
            let now = self.shared.now();
            state.taken = now;
            let timeout = now + millis(self.shared.options.ping_timeout);
            state.due = state.due.max(timeout);
        }
    }

    /// The client has taken some of what it could not take at once.
    pub(super) fn note_taken(&self) {
        lock(&self.state).taken = self.shared.now();
    }

    /// Until when the client is alive because of what it takes, if more waits for it: its pong comes
    /// after all that.
    fn alive_until(&self, state: &State) -> u64 {
        let options = &self.shared.options;
        let full = state.weight >= options.outbox_bytes;
        match (state.stalled, state.weight) {
            // We do not read because of what it does not take.
            (true, _) if full => state.taken + millis(options.ping_interval + options.ping_timeout),
            (true, _) => NEVER,
            (false, 0) => 0,
            (false, _) => state.taken + millis(options.ping_timeout),
        }
    }

    /// Sees to it that the wheel looks in when the next thing is due.
    pub(super) fn schedule(self: &Arc<Self>, state: &mut State) {
        let next = state.next_check();
        if next < state.scheduled {
            state.scheduled = next;
            self.shared.wheel.insert(next, Arc::downgrade(self));
        }
    }

    /// What the heartbeat needs that is due.
    fn beat(&self, state: &mut State, now: u64) -> Beat {
        let timeout = millis(self.shared.options.ping_timeout);
        let pinging = self.revision() == Revision::V4;
        let alive_until = self.alive_until(state);
        if state.stalled && alive_until > now {
            state.due = now + timeout;
            Beat::On
        } else if pinging && !state.awaiting_pong {
            state.awaiting_pong = true;
            state.due += timeout;
            Beat::Ping
        } else if pinging && alive_until > now {
            state.due = alive_until;
            Beat::On
        } else {
            Beat::Over
        }
    }

    /// The wheel looks in: pings, reminds, gives up.
    pub(super) fn check(self: &Arc<Self>, at: u64) {
        let now = self.shared.now();
        let mut transport_waker = None;
        let mut reminded = None;
        let mut timed_out = false;
        {
            let mut state = lock(&self.state);
            if state.scheduled != at {
                return;
            }
            state.scheduled = NEVER;
            match state.phase {
                Phase::Closing(_) | Phase::Closed => return,
                Phase::Kept(_) => {
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
            if state.reminder <= now {
                state.reminder = NEVER;
                reminded.clone_from(&state.connection);
            }
            if state.due <= now {
                match self.beat(&mut state, now) {
                    Beat::On => {}
                    Beat::Ping => transport_waker = state.push(Frame::PING),
                    Beat::Over => timed_out = true,
                }
            }
            if !timed_out {
                self.schedule(&mut state);
            }
        }
        wake(transport_waker);
        if timed_out {
            self.close(Reason::PingTimeout);
        } else if let Some(connection) = reminded {
            connection.reminded();
        }
    }
}
