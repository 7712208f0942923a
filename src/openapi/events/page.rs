//! The page of all events, for readers.

use std::fmt::Write as _;

use serde_json::Value;

use super::{example, messenger_events, received, types, typescript};
use crate::{
    dialect::{ClientEvent, DIALECTS, DialectEntry, Form, Refusal, described::Schema},
    json::{
        field::{Field, Kind as Holds},
        schema::Definitions,
    },
    openapi::html::{code, escaped, prose},
};

/// The page's content.
pub(in crate::openapi) fn content() -> String {
    let mut text = String::from(BEGINNING);
    for dialect in DIALECTS.iter() {
        contents(&mut text, dialect);
    }
    messenger_events::contents(&mut text);
    text.push_str("</nav>\n");
    for dialect in DIALECTS.iter() {
        section(&mut text, dialect);
    }
    messenger_events::section(&mut text);
    text
}

const BEGINNING: &str = "<h1>Events</h1>
<p>Clients of three APIs send events and receive others, by <a href=\"socketio\">Socket.IO</a> or by plain HTTP:
any event is a request, <code>POST /api/events/&lt;event&gt;</code> with its argument as the body, and what is
received is <code>GET /api/events?dialect=…</code>, as a long-poll or a stream. Clients of
<a href=\"#messenger\">the messenger</a> send requests, and receive events. The examples of a section are one
conversation, from its first event to its last. For programs: <a href=\"../asyncapi.json\">asyncapi.json</a>
describes the same, and <a href=\"../types/\">types</a> are for socket.io-client in TypeScript.</p>
<nav class=\"contents\" aria-label=\"All events\">
";

/// Links to a dialect's events.
fn contents(text: &mut String, dialect: DialectEntry) {
    let (name, api) = (dialect.name(), dialect.described());
    // Writing to a string cannot fail.
    let _ = write!(text, "<p><a href=\"#{name}\">{}</a>:", escaped(api.title));
    for event in api.events {
        let _ = write!(
            text,
            " <a href=\"#{}\"><code>{}</code></a>",
            id(name, event.name),
            event.name
        );
    }
    text.push_str("</p>\n");
}

fn section(text: &mut String, dialect: DialectEntry) {
    let (name, api) = (dialect.name(), dialect.described());
    let _ = writeln!(
        text,
        "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{}</h2>\n<p>{} <a href=\"{name}\">The whole of it</a>.</p>",
        escaped(api.title),
        prose(api.about),
    );
    let _ = writeln!(
        text,
        "<h3>Before the examples</h3>\n{}<p>And in a program, which knows the same variables:</p>\n{}",
        code(api.preparation),
        code(&example::connection(api)),
    );
    let mut known = Definitions::default();
    for event in api.events {
        article(text, dialect, event, &mut known);
    }
    let _ = writeln!(
        text,
        "<h3>Refusals of all events</h3>\n{}<p>A refusal is acknowledged as</p>\n{}",
        refusals(api.refusals),
        code(&declared(
            &[(api.failure.0)(&mut Definitions::default())],
            &[api.failure.0]
        )),
    );
    let _ = writeln!(
        text,
        "<h3 id=\"{name}-received\">What you receive</h3>\n<dl>"
    );
    for event in received(dialect, &mut known) {
        let kinds = event.data.iter().map(|data| typescript::type_of(data, 0));
        let kinds = kinds.collect::<Vec<_>>().join(" | ");
        let _ = writeln!(
            text,
            "<dt id=\"{}\"><code>{}</code></dt>\n<dd>{} <code>{}</code></dd>",
            id(name, &format!("received-{}", event.name)),
            escaped(event.name),
            prose(event.about),
            escaped(&kinds),
        );
    }
    let _ = writeln!(
        text,
        "</dl>\n<details><summary>All types: <code>types/{name}.d.ts</code></summary>\n{}</details>\n</section>",
        code(&types::declarations(dialect)),
    );
}

