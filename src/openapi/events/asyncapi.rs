//! The AsyncAPI document: the events of every dialect, by socket and by stream.

use serde_json::{Map, Value, json};

use super::{argument, example, messenger_events};
use crate::{
    dialect::{ClientEvent, DIALECTS, DialectEntry, Refusal, messenger},
    json::schema::Definitions,
};

/// The parts of the document that every dialect adds to.
#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    known: Definitions,
}

impl Parts {
    /// What all dialects add.
    fn of_all() -> Self {
        let mut parts = Self::default();
        for dialect in DIALECTS.iter() {
            add_dialect(dialect, &mut parts);
        }
        add_messenger(&mut parts);
        parts
    }
}

/// Names of schemas that two types have.
pub fn clashes() -> Vec<String> {
    Parts::of_all().known.clashes().to_vec()
}

/// The document.
pub fn describe() -> Value {
    let Parts {
        channels,
        operations,
        known,
    } = Parts::of_all();
    let schemas = known.into_json(&json!(channels));
    json!({
        // Not 3.1: fewer programs know that, and nothing here needs it.
        "asyncapi": "3.0.0",
        "id": "urn:parlance:events",
        "info": {
            "title": "Parlance",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "{}. The requests are described at `/openapi.json`, and all of it for readers at `/docs/`.",
                env!("CARGO_PKG_DESCRIPTION")
            ),
            "license": {"name": env!("CARGO_PKG_LICENSE"), "url": "https://spdx.org/licenses/"},
            "tags": tags(),
        },
        "defaultContentType": "application/json",
        "servers": {
            "sockets": {
                "host": "127.0.0.1:8000",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "Socket.IO 4 and 2, by WebSocket and by long-polling. The first item of a frame is the event's name, the second its argument.",
            },
            "requests": {
                "host": "127.0.0.1:8000",
                "pathname": "/api/events",
                "protocol": "http",
                "description": "The same events by plain HTTP: sent by POST, received by long-poll or as a stream.",
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas},
    })
}

/// A tag for each API.
fn tags() -> Vec<Value> {
    let events = DIALECTS
        .iter()
        .map(|dialect| (dialect.name(), dialect.described().title));
    let all = events.chain([(messenger::NAME, messenger_events::TITLE)]);
    all.map(|(name, title)| json!({"name": name, "description": title}))
        .collect()
}

fn add_dialect(dialect: DialectEntry, parts: &mut Parts) {
    let (name, api) = (dialect.name(), dialect.described());
    let mut messages = Map::new();
    let refusal = json!({
        "name": "refusal",
        "title": "A refusal",
        "summary": "Why an event was not carried out.",
        "payload": (api.failure.0)(&mut parts.known),
    });
    messages.insert("refusal".to_owned(), refusal);
    for event in api.events {
        let sent = sent(dialect, event, &mut parts.known);
        let reply = json!({
            "name": event.name,
            "title": format!("The answer to {}", event.name),
            "payload": (event.reply.0)(&mut parts.known),
        });
        let key = key(event.name);
        messages.insert(key.clone(), sent);
        messages.insert(format!("{key}-reply"), reply);
        let operation = received(dialect, event);
        parts.operations.insert(format!("{name}-{key}"), operation);
    }
    for event in api.pushes {
        let key = key(event.name);
        let message = format!("{key}-push");
        let operation = sending(name, (event.name, event.about), &message);
        let payload = (event.data.0)(&mut parts.known);
        messages.insert(message, pushed(event.name, event.about, &payload));
        let operations = &mut parts.operations;
        operations.insert(format!("{name}-{key}-push"), operation);
    }
    let channel = json!({
        "address": "/",
        "title": api.title,
        "description": api.about,
        "servers": [{"$ref": "#/servers/sockets"}, {"$ref": "#/servers/requests"}],
        "tags": [{"name": name}],
        "messages": messages,
        "x-preparation": api.preparation,
        "x-connection": example::connection(api),
        "x-conversation": api.events.iter().map(|event| key(event.name)).collect::<Vec<_>>(),
    });
    parts.channels.insert(name.to_owned(), channel);
}

