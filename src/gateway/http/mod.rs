//! Events by plain HTTP: those of the event-style dialects as a POST, and what others do, in any dialect,
//! as a long-poll or a stream.
//!
//! # Why
//! A shell script has no Socket.IO. It reaches the same handlers through the same [`ClientSession`], which
//! here has no connection: it can ask and be answered, and what others do it hears by asking again.
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

/// What an HTTP request brings to be believed, as a socket's handshake would.
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
            is_local: address.is_this_machine(),
            address: Some(address.ip()),
        }))
    }
}

/// The token in an Authorization header: after `Bearer`, or alone. What has another scheme is for a
/// proxy on the way.
fn bearer(authorization: &str) -> Option<&str> {
    let value = authorization.trim();
    match value.split_once(char::is_whitespace) {
        None => Some(value),
        Some((scheme, token)) => scheme
            .eq_ignore_ascii_case("Bearer")
            .then(|| token.trim_start()),
    }
}

/// An HTTP request is nowhere: it hears nothing, and nobody can be told through it.
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
