//! A request's body as a JSON object; what is wrong with it is told in the document's shape.

use rocket::{
    Request,
    data::{self, Data, FromData},
};
use serde_json::{Map, Value};

use crate::{
    error::{Error, Result},
    http::Fields,
    json::{self, Args},
};

/// The most characters of an app's own id of its user.
const OWN_ID_CHARS: usize = 255;
/// What an app's own id of a user must be, and a list of them.
const OWN_ID: &str = "must be the id of a user in your system: text or a whole number";
const OWN_IDS: &str = "must be a list of ids of users in your system: text or whole numbers";
/// The most bytes of what an app keeps with a room.
const EXTRA_BYTES: usize = 16 << 10;

/// See the module. Reading it never fails: what it holds may.
pub(super) struct Body(Result<Map<String, Value>>);

#[rocket::async_trait]
impl<'r> FromData<'r> for Body {
    type Error = std::convert::Infallible;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let fields = Fields::receive(request, data).await;
        data::Outcome::Success(Self(fields.and_then(|fields| fields.to_json())))
    }
}

impl Body {
    /// The fields, if the body could be read.
    pub(super) fn fields(self) -> Result<JsonReply> {
        self.0.map(JsonReply)
    }
}

/// The fields of a body.
pub(super) struct JsonReply(Map<String, Value>);

impl JsonReply {
    fn args(&self) -> Args<'_> {
        Args::new(&self.0)
    }

    /// Text, or nothing where it is absent or null.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>> {
        self.args().text(name)
    }

    /// Text that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str> {
        let text = self.args().required(name)?;
        if text.trim().is_empty() {
            return Err(self.args().missing(name));
        }
        Ok(text)
    }

    /// Whatever was sent, where it is no single text or number.
    pub(super) fn value(&self, name: &'static str) -> Option<&Value> {
        self.args().get(name)
    }

    /// A whole number that must be there, not negative.
    pub(super) fn number(&self, name: &'static str) -> Result<i64> {
        let number = self.args().number(name)?;
        number.ok_or_else(|| self.args().missing(name))
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

    /// Yes or no; no where nobody says.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool> {
        Ok(self.args().flag(name)?.unwrap_or(false))
    }

    /// An app's own id of a user: text or a whole number.
    pub(super) fn own_id(&self, name: &'static str) -> Result<String> {
        self.args()
            .get(name)
            .and_then(own_id)
            .ok_or_else(|| wrong(name, OWN_ID))
    }

    /// An app's own ids of users, each once: of at most so many.
    pub(super) fn users(&self, most: usize) -> Result<Vec<String>> {
        let refusal = || wrong("users", OWN_IDS);
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
    json::own_id(value).filter(|id| {
        !id.is_empty() && id.chars().count() <= OWN_ID_CHARS && !id.chars().any(char::is_control)
    })
}

fn wrong(name: &'static str, what: &str) -> Error {
    Error::invalid_field(name, format!("{name} {what}"))
}
