//! A WebSocket on a byte stream: tungstenite reads, encoded frames are written without it.

use std::{
    cell::RefCell,
    io::{self, ErrorKind, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use rocket::{
    data::IoStream,
    tokio::io::{AsyncRead, AsyncWrite, ReadBuf},
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{
        CloseFrame, Role, WebSocketConfig, WebSocketContext,
        frame::{Utf8Bytes, coding::CloseCode},
    },
};

use super::super::{frame::Frame, session::MAX_IDLE_CAPACITY, state::Batch};

/// The initial size of the read buffer. Most messages from clients are smaller.
const READ_BUFFER: usize = 512;

/// How many bytes of several frames are combined in one write.
const GATHERED: usize = 16 << 10;

thread_local! {
    /// Small frames are combined here: copying them costs less than a system call for each.
    static GATHER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(GATHERED));
}

/// A WebSocket on a byte stream.
pub(super) struct Wire<I = IoStream> {
    io: I,
    /// The frames that are being written. It is emptied when all are.
    pub(super) queue: Batch,
    /// The index of the next one.
    next: usize,
    /// How many bytes of that one have been written.
    written: usize,
    unflushed: bool,
    /// Something was written since this was last reset.
    pub(super) moved: bool,
    /// Reads frames. It is boxed so that the fields used by each write are adjacent.
    context: Box<WebSocketContext>,
    /// A pong or close frame from tungstenite. It produces the next one when this has been taken.
    reply: Option<Box<Frame>>,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Wire<I> {
    pub(super) fn new(io: I, max_payload: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(512)
            .max_message_size(Some(max_payload))
            .max_frame_size(Some(max_payload));
        Self {
            io,
            queue: Batch::new(),
            next: 0,
            written: 0,
            unflushed: false,
            moved: false,
            context: Box::new(WebSocketContext::new(Role::Server, Some(config))),
            reply: None,
        }
    }

    /// Reads one message.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let mut side = Side {
            io: &mut self.io,
            reply: &mut self.reply,
            cx,
        };
        match self.context.read(&mut side) {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            other => Poll::Ready(other),
        }
    }

    /// Reads and discards input. Ready at the end of the stream.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }

    /// Whether there is something to write.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.reply.is_some() || self.unflushed
    }

    /// Writes everything there is, then flushes once.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.has_work() {
            if self.written == 0
                && let Some(reply) = self.reply.take()
            {
                self.queue.insert(self.next, *reply);
            }
            if self.queue.is_empty() {
                ready!(Pin::new(&mut self.io).poll_flush(cx))?;
                self.unflushed = false;
                continue;
            }
            let io = Pin::new(&mut self.io);
            let frames = &self.queue[self.next..];
            let first = frames[0].piece(self.written);
            // The next frame, if this piece ends the first one and the next is contiguous in memory.
            let ends = self.written + first.len() == frames[0].len();
            let second = frames.get(1).filter(|_| ends).and_then(Frame::whole);
            let written = match second {
                Some(second) if first.len() + second.len() <= GATHERED => {
                    let rest = frames.iter().skip(1);
                    ready!(GATHER.with_borrow_mut(|gathered| {
                        gathered.clear();
                        gathered.extend_from_slice(first);
                        for frame in rest.map_while(Frame::whole) {
                            if gathered.len() + frame.len() > GATHERED {
                                break;
                            }
                            gathered.extend_from_slice(frame);
                        }
                        io.poll_write(cx, gathered)
                    }))?
                }
                Some(_) | None => ready!(io.poll_write(cx, first))?,
            };
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.moved = true;
            self.advance(written);
        }
        if self.queue.capacity() > MAX_IDLE_CAPACITY {
            self.queue = Batch::new();
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(frame) = self.queue.get(self.next) {
            let left = frame.len() - self.written;
            if written < left {
                self.written += written;
                return;
            }
            written -= left;
            self.written = 0;
            self.next += 1;
        }
        self.queue.clear();
        self.next = 0;
    }

    /// Begins the closing handshake, or replies to the client's.
    pub(super) fn close(&mut self, code: CloseCode, cx: &mut Context<'_>) {
        let mut side = Side {
            io: &mut self.io,
            reply: &mut self.reply,
            cx,
        };
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::default(),
        };
        // It fails only if the connection is closed already.
        let _ = self.context.close(&mut side, Some(frame));
    }
}

/// The stream for tungstenite: it reads directly, and what it writes becomes a frame of the queue.
struct Side<'s, 'c, I> {
    io: &'s mut I,
    reply: &'s mut Option<Box<Frame>>,
    cx: &'s mut Context<'c>,
}

