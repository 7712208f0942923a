//! The fields of a request, however they were sent.
//!
//! # Why
//! The same names come as a urlencoded form, a multipart form, JSON or a query string, so routes
//! read [`Fields`] and do not know which it was. Rocket's own forms would replace bad UTF-8
//! silently, stop at 32 KiB, and answer a wrong field with a page; here every oddity is a 400 whose
//! sentence names the field.
//!
//! A name that is read as one value and was sent twice is refused: a proxy or a library that reads
//! the first while we read the last would see another request than we do.

mod form;
mod guard;
mod multipart;
mod object;

use std::time::Duration;

use serde_json::{Map, Value};

pub use guard::Query;
pub(crate) use guard::read_plain;

use crate::{
    error::{Error, Result},
    json,
};

/// Most fields of one request.
const MOST: usize = 256;

/// The fields of a request, in the order they came; a route takes `data = "<fields>"` as `&Fields`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    pairs: Vec<(String, Value)>,
}

impl Fields {
    /// Reads a urlencoded form or a query string.
    pub fn from_form(bytes: &[u8]) -> Result<Self> {
        Self::checked(form::parse(bytes)?)
    }

    /// Reads a JSON object.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        Self::checked(object::parse(bytes)?)
    }

    /// Reads a multipart form whose parts are divided by `boundary`.
    pub async fn from_multipart(bytes: Vec<u8>, boundary: String) -> Result<Self> {
        Self::checked(multipart::parse(bytes, boundary).await?)
    }

    /// Text that must be there.
    pub fn required_text(&self, name: &'static str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A refusal for want of a field.
    pub fn missing(&self, name: &'static str) -> Error {
        wrong(name, "is missing from the request")
    }

    /// Text, or nothing when the field is absent (or JSON's null).
    pub fn text(&self, name: &'static str) -> Result<Option<&str>> {
        match self.one(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be text")),
        }
    }

    /// Yes or no: `true`, `1` or `on`; `false`, `0` or `off`.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>> {
        self.one(name)?
            .map(|value| json::flag(value).ok_or_else(|| wrong(name, "must be true or false")))
            .transpose()
    }

    /// A whole number from 0 to 2^53 - 1.
    pub fn number(&self, name: &'static str) -> Result<Option<i64>> {
        self.one(name)?
            .map(|value| whole(value).ok_or_else(|| wrong(name, "must be a whole number")))
            .transpose()
    }

    /// How long, in whole seconds; nothing below zero.
    pub fn seconds(&self, name: &'static str) -> Result<Option<Duration>> {
        self.one(name)?
            .map(|value| {
                json::at_least_none(value)
                    .map(Duration::from_secs)
                    .ok_or_else(|| wrong(name, "must be a whole number of seconds"))
            })
            .transpose()
    }

    /// Whole numbers: a list with commas, a repeated field, or a JSON array. Absent is empty.
    pub fn numbers(&self, name: &'static str) -> Result<Vec<i64>> {
        let refusal = || wrong(name, "must be whole numbers divided by commas");
        let mut numbers = Vec::new();
        for value in self.all(name) {
            match value {
                Value::Array(values) => {
                    for value in values {
                        numbers.push(whole(value).ok_or_else(refusal)?);
                    }
                }
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => {
                    for part in text.split(',') {
                        let number = json::whole_text(part).filter(|number| *number >= 0);
                        numbers.push(number.ok_or_else(refusal)?);
                    }
                }
                other => numbers.push(whole(other).ok_or_else(refusal)?),
            }
        }
        Ok(numbers)
    }

    /// Whatever was sent, where it is no single text or number.
    pub fn value(&self, name: &'static str) -> Result<Option<&Value>> {
        self.one(name)
    }

    /// Whether there is any field at all.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The fields as one JSON object.
    pub fn to_json(&self) -> Result<Map<String, Value>> {
        let mut object = Map::new();
        for (name, value) in &self.pairs {
            if object.insert(name.clone(), value.clone()).is_some() {
                return Err(Error::invalid(format!("{name} was sent more than once")));
            }
        }
        Ok(object)
    }

    /// The names, in the order they came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    fn checked(pairs: Vec<(String, Value)>) -> Result<Self> {
        for (name, value) in &pairs {
            if name.contains('\0') || holds_nul(value) {
                return Err(Error::invalid("text cannot hold the character U+0000"));
            }
        }
        Ok(Self { pairs })
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.pairs
            .iter()
            .filter(move |(other, value)| other == name && !value.is_null())
            .map(|(_, value)| value)
    }

    fn one(&self, name: &'static str) -> Result<Option<&Value>> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(wrong(name, "was sent more than once"));
        }
        Ok(first)
    }
}

fn wrong(name: &'static str, what: &str) -> Error {
    Error::invalid_field(name, format!("{name} {what}"))
}

fn whole(value: &Value) -> Option<i64> {
    json::whole(value).filter(|number| *number >= 0)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(pairs) => pairs
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn too_many() -> Error {
    Error::invalid(format!("a request may hold at most {MOST} fields"))
}
