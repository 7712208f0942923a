//! Configures and makes a server.

use std::{sync::Arc, time::Duration};

use super::{
    client::EngineApplication,
    handler::{ErasedHandler, Handler},
    io::SocketIo,
    namespaces::{DynamicHandler, Namespaces},
    options::{Overflow, ServerOptions},
};
use crate::{
    engine::{Cors, Engine, Options, Peers, Transport},
    packet::NamespaceName,
};

impl SocketIo {
    /// Begins to configure a server.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Configures a server. The defaults are those of Node's server, except for [`Cors`].
#[must_use]
pub struct Builder {
    path: String,
    engine: Options,
    server: ServerOptions,
    handlers: Vec<(NamespaceName, Box<dyn ErasedHandler>)>,
    dynamic: Vec<DynamicHandler>,
}

impl Default for Builder {
    fn default() -> Self {
        let engine = Options::default();
        Self {
            path: "/socket.io".into(),
            server: ServerOptions {
                connect_timeout: Duration::from_secs(45),
                recovery: None,
                overflow: Overflow::default(),
                pending_bytes: engine.max_payload,
            },
            engine,
            handlers: Vec::new(),
            dynamic: Vec::new(),
        }
    }
}

impl Builder {
    /// The path at which the server is mounted.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// How long after the handshake, and after each pong, the server sends a ping.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.engine.ping_interval = interval;
        self
    }

    /// How long the server waits for the pong before it closes the connection.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.engine.ping_timeout = timeout;
        self
    }

    /// How long an upgrade from polling to WebSocket may take.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.engine.upgrade_timeout = timeout;
        self
    }

    /// How long a client may be connected without having joined a namespace.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.server.connect_timeout = timeout;
        self
    }

    /// The largest body or WebSocket message that a client may send, in bytes.
    pub fn max_http_buffer_size(mut self, bytes: usize) -> Self {
        self.engine.max_payload = bytes;
        self.server.pending_bytes = bytes;
        self
    }

    /// The transports that clients may use.
    pub fn transports(mut self, transports: impl Into<Vec<Transport>>) -> Self {
        self.engine.transports = transports.into();
        self
    }

    /// Whether a connection may be upgraded from polling to WebSocket.
    pub fn allow_upgrades(mut self, allow: bool) -> Self {
        self.engine.allow_upgrades = allow;
        self
    }

    /// Whether clients of Engine.IO 3 (socket.io-client 2.x) may connect.
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.engine.allow_eio3 = allow;
        self
    }

    /// Which origins may use the server.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.engine.cors = cors;
        self
    }

    /// Also keeps this header of the request that opens a connection, for
    /// [`Handshake::header`](crate::engine::Handshake::header).
    pub fn keep_header(mut self, name: &str) -> Self {
        self.engine.kept_headers.push(name.to_owned());
        self
    }

    /// A predicate that is called with the whole request that opens a connection. Its result is kept for
    /// [`Handshake::is_marked`](crate::engine::Handshake::is_marked).
    pub fn mark(mut self, mark: fn(&rocket::Request<'_>) -> bool) -> Self {
        self.engine.mark = Some(mark);
        self
    }

    /// The limit of one client's outbox, in bytes.
    pub fn outbox_bytes(mut self, bytes: usize) -> Self {
        self.engine.outbox_bytes = bytes;
        self
    }

    /// What happens to a client whose outbox is full.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.server.overflow = overflow;
        self
    }

    /// Other servers behind the same balancer, which have sessions that are not here.
    pub fn peers(mut self, peers: impl Peers) -> Self {
        self.engine.peers = Some(Arc::new(peers));
        self
    }

    /// Keeps lost sockets and emitted events in memory for that long, so that clients that reconnect are
    /// recovered. Each event then has an offset as its last argument. Node's default is two minutes.
    pub fn connection_state_recovery(mut self, window: Duration) -> Self {
        self.server.recovery = Some(window);
        self
    }

    /// Adds a namespace.
    pub fn namespace(mut self, name: &str, handler: impl Handler) -> Self {
        self.handlers
            .push((NamespaceName::new(name), Box::new(handler)));
        self
    }

    /// Adds namespaces that are made when the first client connects to them and removed when the last one
    /// leaves. `make` gets the name. All are called in turn, until one returns a handler.
    pub fn dynamic_namespace<H: Handler>(
        mut self,
        make: impl Fn(&str) -> Option<H> + Send + Sync + 'static,
    ) -> Self {
        self.dynamic.push(Box::new(move |name| {
            make(name).map(|handler| Box::new(handler) as Box<dyn ErasedHandler>)
        }));
        self
    }

    /// Makes the server.
    #[must_use]
    pub fn build(self) -> SocketIo {
        let namespaces = Namespaces::new(self.server, self.handlers, self.dynamic);
        let application = EngineApplication(namespaces.clone());
        let engine = Engine::new(self.engine, application);
        SocketIo::new(namespaces, engine, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_nodes_server() {
        let Builder { path, server, .. } = Builder::default();
        assert_eq!(path, "/socket.io");
        assert_eq!(server.connect_timeout, Duration::from_secs(45));
        assert_eq!(server.recovery, None);
        assert_eq!(server.overflow, Overflow::Close);
        assert_eq!(server.pending_bytes, 1_000_000);
    }
}
