//! The pages at `/`: files of `static/` inside the binary, or of a folder while working on them.
//!
//! The binary carries its pages so that it alone serves the demo, wherever it is run from. The
//! files' hashes are their entity tags: browsers ask each time and mostly get 304.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use rocket::{
    Request, Response, Route, State, get,
    http::{ContentType, Status, uri::Origin},
    request::FromParam,
    response::{self, Redirect, Responder},
    routes, tokio,
};
use rust_embed::{Embed, EmbeddedFile};

use super::headers::PAGE_WITH_PHOTOS_POLICY;
use crate::config::Settings;

/// A service worker is bound by the policy of its own script, whatever the page's is: it may ask us.
const SCRIPT_POLICY: &str = "default-src 'none'; connect-src 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The page that shows people's photos.
const PAGE_WITH_PHOTOS: &str = "index.html";

/// What is in the binary.
#[derive(Embed)]
#[folder = "static/"]
#[allow_missing = true]
struct Embedded;

pub(super) fn routes() -> Vec<Route> {
    routes![start, invitation, page]
}

/// What a path of the pages answers.
#[derive(Responder)]
enum Page {
    Embedded(Embodied),
    Read(Fresh),
    Moved(Redirect),
}

#[get("/")]
async fn start(uri: &Origin<'_>, settings: &State<Settings>) -> Option<Page> {
    find(Path::new(""), uri, settings).await
}

/// The page of an invitation, whatever its code.
#[get("/invite/<_code>", rank = 900)]
async fn invitation(_code: Code, settings: &State<Settings>) -> Option<Page> {
    open(Path::new("invite/index.html"), settings).await
}

/// What is no file of the page's own.
struct Code;

impl<'a> FromParam<'a> for Code {
    type Error = &'a str;

    fn from_param(text: &'a str) -> Result<Self, Self::Error> {
        if text.is_empty() || text.contains('.') {
            Err(text)
        } else {
            Ok(Self)
        }
    }
}

// Last of all routes: whatever else is mounted comes first.
#[get("/<path..>", rank = 1000)]
async fn page(path: PathBuf, uri: &Origin<'_>, settings: &State<Settings>) -> Option<Page> {
    find(&path, uri, settings).await
}

/// The page at `path`; nothing leads on to the catcher, which knows other methods' routes.
async fn find(path: &Path, uri: &Origin<'_>, settings: &Settings) -> Option<Page> {
    if let Some(file) = open(path, settings).await {
        return Some(file);
    }
    let index = open(&path.join("index.html"), settings).await?;
    // Links in a folder's page are relative to the folder.
    if uri.path().ends_with('/') {
        return Some(index);
    }
    Some(Page::Moved(beside(path.file_name()?.to_str()?)))
}

/// Leads to the folder of that name beside what was asked for. Relative, since a proxy may serve the
/// whole under a prefix that we do not know; with the dot, no name can be read as a host or a scheme.
pub(crate) fn beside(folder: &str) -> Redirect {
    let folder = rocket::http::RawStr::new(folder).percent_encode();
    Redirect::permanent(format!("./{folder}/"))
}

async fn open(path: &Path, settings: &Settings) -> Option<Page> {
    let kind = FileKind {
        media_type: media_type(path),
        shows_photos: settings.external_photos && path == Path::new(PAGE_WITH_PHOTOS),
    };
    if let Some(folder) = &settings.static_dir {
        let bytes = tokio::fs::read(folder.join(path)).await.ok()?;
        return Some(Page::Read(Fresh(kind, bytes)));
    }
    let name: Vec<_> = path
        .iter()
        .map(|part| part.to_str())
        .collect::<Option<_>>()?;
    let file = Embedded::get(&name.join("/"))?;
    Some(Page::Embedded(Embodied(kind, file)))
}

fn media_type(path: &Path) -> ContentType {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("webmanifest") => ContentType::new("application", "manifest+json"),
        Some(extension) => ContentType::from_extension(extension).unwrap_or(ContentType::Binary),
        None => ContentType::Binary,
    }
}

/// What decides about the headers of a file.
struct FileKind {
    media_type: ContentType,
    /// Whether it is the page that shows people's photos, and may.
    shows_photos: bool,
}

/// A file read just now, never kept: it is being worked on.
struct Fresh(FileKind, Vec<u8>);

impl<'r> Responder<'r, 'static> for Fresh {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        begin(self.0)
            .raw_header("Cache-Control", "no-store")
            .sized_body(self.1.len(), Cursor::new(self.1))
            .ok()
    }
}

/// A file of the binary, with its hash as entity tag.
struct Embodied(FileKind, EmbeddedFile);

impl<'r> Responder<'r, 'static> for Embodied {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let tag = entity_tag(&self.1);
        let mut response = begin(self.0);
        response
            .raw_header("Cache-Control", "no-cache")
            .raw_header("ETag", tag.clone());
        if has(request, &tag) {
            return response.status(Status::NotModified).ok();
        }
        let bytes = self.1.data;
        response.sized_body(bytes.len(), Cursor::new(bytes)).ok()
    }
}

/// A page's headers, the same with 304 as with 200: the browser puts them in place of those it has,
/// and which policy they are given goes by the media type.
fn begin(kind: FileKind) -> response::Builder<'static> {
    let mut response = Response::build();
    let media_type = kind.media_type;
    if kind.shows_photos {
        response.raw_header("Content-Security-Policy", PAGE_WITH_PHOTOS_POLICY);
    }
    // The widget's scripts run on other people's sites, whose pages must be let read them as modules.
    if media_type.is_javascript() {
        response
            .raw_header("Content-Security-Policy", SCRIPT_POLICY)
            .raw_header("Cross-Origin-Resource-Policy", "cross-origin")
            .raw_header("Access-Control-Allow-Origin", "*");
    }
    response.header(media_type);
    response
}

fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let start = hash.first_chunk().copied().unwrap_or_default();
    format!("\"{:016x}\"", u64::from_be_bytes(start))
}

/// Whether the browser says that it has what `tag` names.
fn has(request: &Request<'_>, tag: &str) -> bool {
    request
        .headers()
        .get("If-None-Match")
        .flat_map(|header| header.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}
