//! The state of a session that changes under its lock.

use std::{mem, sync::Arc, task::Waker};

use smallvec::SmallVec;

use super::{
    connection::Connection,
    frame::Frame,
    payload::encoded_len,
    poll_mark::PollMark,
    protocol::{Revision, Transport},
    reason::DisconnectReason,
};

/// A deadline that never passes.
pub(super) const NEVER: u64 = u64::MAX;

/// A queue of frames. A single frame is stored inline: a chat's outboxes seldom hold more, and in a
/// broadcast to thousands an access to another allocation is often a cache miss.
pub(super) type Batch = SmallVec<[Frame; 1]>;

/// The state of a session that changes under its lock.
// `repr(C)` keeps the order: the fields that a broadcast reads come first.
#[repr(C)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// There may be something to read from the WebSocket.
    pub(super) readable: bool,
    /// A send has failed because the outbox was full, and `on_drain` is to be called.
    pub(super) was_full: bool,
    pub(super) transport: Transport,
    pub(super) poll: PollSlot,
    /// The weight of all frames that have not been written to the transport.
    pub(super) weight: usize,
    /// Wakes the transport, which sends the outbox: the held poll or the WebSocket's task.
    pub(super) transport_waker: Option<Waker>,
    pub(super) outbox: Batch,
    pub(super) connection: Option<Arc<dyn Connection>>,
    pub(super) upgrade: Upgrade,
    /// When the heartbeat is due, or the time to fetch a pending close ends.
    pub(super) due: u64,
    /// When the application's timer is due.
    pub(super) timer: u64,
    /// The time of the session's valid entry in the wheel. Other entries are outdated.
    pub(super) scheduled: u64,
    /// The client cannot receive binary on its present transport, so it gets base64.
    pub(super) base64: bool,
    pub(super) awaiting_pong: bool,
    /// The body of a POST is being received.
    pub(super) posting: bool,
    /// Reading is paused, because the connection accepts no message now. So a pong cannot be received.
    pub(super) stalled: bool,
    /// When the client last received something of a backlog.
    pub(super) last_progress: u64,
    /// The poll that was answered last.
    pub(super) answered: Option<PollMark>,
    /// Tasks that wait until the outbox is below its limit.
    pub(super) capacity_wakers: Vec<Waker>,
}

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Closed, but the transport has not yet told the client.
    Closing(DisconnectReason),
    /// Closed while no poll was held: the next poll gets the close packet.
    ClosePending(DisconnectReason),
    Closed,
}

/// Whether a poll is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollSlot {
    Empty,
    Waiting,
    /// The held poll is to be answered with a noop, because an upgrade is being probed.
    Released,
}

/// How far an upgrade to WebSocket has come.
pub(super) enum Upgrade {
    None,
    /// A WebSocket was opened for it. The waker tells its task when the session is closed meanwhile.
    Underway {
        /// The probe was received.
        probed: bool,
        waker: Option<Waker>,
    },
    Done,
}

impl Upgrade {
    /// Takes the waker of the WebSocket that is being probed, to tell it that the session is closed.
    pub(super) fn take_waker(&mut self) -> Option<Waker> {
        match self {
            Self::Underway { waker, .. } => waker.take(),
            Self::None | Self::Done => None,
        }
    }
}

