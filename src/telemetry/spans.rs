//! Spans: which request, with which id, a line of the log belongs to.

use rocket::{
    Catcher, Data, Request, Route, catcher,
    http::Status,
    route::{Handler, Outcome},
};
use tracing::{Instrument, Span, field::Empty};

use super::RequestId;

/// Runs the handler of each route in a span of its request.
pub fn traced(routes: impl IntoIterator<Item = Route>) -> Vec<Route> {
    let routes = routes.into_iter().map(|mut route| {
        route.handler = Box::new(Traced(route.handler));
        route
    });
    routes.collect()
}

/// Runs the handler of a catcher in a span of its request.
pub fn traced_catcher(mut catcher: Catcher) -> Catcher {
    catcher.handler = Box::new(TracedCatcher(catcher.handler));
    catcher
}

/// The span of a request. It holds no query and no path that a client chose: both may hold secrets.
fn request_span(request: &Request<'_>) -> Span {
    // It stands at the highest level: whatever is logged, it is logged with its request.
    tracing::error_span!(
        "request",
        id = RequestId::of(request).as_str(),
        method = request.method().as_str(),
        route = request.route().map_or("none", |route| route.uri.path()),
        caller = Empty,
    )
}

#[derive(Clone)]
struct Traced(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Traced {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let handled = self.0.handle(request, data);
        handled.instrument(request_span(request)).await
    }
}

#[derive(Clone)]
struct TracedCatcher(Box<dyn catcher::Handler>);

#[rocket::async_trait]
impl catcher::Handler for TracedCatcher {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        let handled = self.0.handle(status, request);
        handled.instrument(request_span(request)).await
    }
}
