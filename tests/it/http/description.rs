//! The OpenAPI document: whole, of the code's own fields, and served with its pages out of the binary.

use std::{collections::BTreeSet, fs, path::Path};

use parlance::{
    Kind, Server,
    config::{Defaults, Settings},
    openapi,
};
use rocket::figment::Figment;
use serde_json::Value;

use crate::{
    support::actor::Told,
    support::conformity::{document, mismatch},
    support::routes::routes,
    support::world::World,
};

/// Every operation with its method and path.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = document()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    })
}

#[test]
fn every_mounted_route_is_described_once_and_nothing_else_is() {
    let figment = Figment::from(rocket::Config::default()).merge(Defaults);
    let mut mistakes = Vec::new();
    let server = Server::build(&figment, Settings::default()).map(|rocket| {
        mistakes = openapi::mistakes(rocket.routes());
        rocket
    });
    drop(server);
    assert_eq!(mistakes, Vec::<String>::new());
    let described: BTreeSet<_> = operations().map(|(route, _)| route).collect();
    for (method, path) in routes() {
        assert!(
            described.contains(&format!("{method} {path}")),
            "{method} {path}"
        );
    }
    for (route, operation) in operations() {
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|it| !it.is_empty()),
            "{route}"
        );
        assert!(operation["security"].is_array(), "{route}");
    }
}

#[test]
fn no_two_paths_differ_by_the_names_of_their_parts_alone() {
    let mut seen = BTreeSet::new();
    for path in document()["paths"].as_object().expect("paths").keys() {
        let bare: Vec<_> = path
            .split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part })
            .collect();
        assert!(seen.insert(bare.join("/")), "{path}");
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let mut count = 0;
    for (route, operation) in operations() {
        let bodies = operation.pointer("/requestBody/content").into_iter();
        let answers = operation["responses"].as_object().expect("responses");
        let answers = answers.values().filter_map(|answer| answer.get("content"));
        for content in bodies.chain(answers) {
            for (media_type, described) in content.as_object().expect("media types") {
                let Some(example) = described.get("example") else {
                    continue;
                };
                count += 1;
                let wrong = mismatch(example, &described["schema"], true);
                assert_eq!(wrong, None, "{route} {media_type}");
            }
        }
    }
    assert!(count > 100, "{count} examples");
}

/// The names that a file of routes reads from its requests: the text in `.text("name")` and its like.
fn names_read(source: &str) -> BTreeSet<String> {
    const READERS: [&str; 13] = [
        ".text(",
        ".required_text(",
        ".required(",
        ".flag(",
        ".number(",
        ".numbers(",
        ".seconds(",
        ".name(",
        ".own_id(",
        ".missing(",
        "required(fields, ",
        "counted(",
        "asked(",
    ];
    let mut names = BTreeSet::new();
    for reader in READERS {
        for rest in source.split(reader).skip(1) {
            if let Some(name) = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// The routes that a file declares, as the document writes them.
fn routes_of(source: &str) -> Vec<String> {
    let methods = ["get", "post", "put", "patch", "delete"];
    let starts = methods.map(|method| (method, format!("#[{method}(\"")));
    let declared = starts.iter().flat_map(|(method, start)| {
        source.split(start.as_str()).skip(1).map(|rest| {
            let path = rest.split(['"', '?']).next().unwrap_or_default();
            let path = path.replace("..>", "}").replace('<', "{").replace('>', "}");
            format!("{} {path}", method.to_uppercase())
        })
    });
    declared.collect()
}

/// The names that the document has for these routes.
fn names_described(routes: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, operation) in operations().filter(|(route, _)| routes.contains(route)) {
        let parameters = operation["parameters"].as_array().expect("parameters");
        names.extend(
            parameters
                .iter()
                .filter_map(|it| it["name"].as_str().map(str::to_owned)),
        );
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().unwrap_or_default();
        let body = document().pointer(name.trim_start_matches('#'));
        let properties = body.and_then(|body| body["properties"].as_object());
        names.extend(
            properties
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone()),
        );
    }
    names
}

#[test]
fn every_field_that_a_route_reads_is_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect");
    let mut open = vec![root];
    let mut count = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder").flatten();
            open.extend(entries.map(|entry| entry.path()));
            continue;
        }
        let source = fs::read_to_string(&path).expect("text");
        let routes = routes_of(&source);
        if routes.is_empty() {
            continue;
        }
        let (read, described) = (names_read(&source), names_described(&routes));
        count += read.len();
        let missing: Vec<_> = read.difference(&described).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{}", path.display());
    }
    assert!(count > 50, "{count} fields were found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_pages_are_served() {
    let world = World::new().await;
    let served = world.get("/openapi.json").await.with(200).json();
    assert_eq!(&served, document());
    let figures = world.get("/metrics").await.with(200);
    let answers = &served["paths"]["/metrics"]["get"]["responses"]["200"]["content"];
    let described: Vec<_> = answers.as_object().expect("media types").keys().collect();
    let plain = |media_type: &str| media_type.replace("; ", ";");
    assert_eq!(
        described.iter().map(|it| plain(it)).collect::<Vec<_>>(),
        [plain(figures.header("Content-Type"))]
    );
    // Relative, because a proxy may serve the whole under a prefix.
    let stays = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let stays = stays.build().expect("a client needs nothing");
    let moved = Told::of(stays.get(format!("{}/swagger", world.base()))).await;
    assert_eq!(
        (moved.status, moved.header("Location")),
        (308, "./swagger/")
    );
    let page = world.get("/swagger").await.with(200);
    assert!(page.body.contains("swagger-ui"), "{}", page.body);
    let script = world.get("/swagger/swagger-initializer.js").await.with(200);
    assert!(script.body.contains("/openapi.json"), "{}", script.body);
    let errors = world.get("/docs/errors").await.with(200);
    for kind in Kind::ALL {
        let row = format!("<tr id=\"{}\">", kind.code());
        assert!(errors.body.contains(&row), "{row}");
        assert!(errors.body.contains(kind.meaning()), "{row}");
    }
    world.stop().await;
}
