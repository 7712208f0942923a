//! Packets from clients, and the revisions of the protocol.

use serde_json::{Map, Value};

use super::{args::Args, namespace::NamespaceName};

/// The revision of the Socket.IO protocol that a client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// Revision 4, which goes with Engine.IO 3: socket.io-client 2.x.
    V4,
    /// Revision 5, which goes with Engine.IO 4: socket.io-client 3.x and 4.x.
    V5,
}

/// A packet from a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// The client asks to join a namespace.
    Connect {
        /// The namespace, without a query.
        namespace: NamespaceName,
        /// The client's auth data: the payload in revision 5, the namespace's query in revision 4, where
        /// a repeated name has an array of strings.
        auth: Option<Map<String, Value>>,
    },
    /// The client leaves a namespace.
    Disconnect {
        /// The namespace it leaves.
        namespace: NamespaceName,
    },
    /// The client has sent an event.
    Event {
        /// The namespace of the event.
        namespace: NamespaceName,
        /// The client wants an acknowledgement with this id.
        id: Option<u64>,
        /// The event's name. If it is a number, its decimal text.
        name: String,
        /// The event's arguments.
        args: Args,
    },
    /// The client acknowledges an event.
    Ack {
        /// The namespace of the event.
        namespace: NamespaceName,
        /// The id of the event.
        id: u64,
        /// The arguments of the acknowledgement.
        args: Args,
    },
}

impl Packet {
    /// The namespace that the packet is for.
    pub fn namespace(&self) -> &NamespaceName {
        match self {
            Self::Connect { namespace, .. }
            | Self::Disconnect { namespace }
            | Self::Event { namespace, .. }
            | Self::Ack { namespace, .. } => namespace,
        }
    }
}
