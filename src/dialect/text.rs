//! Ids and instants that are written into JSON without a copy.

use serde::{Serialize, Serializer};

use crate::model::Timestamp;

/// An id, as a string of digits.
#[derive(Debug, Clone, Copy)]
pub struct Digits(pub i64);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_instants_are_strings() {
        for number in [0, 7, 10, -1, -90, i64::MAX, i64::MIN] {
            let text = serde_json::to_string(&Digits(number)).expect("JSON");
            assert_eq!(text, format!("\"{number}\""));
        }
        for millis in [0, 1_500_000_000_250, -1] {
            let at = Timestamp::new(millis);
            let text = serde_json::to_string(&At(at)).expect("JSON");
            assert_eq!(text, format!("\"{}\"", at.to_rfc3339()));
        }
    }
}