impl State {
    pub(super) fn new(transport: Transport, base64: bool, due: u64) -> Self {
        Self {
            connection: None,
            outbox: Batch::new(),
            weight: 0,
            transport_waker: None,
            readable: true,
            upgrade: match transport {
                Transport::Polling => Upgrade::None,
                Transport::WebSocket => Upgrade::Done,
            },
            due,
            timer: NEVER,
            scheduled: NEVER,
            phase: Phase::Open,
            transport,
            poll: PollSlot::Empty,
            base64,
            awaiting_pong: false,
            was_full: false,
            posting: false,
            stalled: false,
            last_progress: 0,
            answered: None,
            capacity_wakers: Vec::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Queues a frame whatever the limit, and returns the waker to call.
    pub(super) fn push(&mut self, frame: Frame) -> Option<Waker> {
        self.weight += frame.weight();
        self.outbox.push(frame);
        self.transport_waker.take()
    }

    /// Takes the frames for one poll: at most `count`, and at most `bytes` unless the first one is larger.
    pub(super) fn take_some(&mut self, count: usize, bytes: usize) -> Vec<Frame> {
        let mut left = bytes;
        let fitting = self.outbox.iter().take(count).take_while(|frame| {
            let fits = left.checked_sub(encoded_len(frame));
            left = fits.unwrap_or_default();
            fits.is_some()
        });
        let count = fitting.count().max(1);
        if self.outbox.len() <= count {
            self.weight = 0;
            return mem::take(&mut self.outbox).into_vec();
        }
        let frames: Vec<Frame> = self.outbox.drain(..count).collect();
        self.weight -= frames.iter().map(Frame::weight).sum::<usize>();
        frames
    }

    /// Takes the wakers to call because the outbox may be below its limit.
    pub(super) fn take_capacity_wakers(&mut self) -> Vec<Waker> {
        mem::take(&mut self.capacity_wakers)
    }

    /// Empties the outbox.
    pub(super) fn discard(&mut self) {
        self.weight = 0;
        self.outbox = Batch::new();
    }

    /// Whether the client has exceeded the heartbeat's timeout.
    pub(super) fn is_overdue(&self, revision: Revision, now: u64, ping_timeout: u64) -> bool {
        let timeout = match revision {
            Revision::V4 if !self.awaiting_pong => ping_timeout,
            Revision::V3 | Revision::V4 => 0,
        };
        self.is_open() && !self.stalled && now >= self.due.saturating_add(timeout)
    }

    /// When the wheel has to check the session next.
    pub(super) fn next_check(&self) -> u64 {
        self.due.min(self.timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: u64 = 1000;
    const TIMEOUT: u64 = 500;

    fn state() -> State {
        State::new(Transport::Polling, false, DUE)
    }

    /// Whether `state` is overdue from that moment on, and not before.
    #[track_caller]
    fn assert_overdue_from(state: &State, revision: Revision, moment: u64) {
        assert!(!state.is_overdue(revision, moment - 1, TIMEOUT));
        assert!(state.is_overdue(revision, moment, TIMEOUT));
    }

    #[test]
    fn who_was_not_pinged_yet_has_the_time_for_a_pong_too() {
        assert_overdue_from(&state(), Revision::V4, DUE + TIMEOUT);
    }

    #[test]
    fn who_was_pinged_or_pings_itself_has_until_it_is_due() {
        let mut pinged = state();
        pinged.awaiting_pong = true;
        assert_overdue_from(&pinged, Revision::V4, DUE);
        assert_overdue_from(&state(), Revision::V3, DUE);
    }

    #[test]
    fn one_poll_takes_so_many_frames_and_so_many_bytes() {
        let mut state = state();
        for length in [90, 90, 500, 10, 10, 10, 10] {
            state.push(Frame::text(&"x".repeat(length)));
        }
        let take = || (!state.outbox.is_empty()).then(|| state.take_some(3, 300).len());
        let taken: Vec<_> = std::iter::from_fn(take).collect();
        assert_eq!(taken, [2, 1, 3, 1]);
        assert_eq!(state.weight, 0);
    }

    #[test]
    fn who_is_not_read_or_has_gone_is_never_overdue() {
        let mut stalled = state();
        stalled.stalled = true;
        let mut gone = state();
        gone.phase = Phase::ClosePending(DisconnectReason::ForcedClose);
        for state in [stalled, gone] {
            assert!(!state.is_overdue(Revision::V3, NEVER - 1, TIMEOUT));
            assert!(!state.is_overdue(Revision::V4, NEVER - 1, TIMEOUT));
        }
    }
}
