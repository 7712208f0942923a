//! The polling transport: what a held GET brings home and what a POST brings in.

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
    Frame, Reason, Revision, Session, Transport, lock,
    packet::Incoming,
    payload::{self, Payload},
    reason::Farewell,
    refusal::Refusal,
    session::wake,
    state::{Phase, PollSlot, State, Upgrade},
};

/// How long a poll is held while an upgrade is under way: the client waits for the poll to come home
/// before it completes the upgrade.
const HOLD_WHILE_PROBING: Duration = Duration::from_millis(100);

/// A client completes its upgrade when it has no poll under way. A poll that begins during an upgrade
/// and finds it done so soon was begun after that, and has overtaken the news of it, which comes on
/// another connection.
const CROSSED: Duration = Duration::from_millis(50);

/// How many packets one poll brings home; the next one brings more. python-socketio gives up on a
/// payload of more.
const MAX_PACKETS_A_POLL: usize = 16;

/// How many bytes one poll brings home, but for a packet that alone has more.
const MAX_BYTES_A_POLL: usize = 1 << 20;

impl Session {
    /// Whether a request of this transport and revision may speak for the session. A client that
    /// was silent too long is found out here, if not before.
    pub(super) fn admit(
        self: &Arc<Self>,
        transport: Transport,
        revision: Revision,
    ) -> Result<(), Refusal> {
        let (overdue, present) = {
            let state = lock(&self.state);
            let timeout = super::millis(self.shared.options.ping_timeout);
            let overdue = state.is_overdue(self.revision(), self.shared.now(), timeout);
            (overdue, state.transport)
        };
        if overdue {
            self.close(Reason::PingTimeout);
            return Err(Refusal::UnknownSession);
        }
        let fits = match (present, transport) {
            (Transport::Polling, _) | (Transport::WebSocket, Transport::WebSocket) => true,
            (Transport::WebSocket, Transport::Polling) => false,
        };
        if fits && revision == self.revision() {
            Ok(())
        } else {
            Err(Refusal::BadRequest)
        }
    }

    /// Holds a GET until there is something to bring home.
    pub(super) async fn fetch(self: &Arc<Self>) -> Result<Payload, Refusal> {
        let (underway, probing) = {
            let mut state = lock(&self.state);
            match (state.poll, state.phase) {
                (_, Phase::Closing(_) | Phase::Closed) => return Err(Refusal::UnknownSession),
                (PollSlot::Empty, Phase::Open | Phase::Kept(_)) => {}
                (PollSlot::Waiting | PollSlot::Nudged, _) => {
                    drop(state);
                    self.close(Reason::TransportError);
                    return Err(Refusal::BadRequest);
                }
            }
            state.poll = PollSlot::Waiting;
            match state.upgrade {
                Upgrade::Underway { probed, .. } => (true, probed),
                Upgrade::None | Upgrade::Done => (false, false),
            }
        };
        let began = Instant::now();
        let seat = PollGuard(self);
        let brought = poll_fn(|cx| self.poll_outbox(cx));
        let frames = if probing {
            tokio::time::timeout(HOLD_WHILE_PROBING, brought)
                .await
                .unwrap_or_else(|_| vec![Frame::NOOP])
        } else {
            brought.await
        };
        let left = CROSSED.saturating_sub(began.elapsed());
        let brings_nothing = || frames.iter().all(|frame| frame.is(&Frame::NOOP));
        if underway && !left.is_zero() && brings_nothing() {
            let stepped_up = poll_fn(|cx| self.poll_step_up(cx));
            if tokio::time::timeout(left, stepped_up).await.is_ok() {
                return Err(Refusal::BadRequest);
            }
        }
        drop(seat);
        let base64 = lock(&self.state).base64;
        Ok(payload::encode(self.revision(), &frames, base64))
    }

