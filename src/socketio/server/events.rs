//! A handler that is made of closures.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    admission::{Admission, ConnectError},
    event::Event,
    handler::{BoxFuture, Handler},
    socket::Socket,
};
use crate::engine::DisconnectReason;

type Middleware = Box<
    dyn Fn(Socket, Option<Map<String, Value>>) -> BoxFuture<'static, Result<(), ConnectError>>
        + Send
        + Sync,
>;
type OnConnect = Box<dyn Fn(Socket) -> BoxFuture<'static, ()> + Send + Sync>;
type OnEvent = Box<dyn Fn(Socket, Event) -> BoxFuture<'static, ()> + Send + Sync>;
type OnDisconnect = Box<dyn Fn(Socket, DisconnectReason) -> BoxFuture<'static, ()> + Send + Sync>;

/// A [`Handler`] that is made of closures.
///
/// ```
/// use parlance_socketio::{ConnectError, Events};
///
/// let chat = Events::new()
///     .middleware(|_socket, auth| async move {
///         match auth.and_then(|auth| auth.get("token").cloned()) {
///             Some(_) => Ok(()),
///             None => Err(ConnectError::new("a token is missing")),
///         }
///     })
///     .on("say", |socket, event| async move {
///         socket.broadcast().emit("said", event.args);
///     })
///     .on("add", |_socket, mut event| async move {
///         if let Ok((a, b)) = event.args.clone().parse::<(i64, i64)>() {
///             event.acknowledge(a + b);
///         }
///     });
/// # let _ = chat;
/// ```
#[derive(Default)]
pub struct Events {
    middleware: Vec<Middleware>,
    on_connect: Option<OnConnect>,
    on_event: HashMap<String, OnEvent>,
    on_fallback: Option<OnEvent>,
    on_disconnect: Option<OnDisconnect>,
}

impl Events {
    /// A handler that admits every client and ignores all events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a middleware: it decides whether a client may join. All are called in turn, until one
    /// returns an error.
    #[must_use]
    pub fn middleware<F, R>(mut self, middleware: F) -> Self
    where
        F: Fn(Socket, Option<Map<String, Value>>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), ConnectError>> + Send + 'static,
    {
        let boxed = move |socket, auth| Box::pin(middleware(socket, auth)) as BoxFuture<'static, _>;
        self.middleware.push(Box::new(boxed));
        self
    }

    /// Called when a client has joined.
    #[must_use]
    pub fn on_connect<F, R>(mut self, on_connect: F) -> Self
    where
        F: Fn(Socket) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.on_connect = Some(Box::new(move |socket| Box::pin(on_connect(socket))));
        self
    }

    /// Called for events of that name.
    #[must_use]
    pub fn on<F, R>(mut self, name: &str, on_event: F) -> Self
    where
        F: Fn(Socket, Event) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let boxed = move |socket, event| Box::pin(on_event(socket, event)) as BoxFuture<'static, _>;
        self.on_event.insert(name.to_owned(), Box::new(boxed));
        self
    }

    /// Called for events of all other names.
    #[must_use]
    pub fn on_fallback<F, R>(mut self, on_event: F) -> Self
    where
        F: Fn(Socket, Event) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let boxed = move |socket, event| Box::pin(on_event(socket, event)) as BoxFuture<'static, _>;
        self.on_fallback = Some(Box::new(boxed));
        self
    }

    /// Called when a client has left the namespace.
    #[must_use]
    pub fn on_disconnect<F, R>(mut self, on_disconnect: F) -> Self
    where
        F: Fn(Socket, DisconnectReason) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let boxed =
            move |socket, reason| Box::pin(on_disconnect(socket, reason)) as BoxFuture<'static, _>;
        self.on_disconnect = Some(Box::new(boxed));
        self
    }
}

impl Handler for Events {
    async fn admit(
        &self,
        socket: &Socket,
        auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, ConnectError> {
        for middleware in &self.middleware {
            middleware(socket.clone(), auth.cloned()).await?;
        }
        Ok(Admission::new())
    }

    async fn on_connect(&self, socket: &Socket) {
        if let Some(on_connect) = &self.on_connect {
            on_connect(socket.clone()).await;
        }
    }

    async fn on_event(&self, socket: &Socket, event: Event) {
        let named = self.on_event.get(&event.name);
        if let Some(on_event) = named.or(self.on_fallback.as_ref()) {
            on_event(socket.clone(), event).await;
        }
    }

    async fn on_disconnect(&self, socket: &Socket, reason: DisconnectReason) {
        if let Some(on_disconnect) = &self.on_disconnect {
            on_disconnect(socket.clone(), reason).await;
        }
    }
}
