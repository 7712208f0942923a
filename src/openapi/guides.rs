//! The documents of `docs/` that clients' authors read, as pages.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::html::escaped;

/// A document: where it is below `/docs/`, and its Markdown.
type Document = (&'static str, &'static str);

macro_rules! documents {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../docs/", $name, ".md")))),*]
    };
}

/// What each API is, and what they have in common.
const REFERENCES: &[Document] = documents! {
    "clients"
    "messenger"
    "support"
    "embed"
    "service"
    "socketio"
    "webhooks"
    "glossary"
};

/// For who runs a server.
const OPERATION: &[Document] = documents! {
    "admin"
    "metrics"
    "cluster"
    "scale"
    "benchmarks"
};

/// From nothing to something that works.
const GUIDES: &[Document] = documents! {
    "guides/support-widget"
    "guides/phone-app"
    "guides/embedded-chat"
    "guides/python-bot"
    "guides/proxy"
    "guides/socketio-2-to-4"
};

fn all() -> impl Iterator<Item = &'static Document> {
    REFERENCES.iter().chain(GUIDES).chain(OPERATION)
}

/// A document as a page's title and content.
pub(super) fn read(name: &str) -> Option<(String, String)> {
    let (_, text) = all().find(|(known, _)| *known == name)?;
    Some((title(text), rendered(text)))
}

/// The list of all of them, seen from `/docs/guides/`.
pub(super) fn list() -> String {
    let mut text = String::from(
        "<h1>Guides</h1>\n<p>Each begins with nothing and ends with something that works.</p>\n<ul>\n",
    );
    for (name, guide) in GUIDES {
        let name = name.trim_start_matches("guides/");
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<li><a href=\"{name}\">{}</a></li>",
            escaped(&title(guide))
        );
    }
    for (heading, documents) in [("The APIs", REFERENCES), ("Running a server", OPERATION)] {
        let _ = writeln!(text, "</ul>\n<h2>{heading}</h2>\n<ul>");
        for (name, document) in documents {
            let title = escaped(&title(document));
            let _ = writeln!(text, "<li><a href=\"../{name}\">{title}</a></li>");
        }
    }
    text.push_str("</ul>\n");
    text
}

/// A document's first heading.
fn title(text: &str) -> String {
    let first = text.lines().find_map(|line| line.strip_prefix("# "));
    first.unwrap_or("Documentation").to_owned()
}

fn rendered(text: &str) -> String {
    let mut events: Vec<_> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    for at in 0..events.len() {
        let rest = &events[at + 1..];
        match &events[at] {
            Event::Start(Tag::Heading { .. }) => {
                let anchor = anchor(rest);
                if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
                    *id = Some(anchor.into());
                }
            }
            // Nothing of a document is markup of its own.
            Event::Html(text) | Event::InlineHtml(text) => {
                events[at] = Event::Text(text.clone());
            }
            _ => {}
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, placed(events).into_iter());
    page
}

/// The same with links to what is served alone, and with tables that can be moved where they are too wide.
fn placed(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut kept = Vec::with_capacity(events.len());
    let mut is_dropped = false;
    for mut event in events {
        let is_table = matches!(event, Event::Start(Tag::Table(_)));
        let is_end = matches!(event, Event::End(TagEnd::Table));
        if let Event::Start(Tag::Link { dest_url, .. }) = &mut event {
            match place(dest_url) {
                Some(place) => *dest_url = place,
                None => {
                    is_dropped = true;
                    continue;
                }
            }
        }
        if matches!(event, Event::End(TagEnd::Link)) && std::mem::take(&mut is_dropped) {
            continue;
        }
        if is_table {
            kept.push(Event::Html(TABLE.into()));
        }
        kept.push(event);
        if is_end {
            kept.push(Event::Html("</div>\n".into()));
        }
    }
    kept
}

/// What is around a table: a region that the keyboard reaches.
const TABLE: &str = "<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n";

/// By what others link to a heading, here and where the files are read as such: its words without their punctuation.
fn anchor(rest: &[Event<'_>]) -> String {
    let mut text = String::new();
    for event in rest {
        match event {
            Event::End(TagEnd::Heading(_)) => break,
            Event::Text(part) | Event::Code(part) => text.push_str(&part.to_lowercase()),
            _ => {}
        }
    }
    let kept = text.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect()
}

/// Where a link leads, if what it names is served.
fn place<'a>(link: &CowStr<'a>) -> Option<CowStr<'a>> {
    if link.starts_with('#') || link.starts_with("http") {
        return Some(link.clone());
    }
    let whole: &str = link;
    let (path, part) = whole.split_once('#').unwrap_or((whole, ""));
    let name = path.strip_suffix(".md")?;
    let plain = name.trim_start_matches("../");
    let is_served = all()
        .map(|(known, _)| known.trim_start_matches("guides/"))
        .any(|known| known == plain.trim_start_matches("guides/"));
    let mark = if part.is_empty() { "" } else { "#" };
    is_served.then(|| format!("{name}{mark}{part}").into())
}
