//! Rows of any table, as they go from one database to the other, and their digests.

use sha2::{Digest as _, Sha256};
use sqlx::types::JsonValue;

use crate::model::hex;

/// A value of a column. Keys compare as both engines order them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

/// The values of a row.
pub(super) type Row = Vec<Value>;

impl Value {
    pub(super) fn int(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    pub(super) fn bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            Self::Null | Self::Int(_) | Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(value) => Some(value),
            Self::Null | Self::Int(_) | Self::Bool(_) | Self::Bytes(_) => None,
        }
    }

    pub(super) fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(value) => Some(value),
            Self::Null | Self::Int(_) | Self::Bool(_) | Self::Text(_) => None,
        }
    }

    /// How much memory it takes, about.
    pub(super) fn size(&self) -> usize {
        let more = match self {
            Self::Null | Self::Int(_) | Self::Bool(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>() + more
    }

    /// The value in one way of writing it, which no other value has.
    fn feed(&self, digest: &mut Sha256) {
        let (tag, bytes) = match self {
            Self::Null => (b'n', Vec::new()),
            Self::Int(value) => (b'i', value.to_be_bytes().to_vec()),
            Self::Bool(value) => (b'b', vec![u8::from(*value)]),
            Self::Text(text) => (b't', text.as_bytes().to_vec()),
            Self::Bytes(bytes) => (b'y', bytes.clone()),
        };
        digest.update([tag]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

/// How many rows a table has, and what they hold in the order of their keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) rows: u64,
    digest: Sha256,
}

impl Content {
    /// Adds the next row.
    pub(super) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            value.feed(&mut self.digest);
        }
    }

    /// The rows and their digest.
    pub(super) fn ended(self) -> (u64, String) {
        (self.rows, hex::encode(&self.digest.finalize()))
    }
}

/// A key as text, for the table of how far the copy has come.
pub(super) fn encode_key(key: &[Value]) -> Option<String> {
    let parts = key.iter().map(|part| match part {
        Value::Int(value) => Some(JsonValue::from(*value)),
        Value::Text(text) => Some(JsonValue::from(text.as_str())),
        Value::Null | Value::Bool(_) | Value::Bytes(_) => None,
    });
    let parts: Option<Vec<_>> = parts.collect();
    parts.map(|parts| JsonValue::from(parts).to_string())
}

/// Reads what [`encode_key`] writes.
pub(super) fn decode_key(text: &str) -> Option<Vec<Value>> {
    let parts: JsonValue = text.parse().ok()?;
    let parts = parts.as_array()?.iter().map(|part| match part {
        JsonValue::Number(value) => value.as_i64().map(Value::Int),
        JsonValue::String(text) => Some(Value::Text(text.clone())),
        _ => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = vec![Value::Int(-7), Value::Text("a \"b\" \u{1f375}".to_owned())];
        let text = encode_key(&key).expect("a key has numbers and texts");
        assert_eq!(decode_key(&text), Some(key));
        assert_eq!(encode_key(&[Value::Null]), None);
        assert_eq!(decode_key("[null]"), None);
        assert_eq!(decode_key("["), None);
    }

    #[test]
    fn rows_that_differ_have_other_digests() {
        let digest = |rows: &[&[Value]]| {
            let mut content = Content::default();
            for row in rows {
                content.add(row);
            }
            content.ended().1
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let all = [
            digest(&[]),
            digest(&[&[Value::Null]]),
            digest(&[&[Value::Int(0)]]),
            digest(&[&[Value::Bool(false)]]),
            digest(&[&[text("")]]),
            digest(&[&[Value::Bytes(Vec::new())]]),
            digest(&[&[text("a"), text("b")]]),
            digest(&[&[text("ab"), text("")]]),
            digest(&[&[text("b"), text("a")]]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
