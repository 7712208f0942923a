//! The polling transport: held GETs that fetch packets, and POSTs that send them.

use std::{
    future::poll_fn,
    io::{self, Cursor, SeekFrom},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rocket::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use super::{
    frame::Frame,
    packet::{Incoming, Malformed},
    payload::{self, Payload},
    poll_mark::PollMark,
    protocol::{Revision, Transport, millis},
    reason::{ClosePacket, DisconnectReason},
    request_error::RequestError,
    session::{Session, wake},
    state::{Phase, PollSlot, State, Upgrade},
};
use crate::sync::lock;

/// How long a poll is held during an upgrade: the client completes the upgrade only after the response
/// to its poll.
const PROBE_POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// A client completes an upgrade while it has no poll. So if a poll arrives during an upgrade, and the
/// upgrade is completed within this time, the client sent the poll after the upgrade packet and the two
/// were reordered, since they use different connections. Such a poll is an error.
const UPGRADE_RACE: Duration = Duration::from_millis(50);

/// How many packets one response to a poll has. python-socketio rejects a payload with more.
const MAX_PACKETS_PER_POLL: usize = 16;

/// How many bytes one response to a poll has, unless its first packet is larger.
const MAX_BYTES_PER_POLL: usize = 1 << 20;

impl Session {
    /// Checks whether a request with this transport and revision may use the session. Closes the session
    /// if its heartbeat has timed out and the wheel has not noticed yet.
    pub(super) fn admit(
        self: &Arc<Self>,
        transport: Transport,
        revision: Revision,
    ) -> Result<(), RequestError> {
        let (overdue, present) = {
            let state = lock(&self.state);
            let timeout = millis(self.shared.options.ping_timeout);
            let overdue = state.is_overdue(self.revision(), self.shared.now(), timeout);
            (overdue, state.transport)
        };
        if overdue {
            self.close(DisconnectReason::PingTimeout);
            return Err(RequestError::UnknownSession);
        }
        let fits = match (present, transport) {
            (Transport::Polling, _) | (Transport::WebSocket, Transport::WebSocket) => true,
            (Transport::WebSocket, Transport::Polling) => false,
        };
        if fits && revision == self.revision() {
            Ok(())
        } else {
            Err(RequestError::BadRequest)
        }
    }

    /// Holds a poll until there are packets for it. A repeat of one that was answered closes the session: that answer
    /// may not have arrived.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        mark: Option<PollMark>,
    ) -> Result<Payload, RequestError> {
        let (underway, probing) = {
            let mut state = lock(&self.state);
            if let (Some(mark), Some(answered)) = (mark, state.answered)
                && mark.repeats(answered)
            {
                drop(state);
                self.close(DisconnectReason::TransportError);
                return Err(RequestError::UnknownSession);
            }
            match (state.poll, state.phase) {
                (_, Phase::Closing(_) | Phase::Closed) => return Err(RequestError::UnknownSession),
                (PollSlot::Empty, Phase::Open | Phase::ClosePending(_)) => {}
                (PollSlot::Waiting | PollSlot::Released, _) => {
                    drop(state);
                    self.close(DisconnectReason::TransportError);
                    return Err(RequestError::BadRequest);
                }
            }
            state.poll = PollSlot::Waiting;
            match state.upgrade {
                Upgrade::Underway { probed, .. } => (true, probed),
                Upgrade::None | Upgrade::Done => (false, false),
            }
        };
        let began = Instant::now();
        let guard = PollGuard(self);
        let outbox = poll_fn(|cx| self.poll_outbox(cx));
        let frames = if probing {
            tokio::time::timeout(PROBE_POLL_TIMEOUT, outbox)
                .await
                .unwrap_or_else(|_| vec![Frame::NOOP])
        } else {
            outbox.await
        };
        let left = UPGRADE_RACE.saturating_sub(began.elapsed());
        let is_empty = || frames.iter().all(|frame| frame.is(&Frame::NOOP));
        if underway && !left.is_zero() && is_empty() {
            let upgraded = poll_fn(|cx| self.poll_upgraded(cx));
            if tokio::time::timeout(left, upgraded).await.is_ok() {
                return Err(RequestError::BadRequest);
            }
        }
        let base64 = {
            let mut state = lock(&self.state);
            state.answered = mark;
            state.base64
        };
        // The next poll sees what this one was.
        drop(guard);
        let bytes = frames.iter().map(Frame::len).sum();
        self.shared.counters.sent(frames.len(), bytes);
        Ok(payload::encode(self.revision(), &frames, base64))
    }

    /// Ready when the session has been upgraded to a WebSocket.
    fn poll_upgraded(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.transport == Transport::WebSocket {
            return Poll::Ready(());
        }
        state.transport_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbox(&self, cx: &Context<'_>) -> Poll<Vec<Frame>> {
        let mut state = lock(&self.state);
        let some = |state: &mut State| state.take_some(MAX_PACKETS_PER_POLL, MAX_BYTES_PER_POLL);
        let mut drained = None;
        let mut prober = None;
        let frames = match state.phase {
            Phase::Closed => vec![Frame::CLOSE],
            Phase::Closing(reason) => {
                state.phase = Phase::Closed;
                vec![match reason {
                    DisconnectReason::TransportClose => Frame::NOOP,
                    _ => Frame::CLOSE,
                }]
            }
            Phase::ClosePending(_) if !state.outbox.is_empty() => some(&mut state),
            Phase::ClosePending(_) => {
                state.phase = Phase::Closed;
                prober = state.upgrade.take_waker();
                self.shared.forget(self.sid());
                vec![Frame::NOOP, Frame::CLOSE]
            }
            Phase::Open if state.transport == Transport::WebSocket => vec![Frame::NOOP],
            Phase::Open if !state.outbox.is_empty() => {
                let frames = some(&mut state);
                if state.outbox.is_empty() && std::mem::take(&mut state.was_full) {
                    drained.clone_from(&state.connection);
                }
                frames
            }
            Phase::Open if state.poll == PollSlot::Released => vec![Frame::NOOP],
            Phase::Open => {
                state.transport_waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        };
        state.last_progress = self.shared.now();
        let capacity_wakers = state.take_capacity_wakers();
        drop(state);
        wake(prober);
        capacity_wakers.into_iter().for_each(Waker::wake);
        if let Some(connection) = drained {
            connection.on_drain();
        }
        Poll::Ready(frames)
    }

    /// Begins a POST. A second one at the same time closes the session.
    pub(super) fn begin_post(self: &Arc<Self>) -> Result<Posting, RequestError> {
        let mut state = lock(&self.state);
        match state.phase {
            // With a close pending, the client does not know of it yet: what it sends is read and ignored.
            Phase::Open | Phase::ClosePending(_) => {}
            Phase::Closing(_) | Phase::Closed => return Err(RequestError::UnknownSession),
        }
        if state.posting {
            drop(state);
            self.close(DisconnectReason::TransportError);
            return Err(RequestError::BadRequest);
        }
        state.posting = true;
        Ok(Posting(Arc::clone(self)))
    }

    /// Has the held poll answered with a noop, because an upgrade is being probed.
    pub(super) fn release_poll(&self) {
        let mut state = lock(&self.state);
        let transport_waker = if state.poll == PollSlot::Waiting {
            state.poll = PollSlot::Released;
            state.transport_waker.take()
        } else {
            None
        };
        drop(state);
        wake(transport_waker);
    }
}

/// A session has at most one held poll. This marks it as ended, however the request ends.
struct PollGuard<'s>(&'s Arc<Session>);

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.poll = PollSlot::Empty;
    }
}

