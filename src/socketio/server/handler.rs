//! What an application does in a namespace.

use std::pin::Pin;

use serde_json::{Map, Value};

use super::{Admission, Event, Refusal, Socket};
use crate::engine::Reason;

/// What an application does in a namespace.
///
/// The functions of one socket are called one after another, in order; those of different sockets at
/// the same time. A function that panics is logged, and the socket lives on.
///
/// For a handful of closures instead of a type see [`Events`](super::Events).
pub trait Handler: Send + Sync + 'static {
    /// Somebody asks to be let in, with what they show for it: the payload of `CONNECT`, or in
    /// revision 4 the namespace's query. Nothing can be sent to them yet.
    fn admit(
        &self,
        _socket: &Socket,
        _auth: Option<&Map<String, Value>>,
    ) -> impl Future<Output = Result<Admission, Refusal>> + Send {
        async { Ok(Admission::new()) }
    }

    /// They are in, and know it.
    fn connected(&self, _socket: &Socket) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// They sent an event.
    fn event(&self, socket: &Socket, event: Event) -> impl Future<Output = ()> + Send;

    /// All that waited for them has been sent, after [`Socket::try_emit`] had said that it was too much.
    fn drained(&self, _socket: &Socket) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// They are gone. Nothing comes after it.
    fn disconnected(&self, _socket: &Socket, _reason: Reason) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A future on the heap.
pub(super) type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A [`Handler`] whose type is forgotten.
pub(super) trait AnyHandler: Send + Sync {
    fn admit<'f>(
        &'f self,
        socket: &'f Socket,
        auth: Option<&'f Map<String, Value>>,
    ) -> Boxed<'f, Result<Admission, Refusal>>;
    fn connected<'f>(&'f self, socket: &'f Socket) -> Boxed<'f, ()>;
    fn event<'f>(&'f self, socket: &'f Socket, event: Event) -> Boxed<'f, ()>;
    fn drained<'f>(&'f self, socket: &'f Socket) -> Boxed<'f, ()>;
    fn disconnected<'f>(&'f self, socket: &'f Socket, reason: Reason) -> Boxed<'f, ()>;
}

impl<H: Handler> AnyHandler for H {
    fn admit<'f>(
        &'f self,
        socket: &'f Socket,
        auth: Option<&'f Map<String, Value>>,
    ) -> Boxed<'f, Result<Admission, Refusal>> {
        Box::pin(Handler::admit(self, socket, auth))
    }

    fn connected<'f>(&'f self, socket: &'f Socket) -> Boxed<'f, ()> {
        Box::pin(Handler::connected(self, socket))
    }

    fn event<'f>(&'f self, socket: &'f Socket, event: Event) -> Boxed<'f, ()> {
        Box::pin(Handler::event(self, socket, event))
    }

    fn drained<'f>(&'f self, socket: &'f Socket) -> Boxed<'f, ()> {
        Box::pin(Handler::drained(self, socket))
    }

    fn disconnected<'f>(&'f self, socket: &'f Socket, reason: Reason) -> Boxed<'f, ()> {
        Box::pin(Handler::disconnected(self, socket, reason))
    }
}
