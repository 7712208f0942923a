//! The event-style dialects by plain HTTP: any event as a POST, and what others do as a long-poll or a
//! stream.
//!
//! # Why
//! A shell script has no Socket.IO. It reaches the same handlers through the same [`Speaker`], which
//! here has no connection: it can ask and be answered, and what others do it hears by asking again.
//!
//! [`Speaker`]: crate::dialect::Speaker

mod overhear;
mod say;

use rocket::{
    Request, Route,
    request::{FromRequest, Outcome},
    routes,
};

use super::{ClientAddress, Query, signed_in};
use crate::dialect::{self, Credentials, Emission, Stage, Whom};

/// The routes of every event-style dialect.
pub fn routes() -> Vec<Route> {
    routes![say::say, overhear::overhear, overhear::overhear_as_stream]
}

/// What an HTTP request brings to be believed, as a socket's handshake would.
struct Brought(Credentials);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Brought {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let bearer = request.headers().get_one("Authorization").map(|value| {
            value
                .strip_prefix("Bearer ")
                .unwrap_or(value)
                .trim()
                .to_owned()
        });
        let query = <&Query>::from_request(request).await.succeeded();
        let asked = |name| {
            let value = query.and_then(|query| query.text(name).ok().flatten());
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let header = |name| request.headers().get_one(name);
        let host = request.host().map(|host| host.domain().as_str());
        Outcome::Success(Self(Credentials {
            token: asked("token").or(bearer),
            key: asked("key"),
            app: asked("appId"),
            cookies: signed_in::cookies(request),
            loopback: dialect::is_from_this_machine(
                host.unwrap_or_default(),
                header("Origin"),
                header("Sec-Fetch-Site"),
            ),
            address: Some(ClientAddress::of(request).ip()),
        }))
    }
}

/// An HTTP request is nowhere: it hears nothing, and nobody can be told through it.
struct Nowhere;

impl Stage for Nowhere {
    fn id(&self) -> String {
        String::new()
    }

    fn join(&self, _room: &str) {}

    fn leave(&self, _room: &str) {}

    fn tell(&self, _room: &str, _whom: Whom, _emission: &Emission) {}

    fn close(&self) {}
}