/// The message that carries an event of a client.
fn sent(dialect: DialectEntry, event: &ClientEvent, known: &mut Definitions) -> Value {
    let payload = argument(dialect, event, known).unwrap_or_else(|| json!({"type": "null"}));
    let mut message = json!({
        "name": event.name,
        "title": event.name,
        "summary": event.summary,
        "payload": payload,
    });
    if let Some(example) = example::sample(dialect.described(), event) {
        message["examples"] = json!([{"name": event.name, "payload": example}]);
    }
    message
}

/// The operation of an event of a client.
fn received(dialect: DialectEntry, event: &ClientEvent) -> Value {
    let (name, key) = (dialect.name(), key(event.name));
    let refusals = dialect.described().refusals.iter().chain(event.refusals);
    let refusals = refusals.map(|Refusal(kind, sentence)| {
        format!("- {} `{}`: {sentence}", kind.status(), kind.code())
    });
    let refusals = refusals.collect::<Vec<_>>().join("\n");
    let about = if event.about.is_empty() {
        event.summary
    } else {
        event.about
    };
    json!({
        "action": "receive",
        "channel": place(name, None),
        "title": event.name,
        "summary": event.summary,
        "description": format!("{about}\n\nRefusals:\n\n{refusals}"),
        "tags": [{"name": name}],
        "messages": [place(name, Some(&key))],
        "x-curl": example::curl(dialect.described(), event),
        "x-socket.io-client": example::javascript(event),
        "x-reply": example::reply_of(event),
        "x-keeps": event.keeps.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "reply": {
            "channel": place(name, None),
            "messages": [
                place(name, Some(&format!("{key}-reply"))),
                place(name, Some("refusal")),
            ],
        },
    })
}

/// The message that carries an event to clients.
fn pushed(event: &str, about: &str, payload: &Value) -> Value {
    json!({
        "name": event,
        "title": event,
        "summary": about,
        "payload": payload,
    })
}

/// The operation by which clients are told of an event in the message of that key.
fn sending(dialect: &str, (event, about): (&str, &str), message: &str) -> Value {
    json!({
        "action": "send",
        "channel": place(dialect, None),
        "title": event,
        "summary": about,
        "tags": [{"name": dialect}],
        "messages": [place(dialect, Some(message))],
    })
}

/// The messenger's events, which clients read by long-poll or as a stream.
fn add_messenger(parts: &mut Parts) {
    let name = messenger::NAME;
    let mut messages = Map::new();
    for event in messenger_events::all() {
        let payload = messenger_events::payload(event, &mut parts.known);
        messages.insert(
            event.name.to_owned(),
            pushed(event.name, event.about, &payload),
        );
        let mut operation = sending(name, (event.name, event.about), event.name);
        operation["x-curl"] = Value::from(event.example);
        let key = format!("{name}-{}", event.name);
        parts.operations.insert(key, operation);
    }
    let channel = json!({
        "address": "/api/events",
        "title": messenger_events::TITLE,
        "description": messenger::described::ABOUT,
        "servers": [{"$ref": "#/servers/requests"}],
        "tags": [{"name": name}],
        "messages": messages,
        "x-preparation": messenger::described::PREPARATION,
        "x-listening": messenger::described::LISTENING,
        "x-causes": messenger_events::all().map(|event| event.name).collect::<Vec<_>>(),
    });
    parts.channels.insert(name.to_owned(), channel);
}

fn place(channel: &str, message: Option<&str>) -> Value {
    let message = message.map_or_else(String::new, |message| format!("/messages/{message}"));
    json!({"$ref": format!("#/channels/{channel}{message}")})
}

/// An event's name where it stands for a part of a path.
fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let key: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    key.trim_matches('-').replace("--", "-")
}
