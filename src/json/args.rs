//! The fields of an object, each read as what it is to be, or refused by its name.

use serde_json::{Map, Value};

use super::value;
use crate::error::{Error, Result};

/// The fields of an object.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    fields: &'a Map<String, Value>,
    within: Option<&'static str>,
}

impl<'a> Args<'a> {
    /// The fields of `object`.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self {
            fields: object,
            within: None,
        }
    }

    /// The fields of an event's argument, which must be an object.
    pub fn of(argument: Option<&'a Value>) -> Result<Self> {
        match argument {
            Some(Value::Object(fields)) => Ok(Self::new(fields)),
            Some(_) | None => Err(Error::invalid("the argument must be an object")),
        }
    }

    /// A field; none where it is absent or null.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Text, or nothing where it is absent.
    pub fn text(self, name: &'static str) -> Result<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be text")),
        }
    }

    /// Text that must be there.
    pub fn required(self, name: &'static str) -> Result<&'a str> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A whole number that is not negative, or nothing where it is absent.
    pub fn number(self, name: &'static str) -> Result<Option<i64>> {
        self.get(name)
            .map(|value| {
                value::whole(value)
                    .filter(|number| *number >= 0)
                    .ok_or_else(|| self.wrong(name, "must be a whole number, not negative"))
            })
            .transpose()
    }

    /// What a tenant calls somebody, or nothing where it is absent.
    pub fn own_id(self, name: &'static str) -> Result<Option<String>> {
        self.get(name)
            .map(|value| {
                value::own_id(value)
                    .ok_or_else(|| self.wrong(name, "must be text or a whole number"))
            })
            .transpose()
    }

    /// Yes or no, or nothing where it is absent.
    pub fn flag(self, name: &'static str) -> Result<Option<bool>> {
        self.get(name)
            .map(|value| {
                value::flag(value).ok_or_else(|| self.wrong(name, "must be true or false"))
            })
            .transpose()
    }

    /// An object within this one, or nothing where it is absent.
    pub fn object(self, name: &'static str) -> Result<Option<Self>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self {
                fields,
                within: Some(name),
            })),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    /// A refusal of a field that is not what it must be.
    pub fn wrong(self, name: &'static str, what: &str) -> Error {
        match self.within {
            // What is named as the field is what the caller's API checks: the argument's own.
            Some(within) => Error::invalid_field(within, format!("{within}.{name} {what}")),
            None => Error::invalid_field(name, format!("{name} {what}")),
        }
    }

    /// A refusal for want of a field.
    pub fn missing(self, name: &'static str) -> Error {
        self.wrong(name, "is required")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_refused_by_its_name() {
        let object = json!({"page": 5.5, "user": {"id": [], "name": 7}, "chat": 1, "none": null});
        let args = Args::of(Some(&object)).expect("an object");
        let user = args.object("user").expect("an object").expect("there");
        let told = |error: Error| (error.field(), error.text().to_owned());
        for (error, field, sentence) in [
            (
                args.number("page").expect_err("no whole number"),
                "page",
                "page must be a whole number, not negative",
            ),
            (
                args.required("none").expect_err("null"),
                "none",
                "none is required",
            ),
            (
                args.object("chat").expect_err("a number"),
                "chat",
                "chat must be an object",
            ),
            (
                user.own_id("id").expect_err("a list"),
                "user",
                "user.id must be text or a whole number",
            ),
            (
                user.required("name").expect_err("a number"),
                "user",
                "user.name must be text",
            ),
        ] {
            assert_eq!(told(error), (Some(field), sentence.to_owned()));
        }
        assert!(Args::of(None).is_err());
        assert!(Args::of(Some(&json!([]))).is_err());
    }
}
