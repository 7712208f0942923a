//! The events' description: whole, of the code's own names, and served with its pages out of the binary.

use std::collections::{BTreeMap, BTreeSet};

use parlance::{dialect::DIALECTS, openapi::events};
use serde_json::Value;

use crate::{
    support::conformity::{events as document, mismatch},
    support::world::World,
};

/// Every operation by which clients send events.
fn operations() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let operations = document()["operations"].as_object().expect("operations");
    let sent = operations
        .iter()
        .filter(|(_, operation)| operation["action"] == "receive");
    sent.map(|(key, operation)| (key.as_str(), operation))
}

#[test]
fn every_event_is_described_with_examples_and_what_it_leads_to() {
    let described: BTreeSet<_> = operations().map(|(_, it)| text(&it["title"])).collect();
    let mut count = 0;
    for dialect in DIALECTS.iter() {
        let api = dialect.described();
        let pushes: BTreeSet<_> = api.pushes.iter().map(|push| push.name).collect();
        let mut told = BTreeSet::new();
        for event in api.events {
            count += 1;
            assert!(described.contains(event.name), "{}", event.name);
            assert!(!event.summary.is_empty(), "{}", event.name);
            told.extend(event.pushes.iter().chain(event.emits).copied());
        }
        let unknown: Vec<_> = told.difference(&pushes).collect();
        assert_eq!(unknown, Vec::<&&str>::new(), "pushes of {}", dialect.name());
        // Why an event was refused is told of all of them.
        let silent: Vec<_> = pushes
            .difference(&told)
            .filter(|name| **name != "err")
            .collect();
        assert_eq!(silent, Vec::<&&str>::new(), "pushes of {}", dialect.name());
    }
    assert_eq!(operations().count(), count);
    assert_eq!(events::clashes(), Vec::<String>::new());
    for (key, operation) in operations() {
        for example in ["x-curl", "x-socket.io-client"] {
            assert!(!text(&operation[example]).is_empty(), "{key}");
        }
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let mut count = 0;
    let channels = document()["channels"].as_object().expect("channels");
    for (channel, described) in channels {
        for (key, message) in described["messages"].as_object().expect("messages") {
            for example in message["examples"].as_array().into_iter().flatten() {
                count += 1;
                let wrong = mismatch(&example["payload"], &message["payload"], true);
                assert_eq!(wrong, None, "{channel} {key}");
            }
        }
    }
    assert!(count >= 25, "{count} examples");
}

/// The names of all properties in a schema.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(pairs) => {
            let names = pairs.get("properties").and_then(Value::as_object);
            found.extend(names.into_iter().flatten().map(|(name, _)| name.clone()));
            pairs.values().for_each(|value| properties(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

/// The names that a decoder reads from arguments.
fn names_read(source: &str) -> BTreeSet<String> {
    const READERS: [&str; 12] = [
        ".text(",
        ".required(",
        ".flag(",
        ".number(",
        ".own_id(",
        ".object(",
        ".get(",
        ".chat_called(",
        "instant(query, ",
        "within(",
        "number(",
        "missing(",
    ];
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut names = BTreeSet::new();
    for reader in READERS {
        let quoted = code.split(reader).skip(1);
        let quoted = quoted.filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
        // A sentence names a field by its path: `user.name`.
        let quoted = quoted.filter(|name| !name.contains(' '));
        names.extend(quoted.flat_map(|name| name.split('.')).map(str::to_owned));
    }
    names
}

#[test]
fn every_field_that_an_event_reads_is_described() {
    let sources = BTreeMap::from([
        (
            "embed",
            include_str!("../../../src/dialect/embed/events/decode.rs"),
        ),
        (
            "support",
            concat!(
                include_str!("../../../src/dialect/support/events.rs"),
                include_str!("../../../src/dialect/support/argument.rs")
            ),
        ),
        (
            "service",
            include_str!("../../../src/dialect/service/events.rs"),
        ),
    ]);
    let schemas = &document()["components"]["schemas"];
    for dialect in DIALECTS.iter() {
        let mut described = BTreeSet::new();
        for event in dialect.events() {
            let name = format!("{}{}", dialect.name(), event.name).to_lowercase();
            let name = name.replace(['-', '_'], "");
            for (key, schema) in schemas.as_object().expect("schemas") {
                if key.to_lowercase().starts_with(&name) && key.ends_with("Argument") {
                    properties(schema, &mut described);
                }
            }
        }
        let read = names_read(sources[dialect.name()]);
        assert!(read.len() >= 5, "{read:?}");
        let missing: Vec<_> = read.difference(&described).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{}", dialect.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_types_and_pages_are_served_and_lead_to_each_other() {
    let world = World::new().await;
    let served = world.get("/asyncapi.json").await.with(200);
    assert_eq!(&served.json(), document());
    let page = world.get("/docs/").await.with(200);
    for (key, operation) in operations() {
        for example in ["x-curl", "x-socket.io-client"] {
            let escaped = text(&operation[example])
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            assert!(page.body.contains(&escaped), "{key}: {escaped}");
        }
    }
    for dialect in DIALECTS.iter() {
        let path = format!("/types/{}.d.ts", dialect.name());
        let types = world.get(&path).await.with(200);
        assert_eq!(types.body, events::declarations(dialect));
    }
    world.get("/types/index.d.ts").await.with(200);
    for unknown in [
        "/docs/unknown",
        "/docs/guides/unknown",
        "/types/unknown.d.ts",
    ] {
        world.get(unknown).await.with(404);
    }
    let seen = crawl(&world).await;
    for place in [
        "/docs/",
        "/docs/guides/",
        "/docs/errors",
        "/docs/clients",
        "/docs/glossary",
        "/types/",
        "/asyncapi.json",
        "/openapi.json",
        "/swagger/",
    ] {
        assert!(seen.contains_key(place), "nothing leads to {place}");
    }
    for (place, page) in seen.iter().filter(|(place, _)| place.starts_with("/docs/")) {
        for unreadable in [".md</a>", "README"] {
            assert!(!page.contains(unreadable), "{place} has {unreadable}");
        }
    }
    world.stop().await;
}

/// Follows every link from the documentation's first page: what it leads to is there, with its part.
async fn crawl(world: &World) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut open = vec![("/docs/".to_owned(), String::new())];
    while let Some((path, part)) = open.pop() {
        if !seen.contains_key(&path) {
            let page = world.get(&path).await.with(200).body;
            let own = path.starts_with("/docs") || path.starts_with("/types");
            let links = page.split("href=\"").skip(1).filter(|_| own);
            for link in links.filter_map(|rest| rest.split('"').next()) {
                let here = format!("http://localhost{path}");
                let here = reqwest::Url::parse(&here).expect("an address");
                let there = here.join(&link.replace("&amp;", "&")).expect("a link");
                if there.host_str() == Some("localhost") && there.port().is_none() {
                    let part = there.fragment().unwrap_or_default().to_owned();
                    open.push((there.path().to_owned(), part));
                }
            }
            seen.insert(path.clone(), page);
        }
        let has_part = part.is_empty() || seen[&path].contains(&format!("id=\"{part}\""));
        assert!(has_part, "{path} has no {part}");
    }
    seen
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
