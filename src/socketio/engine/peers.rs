//! Other servers behind the same balancer, and requests for their sessions.

use std::fmt;

use rocket::{Data, Request, Response};

use super::protocol::Revision;

/// What a server knows of others behind the same balancer. A session is in the memory of one of them, and a balancer
/// may send each request of its client to another one.
#[rocket::async_trait]
pub trait Peers: fmt::Debug + Send + Sync + 'static {
    /// What the ids of this server's sessions begin with, so that others know whose a session is: up to
    /// [`Sid::MAX_PREFIX`](super::Sid::MAX_PREFIX) letters and digits. Empty if nobody is to know.
    fn prefix(&self) -> &str;

    /// Whether a request for a session may be answered. One that claims to have been passed on by another server has to
    /// prove it.
    fn admits(&self, request: &Request<'_>) -> bool;

    /// Whether another server has passed on a request that is admitted.
    fn has_passed_on(&self, request: &Request<'_>) -> bool;

    /// Passes a request on to the server that has its session, and returns that server's answer; `None` if no server
    /// has the session. The engine adds the headers of CORS.
    async fn pass_on<'r>(
        &self,
        request: &'r Request<'_>,
        session: RemoteSession<'_>,
        data: Data<'r>,
    ) -> Option<Response<'r>>;
}

/// A session that this server does not have.
#[derive(Clone, Copy)]
pub struct RemoteSession<'a> {
    /// Its id, as its client says it.
    pub sid: &'a str,
    /// The revision that the client speaks.
    pub revision: Revision,
}

impl fmt::Debug for RemoteSession<'_> {
    /// Omits the id, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSession")
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
