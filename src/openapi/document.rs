//! Puts the OpenAPI document together from the routes that are mounted and what the tables say of them.

use std::collections::{BTreeMap, BTreeSet};

use rocket::{Route, http::Method};
use serde_json::{Map, Value, json};

use super::{
    administration::ADMINISTRATION,
    chats::CHATS_AND_MESSAGES,
    failures,
    field::{self, Field, TEXT, required},
    fields::{self, PATH},
    operation::{Access, Answer, Api, Operation},
    others::{EVENTS_OF_ALL, OPERATIONS, SERVICE, SUPPORT},
    people::PEOPLES,
    webhooks::WEBHOOKS,
};
use crate::{dialect::DIALECTS, json::schema::Definitions};

/// What every operation takes.
const REQUEST_ID: &str = "RequestId";

/// Where the document is.
pub(super) const DOCUMENT: &str = "/openapi.json";

/// Everything that is said of a route.
fn tables() -> impl Iterator<Item = &'static Operation> {
    [
        PEOPLES,
        CHATS_AND_MESSAGES,
        ADMINISTRATION,
        EVENTS_OF_ALL,
        SUPPORT,
        SERVICE,
        OPERATIONS,
        WEBHOOKS,
    ]
    .into_iter()
    .flatten()
}

/// The routes that are documented: all but pages, Socket.IO, and what answers for others.
pub fn documented<'a>(
    routes: impl Iterator<Item = &'a Route>,
) -> impl Iterator<Item = (&'a Route, String)> {
    routes.filter_map(|route| {
        let path = template(route);
        let own = path != "/"
            && path != "/{path}"
            && path != "/invite/{_code}"
            && ![
                "/socket.io",
                "/.refused",
                "/swagger",
                "/docs",
                "/types",
                "/asyncapi.json",
                DOCUMENT,
            ]
            .iter()
            .any(|base| path.starts_with(base));
        let spoken = !matches!(route.method, Method::Options | Method::Head);
        (own && spoken).then_some((route, path))
    })
}

/// A route's path as OpenAPI writes it: `/room/<room>` is `/room/{room}`.
fn template(route: &Route) -> String {
    let path = route.uri.path();
    path.replace("..>", "}").replace('<', "{").replace('>', "}")
}

/// What is wrong with the tables themselves: routes that they do not have or that are not there, and names
/// that two types or two operations have.
pub fn mistakes<'a>(routes: impl Iterator<Item = &'a Route>) -> Vec<String> {
    let mounted: BTreeSet<_> = documented(routes)
        .map(|(route, path)| format!("{} {path}", route.method))
        .collect();
    let told: Vec<_> = tables().map(|operation| operation.route).collect();
    let untold = mounted
        .iter()
        .filter(|route| !told.contains(&route.as_str()))
        .map(|route| format!("nothing is said of {route}"));
    let gone = told
        .iter()
        .filter(|route| !mounted.contains(**route))
        .map(|route| format!("there is no route {route}"));
    let mut ids = BTreeSet::new();
    let twice = tables()
        .filter(|operation| !ids.insert(operation.id))
        .map(|operation| format!("{} is the name of two operations", operation.id));
    let mut found: Vec<_> = untold.chain(gone).chain(twice).collect();
    let mut known = Definitions::default();
    for operation in tables() {
        described(operation, "", &mut known);
    }
    found.extend_from_slice(known.clashes());
    found
}

/// The document of these routes.
pub fn describe<'a>(routes: impl Iterator<Item = &'a Route>) -> Value {
    let mut known = Definitions::default();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut failed = BTreeSet::new();
    for (route, path) in documented(routes) {
        let name = format!("{} {path}", route.method);
        let Some(operation) = tables().find(|operation| operation.route == name) else {
            continue;
        };
        let statuses = failures::statuses(operation, &path);
        failed.extend(statuses.into_iter().map(|it| (operation.api.name(), it)));
        let described = described(operation, &path, &mut known);
        let methods = paths.entry(path).or_default();
        methods.insert(route.method.as_str().to_ascii_lowercase(), described);
    }
    let responses = failures::responses(&failed, &mut known);
    let schemas = known.into_json(&json!([paths, responses]));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Parlance",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": "Every code of an error is explained at [/docs/errors](docs/errors), every event at [/docs](docs/) and in [AsyncAPI](asyncapi.json).",
            "license": {"name": "MIT or Apache 2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        // Relative: a proxy may serve the whole under a prefix.
        "servers": [{"url": "."}],
        "tags": Api::ALL.map(|api| json!({"name": api.name(), "description": api.about()})),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "parameters": {REQUEST_ID: fields::REQUEST_ID.parameter("header")},
            "securitySchemes": schemes(),
        },
    })
}

fn described(operation: &Operation, path: &str, known: &mut Definitions) -> Value {
    let mut parameters: Vec<_> = parts(path)
        .map(|part| in_path(operation, part).map_or_else(event, |field| field.parameter("path")))
        .collect();
    parameters.extend(operation.query.iter().map(|field| field.parameter("query")));
    parameters.extend(
        operation
            .headers
            .iter()
            .map(|field| field.parameter("header")),
    );
    parameters.push(json!({"$ref": format!("#/components/parameters/{REQUEST_ID}")}));
    let mut responses = Map::new();
    for answer in std::iter::once(&operation.answer).chain(operation.others) {
        add_answer(&mut responses, answer, known);
    }
    for status in failures::statuses(operation, path) {
        let response = failures::response(operation.api, status);
        responses.insert(status.to_string(), response);
    }
    let mut described = json!({
        "tags": [operation.api.name()],
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
        "security": security(operation.access),
    });
    if !operation.about.is_empty() {
        described["description"] = operation.about.into();
    }
    if let Some(body) = request_body(operation, known) {
        described["requestBody"] = body;
    }
    described
}

