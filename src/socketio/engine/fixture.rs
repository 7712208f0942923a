//! A session without a transport, for the tests of what is built on sessions.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use super::{handshake::Handshake, options::Options, session::Session, shared::Shared};

/// An open session of revision 4.
pub(crate) fn session() -> Arc<Session> {
    let shared = Arc::new(Shared::new(Options::default()));
    Session::new(&shared, Handshake::with_headers(&[], &[]), false)
}

/// Calls a waker once when frames are queued for the session, as for its transport.
pub(crate) fn wake_transport_by(session: &Session, waker: &Waker) {
    let closed = session.watch(&Context::from_waker(waker));
    assert!(closed.is_none(), "the session is open");
}
