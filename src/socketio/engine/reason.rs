//! Why a session was closed, or a socket disconnected.

use std::fmt;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Whether a client gets a close packet when its session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosePacket {
    /// It gets what is in its outbox, and then a close packet.
    Send,
    /// It does not: it is gone, or an error response has told it already.
    Skip,
}

/// Why a session was closed, or a socket disconnected. [`DisconnectReason::as_str`] is Node's text for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The transport failed, or the client used it in a wrong way.
    TransportError,
    /// The client closed the transport.
    TransportClose,
    /// The server closed the session below the socket.
    ForcedClose,
    /// The client did not answer in time.
    PingTimeout,
    /// The client sent a malformed packet.
    ParseError,
    /// The server is shutting down.
    ServerShuttingDown,
    /// The server closed the connection, or the client joined no namespace in time.
    ForcedServerClose,
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The server disconnected the socket from the namespace.
    ServerNamespaceDisconnect,
}

impl DisconnectReason {
    /// The reason as in Socket.IO's documentation.
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

    /// Whether the server closed the session on purpose: what is in the outbox is still sent.
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

    /// Whether the client gets a close packet, unless the caller knows better.
    pub(super) const fn close_packet(self) -> ClosePacket {
        match self {
            Self::TransportError | Self::TransportClose | Self::PingTimeout => ClosePacket::Skip,
            Self::ForcedClose
            | Self::ParseError
            | Self::ServerShuttingDown
            | Self::ForcedServerClose
            | Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect => ClosePacket::Send,
        }
    }

    /// The status code of the WebSocket's close frame.
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

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
