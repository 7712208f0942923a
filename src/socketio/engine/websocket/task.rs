//! The task of a WebSocket: writes the outbox and reads messages.

use std::{
    io::ErrorKind,
    mem,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::{
    Error, Message, error::ProtocolError, protocol::frame::coding::CloseCode,
};

use super::{
    super::{
        connection::Connection,
        frame::Frame,
        packet::Incoming,
        payload::as_text,
        protocol::Revision,
        reason::DisconnectReason,
        session::{Refill, Session},
    },
    wire::Wire,
};
use crate::sync::lock;

/// How long a client may take to confirm the closing handshake.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The task of a WebSocket. It is a hand-written future: the state machine of an async function would be
/// several times larger.
pub(super) struct Socket {
    session: Arc<Session>,
    connection: Option<Arc<dyn Connection>>,
    wire: Wire,
    /// The weight of the frames in the wire's queue, as counted in the outbox.
    batch: usize,
    /// Reading is paused, because the connection accepts no message now.
    stalled: bool,
    /// The stream takes no more bytes, because the client does not read.
    blocked: bool,
    base64: bool,
    /// The close code for a violation of the WebSocket protocol. Further input cannot be decoded.
    violation: Option<CloseCode>,
    /// The timeout for the closing handshake, set when the close frame has been queued.
    closing: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(session: Arc<Session>, wire: Wire) -> Self {
        session.shared.websockets.fetch_add(1, Ordering::SeqCst);
        let base64 = lock(&session.state).base64;
        Self {
            connection: session.connection(),
            session,
            wire,
            batch: 0,
            stalled: false,
            blocked: false,
            base64,
            violation: None,
            closing: None,
        }
    }

    /// Writes until the outbox is empty or the stream takes no more bytes.
    fn flush_outbox(&mut self, cx: &mut Context<'_>) -> Flow {
        let mut wrote = false;
        loop {
            let written = self.wire.poll_write(cx);
            self.blocked = written.is_pending();
            match written {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.session.close(DisconnectReason::TransportError);
                    return Flow::Done;
                }
                Poll::Pending if self.closing.is_some() => return Flow::Pending,
                Poll::Pending => {
                    if mem::take(&mut self.wire.moved) {
                        self.session.note_progress();
                    }
                    let Some(reason) = self.session.watch(cx) else {
                        return Flow::Pending;
                    };
                    if !reason.is_orderly() {
                        return Flow::Done;
                    }
                    self.start_close_timeout(cx);
                    return Flow::Pending;
                }
            }
            if self.closing.is_some() && self.is_closing() {
                return Flow::Pending;
            }
            let written = mem::take(&mut self.batch);
            match self.session.refill(&mut self.wire.queue, written, cx) {
                Refill::Frames(weight) => {
                    wrote = true;
                    self.batch = weight;
                    self.count_sent();
                    self.convert_binary();
                }
                Refill::Idle { readable: false } if wrote => return Flow::Idle,
                Refill::Idle { .. } => return Flow::Pending,
                Refill::Closed(reason) => {
                    self.connection = None;
                    let code = self.violation.unwrap_or(reason.close_code());
                    self.wire.close(code, cx);
                    self.start_close_timeout(cx);
                }
            }
        }
    }

    /// Counts the frames of a batch: once for all of them, since this is on the path of a broadcast.
    fn count_sent(&self) {
        let queue = &self.wire.queue;
        let bytes = queue.iter().map(Frame::len).sum();
        self.session.shared.counters.sent(queue.len(), bytes);
    }

    /// Whether the close frame has been queued: the session's connection is then no longer referenced.
    fn is_closing(&self) -> bool {
        self.connection.is_none()
    }

    /// Limits the time for the closing handshake.
    fn start_close_timeout(&mut self, cx: &mut Context<'_>) {
        let mut sleep = Box::pin(tokio::time::sleep(CLOSE_TIMEOUT));
        // The first poll registers the task. The time cannot have passed yet.
        let _ = sleep.as_mut().poll(cx);
        self.closing.get_or_insert(sleep);
    }

    /// Converts binary messages to the form that this client needs.
    fn convert_binary(&mut self) {
        let revision = self.session.revision();
        if revision == Revision::V4 && !self.base64 {
            return;
        }
        for frame in self.wire.queue.iter_mut().filter(|frame| frame.is_binary()) {
            *frame = if self.base64 {
                let text = as_text(revision, frame);
                Frame::packet(&String::from_utf8_lossy(&text))
            } else {
                frame.with_type_byte()
            };
        }
    }

    /// Reads messages until there are no more.
    fn read_messages(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.closing.is_some() {
            return self.read(cx);
        }
        let waker = Waker::from(Arc::clone(&self.session));
        self.read(&mut Context::from_waker(&waker))
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.violation.is_some() {
            // If a stream is closed with unread input, TCP discards the close frame that was just written.
            return match self.wire.poll_discard(cx) {
                Poll::Ready(()) => Flow::Done,
                Poll::Pending => Flow::Pending,
            };
        }
        loop {
            if !self.may_read(cx) {
                return Flow::Pending;
            }
            let message = match self.wire.poll_read(cx) {
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(error)) => {
                    self.session.close(read_error(&error));
                    self.violation = violation(&error).filter(|_| self.closing.is_none());
                    return match self.violation {
                        Some(_) => Flow::Write,
                        None => Flow::Done,
                    };
                }
                Poll::Pending if self.wire.has_work() && !self.blocked => return Flow::Write,
                Poll::Pending => return Flow::Pending,
            };
            if self.handle(&message) {
                return Flow::Write;
            }
        }
    }

    fn may_read(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(connection) = &self.connection else {
            return true;
        };
        let stalled =
            connection.poll_ready(cx).is_pending() || self.session.poll_capacity(cx).is_pending();
        if stalled != self.stalled {
            self.stalled = stalled;
            self.session.note_stalled(stalled);
        }
        !stalled
    }

    /// Handles a message. True if there may be something to write now.
    fn handle(&mut self, message: &Message) -> bool {
        let revision = self.session.revision();
        let counters = &self.session.shared.counters;
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            counters.received_packet();
            counters.received_bytes(message.len());
        }
        let packet = match message {
            Message::Text(text) => Incoming::text(revision, text),
            Message::Binary(bytes) => Incoming::binary(revision, bytes.clone()),
            Message::Close(_) => Ok(Incoming::Close),
            Message::Ping(_) => return true,
            Message::Pong(_) | Message::Frame(_) => return false,
        };
        match packet {
            Ok(packet) => self.session.receive(packet),
            Err(_) => self.session.close(DisconnectReason::ParseError),
        }
        true
    }
}

