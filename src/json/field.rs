//! The fields of requests and of events' arguments, as descriptions know them: each with its kind and an example.

use serde_json::{Map, Value, json};

use super::schema::any_of;

/// A field of a body, a query or the headers, or a part of a path.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it holds.
    pub kind: Kind,
    /// As JSON where it is no text.
    pub example: &'static str,
    /// What a reader needs to know beside its name.
    pub about: &'static str,
    /// Whether an example of a whole body has it.
    pub is_in_example: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
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
    /// A list of some of these words.
    SomeOf(&'static [&'static str]),
    /// Numbers of people.
    People,
    /// An app's own id of a user: text or a number.
    OwnId,
    /// A list of those.
    OwnIds,
    /// An id of 24 hex digits.
    Hex,
    /// The same, or an object that has it as `_id`.
    HexOrEntry,
    /// An object with these fields.
    Object(&'static [Field]),
    /// Whatever JSON there is.
    Anything,
}

/// The greatest id.
const LARGEST: i64 = (1 << 53) - 1;
/// An id of this server.
pub const ID: Kind = Kind::Number(0, LARGEST);
/// Text of no particular length.
pub const TEXT: Kind = Kind::Text(0, 0);

/// A field that must be there.
pub const fn required(
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
        is_in_example: true,
    }
}

/// The same field, which examples of whole bodies leave out: what it names would have to be there, or what others
/// say would not do beside it.
pub const fn apart(field: Field) -> Field {
    Field {
        is_in_example: false,
        ..field
    }
}

/// A field that may be left out.
pub const fn optional(
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
    /// Its schema.
    pub fn schema(self) -> Value {
        match self {
            Self::Text(least, most) => text(least, most),
            Self::Words(words) => json!({"type": "string", "enum": words}),
            Self::Password => json!({"type": "string", "format": "password"}),
            Self::Number(least, most) => {
                json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most})
            }
            Self::Flag => json!({"type": "boolean"}),
            Self::SomeOf(words) => {
                json!({"type": "array", "items": {"type": "string", "enum": words}})
            }
            Self::People => json!({"type": "array", "items": ID.schema()}),
            Self::OwnId => json!({"type": ["string", "integer"]}),
            Self::OwnIds => json!({"type": "array", "items": Self::OwnId.schema()}),
            Self::Hex => json!({"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}),
            Self::HexOrEntry => {
                let entry = [required("_id", Self::Hex, "", "")];
                any_of([Self::Hex.schema(), body(&entry)])
            }
            Self::Object(fields) => body(fields),
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
    pub fn example(&self) -> Value {
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
    pub fn parameter(&self, place: &str) -> Value {
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
pub fn body(fields: &[Field]) -> Value {
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

/// An example of a body with all its fields that do on a server on which nothing is yet.
pub fn body_example(fields: &[Field]) -> Value {
    let pairs = fields
        .iter()
        .filter(|field| field.is_in_example)
        .map(|field| (field.name.to_owned(), field.example()));
    Value::Object(pairs.collect())
}
