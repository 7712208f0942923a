//! The description of the events: an AsyncAPI document, types for clients in TypeScript, and pages to read.
//!
//! # Why
//! All of it is made from the tables that the dialects work by: an event that is not in its dialect's table
//! is no event, and one that is there is described. What an answer or a push holds comes from the types that
//! serde writes. The examples are part of the tables, and a test replays every one of them.

mod asyncapi;
mod example;
mod messenger_events;
mod page;
mod types;
mod typescript;

pub use asyncapi::{clashes, describe};
pub(super) use page::content;
pub use types::{declarations, index};

use serde_json::{Value, json};

use crate::{
    dialect::{ClientEvent, DialectEntry, Form, ServerEvent},
    json::{
        field,
        schema::{Definitions, any_of},
    },
};

/// The schema of an event's argument, if it has one.
fn argument(dialect: DialectEntry, event: &ClientEvent, known: &mut Definitions) -> Option<Value> {
    let mut forms = Vec::new();
    for form in event.takes {
        match form {
            Form::Nothing => {}
            Form::Value(kind) => forms.push(kind.schema()),
            Form::Fields(fields) => {
                let number = if forms.is_empty() { "" } else { "Again" };
                let (of, event) = (pascal_case(dialect.name()), pascal_case(event.name));
                let name = format!("{of}{event}{number}Argument");
                let schema = known.define(&name, "an argument", "", |_| field::body(fields));
                forms.push(schema);
            }
        }
    }
    match forms.len() {
        0 => None,
        1 => forms.pop(),
        _ => Some(any_of(forms)),
    }
}

/// What a client can receive under a name: answers of that name, and pushes.
struct Received {
    name: &'static str,
    about: &'static str,
    data: Vec<Value>,
}

/// Everything that a client of a dialect can receive.
fn received(dialect: DialectEntry, known: &mut Definitions) -> Vec<Received> {
    let api = dialect.described();
    let failure = (api.failure.0)(known);
    let mut all: Vec<_> = api
        .pushes
        .iter()
        .map(|ServerEvent { name, about, data }| Received {
            name,
            about,
            data: vec![(data.0)(known)],
        })
        .collect();
    for event in api.events.iter().filter(|_| api.emits_answers) {
        let reply = (event.reply.0)(known);
        let answers = [reply, failure.clone()];
        match all.iter_mut().find(|other| other.name == event.name) {
            Some(other) => {
                let new = answers.into_iter().filter(|it| !other.data.contains(it));
                let new: Vec<_> = new.collect();
                other.data.extend(new);
            }
            None => all.push(Received {
                name: event.name,
                about: "An answer to an event of the same name.",
                data: answers.into(),
            }),
        }
    }
    all
}

/// One schema of several.
fn one_of(mut schemas: Vec<Value>) -> Value {
    match schemas.len() {
        0 => json!({}),
        1 => schemas.remove(0),
        _ => any_of(schemas),
    }
}

/// `create-user` and `create_user` are `CreateUser`.
fn pascal_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.flat_map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters)
    });
    words.collect()
}
