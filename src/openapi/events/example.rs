//! The examples of events: as a request by curl, and as a line of a program with socket.io-client.
//!
//! An example's argument names variables, which the answers of earlier ones have filled: `"$chat"` is the
//! text of one, `"#message"` its number.

use std::fmt::Write as _;

use serde_json::Value;

use crate::dialect::{ClientEvent, EventApi};

/// How wide a line of an example may be.
const WIDTH: usize = 76;

/// Which language an argument is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// JSON in a shell's here-document.
    Shell,
    /// An object literal.
    JavaScript,
}

/// How a program connects.
pub(super) fn connection(api: &EventApi) -> String {
    let options = if api.options.is_empty() {
        String::new()
    } else {
        format!(", {}", api.options)
    };
    format!(
        "import {{ io }} from \"socket.io-client\";\n\nconst socket = io(\"http://127.0.0.1:8000\"{options});"
    )
}

/// An event as a request.
pub(super) fn curl(api: &EventApi, event: &ClientEvent) -> String {
    let mark = if api.query.is_empty() { "" } else { "?" };
    let address = format!(
        "\"http://127.0.0.1:8000/api/events/{}{mark}{}\"",
        event.name, api.query
    );
    let tee = if event.keeps.is_empty() {
        ""
    } else {
        " | tee reply.json"
    };
    let mut text = match argument(event) {
        None => format!("curl -s -X POST {address}{tee}"),
        Some(argument) => {
            let argument = spread(&argument, Language::Shell, 0);
            format!("curl -s {address} --json @- <<JSON{tee}\n{argument}\nJSON")
        }
    };
    for (name, place) in event.keeps {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{name}=$(jq -r .data.{place} reply.json)");
    }
    text
}

/// An event in a program.
pub(super) fn javascript(event: &ClientEvent) -> String {
    let argument = argument(event).map_or_else(String::new, |argument| {
        format!(", {}", spread(&argument, Language::JavaScript, 0))
    });
    let name = event.name;
    let reply = reply_of(event);
    let mut text = format!("const {reply} = await socket.emitWithAck(\"{name}\"{argument});");
    for (name, place) in event.keeps {
        let _ = write!(text, "\nconst {name} = {reply}.{place};");
    }
    text
}

/// What an event's answer is called in a program: the examples of a section stand in one, one after the other.
pub(super) fn reply_of(event: &ClientEvent) -> String {
    let name = super::pascal_case(event.name);
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first
        .into_iter()
        .chain(letters)
        .chain("Reply".chars())
        .collect()
}

/// The argument with samples in the place of its variables.
pub(super) fn sample(api: &EventApi, event: &ClientEvent) -> Option<Value> {
    argument(event).map(|argument| filled(api, argument))
}

fn argument(event: &ClientEvent) -> Option<Value> {
    serde_json::from_str(event.example).ok()
}

fn filled(api: &EventApi, value: Value) -> Value {
    let sample = |name: &str| {
        let found = api.samples.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, sample)| *sample)
    };
    match value {
        Value::String(text) => match (text.strip_prefix('$'), text.strip_prefix('#')) {
            (Some(name), _) => sample(name).into(),
            (_, Some(name)) => serde_json::from_str(sample(name)).unwrap_or_default(),
            (None, None) => text.into(),
        },
        Value::Array(entries) => entries.into_iter().map(|it| filled(api, it)).collect(),
        Value::Object(pairs) => pairs
            .into_iter()
            .map(|(name, value)| (name, filled(api, value)))
            .collect(),
        other => other,
    }
}

/// A value in one line where it fits, else with its parts in lines of their own.
fn spread(value: &Value, language: Language, depth: usize) -> String {
    let flat = inline(value, language);
    let Value::Object(pairs) = value else {
        return flat;
    };
    if flat.len() + 2 * depth <= WIDTH {
        return flat;
    }
    let inside = "  ".repeat(depth + 1);
    let parts = pairs.iter().map(|(name, value)| {
        let value = spread(value, language, depth + 1);
        format!("{inside}{}: {value}", key(name, language))
    });
    let end = match language {
        Language::Shell => "",
        Language::JavaScript => ",",
    };
    let parts = parts.collect::<Vec<_>>().join(",\n");
    format!("{{\n{parts}{end}\n{}}}", "  ".repeat(depth))
}

fn inline(value: &Value, language: Language) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::String(text) => word(text, language),
        Value::Array(entries) => {
            let entries = entries.iter().map(|entry| inline(entry, language));
            format!("[{}]", list(entries.collect()))
        }
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| {
                format!("{}: {}", key(name, language), inline(value, language))
            });
            let pairs = list(pairs.collect());
            match language {
                Language::Shell => format!("{{{pairs}}}"),
                Language::JavaScript => format!("{{ {pairs} }}"),
            }
        }
        other => other.to_string(),
    }
}

/// A text, or a variable.
fn word(text: &str, language: Language) -> String {
    match (language, text.strip_prefix('$'), text.strip_prefix('#')) {
        (Language::Shell, _, Some(name)) => format!("${name}"),
        (Language::JavaScript, Some(name), _) | (Language::JavaScript, _, Some(name)) => {
            name.to_owned()
        }
        (Language::Shell | Language::JavaScript, _, _) => Value::from(text).to_string(),
    }
}

fn key(name: &str, language: Language) -> String {
    match language {
        Language::Shell => Value::from(name).to_string(),
        Language::JavaScript => super::typescript::key(name),
    }
}
