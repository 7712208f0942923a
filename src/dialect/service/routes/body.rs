//! A request's body as a JSON object; what is wrong with it is told in the document's shape.

use rocket::{
    Request,
    data::{self, Data, FromData},
};
use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind, Result},
    http::Fields,
};

/// The most characters of an app's own id of its user.
const OWN_ID_CHARS: usize = 255;
/// The most bytes of what an app keeps with a room.
const EXTRA_BYTES: usize = 16 << 10;

/// See the module. Reading it never fails: what it holds may.
pub(super) struct Body(std::result::Result<Map<String, Value>, Kind>);

#[rocket::async_trait]
impl<'r> FromData<'r> for Body {
    type Error = Kind;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        match <&Fields>::from_data(request, data).await {
            data::Outcome::Success(fields) => data::Outcome::Success(Self(Ok(fields.to_json()))),
            data::Outcome::Error((_, kind)) => data::Outcome::Success(Self(Err(kind))),
            data::Outcome::Forward(forward) => data::Outcome::Forward(forward),
        }
    }
}

impl Body {
    /// The fields, if the body could be read.
    pub(super) fn fields(self) -> Result<Told> {
        let sentence = |kind| match kind {
            Kind::TooLarge => "the body is too large",
            Kind::UnsupportedType => "the body must be JSON, and Content-Type must say so",
            _ => "the body must be a JSON object",
        };
        self.0
            .map(Told)
            .map_err(|kind| Error::new(kind, sentence(kind)))
    }
}

/// The fields of a body.
pub(super) struct Told(Map<String, Value>);

impl Told {
    /// Text, or nothing where it is absent or null.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be text")),
        }
    }

    /// Text that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str> {
        self.text(name)?
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| wrong(name, "is required"))
    }

    /// A part of a name: short, on one line.
    pub(super) fn name(&self, name: &'static str) -> Result<Option<String>> {
        let Some(text) = self
            .text(name)?
            .map(str::trim)
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        if text.chars().count() > OWN_ID_CHARS || text.chars().any(char::is_control) {
            return Err(wrong(name, "must be one line of at most 255 characters"));
        }
        Ok(Some(text.to_owned()))
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "must be true or false")),
        }
    }

    /// An app's own id of a user: text or a number.
    pub(super) fn own_id(&self, name: &'static str) -> Result<String> {
        let value = self.0.get(name).unwrap_or(&Value::Null);
        own_id(value).ok_or_else(|| wrong(name, "must be the id of a user in your system"))
    }

    /// An app's own ids of users, each once: of at most so many.
    pub(super) fn users(&self, most: usize) -> Result<Vec<String>> {
        let refusal = || wrong("users", "must be a list of ids of users in your system");
        let Some(Value::Array(users)) = self.0.get("users") else {
            return Err(refusal());
        };
        if users.len() > most {
            return Err(wrong("users", &format!("must name at most {most}")));
        }
        let mut seen = std::collections::HashSet::new();
        let mut ids = Vec::with_capacity(users.len());
        for user in users {
            let id = own_id(user).ok_or_else(refusal)?;
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// What an app keeps with a room, as JSON.
    pub(super) fn extra(&self) -> Result<Option<String>> {
        let Some(extra) = self.0.get("extra").filter(|extra| !extra.is_null()) else {
            return Ok(None);
        };
        let text = extra.to_string();
        if text.len() > EXTRA_BYTES {
            return Err(wrong("extra", "must have at most 16384 bytes"));
        }
        Ok(Some(text))
    }
}

fn own_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let sound =
        !id.is_empty() && id.chars().count() <= OWN_ID_CHARS && !id.chars().any(char::is_control);
    sound.then_some(id)
}

fn wrong(name: &'static str, what: &str) -> Error {
    Error::invalid_field(name, format!("{name} {what}"))
}
