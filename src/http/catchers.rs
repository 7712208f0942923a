//! The last stop of every request that no route answered: an error in the API's shape.

use std::{io::Cursor, time::Duration};

use rocket::{
    Catcher, Request, Response,
    catcher::{self, BoxFuture},
    http::{
        ContentType, MediaType, Method, Status,
        uri::{Segments, fmt},
    },
    outcome::Outcome,
    route::{self, Route},
};

use super::{
    api_error::{self, ApiError},
    headers,
};
use crate::{
    error::{Error, Kind},
    telemetry::traced_catcher,
};

/// When to try again where nothing says when.
const SOON: Duration = Duration::from_secs(1);

/// The one catcher, for every status and every path.
pub(super) fn catcher() -> Catcher {
    fn handle<'r>(status: Status, request: &'r Request<'_>) -> BoxFuture<'r> {
        let response = answer(status, request);
        Box::pin(async move { catcher::Result::Ok(response) })
    }
    let mut catcher = Catcher::new(None, handle);
    catcher.name = Some("error as JSON".into());
    traced_catcher(catcher)
}

/// A route that answers OPTIONS wherever something is served; pages of other origins ask first.
pub(super) fn options() -> Route {
    fn handle<'r>(request: &'r Request<'_>, data: rocket::Data<'r>) -> route::BoxFuture<'r> {
        let allowed = allowed_methods(request);
        Box::pin(async move {
            if allowed.is_empty() {
                return Outcome::Forward((data, Status::NotFound));
            }
            let mut response = Response::new();
            response.set_status(Status::NoContent);
            response.set_raw_header("Allow", allowed);
            Outcome::Success(response)
        })
    }
    let mut route = Route::ranked(100, Method::Options, "/<path..>", handle);
    route.name = Some("options".into());
    route
}

fn answer(status: Status, request: &Request<'_>) -> Response<'static> {
    let mut response = match api_error::take(request) {
        Some(error) => ApiError::new(error).respond(),
        None => bare(status, request),
    };
    if wants_page(request) {
        let status = response.status();
        let page = page(status);
        response.set_header(ContentType::HTML);
        response.set_sized_body(page.len(), Cursor::new(page));
    }
    // A request that Rocket could not parse passes no fairing, so its answer is dressed here.
    headers::add_headers(request, &mut response);
    response
}

/// An answer for a status that came without a sentence: from Rocket itself, or after a panic.
fn bare(status: Status, request: &Request<'_>) -> Response<'static> {
    let error = match status.code {
        404 => return missing(request),
        // Rocket's word for a path or query that its route could not read.
        422 if reads_its_path(request) => return missing(request),
        400 | 422 => Error::invalid("the request could not be understood"),
        401 => Error::unauthenticated(),
        403 => Error::forbidden("you may not do that"),
        405 => return method_not_allowed(request, allowed_methods(request)),
        409 => Error::conflict("that is in conflict with what is there"),
        410 => Error::new(Kind::Gone, "that is gone"),
        413 => Error::new(Kind::TooLarge, "the body is too large"),
        415 => Error::new(Kind::UnsupportedType, "the body is of a type not read here"),
        429 => Error::too_many("too many requests", SOON),
        503 => Error::unavailable("the server cannot do that just now", SOON),
        code if code >= 500 => {
            let error = Error::internal(format!("a handler ended with {status} and no error"));
            return with_status(status, error);
        }
        _ => return with_status(status, Error::invalid("the request was refused")),
    };
    ApiError::new(error).respond()
}

fn with_status(status: Status, error: Error) -> Response<'static> {
    let mut response = ApiError::new(error).respond();
    response.set_status(status);
    response
}

/// 404, or 405 where the path is served under another method: Rocket does not tell them apart.
fn missing(request: &Request<'_>) -> Response<'static> {
    let allowed = allowed_methods(request);
    if allowed.is_empty() || allows(&allowed, request.method()) {
        ApiError::new(Error::not_found("there is no such thing here")).respond()
    } else {
        method_not_allowed(request, allowed)
    }
}

fn method_not_allowed(request: &Request<'_>, allowed: String) -> Response<'static> {
    let error = Error::new(
        Kind::MethodNotAllowed,
        format!("this path does not answer {}", request.method()),
    );
    let mut response = ApiError::new(error).respond();
    response.set_raw_header("Allow", allowed);
    response
}

fn allows(allowed: &str, method: Method) -> bool {
    allowed.split(", ").any(|other| other == method.as_str())
}

/// The methods that this path is served under, as an `Allow` header; empty when it is not served.
///
/// Routes that take any path (the pages) say nothing about this one and do not count.
fn allowed_methods(request: &Request<'_>) -> String {
    let path = request.uri().path();
    let mut methods: Vec<Method> = Vec::new();
    for route in request.rocket().routes() {
        if !methods.contains(&route.method) && serves(route, path.segments()) {
            methods.push(route.method);
        }
    }
    if methods.contains(&Method::Get) {
        methods.push(Method::Head);
    }
    if !methods.is_empty() && !methods.contains(&Method::Options) {
        methods.push(Method::Options);
    }
    methods.sort_by_key(|method| method.as_str());
    methods.dedup();
    let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    names.join(", ")
}

fn serves(route: &Route, mut path: Segments<'_, fmt::Path>) -> bool {
    let mut first = true;
    for segment in route.uri.path().split('/').filter(|part| !part.is_empty()) {
        if segment.starts_with('<') && segment.ends_with("..>") {
            return !first;
        }
        first = false;
        let Some(given) = path.next() else {
            return false;
        };
        if !segment.starts_with('<') && segment != given {
            return false;
        }
    }
    path.next().is_none()
}

fn reads_its_path(request: &Request<'_>) -> bool {
    request
        .route()
        .is_some_and(|route| route.uri.path().contains('<'))
}

/// Whether a person with a browser looks at a page that is not there, rather than a program.
fn wants_page(request: &Request<'_>) -> bool {
    let by_page = matches!(request.method(), Method::Get | Method::Head)
        && !headers::under(&request.uri().path(), "/api");
    let html = MediaType::HTML;
    by_page
        && request
            .accept()
            .is_some_and(|accept| *accept.preferred().media_type() == html)
}

fn page(status: Status) -> String {
    let reason = status.reason_lossy();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{reason}</title>\n<h1>{reason}</h1>\n<p><a href=\"/\">To the start</a></p>\n</html>\n"
    )
}
