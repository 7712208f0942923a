//! All namespaces of one server, by name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use super::{
    events::Events,
    handler::ErasedHandler,
    namespace::{Namespace, OnEmpty},
    options::ServerOptions,
    recovery::RecoveryStore,
    worker::HandlerDispatcher,
};
use crate::{packet::NamespaceName, sync::lock};

/// Makes the handler of a namespace that does not exist yet; `None` if it may not exist.
pub(super) type DynamicHandler = Box<dyn Fn(&str) -> Option<Box<dyn ErasedHandler>> + Send + Sync>;

/// All namespaces of one server.
pub(super) struct Namespaces {
    pub(super) options: ServerOptions,
    main: Arc<Namespace>,
    by_name: Mutex<HashMap<NamespaceName, Arc<Namespace>>>,
    dynamic: Vec<DynamicHandler>,
}

impl Namespaces {
    /// The namespaces with these handlers. The main one always exists.
    pub(super) fn new(
        options: ServerOptions,
        handlers: Vec<(NamespaceName, Box<dyn ErasedHandler>)>,
        dynamic: Vec<DynamicHandler>,
    ) -> Arc<Self> {
        let namespaces = handlers
            .into_iter()
            .map(|(name, handler)| (name.clone(), make(name, handler, &options, None)));
        let mut by_name: HashMap<_, _> = namespaces.collect();
        let main = by_name
            .entry(NamespaceName::MAIN)
            .or_insert_with(|| make(NamespaceName::MAIN, Box::new(Events::new()), &options, None));
        Arc::new(Self {
            main: Arc::clone(main),
            by_name: Mutex::new(by_name),
            dynamic,
            options,
        })
    }

    /// The namespace that a client asks to join, made on demand if there is a handler for it. The
    /// caller has to call [`Namespace::end_connect`] afterwards.
    pub(super) fn begin_connect(self: &Arc<Self>, name: &NamespaceName) -> Option<Arc<Namespace>> {
        let mut by_name = lock(&self.by_name);
        let namespace = if let Some(namespace) = by_name.get(name) {
            Arc::clone(namespace)
        } else {
            let handler = self.dynamic.iter().find_map(|make| make(name))?;
            let on_empty = forget_when_empty(Arc::downgrade(self));
            let namespace = make(name.clone(), handler, &self.options, Some(on_empty));
            by_name.insert(name.clone(), Arc::clone(&namespace));
            namespace
        };
        namespace.begin_connect();
        Some(namespace)
    }

    /// The main namespace.
    pub(super) fn main(&self) -> &Arc<Namespace> {
        &self.main
    }

    /// The namespace of that name, if it exists.
    pub(super) fn existing(&self, name: &NamespaceName) -> Option<Arc<Namespace>> {
        lock(&self.by_name).get(name).cloned()
    }
}

fn make(
    name: NamespaceName,
    handler: Box<dyn ErasedHandler>,
    options: &ServerOptions,
    on_empty: Option<OnEmpty>,
) -> Arc<Namespace> {
    let dispatcher = Box::new(HandlerDispatcher::new(handler));
    let recovery = options.recovery.map(RecoveryStore::new);
    Namespace::new(name, dispatcher, recovery, options.overflow, on_empty)
}

/// Removes a namespace that was made on demand, once it is empty.
fn forget_when_empty(namespaces: Weak<Namespaces>) -> OnEmpty {
    Box::new(move |name| {
        if let Some(namespaces) = namespaces.upgrade() {
            let mut by_name = lock(&namespaces.by_name);
            if by_name.get(name).is_some_and(|it| it.is_empty()) {
                by_name.remove(name);
            }
        }
    })
}