/// A POST whose body is being received.
pub(super) struct Posting(Arc<Session>);

impl Posting {
    /// Handles all packets of a body in order, each when the connection accepts it.
    pub(super) async fn receive(&self, body: Vec<u8>, octets: bool) -> Result<(), RequestError> {
        let session = &self.0;
        let phase = lock(&session.state).phase;
        match phase {
            Phase::Open => {}
            Phase::ClosePending(_) => return Ok(()),
            Phase::Closing(_) | Phase::Closed => return Err(RequestError::BadRequest),
        }
        let malformed = |reason| {
            session.close_with(reason, ClosePacket::Skip);
            RequestError::BadRequest
        };
        if octets && session.revision() == Revision::V4 {
            return Err(malformed(DisconnectReason::TransportError));
        }
        let body = bytes::Bytes::from(body);
        let packets = if octets {
            payload::decode_octets(&body)
        } else {
            str::from_utf8(&body)
                .map_err(|_| Malformed)
                .and_then(|text| payload::decode_text(session.revision(), text))
        };
        session.shared.counters.received_bytes(body.len());
        let packets = packets.map_err(|_| malformed(DisconnectReason::ParseError))?;
        for packet in packets {
            // A close packet is handled even while the outbox is full.
            if matches!(packet, Incoming::Message(_)) {
                poll_fn(|cx| session.poll_ready(cx)).await;
            }
            session.shared.counters.received_packet();
            session.receive(packet);
        }
        Ok(())
    }

    /// The body is incomplete: the client is gone.
    pub(super) fn aborted(&self) {
        self.0.close(DisconnectReason::TransportError);
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        lock(&self.0.state).posting = false;
    }
}

/// The body of a response to a poll. If it is dropped before it has been read, the client has gone and
/// its packets are lost, so the session is closed.
pub(super) struct PollBody {
    body: Cursor<Vec<u8>>,
    session: Arc<Session>,
}

impl PollBody {
    pub(super) fn new(body: Vec<u8>, session: Arc<Session>) -> Self {
        Self {
            body: Cursor::new(body),
            session,
        }
    }
}

impl AsyncRead for PollBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.body).poll_read(cx, buf)
    }
}

impl AsyncSeek for PollBody {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.body).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.body).poll_complete(cx)
    }
}

impl Drop for PollBody {
    fn drop(&mut self) {
        if self.body.position() < self.body.get_ref().len() as u64 {
            self.session.close(DisconnectReason::TransportError);
        }
    }
}
