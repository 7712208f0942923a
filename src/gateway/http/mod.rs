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

use crate::{
    dialect::{
        Credentials, DialectEntry, Options, OutgoingEvent, Recipients, Transport, messenger,
    },
    error::{Error, Result},
    http::{ClientAddress, Fields, Query, credentials, signed_in},
};

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
        let query = <&Query>::from_request(request).await.succeeded();
        let asked = |name| {
            let value = query.and_then(|query| query.text(name).ok().flatten());
            value.filter(|value| !value.is_empty())
        };
        let address = ClientAddress::of(request);
        Outcome::Success(Self(Credentials {
            token: credentials::token(asked("token"), authorization),
            key: asked("key").map(str::to_owned),
            app: asked("appId").map(str::to_owned),
            cookies: signed_in::claims(request),
            twin: query.is_some_and(|query| query.flag("twin").ok().flatten() == Some(true)),
            is_local: address.is_this_machine(),
            address: Some(address.ip()),
        }))
    }
}

/// The dialect that a request names by `?dialect=`.
enum NamedDialect {
    /// It names none.
    None,
    /// The one that has routes instead of events that clients send.
    RoutesOnly,
    /// An event-style dialect.
    EventStyle(DialectEntry),
}

impl NamedDialect {
    fn read(query: &Fields, options: &Options) -> Result<Self> {
        let named = query.text("dialect")?.filter(|name| !name.is_empty());
        let Some(named) = named else {
            return Ok(Self::None);
        };
        if named == messenger::NAME {
            return Ok(Self::RoutesOnly);
        }
        let dialect = options.dialects.named(named);
        let unknown = || Error::invalid_field("dialect", "there is no such dialect");
        dialect.map(Self::EventStyle).ok_or_else(unknown)
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

    fn end(&self) {}

    fn close(&self) {}
}
