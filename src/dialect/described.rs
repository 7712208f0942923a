//! What a dialect says of its events: the tables that the code works by, and from which descriptions are made.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{
    dialect::{Data, OutgoingEvent},
    error::Kind as ErrorKind,
    json::{
        field::{self, Field, Kind},
        schema::{Definitions, Describe},
    },
    model::Scope,
};

/// What makes the schema of a type.
pub type Schema = fn(&mut Definitions) -> Value;

/// The description of an event-style dialect.
#[derive(Debug)]
pub struct EventApi {
    /// What it is called.
    pub title: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Shell commands that prepare what the examples need.
    pub preparation: &'static str,
    /// The query of the examples' requests.
    pub query: &'static str,
    /// The options with which the examples' socket connects, in JavaScript.
    pub options: &'static str,
    /// What the examples' variables may be.
    pub samples: &'static [(&'static str, &'static str)],
    /// The events that clients send, in the order in which their examples make a conversation.
    pub events: &'static [ClientEvent],
    /// Whether an answer is also emitted as an event of the same name.
    pub emits_answers: bool,
    /// The events that clients receive beside answers of the same name.
    pub pushes: &'static [ServerEvent],
    /// How a refusal is acknowledged.
    pub failure: Described,
    /// Why any of the events can be refused.
    pub refusals: &'static [Refusal],
}

/// What makes a schema, as a value that can be printed.
#[derive(Clone, Copy)]
pub struct Described(pub Schema);

impl Described {
    /// The schema of a type.
    pub const fn of<T: Describe>() -> Self {
        Self(T::schema)
    }
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Described")
    }
}

/// An event that clients send.
#[derive(Debug, Clone, Copy)]
pub struct ClientEvent {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence without a full stop.
    pub summary: &'static str,
    /// What else a reader needs to know.
    pub about: &'static str,
    /// What its argument can be; none if it takes none.
    pub takes: &'static [Form],
    /// What a token must be good for to send it.
    pub scope: Scope,
    /// Its argument in the example, as JSON. `"$name"` is the text, `"#name"` the number of that variable.
    pub example: &'static str,
    /// Variables for later examples, each with its place in the answer.
    pub keeps: &'static [(&'static str, &'static str)],
    /// The answer.
    pub reply: Described,
    /// The events by which the client is answered, beside that of its own name.
    pub emits: &'static [&'static str],
    /// The events that others receive.
    pub pushes: &'static [&'static str],
    /// Why it can be refused, beside what can happen to all.
    pub refusals: &'static [Refusal],
}

/// One of the forms of an argument.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// It may be left out.
    Nothing,
    /// An object with these fields.
    Fields(&'static [Field]),
    /// A value alone.
    Value(Kind),
}

/// An event that clients receive.
#[derive(Debug, Clone, Copy)]
pub struct ServerEvent {
    /// Its name.
    pub name: &'static str,
    /// When it comes.
    pub about: &'static str,
    /// Its argument.
    pub data: Described,
}

/// Why an event is refused.
#[derive(Debug, Clone, Copy)]
pub struct Refusal(pub ErrorKind, pub &'static str);

impl ClientEvent {
    /// An event that is answered with `T`.
    pub const fn new<T: Describe>(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            about: "",
            takes: &[],
            scope: Scope::Write,
            example: "",
            keeps: &[],
            reply: Described::of::<T>(),
            emits: &[],
            pushes: &[],
            refusals: &[],
        }
    }

    /// The same with more said of it.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// The same for an event that only reads, which a token may send that is good for no more.
    #[must_use]
    pub const fn reads(self) -> Self {
        Self {
            scope: Scope::Read,
            ..self
        }
    }

    /// The same with an argument, and an example of it.
    #[must_use]
    pub const fn takes(self, takes: &'static [Form], example: &'static str) -> Self {
        Self {
            takes,
            example,
            ..self
        }
    }

    /// The same with variables that later examples use.
    #[must_use]
    pub const fn keeps(self, keeps: &'static [(&'static str, &'static str)]) -> Self {
        Self { keeps, ..self }
    }

    /// The same with events by which its client is answered.
    #[must_use]
    pub const fn emits(self, emits: &'static [&'static str]) -> Self {
        Self { emits, ..self }
    }

    /// The same with events that others receive.
    #[must_use]
    pub const fn pushes(self, pushes: &'static [&'static str]) -> Self {
        Self { pushes, ..self }
    }

    /// The same with more ways to be refused.
    #[must_use]
    pub const fn refuses(self, refusals: &'static [Refusal]) -> Self {
        Self { refusals, ..self }
    }

    /// Whether the argument may be left out.
    pub fn is_optional(&self) -> bool {
        self.takes.iter().any(|form| matches!(form, Form::Nothing))
    }
}

/// A field that an argument must have.
pub const fn must(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field::required(name, kind, "", about)
}

/// A field that an argument may have.
pub const fn may(name: &'static str, kind: Kind, about: &'static str) -> Field {
    field::optional(name, kind, "", about)
}

/// Whether a table has an event of that name.
pub fn has(events: &[ClientEvent], name: &str) -> bool {
    events.iter().any(|event| event.name == name)
}

/// What writes the JSON of a `T` at once, with the keys in their order.
pub trait Text<T>: Serialize {}

/// An event that clients receive, whose argument is a `T`: what is sent is what is described.
pub struct Push<T>(ServerEvent, PhantomData<fn(T)>);

impl<T: Describe + Serialize> Push<T> {
    /// An event of that name, and when it comes.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        let event = ServerEvent {
            name,
            about,
            data: Described::of::<T>(),
        };
        Self(event, PhantomData)
    }

    /// The event with its argument.
    pub fn of(&self, data: &T) -> OutgoingEvent {
        let data = serde_json::to_value(data);
        OutgoingEvent::new(self.0.name, data.unwrap_or_default())
    }

    /// The event with its argument as text.
    pub fn as_text(&self, data: &impl Text<T>) -> OutgoingEvent {
        OutgoingEvent::new(self.0.name, Data::text(data))
    }

    /// What is said of it.
    pub const fn described(&self) -> ServerEvent {
        self.0
    }
}

/// The word `ok`, as a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Okay;

impl Serialize for Okay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("ok")
    }
}

impl Describe for Okay {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string", "enum": ["ok"]})
    }
}

/// The word `error`, as a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl Serialize for Failed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("error")
    }
}

impl Describe for Failed {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string", "enum": ["error"]})
    }
}

/// The schema of an error's code.
pub struct ErrorCode;

impl Describe for ErrorCode {
    fn schema(_: &mut Definitions) -> Value {
        let codes = ErrorKind::ALL.iter().map(|kind| kind.code());
        json!({"type": "string", "enum": codes.collect::<Vec<_>>()})
    }
}
