//! The public id of a socket.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::engine::Sid;

/// The public id of a socket. It has the form of a session's id, and is independent of it: a session's
/// id is a secret.
///
/// Clients of revision 5 know it as `socket.id`. Clients of revision 4 use their session's id as
/// `socket.id` and are never told this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId(Sid);

impl SocketId {
    /// A new random id.
    pub fn random() -> Self {
        Self(Sid::random())
    }

    /// Reads an id from its text; `None` if the text is not an id.
    pub fn parse(text: &str) -> Option<Self> {
        Sid::parse(text).map(Self)
    }

    /// The id as text of 20 characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SocketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
