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
//     import { io, type Socket } from 'socket.io-client';
//     import type { ClientToServerEvents, ServerToClientEvents } from './NAME.js';
//
//     const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io('https://chat.example.com');
//     const reply = await socket.emitWithAck(…);
//
// Every event is acknowledged. Who sends without waiting for the answer takes UnacknowledgedEvents
// in place of ClientToServerEvents.
";

const UNACKNOWLEDGED: &str = "
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
        let answer = typescript::type_of(&reply, 1);
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
    for event in received(dialect, known) {
        let data = one_of(event.data);
        let kind = typescript::type_of(&data, 1);
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
