//! Turns an error into the messenger's answer: a status, a sentence and a code.

use std::{
    io::Cursor,
    sync::{Mutex, OnceLock},
};

use rocket::{
    Request, Response,
    http::{
        ContentType, Status,
        ext::IntoOwned,
        uri::{Origin, Path},
    },
    outcome::Outcome,
    response::{self, Responder},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind},
    telemetry::log_failure,
};

/// The path to which a fairing redirects a request that it refuses, with its sentence kept for the answer.
pub(super) const REFUSED: &str = "/.refused";

/// An error on its way to the caller, as `{"error":"<sentence>","code":"<code>"}`.
///
/// Handlers return `Result<_, ApiError>`, and `?` turns an [`Error`] into one.
#[derive(Debug)]
pub struct ApiError {
    error: Error,
    more: Map<String, Value>,
}

impl ApiError {
    /// A refusal that tells `error`.
    pub fn new(error: Error) -> Self {
        Self {
            error,
            more: Map::new(),
        }
    }

    /// Adds a key to the body, such as the fresh `cursor` of a 410.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// The answer. Logs the cause, so it is made once.
    pub(super) fn respond(&self) -> Response<'static> {
        log_failure(&self.error);
        let kind = self.error.kind();
        let mut response = json(
            status_of(kind),
            &Body {
                error: self.error.text(),
                code: kind.code(),
                hint: self.error.hint(),
                more: &self.more,
            },
        );
        if let Some(wait) = self.error.retry_seconds() {
            response.set_raw_header("Retry-After", wait.to_string());
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.respond())
    }
}

/// Fails a guard with `error`: its sentence, code and headers reach the caller through the catcher.
pub fn refuse<S, F>(request: &Request<'_>, error: Error) -> Outcome<S, (Status, Kind), F> {
    let kind = error.kind();
    keep(request, error);
    Outcome::Error((status_of(kind), kind))
}

/// What a guard leaves with the request for the catcher.
struct Kept(Mutex<Option<Error>>);

fn kept<'a>(request: &'a Request<'_>) -> &'a Kept {
    request.local_cache(|| Kept(Mutex::new(None)))
}

/// Leaves `error` with the request; a later one takes the place of an earlier one.
pub(super) fn keep(request: &Request<'_>, error: Error) {
    if let Ok(mut kept) = kept(request).0.lock() {
        *kept = Some(error);
    }
}

/// Takes what a guard left with the request.
pub(super) fn take(request: &Request<'_>) -> Option<Error> {
    kept(request).0.lock().ok()?.take()
}

/// The method and path of a request before a fairing redirected it.
struct Asked(OnceLock<Origin<'static>>);

fn asked<'a>(request: &'a Request<'_>) -> &'a OnceLock<Origin<'static>> {
    &request.local_cache(|| Asked(OnceLock::new())).0
}

/// Has a request answered with `error`, whatever it asked for: no route of its own sees it.
pub(super) fn turn_away(request: &mut Request<'_>, error: Error) {
    keep(request, error);
    // Of two fairings the first knows the request as it came.
    asked(request).get_or_init(|| request.uri().clone().into_owned());
    if let Ok(uri) = Origin::parse(REFUSED) {
        request.set_uri(uri.into_owned());
    }
}

/// The path that was asked for, also of a request that a fairing refused: a refusal carries the headers
/// that its path's answers carry, or a page of another origin could not read it.
pub(super) fn asked_path<'a>(request: &'a Request<'_>) -> Path<'a> {
    match asked(request).get() {
        Some(uri) => uri.path(),
        None => request.uri().path(),
    }
}

/// What is sent.
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

fn status_of(kind: Kind) -> Status {
    Status::new(kind.status())
}

/// A JSON answer that must not be cached.
pub(super) fn json(status: Status, body: &impl Serialize) -> Response<'static> {
    // Plain keys and texts: writing them cannot fail.
    let body = serde_json::to_string(body).unwrap_or_default();
    Response::build()
        .status(status)
        .header(ContentType::JSON)
        .raw_header("Cache-Control", "no-store")
        .sized_body(body.len(), Cursor::new(body))
        .finalize()
}
