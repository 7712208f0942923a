//! Whether an answer is one that the server's own description has: its status, its media type, its schema.

use std::sync::OnceLock;

use parlance::{
    Server,
    config::{Defaults, Settings},
    openapi,
};
use rocket::figment::Figment;
use serde_json::Value;

/// The description of a server at its defaults.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let figment = Figment::from(rocket::Config::default()).merge(Defaults);
        let mut described = Value::Null;
        let server = Server::build(&figment, Settings::default()).map(|rocket| {
            described = openapi::describe(rocket.routes());
            rocket
        });
        drop(server);
        described
    })
}

/// The description of the events.
pub(crate) fn events() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi::events::describe)
}

/// What of a frame that carries an event to a client is not described.
pub(crate) fn breach_of_frame(frame: &str) -> Option<String> {
    let arguments: Value = serde_json::from_str(frame.strip_prefix("42")?).ok()?;
    let name = arguments[0].as_str()?;
    let is_meant = |known: &str| match known.split_once('{') {
        Some((before, _)) => name.starts_with(before),
        None => known == name,
    };
    let channels = events()["channels"].as_object().expect("channels");
    let mut schemas = Vec::new();
    for messages in channels.values().map(|channel| &channel["messages"]) {
        let told = messages.as_object().expect("messages").iter();
        let told = told.filter(|(key, _)| key.ends_with("-push") || key.ends_with("-reply"));
        let told: Vec<_> = told
            .filter(|(_, message)| message["name"].as_str().is_some_and(is_meant))
            .map(|(_, message)| &message["payload"])
            .collect();
        if !told.is_empty() {
            schemas.extend(told);
            schemas.push(&messages["refusal"]["payload"]);
        }
    }
    if schemas.is_empty() {
        return Some(format!("nothing is said of the event {name}"));
    }
    let data = arguments.get(1).unwrap_or(&Value::Null);
    let tried: Vec<_> = schemas
        .into_iter()
        .map(|schema| mismatch(data, schema, true))
        .collect();
    let fits = tried.iter().any(Option::is_none);
    (!fits).then(|| format!("{name} is not as described: {tried:?}"))
}

/// What of an answer is not described, if the request is to a described operation. `answer` is its status,
/// media type and body.
pub(crate) fn breach(method: &str, path: &str, answer: (u16, &str, &str)) -> Option<String> {
    let operation = operation(method, path)?;
    let (status, media_type, body) = answer;
    let status = told_status(operation, status, body);
    let name = operation["operationId"].as_str().unwrap_or_default();
    let Some(response) = operation["responses"].get(status.to_string()) else {
        return Some(format!("{name} is not described to answer {status}"));
    };
    let content = &resolved(response)["content"];
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_owned();
    let described = content
        .as_object()
        .into_iter()
        .flatten()
        .find(|(known, _)| essence(known) == essence(media_type));
    let Some((_, described)) = described else {
        return Some(format!(
            "{name} is not described to answer with {media_type}"
        ));
    };
    if essence(media_type) != "application/json" {
        return None;
    }
    let body = match serde_json::from_str(body) {
        Ok(body) => body,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    let mismatch = mismatch(&body, &described["schema"], true);
    mismatch.map(|what| format!("{name} {status}: {what}"))
}

/// The status of an answer. With `service_status_200` a failure of the service tells it in its body alone.
fn told_status(operation: &Value, status: u16, body: &str) -> u16 {
    let is_service = operation["tags"][0] == "service";
    let told = serde_json::from_str::<Value>(body).unwrap_or_default();
    let told = told["status"]
        .as_u64()
        .filter(|_| is_service && status == 200);
    told.and_then(|told| told.try_into().ok()).unwrap_or(status)
}

/// The operation that answers a request.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = document()["paths"].as_object()?;
    let method = method.to_lowercase();
    let serving = paths
        .iter()
        .filter(|(template, methods)| methods.get(&method).is_some() && serves(template, path));
    // A name is served before what stands for any.
    let nearest = serving.min_by_key(|(template, _)| template.matches('{').count());
    nearest.map(|(_, methods)| &methods[&method])
}

fn serves(template: &str, path: &str) -> bool {
    let parts: Vec<_> = template.split('/').collect();
    let given: Vec<_> = path.split('/').collect();
    let fits = |(part, given): (&&str, &&str)| part == given || part.starts_with('{');
    let is_open = template.ends_with("{event}") && given.len() > parts.len();
    (parts.len() == given.len() || is_open) && parts.iter().zip(&given).all(fits)
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => {
            let place = place.trim_start_matches('#');
            let found = document()
                .pointer(place)
                .or_else(|| events().pointer(place));
            found.expect("what a reference refers to")
        }
        None => value,
    }
}

/// Where a value is not as its schema says, if it is not. A `closed` object has no other keys than those
/// that its schema names: one that nothing is said of is not described.
pub(crate) fn mismatch(value: &Value, schema: &'static Value, closed: bool) -> Option<String> {
    let schema = resolved(schema);
    if let Some(forms) = schema["anyOf"].as_array() {
        let tried: Vec<_> = forms
            .iter()
            .map(|form| mismatch(value, form, closed))
            .collect();
        let fits = tried.iter().any(Option::is_none);
        return (!fits).then(|| {
            tried
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; or ")
        });
    }
    let wrong = |what: &str| Some(format!("{value} {what}"));
    let kinds: Vec<_> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        return wrong(&format!("is no {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return wrong(&format!("is none of {words:?}"));
    }
    if schema["format"] == "date-time" && value.as_str().is_some_and(|text| !is_time(text)) {
        return wrong("is no date and time");
    }
    match value {
        Value::Array(entries) => {
            let schema = schema.get("items")?;
            entries
                .iter()
                .find_map(|entry| mismatch(entry, schema, closed))
        }
        Value::Object(pairs) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                if !pairs.contains_key(name) {
                    return wrong(&format!("has no {name}"));
                }
            }
            pairs.iter().find_map(|(name, value)| {
                let known = properties.and_then(|properties| properties.get(name));
                let known = known.or_else(|| schema.get("additionalProperties"));
                match known {
                    Some(schema) => {
                        mismatch(value, schema, closed).map(|what| format!("{name}: {what}"))
                    }
                    None if closed && properties.is_some() => {
                        Some(format!("nothing is said of {name}"))
                    }
                    None => None,
                }
            })
        }
        _ => None,
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// `2021-07-15T05:14:12.117Z`.
fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}
