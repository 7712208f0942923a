//! One client's session: the way in and the way out, whatever the transport.

use std::{
    fmt, mem,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use serde_json::json;

use super::{
    Connection, Frame, Handshake, Message, Reason, Revision, Shared, Sid, Transport, lock, millis,
    packet::Incoming,
    reason::Farewell,
    state::{Batch, NEVER, Phase, PollSlot, State},
};

/// One client's session.
// In this order in memory: what a broadcast looks at in each of thousands lies first.
#[repr(C)]
pub struct Session {
    pub(super) state: Mutex<State>,
    pub(super) shared: Arc<Shared>,
    handshake: Handshake,
    sid: Sid,
}

/// Why frames were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// Too much waits already. [`Connection::drained`] tells when it has been sent.
    Full,
    /// The session is over.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too much waits for this client already",
            Self::Closed => "the session is over",
        })
    }
}

impl std::error::Error for SendError {}

/// How much room for frames is kept when they have left.
pub(super) const KEPT: usize = 64;

/// What a WebSocket's task finds when it looks for work.
pub(super) enum Refill {
    /// Frames to write, which weigh so much.
    Frames(usize),
    /// Nothing; the waker is kept.
    Idle {
        /// There may be something to read.
        readable: bool,
    },
    /// Nothing any more.
    Over(Reason),
}

impl Session {
    /// Opens a session and asks the application for its connection.
    pub(super) fn open(shared: &Arc<Shared>, handshake: Handshake, base64: bool) -> Arc<Self> {
        let options = &shared.options;
        let mut first_look = shared.now() + millis(options.ping_interval);
        if handshake.revision() == Revision::V3 {
            first_look += millis(options.ping_timeout);
        }
        let state = State::new(handshake.transport(), base64, first_look);
        let session = Arc::new(Self {
            shared: Arc::clone(shared),
            state: Mutex::new(state),
            handshake,
            sid: Sid::random(),
        });
        shared.registry.insert(&session);
        shared.wheel.start(shared);
        {
            let mut state = lock(&session.state);
            if session.handshake.transport() == Transport::WebSocket {
                state.push(Frame::packet(&session.open_packet()));
            }
            session.schedule(&mut state);
        }
        let connection = shared.application.open(Arc::clone(&session));
        let over = {
            let mut state = lock(&session.state);
            match state.phase {
                Phase::Open => {
                    state.connection = Some(Arc::clone(&connection));
                    None
                }
                Phase::Closing(reason) | Phase::Kept(reason) => Some(reason),
                Phase::Closed => Some(Reason::ForcedClose),
            }
        };
        if let Some(reason) = over {
            connection.closed(reason);
        }
        if shared.is_stopping() {
            // It came too late to be told with the others.
            session.close(Reason::ServerShuttingDown);
        }
        session
    }

    /// The packet that tells a client what it is dealing with.
    pub(super) fn open_packet(&self) -> String {
        let options = &self.shared.options;
        let about = json!({
            "sid": self.sid.as_str(),
            "upgrades": options.upgrades_from(self.handshake.transport()),
            "pingInterval": millis(options.ping_interval),
            "pingTimeout": millis(options.ping_timeout),
            "maxPayload": options.max_payload,
        });
        format!("0{about}")
    }

    /// The secret id.
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The request that opened the session.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// The revision that the client speaks.
    pub fn revision(&self) -> Revision {
        self.handshake.revision()
    }

    /// The transport in use, which changes when the client steps up.
    pub fn transport(&self) -> Transport {
        lock(&self.state).transport
    }

