//! What a story expects: JSON with names in it, held against JSON that came.
//!
//! The kinds: `hex24` (24 lower-case hex digits), `token` (64 of them), `pid` (a token
//! and a cursor), `uuid` (version 4), `time` (ISO
//! 8601 with milliseconds and `Z`), `id` (the digits of a number, as text), `number`, `sid` (the name of
//! a connection), `cursor`, `text` (whatever is not empty).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What was captured, as text.
pub(super) type Names = BTreeMap<String, String>;

/// Begins what stands for something else: no text of a story has it.
const MARK: char = '\u{e000}';

/// Puts what was captured where it is named.
pub(super) fn fill(text: &str, names: &Names) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, after)) if is_name(name) => {
                let value = names.get(name);
                filled.push_str(value.ok_or_else(|| format!("nothing is called {name} yet"))?);
                rest = after;
            }
            Some(_) | None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Holds a frame against what is expected, and captures what it names.
pub(super) fn frame(expected: &str, actual: &str, names: &mut Names) -> Result<(), String> {
    let expected = fill(expected, names)?;
    let ((kind, body), (actual_kind, actual_body)) = (split(&expected), split(actual));
    if kind != actual_kind {
        return Err(format!(
            "the frame begins with {actual_kind:?}, not {kind:?}"
        ));
    }
    match (body, actual_body) {
        ("", "") => Ok(()),
        ("", _) => Err("there is JSON where none is expected".to_owned()),
        (_, "") => Err("there is no JSON".to_owned()),
        (body, actual) => json(body, actual, names),
    }
}

/// What is before a frame's JSON, and the JSON.
fn split(frame: &str) -> (&str, &str) {
    let place = frame.find(['[', '{', '"']).unwrap_or(frame.len());
    frame.split_at(place)
}

/// Holds a body against what is expected, and captures what it names.
pub(super) fn body(expected: &str, actual: &str, names: &mut Names) -> Result<(), String> {
    if expected == "…" {
        return Ok(());
    }
    let expected = fill(expected, names)?;
    json(&expected, actual, names)
}

fn json(expected: &str, actual: &str, names: &mut Names) -> Result<(), String> {
    let pattern: Value = serde_json::from_str(&marked(expected))
        .map_err(|error| format!("what is expected cannot be read as JSON: {error}"))?;
    let actual: Value = serde_json::from_str(actual)
        .map_err(|error| format!("what came cannot be read as JSON: {error}"))?;
    let mut captured = Vec::new();
    compare(&pattern, &actual, "$", &mut captured)?;
    for (name, value) in captured {
        if names.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is captured twice"));
        }
    }
    Ok(())
}

/// The same as JSON: `…` and what has no quotes are marked.
fn marked(text: &str) -> String {
    let mut marked = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        match letter {
            '"' if !escaped => {
                quoted = !quoted;
                marked.push('"');
            }
            '…' if !quoted => marked.extend(['"', MARK, '"', ':', '0']),
            '<' if !quoted => marked.extend(['"', MARK]),
            '>' if !quoted => marked.push('"'),
            other => marked.push(other),
        }
        escaped = quoted && letter == '\\' && !escaped;
    }
    marked
}

fn compare(
    expected: &Value,
    actual: &Value,
    at: &str,
    captured: &mut Vec<(String, String)>,
) -> Result<(), String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => fields(expected, actual, at, captured),
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                let (wanted, came) = (expected.len(), actual.len());
                return Err(format!("at {at} there are {came} elements, not {wanted}"));
            }
            for (place, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(expected, actual, &format!("{at}[{place}]"), captured)?;
            }
            Ok(())
        }
        (Value::String(text), actual) if let Some((name, kind)) = placeholder(text) => {
            let value = match actual {
                Value::String(value) if !text.starts_with(MARK) => value.clone(),
                Value::Number(value) if text.starts_with(MARK) => value.to_string(),
                _ => return Err(format!("at {at} there is {actual}, no {kind}")),
            };
            if !is_kind(kind, &value)? {
                return Err(format!("at {at} there is {actual}, which is no {kind}"));
            }
            captured.extend(name.map(|name| (name.to_owned(), value)));
            Ok(())
        }
        (expected, actual) if expected == actual => Ok(()),
        (expected, actual) => Err(format!("at {at} there is {actual}, not {expected}")),
    }
}

fn fields(
    expected: &Map<String, Value>,
    actual: &Map<String, Value>,
    at: &str,
    captured: &mut Vec<(String, String)>,
) -> Result<(), String> {
    let more = MARK.to_string();
    for (key, value) in expected.iter().filter(|(key, _)| **key != more) {
        let found = actual.get(key);
        let found = found.ok_or_else(|| format!("at {at} there is no {key:?}"))?;
        compare(value, found, &format!("{at}.{key}"), captured)?;
    }
    let extra = actual.keys().find(|key| !expected.contains_key(*key));
    match extra {
        Some(key) if !expected.contains_key(&more) => Err(format!("at {at} there is {key:?} too")),
        Some(_) | None => Ok(()),
    }
}

/// The name, if it has one, and the kind of `<name:kind>`, which may be marked.
fn placeholder(text: &str) -> Option<(Option<&str>, &str)> {
    let inner = match text.strip_prefix(MARK) {
        Some(inner) => inner,
        None => text.strip_prefix('<')?.strip_suffix('>')?,
    };
    Some(match inner.split_once(':') {
        Some((name, kind)) => (Some(name), kind),
        None => (None, inner),
    })
}

fn is_kind(kind: &str, value: &str) -> Result<bool, String> {
    let all = |allowed: fn(char) -> bool| !value.is_empty() && value.chars().all(allowed);
    let hex = |letter: char| letter.is_ascii_digit() || ('a'..='f').contains(&letter);
    let is_number = all(|letter| letter.is_ascii_digit()) && !value.starts_with('0');
    Ok(match kind {
        "hex24" => value.len() == 24 && all(hex),
        "token" => value.len() == 64 && all(hex),
        // A token, and the place of the log at which it was given.
        "pid" => value.split_once('@').is_some_and(|(secret, place)| {
            secret.len() == 64
                && secret.chars().all(hex)
                && place.starts_with("1.")
                && place.split('.').count() == 3
        }),
        "uuid" => is_like("hhhhhhhh-hhhh-4hhh-hhhh-hhhhhhhhhhhh", value),
        "time" => is_like("dddd-dd-ddTdd:dd:dd.dddZ", value),
        "id" | "number" => is_number,
        "sid" => value.len() == 20 && all(|it| it.is_ascii_alphanumeric() || "-_".contains(it)),
        "cursor" => value.len() <= 64 && all(|letter| letter.is_ascii_graphic()),
        "text" => !value.is_empty(),
        _ => return Err(format!("there is no kind {kind:?}")),
    })
}

/// Whether a text looks like a sample, in which `d` is any digit and `h` any hex digit.
fn is_like(sample: &str, text: &str) -> bool {
    sample.len() == text.len()
        && sample.chars().zip(text.chars()).all(|pair| match pair {
            ('d', letter) => letter.is_ascii_digit(),
            ('h', letter) => letter.is_ascii_digit() || ('a'..='f').contains(&letter),
            (wanted, letter) => wanted == letter,
        })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}
