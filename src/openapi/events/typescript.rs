//! JSON schemas as types of TypeScript.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::json::schema::OF_OLD;

/// A schema as a type; what is in several lines is indented so far.
pub(super) fn type_of(schema: &Value, depth: usize) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        let forms = forms.iter().filter(|form| form[OF_OLD] != true);
        let mut types: Vec<_> = forms.map(|form| type_of(form, depth)).collect();
        types.dedup();
        return types.join(" | ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(Value::to_string).collect();
        return words.join(" | ");
    }
    match &schema["type"] {
        Value::String(kind) => of_kind(kind, schema, depth),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let types: Vec<_> = kinds.map(|kind| of_kind(kind, schema, depth)).collect();
            types.join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}

fn of_kind(kind: &str, schema: &Value, depth: usize) -> String {
    match kind {
        "string" | "boolean" | "null" => kind.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => list(schema, depth),
        "object" => match schema["properties"].as_object() {
            Some(properties) => object(properties, schema, depth),
            None => "Record<string, unknown>".to_owned(),
        },
        _ => "unknown".to_owned(),
    }
}

fn list(schema: &Value, depth: usize) -> String {
    let entry = type_of(&schema["items"], depth);
    match (schema["minItems"].as_u64(), schema["maxItems"].as_u64()) {
        (Some(least), Some(most)) if least == most => {
            let entries = (0..most).map(|_| entry.as_str());
            format!("[{}]", entries.collect::<Vec<_>>().join(", "))
        }
        _ if entry.contains(" | ") => format!("({entry})[]"),
        _ => format!("{entry}[]"),
    }
}

fn object(properties: &Map<String, Value>, schema: &Value, depth: usize) -> String {
    let is_required = |name: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|required| required.iter().any(|it| it == name))
    };
    let (inside, outside) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let mut text = String::from("{\n");
    for (name, property) in properties {
        if let Some(about) = property["description"].as_str() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{inside}/** {about} */");
        }
        let mark = if is_required(name) { "" } else { "?" };
        let kind = type_of(property, depth + 1);
        let _ = writeln!(text, "{inside}{}{mark}: {kind};", key(name));
    }
    text.push_str(&outside);
    text.push('}');
    text
}

/// A property's name, in quotes where it needs some.
pub(super) fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

/// Named schemas, each declared.
pub(super) fn declarations(schemas: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, schema) in schemas {
        if let Some(about) = schema["description"].as_str() {
            let _ = writeln!(text, "/** {about} */");
        }
        let kind = type_of(schema, 0);
        let _ = if schema["properties"].is_object() {
            writeln!(text, "export interface {name} {kind}\n")
        } else {
            writeln!(text, "export type {name} = {kind};\n")
        };
    }
    text
}
