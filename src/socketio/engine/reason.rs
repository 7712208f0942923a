//! Why a connection, or a socket on it, came to its end.

use std::fmt;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Whether a client is told that its session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// What waits is sent first, and then the end.
    Told,
    /// There is nobody to tell, or an error has told already.
    None,
}

/// Why it ended, in the words that Socket.IO's servers use ([`Reason::as_str`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The transport broke, or the client misused it.
    TransportError,
    /// The client closed the transport.
    TransportClose,
    /// The server closed the transport under the socket.
    ForcedClose,
    /// The client did not answer in time.
    PingTimeout,
    /// What the client sent is no packet.
    ParseError,
    /// The server is stopping.
    ServerShuttingDown,
    /// The server closed the whole connection, or nobody joined a namespace in time.
    ForcedServerClose,
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The server put the socket out of the namespace.
    ServerNamespaceDisconnect,
}

impl Reason {
    /// The reason as Socket.IO's documentation spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportError => "transport error",
            Self::TransportClose => "transport close",
            Self::ForcedClose => "forced close",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::ServerShuttingDown => "server shutting down",
            Self::ForcedServerClose => "forced server close",
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
        }
    }

    /// Whether the server ended it in good order: what waits is still sent, and the client is told.
    pub(super) const fn is_orderly(self) -> bool {
        match self {
            Self::ForcedClose
            | Self::ServerShuttingDown
            | Self::ForcedServerClose
            | Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect => true,
            Self::TransportError | Self::TransportClose | Self::PingTimeout | Self::ParseError => {
                false
            }
        }
    }

    /// Whether a client is told of an end for this reason, where it is not known otherwise.
    pub(super) const fn farewell(self) -> Farewell {
        match self {
            Self::TransportError | Self::TransportClose | Self::PingTimeout => Farewell::None,
            Self::ForcedClose
            | Self::ParseError
            | Self::ServerShuttingDown
            | Self::ForcedServerClose
            | Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect => Farewell::Told,
        }
    }

    /// The status code of a WebSocket's close frame.
    pub(super) const fn close_code(self) -> CloseCode {
        match self {
            Self::TransportError | Self::ParseError => CloseCode::Protocol,
            Self::ServerShuttingDown => CloseCode::Away,
            Self::TransportClose
            | Self::ForcedClose
            | Self::PingTimeout
            | Self::ForcedServerClose
            | Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect => CloseCode::Normal,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
