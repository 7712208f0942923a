//! Connections that may come back: what is needed to go on where they were.

use crate::model::time::Timestamp;

/// A connection that may come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its public name.
    pub socket_id: String,
    /// Whom it acts for, as its keeper writes it.
    pub identities: String,
    /// When it was lost; nothing while it is held, or when the server was killed.
    pub left_at: Option<Timestamp>,
}
