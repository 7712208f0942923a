//! The documentation of every route, as an OpenAPI document at `/openapi.json` and as pages at
//! `/swagger`.
//!
//! # Why
//! The document is made from the routes that are mounted, so none can be missing; what is said of
//! each is in `words`. A route of which nothing is said is in it nevertheless, by its path alone,
//! and a test finds it.
//!
//! The pages come out of the binary: a documentation that loads scripts from elsewhere would need a
//! weaker policy than any other page here.

mod account_docs;
mod admin_docs;
mod examples;
mod message_docs;
mod route_docs;

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf, sync::Arc};

use rocket::{
    Request, Response, Rocket, Route, State,
    fairing::AdHoc,
    get,
    http::{ContentType, Method},
    response::{self, Redirect, Responder},
    routes,
};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};

use account_docs::ACCOUNT_WORDS;
use admin_docs::ADMIN_WORDS;
use message_docs::MESSAGE_WORDS;
use route_docs::{WORDS, Words};

use crate::telemetry::traced;

/// As for our own pages, but these set styles from their script; nothing of ours is shown on them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where the document is.
const DOCUMENT: &str = "/openapi.json";

/// The routes of the documentation.
pub(super) fn routes() -> Vec<Route> {
    routes![document, start, page]
}

/// Writes the document once the routes are known.
pub(super) fn fairing() -> AdHoc {
    AdHoc::on_ignite("openapi", |rocket| async {
        let text = describe(rocket.routes()).to_string();
        rocket.manage(Document(text.into()))
    })
}

/// The document, in JSON.
struct Document(Arc<str>);

/// The routes that are documented: all but pages, Socket.IO, and what answers for others.
pub fn documented<'a>(
    routes: impl Iterator<Item = &'a Route>,
) -> impl Iterator<Item = (&'a Route, String)> {
    routes.filter_map(|route| {
        let path = template(route);
        let own = path != "/"
            && path != "/{path}"
            && path != "/invite/{_code}"
            && !["/socket.io", "/.refused", "/swagger", DOCUMENT]
                .iter()
                .any(|base| path.starts_with(base));
        let spoken = !matches!(route.method, Method::Options | Method::Head);
        (own && spoken).then_some((route, path))
    })
}

fn find(route: &Route, path: &str) -> Option<&'static Words> {
    let name = format!("{} {path}", route.method);
    let mut known = [WORDS, ACCOUNT_WORDS, ADMIN_WORDS, MESSAGE_WORDS]
        .into_iter()
        .flatten();
    known.find(|words| words.route == name)
}

/// A route's path as OpenAPI writes it: `/room/<room>` is `/room/{room}`.
fn template(route: &Route) -> String {
    let path = route.uri.path();
    path.replace("..>", "}").replace('<', "{").replace('>', "}")
}

/// The document of these routes.
fn describe<'a>(routes: impl Iterator<Item = &'a Route>) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (route, path) in documented(routes) {
        let Some(method) = method(route.method) else {
            continue;
        };
        let operation = operation(&path, route, find(route, &path));
        let known = paths.entry(path).or_default();
        known.entry(method).or_insert(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Parlance",
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
        },
        // Relative: a proxy may serve the whole under a prefix.
        "servers": [{"url": "."}],
        "paths": paths,
    })
}

