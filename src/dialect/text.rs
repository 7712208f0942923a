//! Ids and instants that are written into JSON without a copy.

use serde::{Serialize, Serializer};

use crate::model::Timestamp;

/// An id, as a string of digits.
#[derive(Debug, Clone, Copy)]
pub struct Digits(pub i64);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

/// An instant, in RFC 3339.
#[derive(Debug, Clone, Copy)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.written() {
            Some(text) => serializer.serialize_str(text.as_str()),
            None => serializer.serialize_str(&self.0.to_rfc3339()),
        }
    }
}
