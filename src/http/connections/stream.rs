//! The bytes of one connection, on their way past its watch.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rocket::connection::ByteStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Slot,
    watch::{ConnectionWatch, End},
};

/// The answer to a client that began a request and did not end it in time.
const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A connection whose watch sees what arrives and whether what is sent is taken.
pub(super) struct WatchedStream {
    stream: Box<dyn ByteStream>,
    watch: Arc<ConnectionWatch>,
    _slot: Slot,
}

impl WatchedStream {
    pub(super) fn new(
        stream: Box<dyn ByteStream>,
        watch: Arc<ConnectionWatch>,
        slot: Slot,
    ) -> Self {
        Self {
            stream,
            watch,
            _slot: slot,
        }
    }

    fn inner(&mut self) -> Pin<&mut dyn ByteStream> {
        Pin::new(&mut *self.stream)
    }

    /// Tells the watch whether the client takes what it is sent.
    fn sent<T>(&self, result: Poll<T>) -> Poll<T> {
        self.watch.sent(result.is_ready());
        result
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(end) = self.watch.end() {
            if end == End::InHead && self.inner().poll_write(cx, TIMED_OUT).is_ready() {
                // As far as it goes at once: nobody waits for a client that is late.
                let _ = self.inner().poll_flush(cx);
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = self.inner().poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.received();
        }
        result
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.inner().poll_write(cx, bytes);
        self.sent(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.inner().poll_write_vectored(cx, slices);
        self.sent(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.inner().poll_flush(cx);
        self.sent(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.inner().poll_shutdown(cx);
        self.sent(result)
    }
}
