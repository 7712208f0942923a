//! How a server is put together.

use std::time::Duration;

use super::{
    Handler, SocketIo,
    handler::AnyHandler,
    server::{Dynamic, EngineApplication, Server, ServerOptions},
};
use crate::{
    engine::{Cors, Engine, Options, Transport},
    packet::Namespace,
};

/// What happens to a client for whom too much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Its connection is closed, and it may come back.
    #[default]
    Close,
    /// It does not hear what it has no room for.
    Drop,
}

/// A server in the making. The defaults are those of Node's server, but for [`Cors`].
#[must_use]
pub struct Builder {
    path: String,
    engine: Options,
    server: ServerOptions,
    handlers: Vec<(Namespace, Box<dyn AnyHandler>)>,
    dynamic: Vec<Dynamic>,
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
    /// The path that the server is served under.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// How long after the handshake, and after each pong, the server pings.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.engine.ping_interval = interval;
        self
    }

    /// How long the client has for its pong.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.engine.ping_timeout = timeout;
        self
    }

    /// How long the step up from polling to WebSocket may take.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.engine.upgrade_timeout = timeout;
        self
    }

    /// How long a client may take to join a first namespace.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.server.connect_timeout = timeout;
        self
    }

    /// The biggest body or WebSocket message a client may send, in bytes.
    pub fn max_http_buffer_size(mut self, bytes: usize) -> Self {
        self.engine.max_payload = bytes;
        self.server.pending_bytes = bytes;
        self
    }

    /// The transports that are offered.
    pub fn transports(mut self, transports: impl Into<Vec<Transport>>) -> Self {
        self.engine.transports = transports.into();
        self
    }

    /// Whether a connection may go from polling to WebSocket.
    pub fn allow_upgrades(mut self, allow: bool) -> Self {
        self.engine.allow_upgrades = allow;
        self
    }

    /// Whether clients of socket.io-client 2.x are let in.
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.engine.allow_eio3 = allow;
        self
    }

    /// Which pages may reach the server.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.engine.cors = cors;
        self
    }

    /// Keeps that header of the request that opens a connection, too, for
    /// [`Handshake::header`](crate::engine::Handshake::header).
    pub fn keep_header(mut self, name: &str) -> Self {
        self.engine.kept_headers.push(name.to_owned());
        self
    }

    /// Asks something of the request that opens a connection while the whole of it is there, for
    /// [`Handshake::is_marked`](crate::engine::Handshake::is_marked).
    pub fn mark(mut self, mark: fn(&rocket::Request<'_>) -> bool) -> Self {
        self.engine.mark = Some(mark);
        self
    }

    /// How many bytes may wait for one client.
    pub fn outbox_bytes(mut self, bytes: usize) -> Self {
        self.engine.outbox_bytes = bytes;
        self
    }

    /// What happens to a client for whom more would have to wait.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.server.overflow = overflow;
        self
    }

    /// Keeps sockets and events in memory for that long, for clients that come back. Each event then
    /// ends with an offset, which clients keep. Node's usual window is two minutes.
    pub fn connection_state_recovery(mut self, window: Duration) -> Self {
        self.server.recovery = Some(window);
        self
    }

    /// Serves a namespace.
    pub fn namespace(mut self, name: &str, handler: impl Handler) -> Self {
        self.handlers
            .push((Namespace::new(name), Box::new(handler)));
        self
    }

    /// Serves namespaces that are made when the first client asks for them and forgotten when the last
    /// one leaves. `make` is given the name; these are asked in turn until one has a handler.
    pub fn dynamic_namespace<H: Handler>(
        mut self,
        make: impl Fn(&str) -> Option<H> + Send + Sync + 'static,
    ) -> Self {
        self.dynamic.push(Box::new(move |name| {
            make(name).map(|handler| Box::new(handler) as Box<dyn AnyHandler>)
        }));
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> SocketIo {
        let server = Server::new(self.server, self.handlers, self.dynamic);
        SocketIo {
            engine: Engine::new(self.engine, EngineApplication(server.clone())),
            server,
            path: self.path.into(),
        }
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
