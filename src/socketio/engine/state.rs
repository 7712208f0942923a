//! What changes in a session's life; every change is made under its lock.

use std::{mem, sync::Arc, task::Waker};

use smallvec::SmallVec;

use super::{Connection, Frame, Reason, Revision, Transport, payload::encoded_len};

/// A time that never comes.
pub(super) const NEVER: u64 = u64::MAX;

/// Frames that are sent together. One alone, which is what a chat has most of the time, lies in place:
/// in a broadcast to thousands, each look elsewhere in memory is dear.
pub(super) type Batch = SmallVec<[Frame; 1]>;

/// What changes in a session's life.
// In this order in memory: what a broadcast looks at lies first.
#[repr(C)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The WebSocket may have something to read.
    pub(super) readable: bool,
    /// Somebody was told that the outbox is full.
    pub(super) crowded: bool,
    pub(super) transport: Transport,
    pub(super) poll: PollSlot,
    /// The weight of all frames that have not reached the transport yet.
    pub(super) weight: usize,
    /// Wakes whoever carries the outbox away: the waiting poll or the WebSocket's task.
    pub(super) transport_waker: Option<Waker>,
    pub(super) outbox: Batch,
    pub(super) connection: Option<Arc<dyn Connection>>,
    pub(super) upgrade: Upgrade,
    /// When the heartbeat needs something done, or a kept close is given up.
    pub(super) due: u64,
    pub(super) reminder: u64,
    /// The wheel's one entry that counts; all others are out of date.
    pub(super) scheduled: u64,
    /// The client cannot read bytes on its present transport.
    pub(super) base64: bool,
    pub(super) awaiting_pong: bool,
    /// A POST is being read.
    pub(super) posting: bool,
    /// We do not read, because the connection wants no more just now; its pong cannot be seen.
    pub(super) stalled: bool,
    /// When the client last took something while it had more to take than went at once.
    pub(super) taken: u64,
    /// Those who wait until the outbox has room.
    pub(super) room: Vec<Waker>,
}

/// How far the session's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Over, but the transport has yet to tell the client.
    Closing(Reason),
    /// Over, with nobody to tell: kept for the next poll.
    Kept(Reason),
    Closed,
}

/// Whether a GET is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollSlot {
    Empty,
    Waiting,
    /// The waiting poll is to go home with a noop, because a probe has come.
    Nudged,
}

/// How far an upgrade to WebSocket has come.
pub(super) enum Upgrade {
    None,
    /// A WebSocket was let in. The waker tells it when the session ends meanwhile.
    Underway {
        probed: bool,
        waker: Option<Waker>,
    },
    Done,
}

impl Upgrade {
    /// The task of the WebSocket that proves itself, to be woken because the session has ended.
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
            reminder: NEVER,
            scheduled: NEVER,
            phase: Phase::Open,
            transport,
            poll: PollSlot::Empty,
            base64,
            awaiting_pong: false,
            crowded: false,
            posting: false,
            stalled: false,
            taken: 0,
            room: Vec::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Puts a frame in, limit or not, and returns whom to wake.
    pub(super) fn push(&mut self, frame: Frame) -> Option<Waker> {
        self.weight += frame.weight();
        self.outbox.push(frame);
        self.transport_waker.take()
    }

    /// Takes what one poll brings home: at most `count` frames of `bytes` together, but one of any
    /// size.
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

    /// Those who wait for room, to be woken because there may be some.
    pub(super) fn wake_later(&mut self) -> Vec<Waker> {
        mem::take(&mut self.room)
    }

    /// Throws away what waits.
    pub(super) fn discard(&mut self) {
        self.weight = 0;
        self.outbox = Batch::new();
    }

    /// Whether the heartbeat says that the client is gone.
    pub(super) fn is_overdue(&self, revision: Revision, now: u64, ping_timeout: u64) -> bool {
        let timeout = match revision {
            Revision::V4 if !self.awaiting_pong => ping_timeout,
            Revision::V3 | Revision::V4 => 0,
        };
        self.is_open() && !self.stalled && now >= self.due.saturating_add(timeout)
    }

    /// The next time that the session is to be looked at.
    pub(super) fn next_check(&self) -> u64 {
        self.due.min(self.reminder)
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
        gone.phase = Phase::Kept(Reason::ForcedClose);
        for state in [stalled, gone] {
            assert!(!state.is_overdue(Revision::V3, NEVER - 1, TIMEOUT));
            assert!(!state.is_overdue(Revision::V4, NEVER - 1, TIMEOUT));
        }
    }
}
