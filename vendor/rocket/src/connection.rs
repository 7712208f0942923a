//! Added by Parlance: what an application may do with connections. See `vendor/README.md`.
//!
//! A [`Bounds`] that is managed as [`ConnectionBounds`] is asked before each connection is accepted,
//! may wrap its bytes, is told where its requests begin and its answers end, and may end it. Without
//! one, Rocket serves as it always did.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::future::{poll_fn, Future};

use bytes::Bytes;
use futures::future::{ready, BoxFuture};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http::hyper::body::{Body, Frame, SizeHint};

/// The bytes of a connection, both ways.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What bounds connections. Every method does what Rocket does without it.
pub trait Bounds: Send + Sync + 'static {
    /// Waits until one more connection may be accepted.
    fn admit(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Is told that no connection could be accepted; says how long to wait before the next attempt.
    fn accept_failed(&self, error: &io::Error) -> Duration {
        let pause = Duration::from_millis(250);
        warn!("accept error {}; recovery attempt in {}ms", error, pause.as_millis());
        pause
    }

    /// Takes a connection that was accepted.
    fn opened(&self, stream: Box<dyn ByteStream>) -> (Box<dyn ByteStream>, Arc<dyn Watch>) {
        (stream, Arc::new(Unbounded))
    }
}

/// What watches one connection. All methods but `body_timer` are called by the connection's task.
pub trait Watch: Send + Sync + 'static {
    /// The head of a request has arrived.
    fn request_begun(&self, _has_body: bool) {}

    /// The answer is on its way whole, or will never be.
    fn answer_ended(&self) {}

    /// Is ready when the connection must end. Called after the connection has done what it could.
    fn poll_expired(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// The connection has ended, or is now whose it was upgraded for: it is watched no longer.
    fn released(&self) {}

    /// Is asked when a request's body is waited for the first time.
    fn body_timer(&self) -> Box<dyn BodyTimer> {
        Box::new(Unbounded)
    }
}

/// What bounds the arrival of one request's body.
pub trait BodyTimer: Send {
    /// Some of the body has arrived.
    fn progressed(&mut self) {}

    /// Is ready when the rest must not be waited for.
    fn poll_expired(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// Bounds nothing.
struct Unbounded;

impl Bounds for Unbounded {}
impl Watch for Unbounded {}
impl BodyTimer for Unbounded {}

/// The state by which an application says what bounds its connections.
#[derive(Clone)]
pub struct ConnectionBounds(Arc<dyn Bounds>);

impl ConnectionBounds {
    /// To be handed to `Rocket::manage()`.
    pub fn new(bounds: Arc<dyn Bounds>) -> Self {
        Self(bounds)
    }

    pub(crate) fn of<P: crate::Phase>(rocket: &crate::Rocket<P>) -> Arc<dyn Bounds> {
        rocket.state::<Self>().map_or_else(|| Arc::new(Unbounded) as _, |own| own.0.clone())
    }
}

/// Serves a connection until it ends or its time is over.
pub(crate) async fn serve_watched<F, E>(mut server: Pin<&mut F>, watch: &dyn Watch) -> Result<(), E>
    where F: Future<Output = Result<(), E>>
{
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = server.as_mut().poll(cx) {
            return Poll::Ready(result);
        }

        // Once more, so that the stream can say its last word.
        watch.poll_expired(cx).map(|()| {
            let _ = server.as_mut().poll(cx);
            Ok(())
        })
    }).await;

    watch.released();
    result
}

/// From the arrival of a request's head until the whole answer is on its way.
pub(crate) struct Exchange(Arc<dyn Watch>);

impl Exchange {
    pub(crate) fn begin(watch: Arc<dyn Watch>, has_body: bool) -> Self {
        watch.request_begun(has_body);
        Self(watch)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.answer_ended();
    }
}

/// The body of an answer, with which an exchange ends.
pub(crate) struct ExchangeBody<B> {
    body: B,
    _exchange: Exchange,
}

impl<B> ExchangeBody<B> {
    pub(crate) fn new(body: B, exchange: Exchange) -> Self {
        Self { body, _exchange: exchange }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ExchangeBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bounds how long a request's body is waited for.
#[derive(Default)]
pub(crate) struct BodyClock {
    watch: Option<Arc<dyn Watch>>,
    timer: Option<Box<dyn BodyTimer>>,
}

impl BodyClock {
    pub(crate) fn new(watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch), timer: None }
    }

    pub(crate) fn bound<T>(
        &mut self,
        next: Poll<Option<io::Result<T>>>,
        cx: &mut Context<'_>
    ) -> Poll<Option<io::Result<T>>> {
        let Some(watch) = &self.watch else { return next };
        if next.is_ready() {
            if let Some(timer) = &mut self.timer {
                timer.progressed();
            }

            return next;
        }

        let timer = self.timer.get_or_insert_with(|| watch.body_timer());
        timer.poll_expired(cx).map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    }
}
