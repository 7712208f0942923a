//! Socket.IO connections that may be recovered.

use crate::model::time::Timestamp;

/// A connection that may be recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its socket id.
    pub socket_id: String,
    /// The identity it acts for, in the form of the module that recovers it.
    pub identities: String,
    /// Which connection of which server wrote this: when it is taken back elsewhere that is another one.
    pub holder: i64,
    /// When it was lost; `None` while it is connected, or when the server was killed.
    pub left_at: Option<Timestamp>,
}
