//! The guard for routes that act for a signed-in person.

use std::sync::Arc;

use rocket::{
    Request,
    http::Method,
    request::{FromRequest, Outcome},
};

use super::{ClientAddress, RequestOrigin, refuse};
use crate::{
    chat::{
        Caller, Services,
        callers::{self, Claims},
        tokens::PREFIX,
    },
    error::{Error, Kind, Result},
    http::{cookies, credentials},
    model::Scope,
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

/// Routes about the account itself, for which no token is good.
const OF_ACCOUNT: [&str; 7] = [
    "/api/me/tokens",
    "/api/me/second-factor",
    "/api/me/recovery-codes",
    "/api/me/export",
    "/api/logins",
    "/api/logout",
    "/api/password",
];

/// What a token must be good for to ask for a route; nothing that a token has for what is about the account.
fn needed(request: &Request<'_>) -> Option<Scope> {
    let path = request.route().map_or("", |route| route.uri.path());
    let is_of_account = OF_ACCOUNT.iter().any(|base| path.starts_with(base));
    match request.method() {
        _ if is_of_account => None,
        _ if path.starts_with("/api/admin/") => Some(Scope::Admin),
        Method::Get | Method::Head => Some(Scope::Read),
        Method::Delete if path == "/api/me" => None,
        _ => Some(Scope::Write),
    }
}

/// The token of a program, if the request brings one: it needs no cookies.
fn token(request: &Request<'_>) -> Option<String> {
    let header = request.headers().get_one("Authorization");
    credentials::token(None, header).filter(|token| token.starts_with(PREFIX))
}

async fn caller(request: &Request<'_>) -> Result<Caller> {
    let needed = needed(request);
    let services = request
        .rocket()
        .state::<Arc<Services>>()
        .ok_or_else(|| Error::internal("the verbs are not managed by this server"))?;
    let from = ClientAddress::of(request).network();
    let scope = needed.unwrap_or(Scope::Read);
    let caller = match token(request) {
        Some(token) => callers::program(services, &token, Some(from), scope).await?,
        None => {
            let claims = claims(request).ok_or_else(Error::unauthenticated)?;
            callers::authenticate(services, &claims, Some(from), scope).await?
        }
    };
    if needed.is_none() {
        callers::refuse_token(&caller)?;
    }
    Ok(caller)
}
