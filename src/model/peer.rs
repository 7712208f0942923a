//! Another server of the database, as far as requests are passed on to it.

use std::fmt;

/// A server that is reached from here.
#[derive(Clone)]
pub struct Peer {
    /// Host and port.
    pub address: String,
    /// What it wants to be shown.
    pub secret: String,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