/// The names in a path's template.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}

fn in_path(operation: &Operation, name: &str) -> Option<&'static Field> {
    let all = operation.path.iter().chain(PATH);
    let mut named = all.filter(|field| field.name == name);
    named.next()
}

/// The name of an event: those of all APIs that have some.
fn event() -> Value {
    let mut names: Vec<_> = DIALECTS
        .iter()
        .flat_map(|dialect| dialect.events().iter().map(|event| event.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let field = required("event", TEXT, "create-user", "The event's name.");
    let mut parameter = field.parameter("path");
    parameter["schema"]["enum"] = json!(names);
    parameter
}

fn add_answer(responses: &mut Map<String, Value>, answer: &Answer, known: &mut Definitions) {
    let mut content = json!({"schema": (answer.schema)(known)});
    if !answer.example.is_empty() {
        // What is no JSON is an example as it is.
        let example = serde_json::from_str(answer.example);
        content["example"] = example.unwrap_or_else(|_| answer.example.into());
    }
    let response = responses
        .entry(answer.status.to_string())
        .or_insert_with(|| json!({"description": "It was done.", "content": {}}));
    response["content"][answer.media_type] = content;
    for name in answer.headers {
        response["headers"][*name] = header(name);
    }
}

fn header(name: &str) -> Value {
    let about = match name {
        "Location" => "The path of what there is now.",
        "Set-Cookie" => "The cookies `user_id` and `token`.",
        "X-Message-Id" => "The id of the message.",
        "X-Message-Time" => "When it was sent.",
        "Idempotency-Replayed" => "`true` where it was done before under the same key.",
        _ => "The next page of the list, where there is one.",
    };
    json!({"description": about, "schema": {"type": "string"}})
}

fn request_body(operation: &Operation, known: &mut Definitions) -> Option<Value> {
    if operation.body.is_empty() {
        return None;
    }
    let is_required = operation.body.iter().any(|field| field.is_required);
    let mut content = Map::new();
    for media_type in operation.forms.media_types() {
        let mut described = json!({"schema": body_schema(operation, media_type, known)});
        if operation.api != Api::Events {
            described["example"] = field::body_example(operation.body);
        }
        content.insert((*media_type).to_owned(), described);
    }
    Some(json!({"required": is_required, "content": content}))
}

/// The schema of a body. Those of forms have names of their own: generated clients choose the media type by
/// the type of what they are given.
fn body_schema(operation: &Operation, media_type: &str, known: &mut Definitions) -> Value {
    let kind = match media_type {
        "application/json" => "Request",
        "multipart/form-data" => "Multipart",
        _ => "Form",
    };
    match (operation.api, kind) {
        // The argument of an event is what its document says.
        (Api::Events, "Request") => json!({}),
        (Api::Events, _) => json!({"type": "object"}),
        _ => {
            let name = format!("{}{kind}", pascal_case(operation.id));
            known.define(&name, operation.id, "", |_| field::body(operation.body))
        }
    }
}

/// `sign_up` is `SignUp`.
fn pascal_case(id: &str) -> String {
    let words = id.split('_').flat_map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters)
    });
    words.collect()
}

fn security(access: Access) -> Value {
    let cookies = json!({"user_cookie": [], "user_token_cookie": []});
    match access {
        Access::Public => json!([]),
        // The token of a program does instead.
        Access::Cookies | Access::Administrator => json!([cookies, {"bearer": []}]),
        Access::Developer => json!([{"bearer": []}, {"token_query": []}, {"token_header": []}]),
        Access::Owner => json!([{"bearer": []}]),
        Access::App => json!([
            {"app_id": []},
            {"app_id": [], "bearer": []},
            {"app_id": [], "token_query": []},
        ]),
        Access::AppElsewhere | Access::Scraper => {
            json!([{}, {"bearer": []}, {"token_query": []}])
        }
        Access::Handshake => {
            json!([cookies, {"bearer": []}, {"token_query": []}, {"key_query": []}])
        }
        Access::HandshakeOrGuest => {
            json!([{}, cookies, {"bearer": []}, {"token_query": []}, {"key_query": []}])
        }
        Access::Token => {
            json!([{}, {"token_header": []}, {"token_query": []}, {"bearer": []}])
        }
    }
}

/// Each way to be known. They are told by name, so the cookies, which nobody sets by hand, come last.
fn schemes() -> Value {
    let key = |place: &str, name: &str, about: &str| json!({"type": "apiKey", "in": place, "name": name, "description": about});
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token in the header Authorization.",
        },
        "token_query": key("query", "token", "A token in the query."),
        "token_header": key("header", "token", "A token in a header of its own."),
        "key_query": key("query", "key", "The applicationId of a site or an app, for its server."),
        "app_id": key("header", "appId", "The applicationId of an app, which is its secret."),
        "user_token_cookie": key(
            "cookie",
            "token",
            "The cookie that signing in sets. A page cannot set it by hand: run POST /api/login, and leave this empty.",
        ),
        "user_cookie": key(
            "cookie",
            "user_id",
            "The other cookie that signing in sets, which a page cannot set by hand either.",
        ),
    })
}
