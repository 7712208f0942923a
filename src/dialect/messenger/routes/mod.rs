//! The messenger's routes: guard, parse, one verb, answer.
//!
//! # Why
//! One file for each noun of the API, and everything that those files share here: how a
//! reply is made, and how an id in a path is read.

mod accounts;
mod admin;
mod chats;
mod hooks;
mod invites;
mod members;
mod messages;
mod people;
mod reading;
mod search;
mod security;
mod tokens;

pub use admin::wires as administration;

use std::sync::Arc;

use rocket::{
    Request, Response, Route, State,
    http::Status,
    request::{FromParam, FromRequest, Outcome},
    response::{self, Responder},
    serde::json::Json,
};
use serde::Serialize;

use crate::{
    chat::Services,
    dialect::messenger::wire,
    error::{Error, Result},
    http::{ApiError, Fields},
    json::whole_text,
    model::{ChatId, ClientId, HookId, LoginId, MessageId, PersonId, TenantId, WebhookId},
};

/// What every route works with.
type ChatServices = State<Arc<Services>>;

/// What a route answers.
type RouteResult<T> = std::result::Result<T, ApiError>;

/// All routes, to be mounted at `/`.
pub fn all() -> Vec<Route> {
    [
        accounts::routes(),
        people::routes(),
        security::routes(),
        tokens::routes(),
        chats::routes(),
        hooks::routes(),
        invites::routes(),
        members::routes(),
        messages::routes(),
        admin::routes(),
        search::routes(),
        reading::routes(),
    ]
    .concat()
}

/// A number in a path; anything else is no such path.
struct Id<T>(T);

macro_rules! id_from_path {
    ($($id:ty),*) => {$(
        impl<'a> FromParam<'a> for Id<$id> {
            type Error = crate::model::ids::NotAnId;

            fn from_param(text: &'a str) -> std::result::Result<Self, Self::Error> {
                let number = whole_text(text).filter(|number| *number >= 0);
                number.map(|id| Self(<$id>::new(id))).ok_or(crate::model::ids::NotAnId)
            }
        }
    )*};
}

id_from_path!(
    ChatId, HookId, MessageId, LoginId, PersonId, TenantId, WebhookId
);

/// `Idempotency-Key`: what the field `client_id` says, as a header.
struct IdempotencyKey(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IdempotencyKey {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let key = request.headers().get_one("Idempotency-Key");
        Outcome::Success(Self(key.map(str::to_owned)))
    }
}

impl IdempotencyKey {
    /// The key, by whichever way it came.
    fn or_field(&self, fields: &Fields) -> Result<Option<ClientId>> {
        match (fields.text("client_id")?, self.0.as_deref()) {
            (Some(field), Some(header)) if field != header => Err(Error::invalid(
                "client_id and Idempotency-Key differ: send one of them",
            )),
            (field, header) => field.or(header).map(ClientId::parse).transpose(),
        }
    }
}

/// A status, headers and a JSON body that nobody keeps.
struct Reply<T> {
    status: Status,
    headers: Vec<(&'static str, String)>,
    body: T,
}

impl<T> Reply<T> {
    fn new(status: Status, body: T) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    fn ok(body: T) -> Self {
        Self::new(Status::Ok, body)
    }

    /// Says so when it is the answer to what was done before under the same key.
    fn replayed(self, replayed: bool) -> Self {
        if replayed {
            self.header("Idempotency-Replayed", true)
        } else {
            self
        }
    }

    fn header(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl<'r, T: Serialize> Responder<'r, 'static> for Reply<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build_from(Json(self.body).respond_to(request)?);
        response
            .status(self.status)
            .raw_header("Cache-Control", "no-store");
        for (name, value) in self.headers {
            response.raw_header(name, value);
        }
        response.ok()
    }
}

/// `{"status":"ok"}` with 200.
fn ok() -> Reply<wire::StatusOk> {
    Reply::ok(wire::StatusOk::PLAIN)
}