impl<I: AsyncRead + Unpin> Read for Side<'_, '_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.io).poll_read(self.cx, &mut buffer) {
            Poll::Ready(Ok(())) => Ok(buffer.filled().len()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<I> Write for Side<'_, '_, I> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One pong at a time: a client that sends pings and does not read must not fill the memory.
        if self.reply.is_some() {
            return Err(ErrorKind::WouldBlock.into());
        }
        *self.reply = Some(Box::new(Frame::raw(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::{super::super::frame::Body, *};

    /// A stream that records what is written and counts the calls.
    struct Stream {
        incoming: Vec<u8>,
        written: Vec<u8>,
        writes: usize,
        flushes: usize,
        /// How many bytes one write takes.
        write_size: usize,
        /// Every other write returns `Pending`.
        blocks_every_other: bool,
    }

    impl AsyncRead for Stream {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if self.incoming.is_empty() {
                return Poll::Pending;
            }
            buffer.put_slice(&self.incoming);
            self.incoming.clear();
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.writes += 1;
            if self.blocks_every_other && self.writes.is_multiple_of(2) {
                return Poll::Pending;
            }
            let taken = bytes.len().min(self.write_size);
            self.written.extend_from_slice(&bytes[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire(write_size: usize, blocks_every_other: bool) -> Wire<Stream> {
        let stream = Stream {
            incoming: Vec::new(),
            written: Vec::new(),
            writes: 0,
            flushes: 0,
            write_size,
            blocks_every_other,
        };
        Wire::new(stream, 1000)
    }

    fn frames(count: usize, length: usize) -> Vec<Frame> {
        let frame = |number| Frame::text(&format!("{number:0length$}"));
        (0..count).map(frame).collect()
    }

    fn bytes_of(frames: &[Frame]) -> Vec<u8> {
        let pieces = |frame: &Frame| -> Vec<u8> {
            let mut bytes = Vec::new();
            while bytes.len() < frame.len() {
                bytes.extend_from_slice(frame.piece(bytes.len()));
            }
            bytes
        };
        frames.iter().flat_map(pieces).collect()
    }

    fn write(wire: &mut Wire<Stream>) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        match wire.poll_write(&mut cx) {
            Poll::Ready(written) => {
                written.expect("it takes everything");
                true
            }
            Poll::Pending => false,
        }
    }

    #[test]
    fn small_frames_leave_together_and_are_flushed_once() {
        let frames = frames(100, 100);
        let mut wire = wire(usize::MAX, false);
        wire.queue.extend(frames.iter().cloned());
        assert!(write(&mut wire));
        assert!(!wire.has_work());
        assert_eq!(wire.io.written, bytes_of(&frames));
        assert_eq!((wire.io.writes, wire.io.flushes), (1, 1));
        // Without a write there is no flush.
        assert!(write(&mut wire));
        assert_eq!((wire.io.writes, wire.io.flushes), (1, 1));
    }

    #[test]
    fn more_than_is_gathered_takes_several_writes_and_one_flush() {
        // Two frames fit into one write, a third does not. The last one is too large to be copied.
        let mut frames = frames(5, GATHERED / 2 - 10);
        frames.push(Frame::text(&"x".repeat(3 * GATHERED)));
        let mut wire = wire(usize::MAX, false);
        wire.queue.extend(frames.iter().cloned());
        assert!(write(&mut wire));
        assert_eq!(wire.io.written, bytes_of(&frames));
        assert_eq!((wire.io.writes, wire.io.flushes), (4, 1));
    }

    #[test]
    fn a_stream_of_small_writes_gets_every_byte_in_order() {
        let body = "body".repeat(20).into();
        let shared = [("4[", Body::Own), ("43[", Body::Borrowed)]
            .map(|(start, whose)| Frame::around(start, (&body, whose), "]"));
        for blocks_every_other in [false, true] {
            let frames = [
                frames(30, 1),
                shared.to_vec(),
                frames(30, 20),
                frames(1, 300),
            ]
            .concat();
            let mut wire = wire(7, blocks_every_other);
            wire.queue.extend(frames.iter().cloned());
            while !write(&mut wire) {
                assert!(blocks_every_other);
            }
            assert_eq!(wire.io.written, bytes_of(&frames));
            assert_eq!(wire.io.flushes, 1);
        }
    }

    /// The position of a pong among three frames of `length`, if the ping arrives while the first frame is
    /// being written.
    fn place_of_reply(length: usize) -> usize {
        let reply = b"\x8a\x02hi";
        let frames = frames(3, length);
        let mut wire = wire(7, true);
        wire.queue.extend(frames.iter().cloned());
        assert!(!write(&mut wire));
        // A ping, masked with zeros.
        wire.io.incoming = b"\x89\x82\0\0\0\0hi".to_vec();
        let mut cx = Context::from_waker(Waker::noop());
        let read = wire.poll_read(&mut cx);
        assert!(matches!(read, Poll::Ready(Ok(Message::Ping(_)))));
        assert!(wire.poll_read(&mut cx).is_pending());
        while !write(&mut wire) {}
        let mut written = wire.io.written;
        let mut places = written.windows(reply.len());
        let place = places.position(|bytes| bytes == reply);
        let place = place.expect("it was written");
        written.drain(place..place + reply.len());
        assert_eq!(written, bytes_of(&frames));
        place
    }

    #[test]
    fn a_reply_comes_between_frames() {
        // Three writes take exactly the first frame.
        assert_eq!(place_of_reply(18), 21);
        // No write ends with the first frame: its rest is combined with the start of the second.
        assert_eq!(place_of_reply(20) % 23, 0);
    }
}
