//! The options of a server, with Node's names and defaults.

use std::{sync::Arc, time::Duration};

use rocket::Request;

use super::{cors::Cors, peers::Peers, protocol::Transport};

/// The options of a server. The defaults are those of Node's server, except for [`Cors`].
#[derive(Debug, Clone)]
pub struct Options {
    /// How long after the handshake, and after each pong, the server sends a ping.
    pub ping_interval: Duration,
    /// How long the server waits for the pong before it closes the session.
    pub ping_timeout: Duration,
    /// How long an upgrade may take.
    pub upgrade_timeout: Duration,
    /// The largest body or WebSocket message that a client may send, in bytes.
    pub max_payload: usize,
    /// The transports that clients may use.
    pub transports: Vec<Transport>,
    /// Whether a session may be upgraded from polling to WebSocket.
    pub allow_upgrades: bool,
    /// Whether clients of revision 3 (socket.io-client 2.x) may connect.
    pub allow_eio3: bool,
    /// Which origins may use the server.
    pub cors: Cors,
    /// Headers of the opening request that are kept in addition to those which identify the client, see
    /// [`Handshake::headers`](super::Handshake::headers).
    pub kept_headers: Vec<String>,
    /// A predicate that is called with the whole opening request. Its result is kept, see
    /// [`Handshake::is_marked`](super::Handshake::is_marked).
    pub mark: Option<fn(&Request<'_>) -> bool>,
    /// The limit of one client's outbox, in bytes, see [`Session::send`](super::Session::send).
    pub outbox_bytes: usize,
    /// How long a closed session is kept for a polling client to fetch its close packet.
    pub close_timeout: Duration,
    /// Other servers behind the same balancer.
    pub peers: Option<Arc<dyn Peers>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload: 1_000_000,
            transports: vec![Transport::Polling, Transport::WebSocket],
            allow_upgrades: true,
            allow_eio3: false,
            cors: Cors::default(),
            kept_headers: Vec::new(),
            mark: None,
            outbox_bytes: 1 << 20,
            close_timeout: Duration::from_secs(30),
            peers: None,
        }
    }
}

impl Options {
    pub(super) fn upgrades_from(&self, transport: Transport) -> &'static [&'static str] {
        let offered = self.allow_upgrades && self.transports.contains(&Transport::WebSocket);
        match transport {
            Transport::Polling if offered => &["websocket"],
            Transport::Polling | Transport::WebSocket => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_nodes_server() {
        let options = Options::default();
        assert_eq!(options.ping_interval, Duration::from_secs(25));
        assert_eq!(options.ping_timeout, Duration::from_secs(20));
        assert_eq!(options.upgrade_timeout, Duration::from_secs(10));
        assert_eq!(options.max_payload, 1_000_000);
        let both = [Transport::Polling, Transport::WebSocket];
        assert_eq!(options.transports, both);
        assert!(options.allow_upgrades);
        assert!(!options.allow_eio3);
        assert_eq!(options.close_timeout, Duration::from_secs(30));
    }

    #[test]
    fn where_node_has_no_default_ours_is_careful() {
        let options = Options::default();
        assert!(matches!(options.cors, Cors::OwnOrigin));
        assert_eq!(options.outbox_bytes, 1 << 20);
    }
}
