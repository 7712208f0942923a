//! The pages that show the descriptions: the documents themselves, Swagger UI, events, types, guides, and the
//! codes of errors.

use std::{borrow::Cow, fmt::Write as _, path::PathBuf, sync::Arc};

use rocket::{
    Request, Response, Route, State, get,
    http::{ContentType, uri::Origin},
    response::{self, Redirect, Responder},
    routes,
};
use rust_embed::RustEmbed;

use super::{events, guides, html};
use crate::{dialect::DIALECTS, error::Kind};

/// As for our own pages, but these set styles from their script; nothing of ours is shown on them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The routes of the documentation.
pub(super) fn routes() -> Vec<Route> {
    routes![
        document,
        start,
        page,
        event_list,
        events_document,
        types,
        types_file,
        guide_list,
        guide,
        read,
        errors
    ]
}

/// The documents, in JSON.
pub(super) struct Documents {
    /// The OpenAPI document.
    pub(super) requests: Arc<str>,
    /// The AsyncAPI document.
    pub(super) events: Arc<str>,
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

/// A page of ours, under the policy of all pages.
struct Page(String);

impl<'r> Responder<'r, 'static> for Page {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(ContentType::HTML)
            .raw_header("Cache-Control", "no-cache")
            .sized_body(self.0.len(), std::io::Cursor::new(self.0))
            .ok()
    }
}

/// What a folder's page answers: links in it are relative to the folder.
type Folder = rocket::Either<Page, Redirect>;

fn folder(uri: &Origin<'_>, name: &str, page: impl FnOnce() -> Page) -> Folder {
    if uri.path().ends_with('/') {
        rocket::Either::Left(page())
    } else {
        rocket::Either::Right(crate::http::beside(name))
    }
}

#[get("/openapi.json")]
fn document(documents: &State<Documents>) -> File {
    let document = documents.requests.as_bytes().to_vec();
    File(ContentType::JSON, document.into())
}

#[get("/asyncapi.json")]
fn events_document(documents: &State<Documents>) -> File {
    let document = documents.events.as_bytes().to_vec();
    File(ContentType::JSON, document.into())
}

#[get("/docs")]
fn event_list(uri: &Origin<'_>) -> Folder {
    folder(uri, "docs", || {
        Page(html::page("Events", "../", &events::content()))
    })
}

#[get("/docs/guides")]
fn guide_list(uri: &Origin<'_>) -> Folder {
    folder(uri, "guides", || {
        Page(html::page("Guides", "../../", &guides::list()))
    })
}

#[get("/docs/guides/<name>")]
fn guide(name: &str) -> Option<Page> {
    let (title, body) = guides::read(&format!("guides/{name}"))?;
    Some(Page(html::page(&title, "../../", &body)))
}

/// What an API is as a whole.
#[get("/docs/<name>")]
fn read(name: &str) -> Option<Page> {
    let (title, body) = guides::read(name)?;
    Some(Page(html::page(&title, "../", &body)))
}

#[get("/types")]
fn types(uri: &Origin<'_>) -> Folder {
    folder(uri, "types", || {
        let mut body = String::from(TYPES_START);
        for dialect in DIALECTS.iter() {
            let (name, title) = (dialect.name(), dialect.described().title);
            // Writing to a string cannot fail.
            let _ = writeln!(
                body,
                "<li><a href=\"{name}.d.ts\">{name}.d.ts</a>: {title}</li>"
            );
        }
        body.push_str("</ul>\n");
        Page(html::page("Types", "../", &body))
    })
}

const TYPES_START: &str = "<h1>Types</h1>
<p>The events of each API as types for socket.io-client 4 in TypeScript: <code>ClientToServerEvents</code>,
<code>ServerToClientEvents</code>, <code>ParlanceSocket</code> with both, and all that they hold. A wrong name or argument does
not compile. An answer is what was done or a refusal, and its status tells which; a push of live support has no status.</p>
<pre><code>const socket: ParlanceSocket = io(&quot;http://127.0.0.1:8000&quot;, { auth: { key } });
const made = await socket.emitWithAck(&quot;create-chat&quot;, { chat: { name: &quot;Breakfast&quot; }, users: [ann] });
if (made.status === &quot;error&quot;) throw new Error(made.error[0].message);
console.log(made.chat.id);</code></pre>
<p>The types of requests are made from <a href=\"../openapi.json\">openapi.json</a>, by <code>openapi-typescript</code> for one; its version 7
needs <code>typescript</code> 5 beside it, and ends with an error beside 7.</p>
<ul>
<li><a href=\"index.d.ts\">index.d.ts</a>: all of them</li>
";

#[get("/types/<file>")]
fn types_file(file: &str) -> Option<File> {
    let text = match file.strip_suffix(".d.ts")? {
        "index" => events::index(),
        name => events::declarations(DIALECTS.named(name)?),
    };
    Some(File(ContentType::Plain, text.into_bytes().into()))
}

#[get("/swagger")]
fn start(uri: &Origin<'_>) -> rocket::Either<Option<File>, Redirect> {
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
fn errors() -> Page {
    let mut rows = String::new();
    for kind in Kind::ALL {
        let (code, status, meaning) = (kind.code(), kind.status(), kind.meaning());
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{meaning}</td></tr>"
        );
    }
    let body = format!("{ERRORS_START}{rows}</tbody>\n</table></div>\n");
    Page(html::page("Errors", "../", &body))
}

const ERRORS_START: &str = "<h1>Errors</h1>
<p>A request that is refused or fails is answered with an HTTP status and
<code>{\"error\": \"a sentence for people\", \"code\": \"a word for programs\"}</code>.
Events of embedded chat and of the chat service have the same codes beside <code>\"status\": \"error\"</code>; live
support and the service's requests have the statuses alone, and a sentence.</p>
<div class=\"table\" role=\"region\" aria-label=\"Codes\" tabindex=\"0\"><table>
<thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">Meaning</th></tr></thead>
<tbody>
";