    /// Whether a frame sent now would leave at once: nothing waits and somebody carries.
    pub fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        let carried = match state.transport {
            Transport::Polling => state.poll == PollSlot::Waiting,
            Transport::WebSocket => true,
        };
        state.is_open() && state.weight == 0 && carried
    }

    /// Sends frames, all or none, with no other between them.
    ///
    /// # Errors
    /// [`SendError::Full`] if something waits already and with these it would be more than
    /// [`Options::outbox_bytes`](super::Options::outbox_bytes); a first frame may be of any size.
    pub fn send(&self, frames: &[Frame]) -> Result<(), SendError> {
        let weight: usize = frames.iter().map(Frame::weight).sum();
        let transport_waker = {
            let mut state = lock(&self.state);
            if !state.is_open() {
                return Err(SendError::Closed);
            }
            if state.weight > 0 && state.weight + weight > self.shared.options.outbox_bytes {
                state.crowded = true;
                return Err(SendError::Full);
            }
            state.weight += weight;
            state.outbox.extend(frames.iter().cloned());
            state.transport_waker.take()
        };
        wake(transport_waker);
        Ok(())
    }

    /// Sends what the client has asked for, in whole and however much waits already. Who answers waits
    /// for [`Session::poll_room`] before it takes up the next question: so what waits for a client is
    /// bounded by [`Options::outbox_bytes`](super::Options::outbox_bytes) and one answer.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the session is over.
    pub fn answer(&self, frames: &[Frame]) -> Result<(), SendError> {
        let weight: usize = frames.iter().map(Frame::weight).sum();
        let transport_waker = {
            let mut state = lock(&self.state);
            if !state.is_open() {
                return Err(SendError::Closed);
            }
            state.weight += weight;
            state.outbox.extend(frames.iter().cloned());
            state.transport_waker.take()
        };
        wake(transport_waker);
        Ok(())
    }

    /// Waits until less waits for the client than the limit, or the session is over.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.weight < self.shared.options.outbox_bytes || !state.is_open() {
            return Poll::Ready(());
        }
        if !state.room.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.room.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Calls [`Connection::reminded`] once, after that time.
    pub fn remind(self: &Arc<Self>, after: Duration) {
        let mut state = lock(&self.state);
        state.reminder = self.shared.now() + millis(after);
        self.schedule(&mut state);
    }

    /// Ends the session, for the first reason given. What waits is still sent if the server ended it
    /// in good order or the client broke the protocol, and then the client is told that it is over;
    /// a polling client may fetch all that for a while.
    pub fn close(self: &Arc<Self>, reason: Reason) {
        self.end(reason, reason.farewell());
    }

    /// Ends the session, and tells the client so or not.
    pub(super) fn end(self: &Arc<Self>, reason: Reason, farewell: Farewell) {
        let (connection, wakers, room) = {
            let mut state = lock(&self.state);
            if !state.is_open() {
                return;
            }
            if farewell == Farewell::None {
                state.discard();
            }
            let polled = state.transport == Transport::Polling;
            let leaves_at_once = state.poll != PollSlot::Empty && state.outbox.is_empty();
            state.phase = match (polled && !leaves_at_once, farewell) {
                (false, _) => Phase::Closing(reason),
                // What waits goes first, by itself: some clients take a close in the same payload for
                // a loss, before they have looked at the messages.
                (true, Farewell::Told) => {
                    state.due = self.shared.now() + millis(self.shared.options.close_timeout);
                    state.reminder = NEVER;
                    state.scheduled = NEVER;
                    self.schedule(&mut state);
                    Phase::Kept(reason)
                }
                (true, Farewell::None) => Phase::Closed,
            };
            if !matches!(state.phase, Phase::Kept(_)) {
                self.shared.forget(&self.sid);
            }
            let wakers = [state.transport_waker.take(), state.upgrade.take_waker()];
            (state.connection.take(), wakers, state.wake_later())
        };
        wakers.into_iter().for_each(wake);
        room.into_iter().for_each(Waker::wake);
        if let Some(connection) = connection {
            connection.closed(reason);
        }
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        !lock(&self.state).is_open()
    }

    /// Takes one packet from the client.
    pub(super) fn receive(self: &Arc<Self>, packet: Incoming<'_>) {
        match (packet, self.revision()) {
            (Incoming::Message(message), _) => self.deliver(message),
            (Incoming::Close, _) => self.close(Reason::TransportClose),
            (Incoming::Ping(_), Revision::V3) => self.pinged(),
            (Incoming::Pong, Revision::V4) => self.ponged(),
            (Incoming::Ping(_), Revision::V4) | (Incoming::Pong, Revision::V3) => {
                self.end(Reason::TransportError, Farewell::Told);
            }
            (Incoming::Upgrade | Incoming::Noop, _) => {}
        }
    }

    fn deliver(&self, message: Message<'_>) {
        if let Some(connection) = self.connection() {
            connection.message(message);
        }
    }

    /// The connection, until the session is over.
    pub(super) fn connection(&self) -> Option<Arc<dyn Connection>> {
        lock(&self.state).connection.clone()
    }

    /// Whether the connection wants another message, and the client takes what it is sent.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = self.connection() else {
            return Poll::Ready(());
        };
        let ready = match connection.poll_ready(cx) {
            Poll::Ready(()) => self.poll_room(cx),
            Poll::Pending => Poll::Pending,
        };
        self.note_stalled(ready.is_pending());
        ready
    }

    /// Gives a WebSocket's task what waits; `written` of what it took before has left.
    pub(super) fn refill(&self, into: &mut Batch, written: usize, cx: &Context<'_>) -> Refill {
        let (readable, drained) = {
            let mut state = lock(&self.state);
            state.weight = state.weight.saturating_sub(written);
            if written > 0 && !state.room.is_empty() {
                state.taken = self.shared.now();
                let room = state.wake_later();
                drop(state);
                room.into_iter().for_each(Waker::wake);
                state = lock(&self.state);
            }
            if !state.outbox.is_empty() {
                mem::swap(&mut state.outbox, into);
                return Refill::Frames(state.weight);
            }
            if state.outbox.capacity() > KEPT {
                state.outbox = Batch::new();
            }
            if let Phase::Closing(reason) | Phase::Kept(reason) = state.phase {
                return Refill::Over(reason);
            }
            if state.phase == Phase::Closed {
                return Refill::Over(Reason::ForcedClose);
            }
            state.transport_waker = Some(cx.waker().clone());
            let crowded = mem::take(&mut state.crowded);
            let drained = crowded.then(|| state.connection.clone()).flatten();
            (mem::take(&mut state.readable), drained)
        };
        if let Some(connection) = drained {
            connection.drained();
        }
        Refill::Idle { readable }
    }

    /// Tells a WebSocket's task whose client does not read whether the session is over.
    pub(super) fn watch(&self, cx: &Context<'_>) -> Option<Reason> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Open => {
                state.transport_waker = Some(cx.waker().clone());
                None
            }
            Phase::Closing(reason) | Phase::Kept(reason) => Some(reason),
            Phase::Closed => Some(Reason::ForcedClose),
        }
    }
}

/// Woken as what waits for the WebSocket's next message, a session notes it and wakes the WebSocket's
/// task. Woken for its outbox alone, which is what a broadcast does to thousands, the task can then
/// spare itself the look for something to read.
impl Wake for Session {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let transport_waker = {
            let mut state = lock(&self.state);
            state.readable = true;
            state.transport_waker.take()
        };
        wake(transport_waker);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("handshake", &self.handshake)
            .finish_non_exhaustive()
    }
}

/// Wakes a task, if there is one to be woken.
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
