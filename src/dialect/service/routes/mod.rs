//! The service dialect's routes: guard, parse, one verb, answer.
//!
//! # Why
//! The document's server told failures as `{"status":…,"message":…}` with the HTTP status 200; here
//! the status is the real one, and the operator may have the old way back. What was sent in a body or
//! a header is read without Rocket's own guards, whose refusals have another shape.

mod apps;
mod auth;
mod body;
mod rooms;
mod users;
mod webhooks;

use std::sync::Arc;

use rocket::{
    Request, Response, Route, State,
    http::Status,
    request::{FromRequest, Outcome},
    response::{self, Responder},
    serde::json::Json,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    chat::{
        Services,
        accounts::Device,
        callers::{self, KeyHolder},
        developers::{self, Developer},
    },
    config::Settings,
    dialect::page,
    error::{Error, Kind, Result},
    http::{credentials, device},
    json::whole_text,
    telemetry::log_failure,
};

use body::Body;

/// What every route works with.
type ChatServices = State<Arc<Services>>;

/// What a route answers.
type RouteResult = std::result::Result<JsonReply, Failure>;

/// All routes, to be mounted at `/`.
pub fn all() -> Vec<Route> {
    [
        apps::routes(),
        auth::routes(),
        rooms::routes(),
        users::routes(),
        webhooks::routes(),
    ]
    .concat()
}

/// A status and a JSON body that nobody keeps, and where the next page of it is if there is one.
struct JsonReply(Status, Value, Option<String>);

impl JsonReply {
    fn ok(body: impl Serialize) -> RouteResult {
        Self::with(Status::Ok, body)
    }

    fn with(status: Status, body: impl Serialize) -> RouteResult {
        let body =
            serde_json::to_value(body).map_err(|error| Failure::from(Error::internal(error)))?;
        Ok(Self(status, body, None))
    }

    /// A page of a list in the order of its numbers. The list's own shape has no room to say that
    /// there are more, so a header does (RFC 8288).
    fn page<E: Serialize>(entries: Vec<E>, number: impl Fn(&E) -> i64) -> RouteResult {
        let (listed, more) = page::fitting(entries);
        let next = listed.last().filter(|_| more).map(number);
        let Self(status, body, _) = Self::ok(listed)?;
        let link = next.map(|after| format!("<?after={after}>; rel=\"next\""));
        Ok(Self(status, body, link))
    }
}

/// Where a page begins: after the entry of that number.
fn after(told: Option<&str>) -> std::result::Result<i64, Failure> {
    counted("after", told)
}

/// A whole number that a query may hold; nought where it holds none.
fn counted(name: &'static str, told: Option<&str>) -> std::result::Result<i64, Failure> {
    let Some(text) = told else { return Ok(0) };
    whole_text(text)
        .filter(|number| *number >= 0)
        .ok_or_else(|| Error::invalid_field(name, format!("{name} must be a number from 0")).into())
}

impl<'r> Responder<'r, 'static> for JsonReply {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build_from(Json(self.1).respond_to(request)?);
        response
            .status(self.0)
            .raw_header("Cache-Control", "no-store");
        if let Some(link) = self.2 {
            response.raw_header("Link", link);
        }
        response.ok()
    }
}

/// What went wrong, in the document's shapes.
enum Failure {
    /// `{"status":…,"message":…}`.
    Error(Error),
    /// A shape of its own.
    Shaped(u16, Value),
}

impl Failure {
    /// Nobody said who they are.
    fn no_token() -> Self {
        let body = json!({"error": {"status": 401, "message": "No token provided"}});
        Self::Shaped(401, body)
    }

    /// Whose token is no more, or never was.
    fn bad_token() -> Self {
        Self::Shaped(401, json!({"message": "invalid token"}))
    }

    /// A failure with a status of its own.
    fn with(status: u16, message: &str) -> Self {
        Self::Shaped(status, json!({"status": status, "message": message}))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match (error.kind(), error.field()) {
            (Kind::Invalid, field) => {
                let mut details = serde_json::Map::new();
                details.insert(
                    field.unwrap_or("body").to_owned(),
                    json!({"message": error.text()}),
                );
                let body = json!({"message": "Validation failed", "details": details});
                Self::Shaped(422, body)
            }
            _ => Self::Error(error),
        }
    }
}

impl<'r> Responder<'r, 'static> for Failure {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let (status, body, wait) = match &self {
            Self::Error(error) => {
                log_failure(error);
                let status = error.kind().status();
                let body = json!({"status": status, "message": error.text()});
                (status, body, error.retry_seconds())
            }
            Self::Shaped(status, body) => (*status, body.clone(), None),
        };
        let as_before = body.get("status").is_some()
            && request
                .rocket()
                .state::<Settings>()
                .is_some_and(|settings| settings.service_status_200);
        let sent = if as_before { 200 } else { status };
        let mut response = Response::build_from(Json(body).respond_to(request)?);
        response
            .status(Status::new(sent))
            .raw_header("Cache-Control", "no-store");
        if let Some(wait) = wait {
            response.raw_header("Retry-After", wait.to_string());
        }
        response.ok()
    }
}

/// What the request's headers and query bring: a token, an app's secret, where it comes from.
struct RequestCredentials {
    token: Option<String>,
    app: Option<String>,
    device: Device,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RequestCredentials {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let header = |name| request.headers().get_one(name).map(str::trim);
        let in_header = header("token").filter(|token| !token.is_empty());
        let in_query = request
            .query_value::<String>("token")
            .and_then(std::result::Result::ok);
        let parameter = in_header.or(in_query.as_deref());
        Outcome::Success(Self {
            token: credentials::token(parameter, header("Authorization")),
            app: header("appId").map(str::to_owned),
            device: device(request),
        })
    }
}

impl RequestCredentials {
    /// The developer whose token came along.
    async fn developer(&self, services: &Services) -> std::result::Result<Developer, Failure> {
        let Some(token) = &self.token else {
            return Err(Failure::no_token());
        };
        match developers::prove(services, token, Some(self.device.network)).await {
            Err(error) if error.kind() == Kind::Unauthenticated => Err(Failure::bad_token()),
            outcome => Ok(outcome?),
        }
    }

    /// The app whose secret came along, in the header or elsewhere.
    async fn app(
        &self,
        services: &Services,
        elsewhere: Option<&str>,
    ) -> std::result::Result<KeyHolder, Failure> {
        let Some(key) = elsewhere
            .or(self.app.as_deref())
            .filter(|key| !key.is_empty())
        else {
            return Err(Error::invalid_field("appId", "appId is required").into());
        };
        let token = self.token.as_deref();
        match callers::key_holder(services, key, token, Some(self.device.network)).await {
            Ok(holder) => Ok(holder),
            Err(error) if error.kind() == Kind::Unauthenticated => {
                // Either the secret is unknown, or the app wants its owner's token as well.
                let known = callers::tenant_of(services, key).await?.is_some();
                Err(match (known, token) {
                    (false, _) => Failure::with(404, NO_APP),
                    (true, None) => Failure::no_token(),
                    (true, Some(_)) => Failure::bad_token(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What is told of an app that is not there.
const NO_APP: &str = "App Not Found";

/// Tells of what is not there in the document's words.
fn missing(sentence: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error.kind() {
        Kind::NotFound => Error::not_found(sentence).because(error),
        _ => error,
    }
}

/// A number in a path or, where it is none, nothing that exists.
fn number(text: &str, missing: &'static str) -> Result<i64> {
    let number = whole_text(text).filter(|number| *number >= 0);
    number.ok_or_else(|| Error::not_found(missing))
}
