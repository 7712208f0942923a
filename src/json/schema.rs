//! The JSON schemas of what is sent, derived from the types that serde writes.
//!
//! They are those of OpenAPI 3.1: JSON Schema of 2020-12, whose named types stand under
//! `#/components/schemas/`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub use parlance_describe::Describe;

/// Where named schemas stand in the document.
const PLACE: &str = "#/components/schemas/";

/// Marks one of several forms that a setting for old clients brings back: types for new ones leave it out.
pub const OF_OLD: &str = "x-of-old";

/// A type whose JSON has a schema.
pub trait Describe {
    /// Its schema; a named type is defined in `known`, and referred to.
    fn schema(known: &mut Definitions) -> Value;
}

/// The named schemas of a document.
#[derive(Debug, Default)]
pub struct Definitions {
    schemas: BTreeMap<String, (String, Value)>,
    clashes: Vec<String>,
}

impl Definitions {
    /// Defines a named schema once, and refers to it. `origin` is the type: another one may not have its name.
    pub fn define(
        &mut self,
        name: &str,
        origin: &str,
        about: &str,
        schema: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        match self.schemas.get(name) {
            Some((other, _)) if other != origin => {
                self.clashes.push(format!("{name} is {other} and {origin}"));
            }
            Some(_) => {}
            None => {
                // A type may hold itself.
                let begun = (origin.to_owned(), Value::Null);
                self.schemas.insert(name.to_owned(), begun);
                let mut schema = schema(self);
                if !about.is_empty() {
                    schema["description"] = plain(about).into();
                }
                self.schemas
                    .insert(name.to_owned(), (origin.to_owned(), schema));
            }
        }
        json!({"$ref": format!("{PLACE}{name}")})
    }

    /// What a reference refers to; any other schema is itself.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"]
            .as_str()
            .and_then(|at| at.strip_prefix(PLACE));
        let known = name.and_then(|name| self.schemas.get(name));
        known.map_or(schema, |(_, schema)| schema)
    }

    /// Names that two types have.
    pub fn clashes(&self) -> &[String] {
        &self.clashes
    }

    /// All of them, by name, but for those that nothing refers to: parts of others. `used` is what refers
    /// to them from outside.
    pub fn into_json(self, used: &Value) -> Map<String, Value> {
        let mut named = Vec::new();
        references(used, &mut named);
        let mut wanted = BTreeSet::new();
        while let Some(name) = named.pop() {
            if let Some((_, schema)) = self.schemas.get(&name)
                && wanted.insert(name)
            {
                references(schema, &mut named);
            }
        }
        let schemas = self.schemas.into_iter();
        schemas
            .filter(|(name, _)| wanted.contains(name))
            .map(|(name, (_, schema))| (name, schema))
            .collect()
    }
}

/// Collects the names of schemas that a part of the document refers to.
fn references(value: &Value, named: &mut Vec<String>) {
    match value {
        Value::Object(pairs) => {
            let target = pairs.get("$ref").and_then(Value::as_str);
            let name = target.and_then(|target| target.strip_prefix(PLACE));
            named.extend(name.map(str::to_owned));
            pairs.values().for_each(|value| references(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, named)),
        _ => {}
    }
}

/// A doc comment as a reader of the API sees it, without the marks of links.
fn plain(about: &str) -> String {
    about.replace("[`", "").replace("`]", "").replace('`', "")
}

/// An object's schema, property by property.
#[derive(Debug, Default)]
pub struct Object {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Object {
    /// An object without properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property.
    pub fn property(&mut self, name: &str, mut schema: Value, is_required: bool, about: &str) {
        if is_time(name) && is_text(&schema) {
            schema["format"] = "date-time".into();
        }
        if !about.is_empty() && schema.is_object() {
            schema["description"] = plain(about).into();
        }
        self.properties.insert(name.to_owned(), schema);
        if is_required {
            self.required.push(name.into());
        }
    }

    /// Adds the properties of another object.
    pub fn flatten(&mut self, schema: &Value, is_required: bool, known: &Definitions) {
        let schema = known.resolve(schema);
        if let Some(forms) = schema["anyOf"].as_array() {
            // Each form brings its own; none of them is there always.
            for form in forms {
                self.flatten(form, false, known);
            }
            return;
        }
        let properties = schema["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            self.properties.insert(name.clone(), property.clone());
        }
        if is_required {
            let required = schema["required"].as_array();
            self.required
                .extend(required.into_iter().flatten().cloned());
        }
    }

    /// The schema.
    pub fn schema(self) -> Value {
        json!({"type": "object", "properties": self.properties, "required": self.required})
    }
}

/// Whether a name says that it is of a time: all times are written alike.
fn is_time(name: &str) -> bool {
    let words = [
        "time",
        "at",
        "last_seen",
        "muted_until",
        "last_message_time",
    ];
    words.contains(&name) || name.ends_with("_at") || name.ends_with("At")
}

fn is_text(schema: &Value) -> bool {
    let kind = &schema["type"];
    *kind == "string" || *kind == json!(["string", "null"])
}

/// One of several schemas.
pub fn any_of(schemas: impl Into<Vec<Value>>) -> Value {
    json!({"anyOf": schemas.into()})
}

/// A text that is one of these words, or none where it can be null.
pub fn with_words(mut schema: Value, words: &[&str]) -> Value {
    let null = schema["type"].is_array().then_some(Value::Null);
    let words = words.iter().map(|word| Value::from(*word)).chain(null);
    schema["enum"] = words.collect();
    schema
}

macro_rules! plain_types {
    ($($kind:ty = $schema:tt),* $(,)?) => {$(
        impl Describe for $kind {
            fn schema(_: &mut Definitions) -> Value {
                json!($schema)
            }
        }
    )*};
}

plain_types! {
    String = {"type": "string"},
    &str = {"type": "string"},
    bool = {"type": "boolean"},
    i64 = {"type": "integer", "format": "int64"},
    u64 = {"type": "integer", "format": "int64", "minimum": 0},
    usize = {"type": "integer", "format": "int64", "minimum": 0},
    u16 = {"type": "integer", "format": "int32", "minimum": 0},
    Value = {},
}

impl<T: Describe> Describe for Option<T> {
    fn schema(known: &mut Definitions) -> Value {
        let mut schema = T::schema(known);
        match schema.get("type") {
            Some(Value::String(kind)) => {
                schema["type"] = json!([kind, "null"]);
                schema
            }
            _ => any_of([schema, json!({"type": "null"})]),
        }
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn schema(known: &mut Definitions) -> Value {
        json!({"type": "array", "items": T::schema(known)})
    }
}

impl<T: Describe, const N: usize> Describe for [T; N] {
    fn schema(known: &mut Definitions) -> Value {
        json!({"type": "array", "items": T::schema(known), "minItems": N, "maxItems": N})
    }
}

impl<T: Describe> Describe for (T, T) {
    fn schema(known: &mut Definitions) -> Value {
        <[T; 2]>::schema(known)
    }
}
