//! Which servers there are, and by what they know each other.

use std::fmt;

use rocket::async_trait;

/// By which a server proves to another one that it is one.
pub(super) const PROOF: &str = "parlance-peer";

/// A server that is reached from here.
#[derive(Clone)]
pub struct Peer {
    /// Host and port.
    pub address: String,
    /// What it wants to be shown.
    pub secret: String,
}

impl fmt::Debug for Peer {
    /// Omits the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Which servers there are.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// What the ids of this server's sessions begin with; empty if no other server reaches this one.
    fn tag(&self) -> &str;

    /// Whether what a request shows proves that another server has passed it on.
    fn is_secret(&self, shown: &str) -> bool;

    /// The server whose tag a session's id begins with; none if that is this one, or none that is reached.
    async fn find(&self, sid: &str) -> Option<Peer>;
}
