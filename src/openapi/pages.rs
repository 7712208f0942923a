//! The pages that show the description: the document itself, Swagger UI, and the codes of errors.

use std::{borrow::Cow, fmt::Write as _, path::PathBuf, sync::Arc};

use rocket::{
    Request, Response, Route, State, get,
    http::ContentType,
    response::{self, Redirect, Responder},
    routes,
};
use rust_embed::RustEmbed;

use crate::error::Kind;

/// As for our own pages, but these set styles from their script; nothing of ours is shown on them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The routes of the documentation.
pub(super) fn routes() -> Vec<Route> {
    routes![document, start, page, errors]
}

/// The document, in JSON.
pub(super) struct Document(pub(super) Arc<str>);

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
        rocket::Either::Right(crate::http::beside("swagger"))
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

/// Every code of an error, with its HTTP status and what it means.
#[get("/docs/errors")]
fn errors() -> File {
    let mut rows = String::new();
    for kind in Kind::ALL {
        let (code, status, meaning) = (kind.code(), kind.status(), kind.meaning());
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{meaning}</td></tr>"
        );
    }
    let page = format!("{ERRORS_START}{rows}{ERRORS_END}");
    File(ContentType::HTML, page.into_bytes().into())
}

const ERRORS_START: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Errors · Parlance</title>
<link rel=\"icon\" href=\"../icon.svg\" type=\"image/svg+xml\">
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
th, td { text-align: left; vertical-align: top; padding: .25rem 1rem .25rem 0 }</style>
<h1>Errors</h1>
<p>A request that is refused or fails is answered with an HTTP status and
<code>{\"error\": \"a sentence for people\", \"code\": \"a word for programs\"}</code>.
Events of the embed API have the same codes beside <code>\"status\": \"error\"</code>; live support and the
chat service have the statuses alone, and a sentence.</p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead>
<tbody>
";
const ERRORS_END: &str = "</tbody>
</table>
<p><a href=\"../swagger/\">All requests</a></p>
</html>
";
