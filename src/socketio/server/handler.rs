//! The functions of an application that a namespace calls.

use std::pin::Pin;

use futures_util::FutureExt;
use serde_json::{Map, Value};

use super::{
    admission::{Admission, ConnectError},
    event::Event,
    socket::Socket,
};
use crate::engine::DisconnectReason;

/// The functions of an application that a namespace calls.
///
/// For one socket they are called one after another, in order; for different sockets concurrently. (What
/// [`Handler::begin_event`] returns goes on while further events of the socket begin.) A panic is caught and
/// logged, and the socket stays connected.
///
/// [`Events`](super::Events) is a handler that is made of closures.
pub trait Handler: Send + Sync + 'static {
    /// Decides whether a client may join. `auth` is the payload of its `CONNECT` packet, or in
    /// revision 4 the query of the namespace. Nothing can be emitted to the socket yet.
    fn admit(
        &self,
        _socket: &Socket,
        _auth: Option<&Map<String, Value>>,
    ) -> impl Future<Output = Result<Admission, ConnectError>> + Send {
        async { Ok(Admission::new()) }
    }

    /// The client has joined, and its `CONNECT` packet has been sent.
    fn on_connect(&self, _socket: &Socket) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The client has sent an event.
    fn on_event(&self, socket: &Socket, event: Event) -> impl Future<Output = ()> + Send;

    /// Whether an event is pipelined: it may begin while earlier pipelined events of its socket are not
    /// answered yet. Then [`Handler::begin_event`] is called for it, not [`Handler::on_event`].
    fn is_pipelined(&self, _event: &Event) -> bool {
        false
    }

    /// The client has sent an event that is pipelined. What this returns is awaited after it, in the order of
    /// the events, while further pipelined events begin: at most [`MAX_OPEN`] at a time. All other calls for
    /// the socket wait until it is done.
    fn begin_event(
        &self,
        socket: &Socket,
        event: Event,
    ) -> impl Future<Output = PipelinedAnswer> + Send {
        async {
            self.on_event(socket, event).await;
            PipelinedAnswer::done()
        }
    }

    /// The outbox is empty again, after it was full for [`Socket::try_emit`] or a broadcast.
    fn on_drain(&self, _socket: &Socket) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The socket has left the namespace. This is the last call for it.
    fn on_disconnect(
        &self,
        _socket: &Socket,
        _reason: DisconnectReason,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A pipelined event that is not answered yet.
pub struct PipelinedAnswer(pub(super) AnswerState);

/// How far a pipelined event has come.
pub(super) enum AnswerState {
    /// Its outcome is waited for. What comes of it answers it.
    Waiting(BoxFuture<'static, BoxFuture<'static, ()>>),
    /// It is being answered.
    Answering(BoxFuture<'static, ()>),
}

impl PipelinedAnswer {
    /// Once the outcome is known, `answer` is called with it, and what it returns answers the event. That is begun
    /// only while the outbox is below its limit, and is then not interrupted: it may wait for locks.
    pub fn new<T, A>(
        outcome: impl Future<Output = T> + Send + 'static,
        answer: impl FnOnce(T) -> A + Send + 'static,
    ) -> Self
    where
        A: Future<Output = ()> + Send + 'static,
    {
        let answered = outcome.map(|outcome| Box::pin(answer(outcome)) as BoxFuture<'static, ()>);
        Self(AnswerState::Waiting(Box::pin(answered)))
    }

    /// It is answered.
    pub fn done() -> Self {
        Self(AnswerState::Answering(Box::pin(std::future::ready(()))))
    }
}

/// How many pipelined events of one socket are open at a time.
pub const MAX_OPEN: usize = 64;

/// A future on the heap.
pub(super) type BoxFuture<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A [`Handler`] as a trait object.
pub(super) trait ErasedHandler: Send + Sync {
    fn admit<'f>(
        &'f self,
        socket: &'f Socket,
        auth: Option<&'f Map<String, Value>>,
    ) -> BoxFuture<'f, Result<Admission, ConnectError>>;
    fn on_connect<'f>(&'f self, socket: &'f Socket) -> BoxFuture<'f, ()>;
    fn on_event<'f>(&'f self, socket: &'f Socket, event: Event) -> BoxFuture<'f, ()>;
    fn is_pipelined(&self, event: &Event) -> bool;
    fn begin_event<'f>(
        &'f self,
        socket: &'f Socket,
        event: Event,
    ) -> BoxFuture<'f, PipelinedAnswer>;
    fn on_drain<'f>(&'f self, socket: &'f Socket) -> BoxFuture<'f, ()>;
    fn on_disconnect<'f>(
        &'f self,
        socket: &'f Socket,
        reason: DisconnectReason,
    ) -> BoxFuture<'f, ()>;
}

impl<H: Handler> ErasedHandler for H {
    fn admit<'f>(
        &'f self,
        socket: &'f Socket,
        auth: Option<&'f Map<String, Value>>,
    ) -> BoxFuture<'f, Result<Admission, ConnectError>> {
        Box::pin(Handler::admit(self, socket, auth))
    }

    fn on_connect<'f>(&'f self, socket: &'f Socket) -> BoxFuture<'f, ()> {
        Box::pin(Handler::on_connect(self, socket))
    }

    fn on_event<'f>(&'f self, socket: &'f Socket, event: Event) -> BoxFuture<'f, ()> {
        Box::pin(Handler::on_event(self, socket, event))
    }

    fn is_pipelined(&self, event: &Event) -> bool {
        Handler::is_pipelined(self, event)
    }

    fn begin_event<'f>(
        &'f self,
        socket: &'f Socket,
        event: Event,
    ) -> BoxFuture<'f, PipelinedAnswer> {
        Box::pin(Handler::begin_event(self, socket, event))
    }

    fn on_drain<'f>(&'f self, socket: &'f Socket) -> BoxFuture<'f, ()> {
        Box::pin(Handler::on_drain(self, socket))
    }

    fn on_disconnect<'f>(
        &'f self,
        socket: &'f Socket,
        reason: DisconnectReason,
    ) -> BoxFuture<'f, ()> {
        Box::pin(Handler::on_disconnect(self, socket, reason))
    }
}
