//! All namespaces of one server, and how connections find them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    Events, Overflow,
    client::{Client, EngineConnection},
    handler::AnyHandler,
    hub::Hub,
    lock,
    recovery::RecoveryStore,
};
use crate::{
    engine::{Application, Connection, Revision, Session},
    packet::Namespace,
};

/// Makes a handler for a namespace that nobody has asked for before, or none.
pub(super) type Dynamic = Box<dyn Fn(&str) -> Option<Box<dyn AnyHandler>> + Send + Sync>;

/// What the server layer may be told.
#[derive(Debug, Clone)]
pub(super) struct ServerOptions {
    pub(super) connect_timeout: Duration,
    pub(super) recovery: Option<Duration>,
    pub(super) overflow: Overflow,
    /// How many bytes of events may wait for handlers, for one connection, before it is read no more.
    pub(super) pending_bytes: usize,
}

/// All namespaces of one server.
pub(super) struct Server {
    pub(super) options: ServerOptions,
    main: Arc<Hub>,
    hubs: Mutex<HashMap<Namespace, Arc<Hub>>>,
    dynamic: Vec<Dynamic>,
}

impl Server {
    /// A server of these namespaces. The main one is always there.
    pub(super) fn new(
        options: ServerOptions,
        handlers: Vec<(Namespace, Box<dyn AnyHandler>)>,
        dynamic: Vec<Dynamic>,
    ) -> Arc<Self> {
        let hubs = handlers.into_iter().map(|(name, handler)| {
            let memory = options.recovery.map(RecoveryStore::new);
            let hub = Hub::new(name.clone(), handler, memory, options.overflow, None);
            (name, Arc::new(hub))
        });
        let mut hubs: HashMap<Namespace, Arc<Hub>> = hubs.collect();
        let main = hubs.entry(Namespace::MAIN).or_insert_with(|| {
            let memory = options.recovery.map(RecoveryStore::new);
            let handler = Box::new(Events::new());
            let hub = Hub::new(Namespace::MAIN, handler, memory, options.overflow, None);
            Arc::new(hub)
        });
        let main = Arc::clone(main);
        Arc::new(Self {
            main,
            hubs: Mutex::new(hubs),
            dynamic,
            options,
        })
    }

    /// The namespace of that name for somebody who asks to be let in, made if it may be. The hub
    /// counts them until [`Hub::asked`].
    pub(super) fn hub(self: &Arc<Self>, name: &Namespace) -> Option<Arc<Hub>> {
        let mut hubs = lock(&self.hubs);
        let hub = if let Some(hub) = hubs.get(name) {
            Arc::clone(hub)
        } else {
            let handler = self.dynamic.iter().find_map(|make| make(name))?;
            let memory = self.options.recovery.map(RecoveryStore::new);
            let server = Some(Arc::downgrade(self));
            let hub = Hub::new(name.clone(), handler, memory, self.options.overflow, server);
            let hub = Arc::new(hub);
            hubs.insert(name.clone(), Arc::clone(&hub));
            hub
        };
        hub.asking();
        Some(hub)
    }

    /// The main namespace.
    pub(super) fn main(&self) -> &Arc<Hub> {
        &self.main
    }

    /// The namespace of that name, if it is there.
    pub(super) fn existing(&self, name: &Namespace) -> Option<Arc<Hub>> {
        lock(&self.hubs).get(name).cloned()
    }

    /// Forgets a namespace that was made on demand, if nobody is in it.
    pub(super) fn forget_if_deserted(&self, name: &Namespace) {
        let mut hubs = lock(&self.hubs);
        if hubs.get(name).is_some_and(|hub| hub.is_deserted()) {
            hubs.remove(name);
        }
    }
}

/// What the engine asks for connections.
pub(super) struct EngineApplication(pub(super) Arc<Server>);

impl Application for EngineApplication {
    fn open(&self, session: Arc<Session>) -> Arc<dyn Connection> {
        let client = Client::new(Arc::clone(&session), Arc::clone(&self.0));
        match session.revision() {
            // In revision 4 everybody is in the main namespace from the start.
            Revision::V3 => {
                client.connect(&Namespace::MAIN, None);
            }
            Revision::V4 => session.remind(self.0.options.connect_timeout),
        }
        Arc::new(EngineConnection(client))
    }
}