fn article(text: &mut String, dialect: DialectEntry, event: &ClientEvent, known: &mut Definitions) {
    let (name, api) = (dialect.name(), dialect.described());
    let id = id(name, event.name);
    let _ = writeln!(
        text,
        "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\"><code>{}</code></h3>\n<p>{}. {}</p>",
        event.name,
        prose(event.summary),
        prose(event.about),
    );
    taken(text, event);
    let reply = (event.reply.0)(known);
    let _ = writeln!(
        text,
        "<h4>Answer</h4>\n{}",
        code(&declared(&[reply], &[event.reply.0])),
    );
    list(text, name, "You are emitted", event.emits);
    list(text, name, "Others receive", event.pushes);
    let _ = writeln!(
        text,
        "<h4>By curl</h4>\n{}<h4>By socket.io-client</h4>\n{}",
        code(&example::curl(api, event)),
        code(&example::javascript(event)),
    );
    if !event.refusals.is_empty() {
        let _ = writeln!(text, "<h4>Refusals</h4>\n{}", refusals(event.refusals));
    }
    text.push_str("</article>\n");
}

/// Schemas as types: what a named one holds stands here once.
fn declared(schemas: &[Value], makers: &[Schema]) -> String {
    let mut own = Definitions::default();
    for maker in makers {
        maker(&mut own);
    }
    let parts = schemas.iter().map(|schema| match own.resolve(schema) {
        resolved if resolved["properties"].is_object() => {
            let name = typescript::type_of(schema, 0);
            format!("{name} {}", typescript::type_of(resolved, 0))
        }
        _ => typescript::type_of(schema, 0),
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// What an event takes.
fn taken(text: &mut String, event: &ClientEvent) {
    text.push_str("<h4>Argument</h4>\n");
    if event.takes.is_empty() {
        text.push_str("<p>None.</p>\n");
        return;
    }
    let mut is_other = false;
    for form in event.takes {
        if is_other {
            text.push_str("<p>Or:</p>\n");
        }
        is_other = true;
        match form {
            Form::Nothing => text.push_str("<p>None.</p>\n"),
            Form::Value(kind) => {
                let kind = typescript::type_of(&kind.schema(), 0);
                let _ = writeln!(text, "<p><code>{}</code></p>", escaped(&kind));
            }
            Form::Fields(fields) => {
                text.push_str("<div class=\"table\" role=\"region\" aria-label=\"Fields\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Holds</th><th scope=\"col\">About</th></tr></thead>\n<tbody>\n");
                rows(text, "", fields);
                text.push_str("</tbody></table></div>\n");
            }
        }
    }
}

/// A row for each field, and for those within it.
fn rows(text: &mut String, within: &str, fields: &[Field]) {
    for field in fields {
        let name = format!("{within}{}", field.name);
        let mark = if field.is_required { "" } else { "?" };
        let kind = match field.kind {
            Holds::Object(_) => "object".to_owned(),
            kind => typescript::type_of(&kind.schema(), 0),
        };
        let _ = writeln!(
            text,
            "<tr><td><code>{name}{mark}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            escaped(&kind.split_whitespace().collect::<Vec<_>>().join(" ")),
            prose(field.about),
        );
        if let Holds::Object(fields) = field.kind {
            rows(text, &format!("{name}."), fields);
        }
    }
}

/// Links to events that clients receive.
fn list(text: &mut String, dialect: &str, title: &str, names: &[&str]) {
    if names.is_empty() {
        return;
    }
    let links = names.iter().map(|name| {
        let id = id(dialect, &format!("received-{name}"));
        format!("<a href=\"#{id}\"><code>{}</code></a>", escaped(name))
    });
    let links = links.collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "<h4>{title}</h4>\n<p>{links}</p>");
}

fn refusals(refusals: &[Refusal]) -> String {
    let mut text = String::from("<ul>\n");
    for Refusal(kind, sentence) in refusals {
        let (status, code) = (kind.status(), kind.code());
        let _ = writeln!(
            text,
            "<li>{status} <a href=\"errors#{code}\"><code>{code}</code></a>: {}</li>",
            escaped(sentence),
        );
    }
    text.push_str("</ul>\n");
    text
}

/// What an event's part of the page is called.
pub(super) fn id(dialect: &str, event: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let event: String = event.chars().map(plain).collect();
    format!("{dialect}-{event}")
}
