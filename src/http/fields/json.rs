//! Reads a JSON object, keeping names that come twice so that they can be refused.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, error::Category};

use super::{MOST, too_many};
use crate::error::{Error, Result};

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, Value)>> {
    let object: Object = serde_json::from_slice(bytes).map_err(|error| {
        let sentence = match error.classify() {
            Category::Data => "the body must be a JSON object".to_owned(),
            Category::Syntax | Category::Eof | Category::Io => format!(
                "the body is not valid JSON (line {}, column {})",
                error.line(),
                error.column()
            ),
        };
        Error::invalid(sentence).because(error)
    })?;
    object.0.ok_or_else(too_many)
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
