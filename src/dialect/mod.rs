//! The dialects: one folder for each API of this server.
//!
//! # Why
//! A dialect translates and decides nothing. `wire` holds the types of its document; `events` decodes
//! the events of clients and encodes replies and changes as that document specifies, pure and without
//! I/O; `handlers` call the verbs in [`crate::chat`], the same for all dialects; `routes` are its HTTP
//! routes.
//!
//! The event-style dialects are a [`Dialect`] each, in the one set [`DIALECTS`], which the server is
//! built with. A socket and a plain HTTP request reach them through the same [`ClientSession`], so both
//! are the same handlers.
//!
//! A change is encoded as [`OutgoingEvent`]s that hold nothing that differs by reader, so that it is
//! encoded once for all of them.

mod answering;
mod data;
pub mod described;
mod echo;
pub mod embed;
mod identity;
pub mod messenger;
mod metrics;
pub mod page;
mod registry;
pub mod service;
mod session;
pub mod support;
pub mod text;
pub mod webhooks;

use std::{borrow::Cow, pin::Pin};

use serde_json::Value;

use crate::{
    chat::{
        Services,
        bus::Movement,
        messages::{Sent, UnderWay},
    },
    error::{Error, Result},
    model::{Change, ChatId, Scope, Signal, WebhookKind},
};

pub use answering::{Begun, answer, begin, refuse};
pub use data::Data;
pub use described::{
    ClientEvent, ErrorCode, EventApi, Failed, Form, Okay, Push, Refusal, ServerEvent,
};
pub use echo::{LogSpan, OwnAction};
pub use metrics::DialectsMetrics;
pub use registry::{
    DIALECTS, DialectEntry, DialectId, DialectInfo, DialectMask, DialectSet, MESSENGER_SLOT,
    UnknownDialect,
};
pub use session::{
    ClientSession, Credentials, Identity, Options, Recipients, Transport, is_refusal,
};

/// A future on the heap.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An event for a client: its name and its argument.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingEvent {
    /// The event's name.
    pub name: Cow<'static, str>,
    /// Its argument.
    pub data: Data,
}

impl OutgoingEvent {
    /// An event with one argument.
    pub fn new(name: impl Into<Cow<'static, str>>, data: impl Into<Data>) -> Self {
        Self {
            name: name.into(),
            data: data.into(),
        }
    }
}

/// An event that is part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Emitted {
    /// The acknowledgement's data, as an event of this name. It is encoded once for both.
    Data(Cow<'static, str>),
    /// Something else.
    Other(OutgoingEvent),
}

/// The reply to an event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventReply {
    /// The HTTP status that fits it.
    pub status: u16,
    /// The data of the acknowledgement and of the HTTP response.
    pub data: Data,
    /// What is emitted to the caller, in order; a reply is an event of the same name.
    pub outgoing: Vec<Emitted>,
    /// After how many seconds the client may try again, if it was refused for a limit.
    pub retry_after: Option<u64>,
}

impl EventReply {
    /// A reply that is emitted under `event`, and acknowledged with the same data.
    pub fn reply(status: u16, event: impl Into<Cow<'static, str>>, data: impl Into<Data>) -> Self {
        Self {
            status,
            data: data.into(),
            outgoing: vec![Emitted::Data(event.into())],
            retry_after: None,
        }
    }

    /// The same, with the time after which an error allows another try.
    #[must_use]
    pub fn waiting_as(self, error: &Error) -> Self {
        Self {
            retry_after: error.retry_seconds(),
            ..self
        }
    }
}

/// What an event has come to so far.
pub enum Handled {
    /// It is answered.
    Answered(EventReply),
    /// A message was handed in, and waits for its commit.
    Sending(Sending),
}

impl From<EventReply> for Handled {
    fn from(reply: EventReply) -> Self {
        Self::Answered(reply)
    }
}

/// A message that was handed in, and how its outcome is answered.
pub struct Sending {
    message: UnderWay,
    answer: Box<SendReply>,
}

/// Answers a message's outcome.
type SendReply = dyn FnOnce(&mut ClientSession, Result<Sent>) -> Result<EventReply> + Send;

impl Sending {
    /// A message under way, to be answered so.
    pub fn new(
        message: UnderWay,
        answer: impl FnOnce(&mut ClientSession, Result<Sent>) -> Result<EventReply> + Send + 'static,
    ) -> Self {
        Self {
            message,
            answer: Box::new(answer),
        }
    }
}

