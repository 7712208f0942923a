//! Events by plain HTTP: clients send those of the event-style dialects with a POST, and receive those of all
//! dialects by long-poll or stream.
//!
//! # Why
//! A shell script has no Socket.IO client. Its requests reach the same handlers through a [`ClientSession`],
//! which here has no transport: the reply is the response, and other events are received by a request of
//! their own.
//!
//! [`ClientSession`]: crate::dialect::ClientSession

mod emit;
mod subscribe;

use rocket::{
    Request, Route,
    request::{FromRequest, Outcome},
    routes,
};

use crate::dialect::{Credentials, OutgoingEvent, Recipients, Transport};
use crate::http::{ClientAddress, Query, signed_in};

/// The routes of events in all dialects.
pub fn routes() -> Vec<Route> {
    routes![emit::emit, subscribe::poll, subscribe::stream]
}

/// The credentials of an HTTP request, as those of a socket's handshake.
struct RequestCredentials(Credentials);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RequestCredentials {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let authorization = request.headers().get_one("Authorization");
        let bearer = authorization.and_then(bearer).map(str::to_owned);
        let query = <&Query>::from_request(request).await.succeeded();
        let asked = |name| {
            let value = query.and_then(|query| query.text(name).ok().flatten());
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let address = ClientAddress::of(request);
        Outcome::Success(Self(Credentials {
            token: asked("token").or(bearer),
            key: asked("key"),
            app: asked("appId"),
            cookies: signed_in::claims(request),
            twin: asked("twin").is_some_and(|value| is_on(&value)),
            is_local: address.is_this_machine(),
            address: Some(address.ip()),
        }))
    }
}

/// Whether an option of a query is on.
pub(super) fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true")
}

/// The token of an Authorization header: after `Bearer`, or alone. Another scheme is meant for a proxy.
fn bearer(authorization: &str) -> Option<&str> {
    let value = authorization.trim();
    match value.split_once(char::is_whitespace) {
        None => Some(value),
        Some((scheme, token)) => scheme
            .eq_ignore_ascii_case("Bearer")
            .then(|| token.trim_start()),
    }
}

/// The transport of an HTTP request: it is in no room, and no event can be sent to it.
struct NoTransport;

impl Transport for NoTransport {
    fn id(&self) -> String {
        String::new()
    }

    fn join(&self, _room: &str) {}

    fn leave(&self, _room: &str) {}

    fn tell(&self, _room: &str, _whom: Recipients, _emission: &OutgoingEvent) {}

    fn close(&self) {}
}