/// How a step of the task ended, and what the task does next.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    /// The step can do no more now.
    Pending,
    /// The outbox was written, and there is nothing to read.
    Idle,
    /// There may be something to write.
    Write,
    /// The task ends.
    Done,
}

impl Future for Socket {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // After a write was blocked, messages may be unread that arrived meanwhile.
        let mut reading = self.blocked;
        loop {
            match self.flush_outbox(cx) {
                Flow::Done => return Poll::Ready(()),
                Flow::Idle if !reading => break,
                Flow::Pending | Flow::Write | Flow::Idle => reading = true,
            }
            // Before reading: a client that sends without pause would otherwise defer the timeout.
            if let Some(sleep) = &mut self.closing
                && sleep.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(());
            }
            match self.read_messages(cx) {
                Flow::Write => {}
                Flow::Done => return Poll::Ready(()),
                Flow::Pending | Flow::Idle => break,
            }
        }
        Poll::Pending
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.session.close(DisconnectReason::TransportClose);
        let shared = &self.session.shared;
        shared.websockets.fetch_sub(1, Ordering::SeqCst);
        shared.ended.notify_waiters();
    }
}

/// The close code for a protocol violation; `None` if the stream has just ended.
fn violation(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

/// The reason for closing the session after a read has failed.
fn read_error(error: &Error) -> DisconnectReason {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            DisconnectReason::TransportClose
        }
        Error::Io(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
            ) =>
        {
            DisconnectReason::TransportClose
        }
        _ => DisconnectReason::TransportError,
    }
}