/// An event-style API.
pub trait Dialect: Send + Sync + 'static {
    /// What it says of its events.
    fn described(&self) -> &'static EventApi;

    /// Its events.
    fn events(&self) -> &'static [ClientEvent] {
        self.described().events
    }

    /// Whether an event with this argument is its own. Names that several dialects have are told
    /// apart by the argument, and asked in the order of their ids.
    fn matches(&self, event: &str, _argument: Option<&Value>) -> bool {
        described::has(self.events(), event)
    }

    /// What a token must be good for to send an event, as its row says.
    fn scope(&self, event: &str) -> Scope {
        let name = self.event_name(event);
        let row = self.events().iter().find(|row| row.name == name);
        row.map_or(Scope::Write, |row| row.scope)
    }

    /// A client has connected: the dialect may authenticate it, or refuse it with a sentence.
    fn on_connect<'a>(&'a self, _speaker: &'a mut ClientSession) -> Boxed<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Its routes beside events, to be mounted at `/`.
    fn routes(&self) -> Vec<rocket::Route> {
        Vec::new()
    }

    /// A plain HTTP request names a room, as if it were a connection that has entered it.
    fn enter<'a>(
        &'a self,
        _speaker: &'a mut ClientSession,
        _room: &'a str,
    ) -> Boxed<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// The chats that a connection has entered, to be kept for its recovery.
    fn entered(&self, _speaker: &ClientSession) -> Vec<ChatId> {
        Vec::new()
    }

    /// A connection is recovered with the chats that it had entered. Which of them it still may enter is
    /// checked again.
    fn on_resume<'a>(
        &'a self,
        _speaker: &'a mut ClientSession,
        _entered: &'a [ChatId],
    ) -> Boxed<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// A client is connected, and has been sent what it missed if it was recovered.
    fn on_ready(&self, _speaker: &mut ClientSession) {}

    /// Handles an event of a client.
    fn handle<'a>(
        &'a self,
        session: &'a mut ClientSession,
        event: &'a str,
        arguments: &'a [Value],
    ) -> Boxed<'a, Result<Handled>>;

    /// Whether an event of its own does nothing but send a message ([`Handled::Sending`]). Such events of a
    /// connection are pipelined: the next one begins while earlier ones wait for their commit.
    fn is_message(&self, _event: &str) -> bool {
        false
    }

    /// The name under which an event is counted: that of one of [`Dialect::events`].
    fn event_name<'a>(&self, event: &'a str) -> &'a str {
        event
    }

    /// The answer to an event that is not carried out.
    fn refuse(&self, event: &str, error: &Error) -> EventReply;

    /// A change reached this session; called before its events are sent.
    fn on_change(&self, _speaker: &mut ClientSession, _change: &Change) {}

    /// Whether a change that reached this session is for this connection too.
    fn should_deliver(&self, _speaker: &ClientSession, _change: &Change) -> bool {
        true
    }

    /// The events of a change, which are the same for all who receive them.
    fn encode_change(&self, change: &Change) -> Vec<OutgoingEvent>;

    /// Whether it has a word for changes of that kind: whether [`Dialect::encode_change`] makes anything of them.
    fn tells(&self, _kind: WebhookKind) -> bool {
        true
    }

    /// The same, where the events depend on settings.
    fn encode_change_with(&self, _options: &Options, change: &Change) -> Vec<OutgoingEvent> {
        self.encode_change(change)
    }

    /// A change under the further names that connections may ask for, told after the usual ones.
    fn encode_aliases(&self, _change: &Change) -> Vec<OutgoingEvent> {
        Vec::new()
    }

    /// Whether this connection asked for them.
    fn wants_aliases(&self, _speaker: &ClientSession) -> bool {
        false
    }

    /// Whether it has an event for who comes online and who goes: else its clients are not woken for that.
    fn tells_presence(&self) -> bool {
        false
    }

    /// Whether a signal that reached this session is for this connection too.
    fn should_deliver_signal(&self, _speaker: &ClientSession, _signal: &Signal) -> bool {
        true
    }

    /// The events of a signal.
    fn encode_signal(&self, signal: &Signal) -> Vec<OutgoingEvent>;

    /// What the connections in a room are told of others, to another server, that have entered a chat or left it: the
    /// room, and the events.
    fn encode_movement(
        &self,
        _services: &Services,
        _movement: &Movement,
    ) -> Option<(String, Vec<OutgoingEvent>)> {
        None
    }

    /// A client has disconnected.
    fn on_disconnect<'a>(&'a self, _speaker: &'a mut ClientSession) -> Boxed<'a, ()> {
        Box::pin(async {})
    }
}