    /// Waits until the WebSocket carries the session.
    fn poll_step_up(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.transport == Transport::WebSocket {
            return Poll::Ready(());
        }
        state.transport_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbox(&self, cx: &Context<'_>) -> Poll<Vec<Frame>> {
        let mut state = lock(&self.state);
        let some = |state: &mut State| state.take_some(MAX_PACKETS_A_POLL, MAX_BYTES_A_POLL);
        let mut drained = None;
        let mut prober = None;
        let frames = match state.phase {
            Phase::Closed => vec![Frame::CLOSE],
            Phase::Closing(reason) => {
                state.phase = Phase::Closed;
                vec![match reason {
                    Reason::TransportClose => Frame::NOOP,
                    _ => Frame::CLOSE,
                }]
            }
            Phase::Kept(_) if !state.outbox.is_empty() => some(&mut state),
            Phase::Kept(_) => {
                state.phase = Phase::Closed;
                prober = state.upgrade.take_waker();
                self.shared.forget(self.sid());
                vec![Frame::NOOP, Frame::CLOSE]
            }
            Phase::Open if state.transport == Transport::WebSocket => vec![Frame::NOOP],
            Phase::Open if !state.outbox.is_empty() => {
                let frames = some(&mut state);
                if state.outbox.is_empty() && std::mem::take(&mut state.crowded) {
                    drained.clone_from(&state.connection);
                }
                frames
            }
            Phase::Open if state.poll == PollSlot::Nudged => vec![Frame::NOOP],
            Phase::Open => {
                state.transport_waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        };
        state.taken = self.shared.now();
        let room = state.wake_later();
        drop(state);
        wake(prober);
        room.into_iter().for_each(Waker::wake);
        if let Some(connection) = drained {
            connection.drained();
        }
        Poll::Ready(frames)
    }

    /// Begins a POST; a second one at the same time ends the session.
    pub(super) fn begin_post(self: &Arc<Self>) -> Result<Posting, Refusal> {
        let mut state = lock(&self.state);
        match state.phase {
            // The client does not know yet that it is over: what it sends is read and thrown away.
            Phase::Open | Phase::Kept(_) => {}
            Phase::Closing(_) | Phase::Closed => return Err(Refusal::UnknownSession),
        }
        if state.posting {
            drop(state);
            self.close(Reason::TransportError);
            return Err(Refusal::BadRequest);
        }
        state.posting = true;
        Ok(Posting(Arc::clone(self)))
    }

    /// Sends a waiting poll home, because a probe has come.
    pub(super) fn nudge_poll(&self) {
        let mut state = lock(&self.state);
        let transport_waker = if state.poll == PollSlot::Waiting {
            state.poll = PollSlot::Nudged;
            state.transport_waker.take()
        } else {
            None
        };
        drop(state);
        wake(transport_waker);
    }
}

/// The one seat for a held GET; it is free again however the GET ends.
struct PollGuard<'s>(&'s Arc<Session>);

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.poll = PollSlot::Empty;
    }
}

/// A POST that is being read.
pub(super) struct Posting(Arc<Session>);

impl Posting {
    /// Takes a body in: all its packets, in order, each when the connection is ready for it.
    pub(super) async fn receive(&self, body: Vec<u8>, octets: bool) -> Result<(), Refusal> {
        let session = &self.0;
        let phase = lock(&session.state).phase;
        match phase {
            Phase::Open => {}
            Phase::Kept(_) => return Ok(()),
            Phase::Closing(_) | Phase::Closed => return Err(Refusal::BadRequest),
        }
        let malformed = |reason| {
            session.end(reason, Farewell::None);
            Refusal::BadRequest
        };
        if octets && session.revision() == Revision::V4 {
            return Err(malformed(Reason::TransportError));
        }
        let body = bytes::Bytes::from(body);
        let packets = if octets {
            payload::decode_octets(&body)
        } else {
            str::from_utf8(&body)
                .map_err(|_| super::packet::Malformed)
                .and_then(|text| payload::decode_text(session.revision(), text))
        };
        let packets = packets.map_err(|_| malformed(Reason::ParseError))?;
        for packet in packets {
            // A client that takes nothing may still leave.
            if matches!(packet, Incoming::Message(_)) {
                poll_fn(|cx| session.poll_ready(cx)).await;
            }
            session.receive(packet);
        }
        Ok(())
    }

    /// The body ended too soon: the client is gone.
    pub(super) fn broken(&self) {
        self.0.close(Reason::TransportError);
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        lock(&self.0.state).posting = false;
    }
}

/// A poll's answer on its way. Dropped unread, it tells that its client has gone, and with it the
/// packets in it: the session cannot go on.
pub(super) struct Answer {
    body: Cursor<Vec<u8>>,
    session: Arc<Session>,
}

impl Answer {
    pub(super) fn new(body: Vec<u8>, session: Arc<Session>) -> Self {
        Self {
            body: Cursor::new(body),
            session,
        }
    }
}

impl AsyncRead for Answer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.body).poll_read(cx, buf)
    }
}

impl AsyncSeek for Answer {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.body).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.body).poll_complete(cx)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.body.position() < self.body.get_ref().len() as u64 {
            self.session.close(Reason::TransportError);
        }
    }
}
