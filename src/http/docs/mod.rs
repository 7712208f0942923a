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

mod route_docs;

use std::{path::PathBuf, sync::Arc};

use rocket::{
    Request, Response, Rocket, Route, State,
    fairing::AdHoc,
    get,
    http::{ContentType, Method},
    response::{self, Redirect, Responder},
    routes,
};
use serde_json::Value;
use utoipa::openapi::{
    Content, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathItem, PathsBuilder, Required, ResponseBuilder, Server, Type,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
};

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
        let text = describe(rocket.routes()).to_json().unwrap_or_default();
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
            && !["/socket.io", "/.refused", "/swagger", DOCUMENT]
                .iter()
                .any(|base| path.starts_with(base));
        let spoken = !matches!(route.method, Method::Options | Method::Head);
        (own && spoken).then_some((route, path))
    })
}

/// What is said of a route; nothing when it was forgotten.
pub fn said_of(route: &Route, path: &str) -> Option<&'static str> {
    find(route, path).map(|words| words.summary)
}

fn find(route: &Route, path: &str) -> Option<&'static Words> {
    let name = format!("{} {path}", route.method);
    WORDS.iter().find(|words| words.route == name)
}

/// A route's path as OpenAPI writes it: `/room/<room>` is `/room/{room}`.
fn template(route: &Route) -> String {
    let path = route.uri.path();
    path.replace("..>", "}").replace('<', "{").replace('>', "}")
}

/// The document of these routes.
fn describe<'a>(routes: impl Iterator<Item = &'a Route>) -> OpenApi {
    let mut paths = PathsBuilder::new().build();
    for (route, path) in documented(routes) {
        let Some(method) = method(route.method) else {
            continue;
        };
        let operation = operation(&path, route, find(route, &path));
        let known = paths.paths.entry(path).or_default();
        known.merge_operations(PathItem::new(method, operation));
    }
    let info = InfoBuilder::new()
        .title("Parlance")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(env!("CARGO_PKG_DESCRIPTION")))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(".")]))
        .paths(paths)
        .build()
}

fn operation(path: &str, route: &Route, words: Option<&Words>) -> Operation {
    let mut operation = OperationBuilder::new();
    for name in path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
    {
        operation = operation.parameter(parameter(ParameterIn::Path, name));
    }
    let Some(words) = words else {
        let answer = ResponseBuilder::new().description("the answer").build();
        return operation.response("200", answer).build();
    };
    operation = operation
        .tag(words.tag)
        .summary(Some(words.summary))
        .operation_id(
            route
                .name
                .as_deref()
                .map(|name| format!("{}_{name}", words.tag)),
        );
    for name in words.query {
        operation = operation.parameter(parameter(ParameterIn::Query, name));
    }
    for name in words.headers {
        operation = operation.parameter(parameter(ParameterIn::Header, name));
    }
    if !words.body.is_empty() {
        let body = body(words.body);
        let request = RequestBodyBuilder::new().required(Some(Required::True));
        let request = words.forms.iter().fold(request, |request, form| {
            request.content(*form, body.clone())
        });
        operation = operation.request_body(Some(request.build()));
    }
    let (status, example) = words.answer;
    // What is no JSON is an example as it is.
    let example = serde_json::from_str(example).unwrap_or_else(|_| Value::from(example));
    let content = ContentBuilder::new().example(Some(example)).build();
    let answer = ResponseBuilder::new()
        .description("the answer")
        .content(words.media_type, content)
        .build();
    operation.response(status.to_string(), answer).build()
}

/// A parameter; a question mark at its end says that it may be left out.
fn parameter(place: ParameterIn, name: &str) -> Parameter {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ if name.ends_with('?') => Required::False,
        _ => Required::True,
    };
    ParameterBuilder::new()
        .name(name.trim_end_matches('?'))
        .parameter_in(place)
        .required(required)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

/// A body's fields: `users[]` is a list, `extra{}` an object, `muted!` yes or no, the rest is text.
fn body(fields: &[&str]) -> Content {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for field in fields {
        let name = field.trim_end_matches('?');
        let (name, kind) = [
            ("[]", Type::Array),
            ("{}", Type::Object),
            ("!", Type::Boolean),
        ]
        .into_iter()
        .find_map(|(mark, kind)| Some((name.strip_suffix(mark)?, kind)))
        .unwrap_or((name, Type::String));
        object = object.property(name, ObjectBuilder::new().schema_type(kind).build());
        if !field.ends_with('?') {
            object = object.required(name);
        }
    }
    Content::new(Some(object.build()))
}

fn method(method: Method) -> Option<HttpMethod> {
    Some(match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Delete => HttpMethod::Delete,
        Method::Patch => HttpMethod::Patch,
        _ => return None,
    })
}

/// A file of the documentation.
struct File(ContentType, Vec<u8>);

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
    File(ContentType::JSON, document.0.as_bytes().to_vec())
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
    // Relative, like the server in the document: a proxy may serve the whole under a prefix.
    let config = utoipa_swagger_ui::Config::new([format!("..{DOCUMENT}")]);
    let found = utoipa_swagger_ui::serve(file, Arc::new(config)).ok()??;
    let media_type = ContentType::parse_flexible(&found.content_type)?;
    Some(File(media_type, found.bytes.into_owned()))
}

/// What Rocket is given for the documentation.
pub(super) fn configure(rocket: Rocket<rocket::Build>) -> Rocket<rocket::Build> {
    rocket.attach(fairing()).mount("/", traced(routes()))
}
