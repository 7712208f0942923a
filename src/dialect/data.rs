//! The data of an event or an answer.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// What an event carries: a value, or the JSON of one that is sent as it is. What every message is told with is written
/// once, as text: as a value it would be taken apart into a tree of texts first.
#[derive(Debug, Clone)]
pub enum Data {
    /// A value.
    Value(Value),
    /// The JSON of a value, with the keys of its objects in their order.
    Text(Box<RawValue>),
}

impl Data {
    /// The JSON of something that is sent as it is.
    pub fn text(data: &impl Serialize) -> Self {
        match to_raw_value(data) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Value(Value::Null),
        }
    }

    /// Its JSON.
    pub fn to_json(&self) -> Cow<'_, str> {
        match self {
            Self::Value(value) => Cow::Owned(value.to_string()),
            Self::Text(text) => Cow::Borrowed(text.get()),
        }
    }

    /// The value.
    pub fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Text(text) => serde_json::from_str(text.get()).unwrap_or_default(),
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self::Value(Value::Null)
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one == other,
            (Self::Text(one), Self::Text(other)) if one.get() == other.get() => true,
            _ => self.clone().into_value() == other.clone().into_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_and_its_value_are_the_same() {
        let value = json!({"a": [1, "\u{e9}\n"], "b": null});
        let (text, whole) = (Data::text(&value), Data::from(value.clone()));
        assert_eq!(text, whole);
        assert_eq!(text.to_json(), whole.to_json());
        assert_eq!(serde_json::to_value(&text).expect("JSON"), value);
        assert_eq!(json!({"data": text}), json!({"data": value}));
        assert_eq!(text.into_value(), value);
        assert_ne!(Data::from(json!(1)), Data::default());
    }
}
