//! Sessions of other servers behind the same balancer: requests for them are passed on to where they are.
//!
//! # Why
//! A session is in the memory of one server, and a client that polls opens its next request wherever the balancer sends
//! it. So a session's id begins with its server's tag, and the server that gets a request for it asks that server and hands out
//! its answer. A WebSocket to which such a session is upgraded is passed on as a stream of bytes. So nothing of a
//! session has to be known here, and the balancer needs to know nothing at all.
//!
//! A request that is passed on shows a secret of the server that it goes to. It is never passed on a second time, so there
//! are no loops.
//!
//! A server that gets no answer says that the session is unknown: its client then begins a new one at once, and recovers
//! it where it has asked for that.
//!
//! Which servers there are is told by a [`Directory`]: a list that does not change is [`Fixed`].

mod body;
mod directory;
mod exchange;
mod fixed;
mod known;
mod request;
mod tunnel;

use std::{fmt, sync::Arc, time::Duration};

use rocket::{
    Data, Request, Response,
    http::{Method, Status},
};
use tokio_util::sync::CancellationToken;

use crate::engine::{Peers, RemoteSession};

use body::{Closing, RemoteBody};
use directory::PROOF;
use exchange::Answer;
use known::KnownSessions;
use tunnel::Tunnel;

pub use directory::{Directory, Peer};
pub use fixed::Fixed;

/// Beside the time for which a poll may be held.
const MARGIN: Duration = Duration::from_secs(5);

/// Passes requests on. Clones are one.
#[derive(Clone)]
pub struct Forwarder(Arc<Shared>);

struct Shared {
    directory: Box<dyn Directory>,
    /// The longest that an answer may take.
    timeout: Duration,
    /// Cancelled when this server begins to stop.
    closing: CancellationToken,
    known: KnownSessions,
}

impl Forwarder {
    /// A poll is held for up to that long. What is passed on ends when `closing` is cancelled.
    pub fn new(
        directory: impl Directory,
        longest_poll: Duration,
        closing: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            directory: Box::new(directory),
            timeout: longest_poll + MARGIN,
            closing,
            known: KnownSessions::default(),
        }))
    }

    /// Whether another server has had this session a moment ago.
    pub fn has_session(&self, sid: &str) -> bool {
        self.0.known.has(sid)
    }

    /// Sends a request on, and waits for the head of its answer.
    async fn exchange(&self, peer: &Peer, request: exchange::Outgoing) -> Option<Answer> {
        let answered = async {
            tokio::select! {
                () = self.0.closing.cancelled() => None,
                answered = exchange::send(&peer.address, request) => Some(answered),
            }
        };
        match tokio::time::timeout(self.0.timeout, answered).await {
            Ok(Some(Ok(answer))) => Some(answer),
            Ok(Some(Err(cause))) => {
                tracing::debug!(%cause, address = peer.address, "Another server gave no answer.");
                None
            }
            Ok(None) | Err(_) => None,
        }
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder").finish_non_exhaustive()
    }
}

#[rocket::async_trait]
impl Peers for Forwarder {
    fn prefix(&self) -> &str {
        self.0.directory.tag()
    }

    fn admits(&self, request: &Request<'_>) -> bool {
        let mut shown = request.headers().get(PROOF);
        shown.all(|shown| self.0.directory.is_secret(shown))
    }

    fn has_passed_on(&self, request: &Request<'_>) -> bool {
        request.headers().contains(PROOF)
    }

    async fn pass_on<'r>(
        &self,
        request: &'r Request<'_>,
        session: RemoteSession<'_>,
        data: Data<'r>,
    ) -> Option<Response<'r>> {
        let is_poll = request.method() == Method::Get;
        if self.has_passed_on(request) || !(is_poll || request.method() == Method::Post) {
            return None;
        }
        let peer = self.0.directory.find(session.sid).await?;
        let outgoing = match request::outgoing(request, &peer, data).await {
            Ok(outgoing) => outgoing,
            Err(refusal) => {
                if refusal == Status::BadRequest {
                    // The client has gone in the middle of it.
                    Closing::new(request, &peer, session.revision).send();
                }
                return Some(Response::build().status(refusal).finalize());
            }
        };
        let closing = Closing::new(request, &peer, session.revision);
        let Some(answer) = self.exchange(&peer, outgoing).await else {
            // Its poll may be held there, with what nobody will read.
            closing.send();
            self.0.known.forget(session.sid);
            return None;
        };
        let status = answer.status().as_u16();
        if status < 400 {
            self.0.known.note(session.sid);
        } else {
            self.0.known.forget(session.sid);
        }
        if status == 101 {
            return Some(Tunnel::open(answer, self.0.closing.clone()));
        }
        Some(RemoteBody::respond(answer, is_poll.then_some(closing)))
    }
}