fn operation(path: &str, route: &Route, words: Option<&Words>) -> Value {
    let in_path = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    let mut parameters: Vec<_> = in_path.map(|name| parameter("path", name)).collect();
    let Some(words) = words else {
        let answer = json!({"description": "the answer"});
        return json!({"parameters": parameters, "responses": {"200": answer}});
    };
    parameters.extend(words.query.iter().map(|name| parameter("query", name)));
    parameters.extend(words.headers.iter().map(|name| parameter("header", name)));
    let (status, example) = words.answer;
    // What is no JSON is an example as it is.
    let example = serde_json::from_str(example).unwrap_or_else(|_| Value::from(example));
    let content = Map::from_iter([(words.media_type.to_owned(), json!({"example": example}))]);
    let answer = json!({"description": "the answer", "content": content});
    let mut operation = json!({
        "tags": [words.tag],
        "summary": words.summary,
        "parameters": parameters,
        "responses": Map::from_iter([(status.to_string(), answer)]),
    });
    if let Some(name) = &route.name {
        operation["operationId"] = json!(format!("{}_{name}", words.tag));
    }
    if !words.body.is_empty() {
        let content = json!({"schema": schema(words.body)});
        let forms = words.forms.iter();
        let content: Map<_, _> = forms
            .map(|form| ((*form).to_owned(), content.clone()))
            .collect();
        operation["requestBody"] = json!({"content": content, "required": true});
    }
    operation
}

/// A parameter; a question mark at its end says that it may be left out.
fn parameter(place: &str, name: &str) -> Value {
    json!({
        "name": name.trim_end_matches('?'),
        "in": place,
        "required": place == "path" || !name.ends_with('?'),
        "schema": {"type": "string"},
    })
}

/// A body's fields: `users[]` is a list, `extra{}` an object, `muted!` yes or no, the rest is text.
fn schema(fields: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let name = field.trim_end_matches('?');
        let (name, kind) = [("[]", "array"), ("{}", "object"), ("!", "boolean")]
            .into_iter()
            .find_map(|(mark, kind)| Some((name.strip_suffix(mark)?, kind)))
            .unwrap_or((name, "string"));
        properties.insert(name.to_owned(), json!({"type": kind}));
        if !field.ends_with('?') {
            required.push(name);
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// A method as the document writes it, where it knows one.
fn method(method: Method) -> Option<&'static str> {
    Some(match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Delete => "delete",
        Method::Patch => "patch",
        _ => return None,
    })
}

/// Swagger UI with its licences, as its authors publish it; see `vendor/README.md`.
#[derive(RustEmbed)]
#[folder = "vendor/swagger-ui/"]
struct SwaggerUi;

/// What starts it: the one of its files that is ours.
const INITIALIZER: &str = include_str!("swagger-initializer.js");

/// A file of the documentation.
struct File(ContentType, Cow<'static, [u8]>);

impl<'r> Responder<'r, 'static> for File {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(self.0)
            .raw_header("Cache-Control", "no-cache")
            .raw_header("Content-Security-Policy", POLICY)
            .sized_body(self.1.len(), std::io::Cursor::new(self.1))
            .ok()
    }
}

#[get("/openapi.json")]
fn document(document: &State<Document>) -> File {
    File(ContentType::JSON, document.0.as_bytes().to_vec().into())
}

#[get("/swagger")]
fn start(uri: &rocket::http::uri::Origin<'_>) -> rocket::Either<Option<File>, Redirect> {
    // Its files are named relative to the folder.
    if uri.path().ends_with('/') {
        rocket::Either::Left(open(""))
    } else {
        rocket::Either::Right(super::pages::beside("swagger"))
    }
}

#[get("/swagger/<file..>")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a route owns what it was asked for"
)]
fn page(file: PathBuf) -> Option<File> {
    open(file.to_str()?)
}

fn open(file: &str) -> Option<File> {
    let (file, bytes) = match file {
        "swagger-initializer.js" => (file, INITIALIZER.as_bytes().into()),
        "" => ("index.html", SwaggerUi::get("index.html")?.data),
        _ => (file, SwaggerUi::get(file)?.data),
    };
    // What has no extension is a licence.
    let media_type = match file.rsplit_once('.') {
        Some((_, extension)) => ContentType::from_extension(extension)?,
        None => ContentType::Plain,
    };
    Some(File(media_type, bytes))
}

/// What Rocket is given for the documentation.
pub(super) fn configure(rocket: Rocket<rocket::Build>) -> Rocket<rocket::Build> {
    rocket.attach(fairing()).mount("/", traced(routes()))
}
