//! The server's handle: emits to namespaces and rooms, and attaches to a Rocket.

use std::sync::Arc;

use super::{broadcast::BroadcastOperator, namespaces::Namespaces};
use crate::{
    engine::{Engine, EngineFairing, StatsReader},
    packet::NamespaceName,
};

/// A Socket.IO server. Clones are the same server.
#[derive(Clone)]
pub struct SocketIo {
    namespaces: Arc<Namespaces>,
    engine: Engine,
    path: Arc<str>,
}

impl SocketIo {
    pub(super) fn new(namespaces: Arc<Namespaces>, engine: Engine, path: &str) -> Self {
        Self {
            namespaces,
            engine,
            path: path.into(),
        }
    }

    /// A fairing that serves the path, and closes all connections when its Rocket shuts down.
    pub fn fairing(&self) -> EngineFairing {
        self.engine.fairing(&self.path)
    }

    /// The routes, to be mounted by hand under a path. The fairing does it otherwise.
    pub fn routes(&self) -> Vec<rocket::Route> {
        self.engine.routes()
    }

    /// The Engine.IO server below.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All sockets of a namespace; `None` if the namespace does not exist.
    pub fn of(&self, namespace: &str) -> Option<BroadcastOperator> {
        let namespace = self.namespaces.existing(&NamespaceName::new(namespace))?;
        Some(BroadcastOperator::all(&namespace))
    }

    /// The sockets in a room of the main namespace.
    pub fn to(&self, room: impl Into<String>) -> BroadcastOperator {
        BroadcastOperator::all(self.namespaces.main()).to(room)
    }

    /// A reader of the server's counters, for metrics.
    pub fn stats(&self) -> StatsReader {
        self.engine.stats()
    }
}
