//! A handler put together from closures.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Admission, Event, Handler, Refusal, Socket, handler::Boxed};
use crate::engine::Reason;

type Admits = Box<
    dyn Fn(Socket, Option<Map<String, Value>>) -> Boxed<'static, Result<(), Refusal>> + Send + Sync,
>;
type Connects = Box<dyn Fn(Socket) -> Boxed<'static, ()> + Send + Sync>;
type Hears = Box<dyn Fn(Socket, Event) -> Boxed<'static, ()> + Send + Sync>;
type Leaves = Box<dyn Fn(Socket, Reason) -> Boxed<'static, ()> + Send + Sync>;

/// A [`Handler`] put together from closures.
///
/// ```
/// use parlance_socketio::server::{Events, Refusal};
///
/// let chat = Events::new()
///     .admit(|_socket, auth| async move {
///         match auth.and_then(|auth| auth.get("token").cloned()) {
///             Some(_) => Ok(()),
///             None => Err(Refusal::new("who are you?")),
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
    admits: Vec<Admits>,
    connects: Option<Connects>,
    hears: HashMap<String, Hears>,
    hears_others: Option<Hears>,
    leaves: Option<Leaves>,
}

impl Events {
    /// A handler that lets everybody in and hears nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides who is let in. Several of these are asked in turn; the first refusal counts.
    #[must_use]
    pub fn admit<F, R>(mut self, admits: F) -> Self
    where
        F: Fn(Socket, Option<Map<String, Value>>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        let admits = move |socket, auth| Box::pin(admits(socket, auth)) as Boxed<'static, _>;
        self.admits.push(Box::new(admits));
        self
    }

    /// What to do when somebody is in.
    #[must_use]
    pub fn connected<F, R>(mut self, connects: F) -> Self
    where
        F: Fn(Socket) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.connects = Some(Box::new(move |socket| Box::pin(connects(socket))));
        self
    }

    /// What to do when they send the event of that name.
    #[must_use]
    pub fn on<F, R>(mut self, name: &str, hears: F) -> Self
    where
        F: Fn(Socket, Event) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let hears = move |socket, event| Box::pin(hears(socket, event)) as Boxed<'static, _>;
        self.hears.insert(name.to_owned(), Box::new(hears));
        self
    }

    /// What to do when they send any other event.
    #[must_use]
    pub fn on_other<F, R>(mut self, hears: F) -> Self
    where
        F: Fn(Socket, Event) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let hears = move |socket, event| Box::pin(hears(socket, event)) as Boxed<'static, _>;
        self.hears_others = Some(Box::new(hears));
        self
    }

    /// What to do when they are gone.
    #[must_use]
    pub fn disconnected<F, R>(mut self, leaves: F) -> Self
    where
        F: Fn(Socket, Reason) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let leaves = move |socket, reason| Box::pin(leaves(socket, reason)) as Boxed<'static, _>;
        self.leaves = Some(Box::new(leaves));
        self
    }
}

impl Handler for Events {
    async fn admit(
        &self,
        socket: &Socket,
        auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, Refusal> {
        for admits in &self.admits {
            admits(socket.clone(), auth.cloned()).await?;
        }
        Ok(Admission::new())
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(connects) = &self.connects {
            connects(socket.clone()).await;
        }
    }

    async fn event(&self, socket: &Socket, event: Event) {
        let named = self.hears.get(&event.name);
        if let Some(hears) = named.or(self.hears_others.as_ref()) {
            hears(socket.clone(), event).await;
        }
    }

    async fn disconnected(&self, socket: &Socket, reason: Reason) {
        if let Some(leaves) = &self.leaves {
            leaves(socket.clone(), reason).await;
        }
    }
}
