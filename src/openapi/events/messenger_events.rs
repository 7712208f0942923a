//! The messenger's events: what each holds, and their part of the page.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{page::id, typescript};
use crate::{
    dialect::messenger::{
        self,
        described::{ABOUT, CHANGES, DescribedEvent, LISTENING, PREPARATION, SIGNALS},
        events::{Event, SignalEvent},
    },
    json::schema::{Definitions, Describe},
    openapi::html::{code, escaped, prose},
};

/// What the messenger is called.
pub(super) const TITLE: &str = "The messenger";

/// Every event, in the order in which the examples make a conversation.
pub(super) fn all() -> impl Iterator<Item = &'static DescribedEvent> {
    CHANGES.iter().chain(SIGNALS)
}

/// The schema of one event: of all that events hold, the keys that it has.
pub(super) fn payload(event: &DescribedEvent, known: &mut Definitions) -> Value {
    let is_signal = SIGNALS.iter().any(|signal| signal.name == event.name);
    let (schema, first): (_, &[&str]) = if is_signal {
        (SignalEvent::schema(known), &[])
    } else {
        (<Event<'_> as Describe>::schema(known), &["position"])
    };
    let held = &known.resolve(&schema)["properties"];
    let mut properties = Map::new();
    let word = json!({"type": "string", "enum": [event.name]});
    properties.insert("type".to_owned(), word);
    for key in first.iter().chain(event.keys).chain(event.more) {
        properties.insert((*key).to_owned(), held[*key].clone());
    }
    let required: Vec<_> = ["type"].iter().chain(first).chain(event.keys).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// Links to all of them.
pub(super) fn contents(text: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(text, "<p><a href=\"#{}\">{TITLE}</a>:", messenger::NAME);
    for event in all() {
        let (id, name) = (id(messenger::NAME, event.name), event.name);
        let _ = write!(text, " <a href=\"#{id}\"><code>{name}</code></a>");
    }
    text.push_str("</p>\n");
}

/// Their part of the page.
pub(super) fn section(text: &mut String) {
    let name = messenger::NAME;
    let _ = writeln!(
        text,
        "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{TITLE}</h2>\n<p>{} <a href=\"{name}\">The whole of it</a>.</p>",
        prose(ABOUT),
    );
    let _ = writeln!(
        text,
        "<h3>Before the examples</h3>\n{}<p>In another terminal, in the same folder, Leo hears what Eva does, as a stream that goes on \
         until you end it. A long-poll is <code>GET /api/events?after=&lt;cursor&gt;</code>; its events are the same.</p>\n{}",
        code(PREPARATION),
        code(LISTENING),
    );
    for event in CHANGES {
        article(text, event);
    }
    text.push_str("<h3>Signals</h3>\n<p>They are told to who listens in that moment, have no <code>position</code>, and are not kept.</p>\n");
    for event in SIGNALS {
        article(text, event);
    }
    text.push_str("</section>\n");
}

fn article(text: &mut String, event: &DescribedEvent) {
    let id = id(messenger::NAME, event.name);
    let holds = typescript::type_of(&payload(event, &mut Definitions::default()), 0);
    let _ = writeln!(
        text,
        "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\"><code>{}</code></h3>\n<p>{}</p>\n<h4>Holds</h4>\n{}<h4>By curl</h4>\n{}</article>",
        escaped(event.name),
        prose(event.about),
        code(&holds),
        code(event.example),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The words that a type of events can have.
    fn words(schema: &Value, known: &Definitions) -> BTreeSet<String> {
        let words = known.resolve(schema)["properties"]["type"]["enum"].as_array();
        let words = words.into_iter().flatten().filter_map(Value::as_str);
        words.map(str::to_owned).collect()
    }

    #[test]
    fn every_event_is_described_once_with_keys_that_it_has() {
        let mut known = Definitions::default();
        let changes = <Event<'_> as Describe>::schema(&mut known);
        let signals = SignalEvent::schema(&mut known);
        for (table, schema) in [(CHANGES, changes), (SIGNALS, signals)] {
            let described: BTreeSet<_> = table.iter().map(|it| it.name.to_owned()).collect();
            assert_eq!(described, words(&schema, &known));
            assert_eq!(table.len(), described.len(), "each once");
        }
        for event in all() {
            let payload = payload(event, &mut known);
            for key in event.keys.iter().chain(event.more) {
                let schema = &payload["properties"][*key];
                assert!(schema.is_object(), "{} has no {key}", event.name);
            }
        }
    }
}
