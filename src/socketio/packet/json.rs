//! Deserializes the payload of an event in one pass, with the checks that a packet needs.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

/// Names of events that Socket.IO libraries emit locally. They may not be sent.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// An event's payload: `["name", …]`.
#[derive(Debug)]
pub(super) struct EventPayload {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
}

impl<'de> Deserialize<'de> for EventPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventPayload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's name and arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EventPayload, A::Error> {
        let name = match list.next_element()? {
            Some(Name::Text(name)) => name,
            Some(Name::Number(number)) => number.to_string(),
            None => return Err(A::Error::custom("an event without a name")),
        };
        if RESERVED.contains(&name.as_str()) {
            return Err(A::Error::custom("a reserved name"));
        }
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(EventPayload { name, values })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(Number),
}
