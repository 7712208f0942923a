//! The guard for routes that act for a signed-in person.

use std::sync::Arc;

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{ClientAddress, RequestOrigin, refuse};
use crate::{
    chat::{
        Caller, Services,
        callers::{self, Claims},
    },
    error::{Error, Kind, Result},
    http::cookies,
};

/// The person who holds the request's `user_id` and `token` (or `access_token`) cookies.
#[derive(Debug)]
pub struct SignedIn(pub Caller);

impl std::ops::Deref for SignedIn {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SignedIn {
    type Error = Kind;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Kind> {
        match caller(request).await {
            Ok(caller) => {
                tracing::Span::current().record("caller", caller.id().get());
                Outcome::Success(Self(caller))
            }
            Err(error) => refuse(request, error),
        }
    }
}

/// The request's `Cookie` header lines.
pub(crate) fn lines<'a>(request: &'a Request<'_>) -> impl Iterator<Item = &'a [u8]> {
    request.headers().get("Cookie").map(str::as_bytes)
}

/// Whom the request's cookies name, and by which tokens, where cookies count.
pub(crate) fn claims(request: &Request<'_>) -> Option<Claims> {
    if !RequestOrigin::of(request).cookies_count() {
        return None;
    }
    cookies::claims(lines(request))
}

async fn caller(request: &Request<'_>) -> Result<Caller> {
    let claims = claims(request).ok_or_else(Error::unauthenticated)?;
    let services = request
        .rocket()
        .state::<Arc<Services>>()
        .ok_or_else(|| Error::internal("the verbs are not managed by this server"))?;
    let from = ClientAddress::of(request).network();
    callers::authenticate(services, &claims, Some(from)).await
}
