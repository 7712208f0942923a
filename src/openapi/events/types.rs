//! The types of a dialect's events, for socket.io-client.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{argument, one_of, received, typescript};
use crate::{
    dialect::{DIALECTS, DialectEntry},
    json::schema::Definitions,
};

/// What begins a file of types.
const BEGINNING: &str = "// Made from the server's own tables of events, for socket.io-client 4:
//
//     import { io } from 'socket.io-client';
//     import type { ParlanceSocket } from './NAME.js';
//
//     const socket: ParlanceSocket = io('https://chat.example.com');
//
// Every event is acknowledged; emit may leave the acknowledgement out. An answer is what was done or a refusal, and its
// status tells which:
//
//     const reply = await socket.emitWithAck(…);
//     if (reply.status === 'error') throw new Error(SENTENCE);
//     // Here reply is what was done.

import type { Socket } from 'socket.io-client';
";

const UNACKNOWLEDGED: &str = "
/** A connection with these events: `const socket: ParlanceSocket = io(…)`. */
export type ParlanceSocket = Socket<ServerToClientEvents, ClientToServerEvents> &
  Pick<Socket<ServerToClientEvents, UnacknowledgedEvents>, 'emit'>;

/** The same events, sent without an acknowledgement. */
export type UnacknowledgedEvents = {
  [Name in keyof ClientToServerEvents]: (
    ...sent: Parameters<ClientToServerEvents[Name]> extends [...infer Sent, unknown] ? Sent : never
  ) => void;
};
";

/// The types of one dialect's events.
pub fn declarations(dialect: DialectEntry) -> String {
    let mut known = Definitions::default();
    let mut used = Vec::new();
    let sent = sent(dialect, &mut known, &mut used);
    let told = told(dialect, &mut known, &mut used);
    let schemas = known.into_json(&json!(used));
    let named = typescript::declarations(&schemas);
    let beginning = BEGINNING.replace("NAME", dialect.name());
    let beginning = beginning.replace("SENTENCE", sentence(dialect));
    format!(
        "// Parlance: {}.\n{beginning}\n{named}{sent}\n{told}{UNACKNOWLEDGED}",
        dialect.described().title
    )
}

/// All of them, each in a namespace of its own.
pub fn index() -> String {
    let mut text = String::from(
        "// The events of Parlance's APIs, for socket.io-client 4. See each file.\n\n",
    );
    for dialect in DIALECTS.iter() {
        let name = dialect.name();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "export * as {name} from './{name}.js';");
    }
    text
}

/// Where in a refusal its sentence is.
fn sentence(dialect: DialectEntry) -> &'static str {
    let mut known = Definitions::default();
    let failure = (dialect.described().failure.0)(&mut known);
    let has = |key: &str| known.resolve(&failure)["properties"][key].is_object();
    if has("error") && !has("data") {
        "reply.error[0].message"
    } else if has("message") {
        "reply.message"
    } else {
        "reply.data"
    }
}

/// A schema as a type that is told apart from a refusal by what a refusal always has, such as its status: what
/// never has that says so, for a program cannot ask otherwise.
fn told_apart(schema: &Value, failure: &Value, known: &Definitions) -> String {
    let kind = typescript::type_of(schema, 1);
    let failure = known.resolve(failure);
    let keys = failure["required"].as_array().into_iter().flatten();
    let keys = keys.filter_map(Value::as_str);
    let keys = keys.filter(|key| failure["properties"][*key]["enum"].is_array());
    let keys: Vec<_> = keys.collect();
    if keys.iter().any(|key| has(schema, key, known)) {
        return kind;
    }
    let marks: Vec<_> = keys
        .iter()
        .map(|key| format!("{key}?: undefined"))
        .collect();
    format!("({kind} & {{ {} }})", marks.join("; "))
}

/// Whether what a schema describes can have a key.
fn has(schema: &Value, key: &str, known: &Definitions) -> bool {
    let schema = known.resolve(schema);
    let mut forms = schema["anyOf"].as_array().into_iter().flatten();
    schema["properties"][key].is_object() || forms.any(|form| has(form, key, known))
}

/// The events that clients send.
fn sent(dialect: DialectEntry, known: &mut Definitions, used: &mut Vec<Value>) -> String {
    let api = dialect.described();
    let failure = (api.failure.0)(known);
    let refusal = typescript::type_of(&failure, 1);
    let mut text = String::from(
        "/** The events that you send, each with its argument and its answer. */\nexport interface ClientToServerEvents {\n",
    );
    used.push(failure);
    for event in api.events {
        let argument = argument(dialect, event, known);
        let reply = (event.reply.0)(known);
        let optional = if event.is_optional() {
            " | undefined"
        } else {
            ""
        };
        let taken = argument.as_ref().map_or_else(String::new, |argument| {
            format!("argument: {}{optional}, ", typescript::type_of(argument, 1))
        });
        let answer = told_apart(&reply, &used[0], known);
        let name = typescript::key(event.name);
        let _ = writeln!(text, "  /** {}. */", event.summary);
        let _ = writeln!(
            text,
            "  {name}: ({taken}acknowledge: (reply: {answer} | {refusal}) => void) => void;"
        );
        used.extend(argument);
        used.push(reply);
    }
    text.push_str("}\n");
    text
}

/// The events that clients receive.
fn told(dialect: DialectEntry, known: &mut Definitions, used: &mut Vec<Value>) -> String {
    let mut text = String::from(
        "/** The events that you receive. */\nexport interface ServerToClientEvents {\n",
    );
    let failure = (dialect.described().failure.0)(known);
    for event in received(dialect, known) {
        let kind = match &*event.data {
            [data] => typescript::type_of(data, 1),
            data => {
                let kinds = data.iter().map(|data| told_apart(data, &failure, known));
                kinds.collect::<Vec<_>>().join(" | ")
            }
        };
        let data = one_of(event.data);
        let name = match event.name.split_once('{') {
            // A name with a part that differs.
            Some((before, rest)) => {
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                format!("[name: `{before}${{string}}{after}`]")
            }
            None => typescript::key(event.name),
        };
        let _ = writeln!(text, "  /** {} */", event.about);
        let _ = writeln!(text, "  {name}: (data: {kind}) => void;");
        used.push(data);
    }
    text.push_str("}\n");
    text
}
