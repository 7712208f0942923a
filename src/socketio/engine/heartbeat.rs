//! The heartbeat: who has to be heard of until when, and what the wheel does about it.

use std::sync::Arc;

use super::{
    Frame, Reason, Revision, Session, lock, millis,
    session::wake,
    state::{NEVER, Phase, State},
};

impl Session {
    /// A client of revision 3 has pinged. Its ping may carry data; the answer never does.
    pub(super) fn pinged(&self) {
        let options = &self.shared.options;
        let patience = options.ping_interval + options.ping_timeout;
        let mut state = lock(&self.state);
        if state.is_open() {
            state.due = self.shared.now() + millis(patience);
            let carrier = state.push(Frame::PONG);
            drop(state);
            wake(carrier);
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
            let patience = self.shared.now() + millis(self.shared.options.ping_timeout);
            state.due = state.due.max(patience);
        }
    }

    /// Sees to it that the wheel looks in when the next thing is due.
    pub(super) fn schedule(self: &Arc<Self>, state: &mut State) {
        let next = state.next_look();
        if next < state.scheduled {
            state.scheduled = next;
            self.shared.wheel.insert(next, Arc::downgrade(self));
        }
    }

    /// The wheel looks in: pings, reminds, gives up.
    pub(super) fn look(self: &Arc<Self>, at: u64) {
        let now = self.shared.now();
        let mut carrier = None;
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
                    self.shared.registry.remove(self.sid());
                    return;
                }
                Phase::Open => {}
            }
            if state.reminder <= now {
                state.reminder = NEVER;
                reminded.clone_from(&state.connection);
            }
            if state.due <= now {
                let patience = millis(self.shared.options.ping_timeout);
                if state.stalled {
                    state.due = now + patience;
                } else if self.revision() == Revision::V4 && !state.awaiting_pong {
                    state.awaiting_pong = true;
                    state.due += patience;
                    carrier = state.push(Frame::PING);
                } else {
                    timed_out = true;
                }
            }
            if !timed_out {
                self.schedule(&mut state);
            }
        }
        wake(carrier);
        if timed_out {
            self.close(Reason::PingTimeout);
        } else if let Some(connection) = reminded {
            connection.reminded();
        }
    }
}
