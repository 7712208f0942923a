//! The one task of a WebSocket: carries the outbox away and brings messages in.

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
        Connection, Frame, Reason, Revision, Session, lock, packet::Incoming, payload::as_text,
        session::Refill,
    },
    Wire,
};

/// How long a client may take to confirm a close.
pub(super) const LINGER: Duration = Duration::from_secs(3);

/// The one task of a WebSocket. It is written by hand, because the state of an async function would
/// cost more than all it holds.
pub(super) struct Socket {
    session: Arc<Session>,
    connection: Option<Arc<dyn Connection>>,
    wire: Wire,
    /// The weight of the frames in the wire's queue, as the outbox counted them.
    batch: usize,
    stalled: bool,
    /// The client does not read just now.
    blocked: bool,
    base64: bool,
    /// The rule of the WebSocket protocol that the client broke: what it sends now is not understood.
    broken: Option<CloseCode>,
    /// Set once the close has been sent.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(session: Arc<Session>, wire: Wire) -> Self {
        session.shared.sockets.fetch_add(1, Ordering::SeqCst);
        let base64 = lock(&session.state).base64;
        Self {
            connection: session.connection(),
            session,
            wire,
            batch: 0,
            stalled: false,
            blocked: false,
            base64,
            broken: None,
            lingering: None,
        }
    }

    /// Writes until there is nothing left, or the client reads no more.
    fn carry(&mut self, cx: &mut Context<'_>) -> Flow {
        let mut carried = false;
        loop {
            let written = self.wire.poll_write(cx);
            self.blocked = written.is_pending();
            match written {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.session.close(Reason::TransportError);
                    return Flow::Over;
                }
                Poll::Pending if self.lingering.is_some() => return Flow::On,
                Poll::Pending => {
                    if mem::take(&mut self.wire.moved) {
                        self.session.note_taken();
                    }
                    let Some(reason) = self.session.watch(cx) else {
                        return Flow::On;
                    };
                    if !reason.is_orderly() {
                        return Flow::Over;
                    }
                    self.linger(cx);
                    return Flow::On;
                }
            }
            if self.lingering.is_some() && self.is_closing() {
                return Flow::On;
            }
            let written = mem::take(&mut self.batch);
            match self.session.refill(&mut self.wire.queue, written, cx) {
                Refill::Frames(weight) => {
                    carried = true;
                    self.batch = weight;
                    self.adapt();
                }
                Refill::Idle { readable: false } if carried => return Flow::Rest,
                Refill::Idle { .. } => return Flow::On,
                Refill::Over(reason) => {
                    self.connection = None;
                    let code = self.broken.unwrap_or(reason.close_code());
                    self.wire.close(code, cx);
                    self.linger(cx);
                }
            }
        }
    }

    /// Whether the close has been sent: the session's connection is then no longer held.
    fn is_closing(&self) -> bool {
        self.connection.is_none()
    }

    /// From now on the client has a little time left.
    fn linger(&mut self, cx: &mut Context<'_>) {
        let mut sleep = Box::pin(tokio::time::sleep(LINGER));
        // The first look registers the task; the time cannot be up yet.
        let _ = sleep.as_mut().poll(cx);
        self.lingering.get_or_insert(sleep);
    }

    /// Gives binary messages the form that this client reads.
    fn adapt(&mut self) {
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

    /// Reads until there is nothing more.
    fn bring(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.lingering.is_some() {
            return self.read(cx);
        }
        let waker = Waker::from(Arc::clone(&self.session));
        self.read(&mut Context::from_waker(&waker))
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.broken.is_some() {
            // Closed with bytes unread, TCP would take back what was just said.
            return match self.wire.poll_discard(cx) {
                Poll::Ready(()) => Flow::Over,
                Poll::Pending => Flow::On,
            };
        }
        loop {
            if !self.is_welcome(cx) {
                return Flow::On;
            }
            let message = match self.wire.poll_read(cx) {
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(error)) => {
                    self.session.close(why(&error));
                    self.broken = broken(&error).filter(|_| self.lingering.is_none());
                    return match self.broken {
                        Some(_) => Flow::Again,
                        None => Flow::Over,
                    };
                }
                Poll::Pending if self.wire.has_work() && !self.blocked => return Flow::Again,
                Poll::Pending => return Flow::On,
            };
            if self.take(&message) {
                return Flow::Again;
            }
        }
    }

    fn is_welcome(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(connection) = &self.connection else {
            return true;
        };
        let stalled =
            connection.poll_ready(cx).is_pending() || self.session.poll_room(cx).is_pending();
        if stalled != self.stalled {
            self.stalled = stalled;
            self.session.note_stalled(stalled);
        }
        !stalled
    }

    /// Takes a message in. True if there may be something to write now.
    fn take(&mut self, message: &Message) -> bool {
        let revision = self.session.revision();
        let packet = match message {
            Message::Text(text) => Incoming::text(revision, text),
            Message::Binary(bytes) => Incoming::binary(revision, bytes.clone()),
            Message::Close(_) => Ok(Incoming::Close),
            Message::Ping(_) => return true,
            Message::Pong(_) | Message::Frame(_) => return false,
        };
        match packet {
            Ok(packet) => self.session.receive(packet),
            Err(_) => self.session.close(Reason::ParseError),
        }
        true
    }
}

/// How a step of the task ended.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    /// All done for now.
    On,
    /// All done, and it was all there was to do.
    Rest,
    /// There may be something to write.
    Again,
    /// The task is over.
    Over,
}

impl Future for Socket {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Where it could not write, what it read may have more answers than one to send.
        let mut reading = self.blocked;
        loop {
            match self.carry(cx) {
                Flow::Over => return Poll::Ready(()),
                Flow::Rest if !reading => break,
                Flow::On | Flow::Again | Flow::Rest => reading = true,
            }
            // Before what still comes: a client that floods would keep the time from being looked at.
            if let Some(sleep) = &mut self.lingering
                && sleep.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(());
            }
            match self.bring(cx) {
                Flow::Again => {}
                Flow::Over => return Poll::Ready(()),
                Flow::On | Flow::Rest => break,
            }
        }
        Poll::Pending
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.session.close(Reason::TransportClose);
        let shared = &self.session.shared;
        shared.sockets.fetch_sub(1, Ordering::SeqCst);
        shared.client_gone.notify_waiters();
    }
}

/// The rule that a client broke, which it is told; none if the stream just ended.
fn broken(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

/// Why a stream that could not be read came to its end.
fn why(error: &Error) -> Reason {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Reason::TransportClose,
        Error::Io(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
            ) =>
        {
            Reason::TransportClose
        }
        _ => Reason::TransportError,
    }
}
