//! The guard for routes that act in somebody's name.

use std::sync::Arc;

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{Provenance, refuse};
use crate::{
    chat::{Caller, Services, accounts},
    error::{Error, Kind, Result},
    model::PersonId,
};

/// The cookie that says who; it must match the token's owner and never decides.
pub const USER_ID: &str = "user_id";
/// The cookie that proves it.
pub const TOKEN: &str = "token";
/// Another name for it, under which it is taken but never set.
const ACCESS_TOKEN: &str = "access_token";

/// Whoever holds the request's `user_id` and `token` (or `access_token`) cookies.
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
            Ok(caller) => Outcome::Success(Self(caller)),
            Err(error) => refuse(request, error),
        }
    }
}

/// Whom the request's cookies name, and the token that is to prove it, where cookies count.
pub(super) fn cookies(request: &Request<'_>) -> Option<(PersonId, String)> {
    if !Provenance::of(request).cookies_count() {
        return None;
    }
    let cookies = request.cookies();
    let person = PersonId::from_any(cookies.get(USER_ID)?.value()).ok()?;
    let token = cookies.get(TOKEN).or_else(|| cookies.get(ACCESS_TOKEN))?;
    Some((person, token.value().to_owned()))
}

async fn caller(request: &Request<'_>) -> Result<Caller> {
    let (person, token) = cookies(request).ok_or_else(Error::unauthenticated)?;
    let services = request
        .rocket()
        .state::<Arc<Services>>()
        .ok_or_else(|| Error::internal("the verbs are not managed by this server"))?;
    accounts::authenticate(services, person, &token).await
}
