//! Administration of home.
//!
//! # Why
//! Every route here takes the guard [`Admin`], which refuses strangers with 401 and everybody else who is no
//! administrator with 403: that these routes exist is written in the documentation, so there is nothing to
//! hide behind a 404. The verbs prove it once more in the transaction of what they change.
//!
//! What a person with a one-time link does is here too, because administrators make those links: it needs no
//! cookies.

mod chats;
mod links;
mod people;
mod server;
mod server_wire;
mod tenants;
mod webhooks;
mod wire;

/// The JSON of administration, for what describes it.
pub mod wires {
    pub use super::{server_wire::*, wire::*};
}

use std::sync::Arc;

use rocket::{
    Request, Route,
    request::{FromRequest, Outcome},
};

use super::{ChatServices, Id, Reply, RouteResult, ok};
use crate::{
    chat::{
        Services,
        administration::{self, Administrator},
    },
    error::{Error, Kind, Result},
    http::{ClientAddress, Query, SignedIn, refuse},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    [
        people::routes(),
        links::routes(),
        chats::routes(),
        tenants::routes(),
        server::routes(),
        webhooks::routes(),
    ]
    .concat()
}

/// An administrator of home who is signed in.
struct Admin(Administrator);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Admin {
    type Error = Kind;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Kind> {
        let signed_in = match SignedIn::from_request(request).await {
            Outcome::Success(signed_in) => signed_in,
            Outcome::Error(refused) => return Outcome::Error(refused),
            Outcome::Forward(status) => return Outcome::Forward(status),
        };
        match proved(request, &signed_in).await {
            Ok(admin) => Outcome::Success(Self(admin)),
            Err(error) => refuse(request, error),
        }
    }
}

async fn proved(request: &Request<'_>, signed_in: &SignedIn) -> Result<Administrator> {
    let services = request
        .rocket()
        .state::<Arc<Services>>()
        .ok_or_else(|| Error::internal("the verbs are not managed by this server"))?;
    let from = ClientAddress::of(request).ip();
    administration::prove(services, signed_in, from).await
}

/// Where a page begins: before the entry of that number.
fn before<T>(query: &Query, id: impl FnOnce(i64) -> T) -> Result<Option<T>> {
    Ok(query.number("before")?.map(id))
}
