//! Reads a JSON object, keeping names that come twice so that they can be refused.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, error::Category};

use super::{MOST, too_many};
use crate::{
    error::{Error, Result},
    json,
};

/// How the JSON library calls a number of which a floating point number cannot tell the size.
const TOO_LARGE: &str = "number out of range";

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, Value)>> {
    let object: Object = json::read_bytes(bytes).map_err(refusal)?;
    object.0.ok_or_else(too_many)
}

/// What is wrong with a body that should be JSON, in a sentence.
pub(super) fn refusal(error: serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let sentence = match error.classify() {
        Category::Data => "the body must be a JSON object".to_owned(),
        Category::Syntax if error.to_string().starts_with(TOO_LARGE) => {
            format!("a number in the body is too large ({place})")
        }
        Category::Syntax | Category::Eof | Category::Io => {
            format!("the body is not valid JSON ({place})")
        }
    };
    Error::invalid(sentence).because(error)
}

/// The pairs of an object; nothing when there are too many.
struct Object(Option<Vec<(String, Value)>>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            if pairs.len() == MOST {
                while map.next_entry::<String, Value>()?.is_some() {}
                return Ok(Object(None));
            }
            pairs.push(pair);
        }
        Ok(Object(Some(pairs)))
    }
}
