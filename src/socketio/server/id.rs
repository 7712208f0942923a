//! The id of a socket, which everybody may know.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::engine::Sid;

/// The public id of a socket: random, unlike the session's secret id, and not to be told from it.
///
/// A client of revision 5 knows it as its `socket.id`. One of revision 4 takes its session's secret
/// id for its own and never learns this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId(Sid);

impl SocketId {
    /// A new one.
    pub fn random() -> Self {
        Self(Sid::random())
    }

    /// Reads an id that was kept as text; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        Sid::parse(text).map(Self)
    }

    /// The id as text, 20 characters.
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
