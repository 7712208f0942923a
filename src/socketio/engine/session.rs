//! One client's session: receiving and sending, independent of the transport.

use std::{
    fmt, mem,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use serde_json::json;

use super::{
    connection::Connection,
    frame::Frame,
    handshake::Handshake,
    packet::{Incoming, Message},
    protocol::{Revision, Transport, millis},
    reason::{ClosePacket, DisconnectReason},
    shared::Shared,
    sid::Sid,
    state::{Batch, NEVER, Phase, PollSlot, State},
};
use crate::sync::lock;

/// One client's session.
// `repr(C)` keeps the order: the state, which a broadcast reads, comes first.
#[repr(C)]
pub struct Session {
    pub(super) state: Mutex<State>,
    pub(super) shared: Arc<Shared<Self>>,
    handshake: Handshake,
    sid: Sid,
}

/// Why frames were not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The outbox is full. [`Connection::on_drain`] is called when it is empty again.
    Full,
    /// The session is closed.
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

/// The capacity up to which an empty queue of frames keeps its allocation.
pub(super) const MAX_IDLE_CAPACITY: usize = 64;

/// What a WebSocket's task gets from the outbox.
pub(super) enum Refill {
    /// Frames to write, and their weight.
    Frames(usize),
    /// Nothing. The task's waker is registered.
    Idle {
        /// There may be something to read from the WebSocket.
        readable: bool,
    },
    /// Nothing: the session is closed.
    Closed(DisconnectReason),
}

impl Session {
    /// A new session, in the registry, with its heartbeat scheduled and without a connection.
    pub(super) fn new(shared: &Arc<Shared<Self>>, handshake: Handshake, base64: bool) -> Arc<Self> {
        let options = &shared.options;
        let mut first_check = shared.now() + millis(options.ping_interval);
        if handshake.revision() == Revision::V3 {
            first_check += millis(options.ping_timeout);
        }
        let state = State::new(handshake.transport(), base64, first_check);
        let session = Arc::new(Self {
            shared: Arc::clone(shared),
            state: Mutex::new(state),
            handshake,
            sid: match &shared.options.peers {
                Some(peers) => Sid::with_prefix(peers.prefix()),
                None => Sid::random(),
            },
        });
        shared.registry.insert(&session.sid, &session);
        let (revision, transport) = (session.revision(), session.handshake.transport());
        shared.counters.opened(revision, transport);
        let mut state = lock(&session.state);
        if transport == Transport::WebSocket {
            state.push(Frame::packet(&session.open_packet()));
        }
        session.schedule(&mut state);
        drop(state);
        session
    }

    /// Sets the connection. If the session is closed already, the connection is told at once.
    pub(super) fn set_connection(&self, connection: &Arc<dyn Connection>) {
        let reason = {
            let mut state = lock(&self.state);
            match state.phase {
                Phase::Open => {
                    state.connection = Some(Arc::clone(connection));
                    return;
                }
                Phase::Closing(reason) | Phase::ClosePending(reason) => reason,
                Phase::Closed => DisconnectReason::ForcedClose,
            }
        };
        connection.on_close(reason);
    }

    /// The open packet, with the session's id and the server's options.
    pub(super) fn open_packet(&self) -> String {
        let options = &self.shared.options;
        let handshake = json!({
            "sid": self.sid.as_str(),
            "upgrades": options.upgrades_from(self.handshake.transport()),
            "pingInterval": millis(options.ping_interval),
            "pingTimeout": millis(options.ping_timeout),
            "maxPayload": options.max_payload,
        });
        format!("0{handshake}")
    }

    /// The secret id.
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The request that opened the session.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// The revision that the client uses.
    pub fn revision(&self) -> Revision {
        self.handshake.revision()
    }

    /// The transport in use. An upgrade changes it.
    pub fn transport(&self) -> Transport {
        lock(&self.state).transport
    }

    /// Whether a frame would be written at once: the outbox is empty and the transport is ready.
    pub fn is_writable(&self) -> bool {
        let state = lock(&self.state);
        let has_transport = match state.transport {
            Transport::Polling => state.poll == PollSlot::Waiting,
            Transport::WebSocket => true,
        };
        state.is_open() && state.weight == 0 && has_transport
    }

    /// Queues frames, all or none, with no other frame between them.
    ///
    /// # Errors
    /// [`SendError::Full`] if the outbox is not empty and would exceed
    /// [`Options::outbox_bytes`](super::Options::outbox_bytes) with these frames.
    pub fn send(&self, frames: &[Frame]) -> Result<(), SendError> {
        let weight: usize = frames.iter().map(Frame::weight).sum();
        let transport_waker = {
            let mut state = lock(&self.state);
            if !state.is_open() {
                return Err(SendError::Closed);
            }
            if state.weight > 0 && state.weight + weight > self.shared.options.outbox_bytes {
                state.was_full = true;
                self.shared.counters.outbox_full();
                return Err(SendError::Full);
            }
            state.weight += weight;
            state.outbox.extend(frames.iter().cloned());
            state.transport_waker.take()
        };
        wake(transport_waker);
        Ok(())
    }

    /// Queues a reply to the client, whatever the outbox holds. The caller has to await
    /// [`Session::poll_capacity`] before it handles the next message. Then an outbox is bounded by
    /// [`Options::outbox_bytes`](super::Options::outbox_bytes) and one reply.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the session is closed.
    pub fn send_reply(&self, frames: &[Frame]) -> Result<(), SendError> {
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

    /// Ready when the outbox is below its limit, or the session is closed.
    pub fn poll_capacity(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.weight < self.shared.options.outbox_bytes || !state.is_open() {
            return Poll::Ready(());
        }
        if !state
            .capacity_wakers
            .iter()
            .any(|waker| waker.will_wake(cx.waker()))
        {
            state.capacity_wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Has [`Connection::on_timer`] called once, after that time.
    pub fn set_timer(self: &Arc<Self>, after: Duration) {
        let mut state = lock(&self.state);
        state.timer = self.shared.now() + millis(after);
        self.schedule(&mut state);
    }

    /// Closes the session. Only the first call has an effect. What is in the outbox and a close packet
    /// are still sent if the server closes the session on purpose or the client has violated the
    /// protocol. A polling client has [`Options::close_timeout`](super::Options::close_timeout) to fetch
    /// them.
    pub fn close(self: &Arc<Self>, reason: DisconnectReason) {
        self.close_with(reason, reason.close_packet());
    }

    /// Closes the session, with or without a close packet.
    pub(super) fn close_with(
        self: &Arc<Self>,
        reason: DisconnectReason,
        close_packet: ClosePacket,
    ) {
        let (connection, wakers, capacity_wakers) = {
            let mut state = lock(&self.state);
            if !state.is_open() {
                return;
            }
            if close_packet == ClosePacket::Skip {
                state.discard();
            }
            let is_polling = state.transport == Transport::Polling;
            let poll_takes_it = state.poll != PollSlot::Empty && state.outbox.is_empty();
            state.phase = match (is_polling && !poll_takes_it, close_packet) {
                (false, _) => Phase::Closing(reason),
                // The messages need a poll of their own: some clients handle a close packet before the
                // messages in the same payload, and drop those.
                (true, ClosePacket::Send) => {
                    state.due = self.shared.now() + millis(self.shared.options.close_timeout);
                    state.timer = NEVER;
                    state.scheduled = NEVER;
                    self.schedule(&mut state);
                    Phase::ClosePending(reason)
                }
                (true, ClosePacket::Skip) => Phase::Closed,
            };
            if !matches!(state.phase, Phase::ClosePending(_)) {
                self.shared.forget(&self.sid);
            }
            let transport = state.transport;
            self.shared
                .counters
                .closed(self.revision(), transport, reason);
            let wakers = [state.transport_waker.take(), state.upgrade.take_waker()];
            (
                state.connection.take(),
                wakers,
                state.take_capacity_wakers(),
            )
        };
        wakers.into_iter().for_each(wake);
        capacity_wakers.into_iter().for_each(Waker::wake);
        if let Some(connection) = connection {
            connection.on_close(reason);
        }
    }

    /// Counts a recovered socket in the server's statistics.
    pub(crate) fn count_recovery(&self) {
        self.shared.counters.recovered();
    }

    /// Whether the session is closed.
    pub fn is_closed(&self) -> bool {
        !lock(&self.state).is_open()
    }

    /// Handles a packet from the client.
    pub(super) fn receive(self: &Arc<Self>, packet: Incoming<'_>) {
        match (packet, self.revision()) {
            (Incoming::Message(message), _) => self.deliver(message),
            (Incoming::Close, _) => self.close(DisconnectReason::TransportClose),
            (Incoming::Ping(_), Revision::V3) => self.on_ping(),
            (Incoming::Pong, Revision::V4) => self.on_pong(),
            (Incoming::Ping(_), Revision::V4) | (Incoming::Pong, Revision::V3) => {
                self.close_with(DisconnectReason::TransportError, ClosePacket::Send);
            }
            (Incoming::Upgrade | Incoming::Noop, _) => {}
        }
    }

    fn deliver(&self, message: Message<'_>) {
        if let Some(connection) = self.connection() {
            connection.on_message(message);
        }
    }

    /// The connection, until the session is closed.
    pub(super) fn connection(&self) -> Option<Arc<dyn Connection>> {
        lock(&self.state).connection.clone()
    }

    /// Whether another message may be read: the connection accepts it, and the outbox is below its limit.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = self.connection() else {
            return Poll::Ready(());
        };
        let ready = match connection.poll_ready(cx) {
            Poll::Ready(()) => self.poll_capacity(cx),
            Poll::Pending => Poll::Pending,
        };
        self.note_stalled(ready.is_pending());
        ready
    }

    /// Moves the outbox to a WebSocket's task, which has written `written` of the weight it took before.
    pub(super) fn refill(&self, into: &mut Batch, written: usize, cx: &Context<'_>) -> Refill {
        let (readable, drained) = {
            let mut state = lock(&self.state);
            state.weight = state.weight.saturating_sub(written);
            if written > 0 && !state.capacity_wakers.is_empty() {
                state.last_progress = self.shared.now();
                let wakers = state.take_capacity_wakers();
                drop(state);
                wakers.into_iter().for_each(Waker::wake);
                state = lock(&self.state);
            }
            if !state.outbox.is_empty() {
                mem::swap(&mut state.outbox, into);
                return Refill::Frames(state.weight);
            }
            if state.outbox.capacity() > MAX_IDLE_CAPACITY {
                state.outbox = Batch::new();
            }
            if let Phase::Closing(reason) | Phase::ClosePending(reason) = state.phase {
                return Refill::Closed(reason);
            }
            if state.phase == Phase::Closed {
                return Refill::Closed(DisconnectReason::ForcedClose);
            }
            state.transport_waker = Some(cx.waker().clone());
            let was_full = mem::take(&mut state.was_full);
            let drained = was_full.then(|| state.connection.clone()).flatten();
            (mem::take(&mut state.readable), drained)
        };
        if let Some(connection) = drained {
            connection.on_drain();
        }
        Refill::Idle { readable }
    }

    /// Registers a WebSocket's task that cannot write, to be woken when the session is closed. Returns the
    /// reason if it is closed already.
    pub(super) fn watch(&self, cx: &Context<'_>) -> Option<DisconnectReason> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Open => {
                state.transport_waker = Some(cx.waker().clone());
                None
            }
            Phase::Closing(reason) | Phase::ClosePending(reason) => Some(reason),
            Phase::Closed => Some(DisconnectReason::ForcedClose),
        }
    }
}

/// The session is the waker of reads from its WebSocket: it notes that there is something to read, and
/// wakes the WebSocket's task. So a task that is woken only for its outbox, as by a broadcast to
/// thousands, need not try to read.
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

/// Calls a waker, if there is one.
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
