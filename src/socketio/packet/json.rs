//! The JSON of a packet, read in one pass and only in the shapes that a packet may have.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

/// Names that mean something to every Socket.IO library and so never travel.
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

/// Reads `text`, and reads it again mended if it holds half a character.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match mend(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(mended) => serde_json::from_str(&mended),
    })
}

/// Replaces lone surrogates by U+FFFD.
///
/// JavaScript cuts text between UTF-16 units, so an honest client may send half an emoji, as
/// `\ud83d`. That is no reason to hang up on it, which is all we could do with JSON we cannot read.
fn mend(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (unit(text, at), unit(text, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.push_str(&text[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // Another escape: step over the backslash and what it escapes, perhaps a backslash.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

/// The UTF-16 unit that the escape at `at` spells, if it is such an escape.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
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
