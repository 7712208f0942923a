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

/// How many bytes of several frames, and of frames in several pieces, are combined in one write.
const GATHERED: usize = 16 << 10;

thread_local! {
    /// Small pieces are combined here: copying them costs less than a system call for each.
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
            let written = match piece_after(frames, self.written + first.len()) {
                Some(second) if first.len() + second.len() <= GATHERED => {
                    ready!(GATHER.with_borrow_mut(|gathered| {
                        gather(frames, self.written, gathered);
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

/// The contiguous piece after the first `from` bytes of these frames, of which the first one has at least so many.
fn piece_after(frames: &[Frame], from: usize) -> Option<&[u8]> {
    let (first, others) = frames.split_first()?;
    if from < first.len() {
        return Some(first.piece(from));
    }
    others.first().map(|next| next.piece(0))
}

/// Combines what comes after the first `from` bytes of these frames: as many pieces, which need not be whole frames, as
/// fit.
fn gather(frames: &[Frame], mut from: usize, gathered: &mut Vec<u8>) {
    gathered.clear();
    for frame in frames {
        while from < frame.len() {
            let piece = frame.piece(from);
            if gathered.len() + piece.len() > GATHERED {
                return;
            }
            gathered.extend_from_slice(piece);
            from += piece.len();
        }
        from = 0;
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
mod tests;
