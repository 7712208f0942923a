//! The fields of requests, as the description knows them: each with its kind and an example.

use serde_json::{Map, Value, json};

/// A field of a body, a query or the headers, or a part of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) is_required: bool,
    pub(super) kind: Kind,
    /// As JSON where it is no text.
    pub(super) example: &'static str,
    pub(super) about: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text of at least and at most so many characters.
    Text(u32, u32),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A password.
    Password,
    /// A whole number from one to another.
    Number(i64, i64),
    /// Yes or no.
    Flag,
    /// Numbers of people.
    People,
    /// An app's own id of a user: text or a number.
    OwnId,
    /// A list of those.
    OwnIds,
    /// Whatever JSON there is.
    Anything,
}

/// The greatest id.
const LARGEST: i64 = (1 << 53) - 1;
/// An id of this server.
pub(super) const ID: Kind = Kind::Number(0, LARGEST);
/// Text of no particular length.
pub(super) const TEXT: Kind = Kind::Text(0, 0);

/// A field that must be there.
pub(super) const fn required(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        name,
        is_required: true,
        kind,
        example,
        about,
    }
}

/// A field that may be left out.
pub(super) const fn optional(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        is_required: false,
        ..required(name, kind, example, about)
    }
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text(least, most) => text(least, most),
            Self::Words(words) => json!({"type": "string", "enum": words}),
            Self::Password => json!({"type": "string", "format": "password"}),
            Self::Number(least, most) => {
                json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most})
            }
            Self::Flag => json!({"type": "boolean"}),
            Self::People => json!({"type": "array", "items": ID.schema()}),
            Self::OwnId => json!({"type": ["string", "integer"]}),
            Self::OwnIds => json!({"type": "array", "items": Self::OwnId.schema()}),
            Self::Anything => json!({}),
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Text(..) | Self::Words(_) | Self::Password)
    }
}

fn text(least: u32, most: u32) -> Value {
    let mut schema = json!({"type": "string"});
    for (key, length) in [("minLength", least), ("maxLength", most)] {
        if length > 0 {
            schema[key] = length.into();
        }
    }
    schema
}

impl Field {
    /// The example as JSON.
    pub(super) fn example(&self) -> Value {
        let parsed = serde_json::from_str(self.example);
        match parsed {
            Ok(value) if !self.kind.is_text() => value,
            Ok(_) | Err(_) => self.example.into(),
        }
    }

    fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        if !self.about.is_empty() {
            schema["description"] = self.about.into();
        }
        schema
    }

    /// As a parameter: `place` is path, query or header.
    pub(super) fn parameter(&self, place: &str) -> Value {
        let mut parameter = json!({
            "name": self.name,
            "in": place,
            "required": place == "path" || self.is_required,
            "schema": self.kind.schema(),
        });
        if !self.about.is_empty() {
            parameter["description"] = self.about.into();
        }
        if !self.example.is_empty() {
            parameter["example"] = self.example();
        }
        parameter
    }
}

/// The schema of a body with these fields, and an example with all of them.
pub(super) fn body(fields: &[Field]) -> Value {
    let properties = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.schema()));
    let required = fields.iter().filter(|field| field.is_required);
    let required: Vec<_> = required.map(|field| field.name).collect();
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required,
    })
}

/// An example of a body with all its fields.
pub(super) fn body_example(fields: &[Field]) -> Value {
    let pairs = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.example()));
    Value::Object(pairs.collect())
}
