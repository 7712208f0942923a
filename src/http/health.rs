//! Whether the server is alive, and whether it can serve: `/health`, `/health/live`, `/health/ready`.

use std::{convert::Infallible, fmt, future::Future, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use rocket::{
    Request, Response, Route, get,
    http::Status,
    request::{FromRequest, Outcome},
    response, routes,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{ApiError, ShutdownSignal, api_error};
use crate::{
    error::{Error, Result},
    model::health::{Part, PartState},
};

/// How long the parts may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How much longer it may take to put their answers together.
const MARGIN: Duration = Duration::from_millis(500);

/// When a balancer should ask again.
const SOON: Duration = Duration::from_secs(1);

/// How each part is on which serving depends.
type Parts = Vec<Part>;

/// Finds out whether the server can serve, by asking what it depends on; kept as Rocket's state.
pub struct Readiness(Box<dyn Fn(Instant) -> BoxFuture<'static, Result<Parts>> + Send + Sync>);

impl Readiness {
    /// Asks `ask` each time, which is to answer by the moment that it is given; an error means "not now" and its cause is
    /// logged.
    pub fn new<F, A>(ask: A) -> Self
    where
        A: Fn(Instant) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Parts>> + Send + 'static,
    {
        Self(Box::new(move |until| ask(until).boxed()))
    }

    async fn ask(&self) -> Result<Parts> {
        let until = Instant::now() + CHECK_TIMEOUT;
        tokio::time::timeout_at(until + MARGIN, (self.0)(until))
            .await
            .map_err(|late| {
                Error::unavailable("the database does not answer", SOON).because(late)
            })?
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readiness")
    }
}

pub(super) fn routes() -> Vec<Route> {
    routes![live, ready, both]
}

/// What the server depends on, if it is managed; a `State` guard would fail without.
struct Dependence<'r>(Option<&'r Readiness>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Dependence<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(request.rocket().state()))
    }
}

/// A success, as JSON that must not be cached.
struct Well(Value);

impl<'r> response::Responder<'r, 'static> for Well {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let response: Response<'static> = api_error::json(Status::Ok, &self.0);
        Ok(response)
    }
}

/// The process answers.
#[get("/health/live")]
fn live() -> Well {
    Well(json!({"status": "ok"}))
}

/// The server can serve: it is not stopping, and no part fails.
#[get("/health/ready")]
async fn ready(closing: &ShutdownSignal, dependence: Dependence<'_>) -> Result<Well, ApiError> {
    let parts = ask(closing, &dependence).await?;
    match failure(parts) {
        Some(error) => Err(error.into()),
        None => Ok(live()),
    }
}

/// Both at once, with the version, and how each part is.
#[get("/health")]
async fn both(closing: &ShutdownSignal, dependence: Dependence<'_>) -> Result<Well, ApiError> {
    let parts = ask(closing, &dependence).await?;
    let told = listed(&parts);
    match failure(parts) {
        Some(error) => Err(ApiError::from(error).with("parts", told)),
        None => Ok(Well(json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "parts": told,
        }))),
    }
}

async fn ask(closing: &ShutdownSignal, dependence: &Dependence<'_>) -> Result<Parts> {
    closing.refuse_ready()?;
    match dependence.0 {
        Some(readiness) => readiness.ask().await,
        None => Ok(Vec::new()),
    }
}

/// Why the server cannot serve, if it cannot.
fn failure(parts: Parts) -> Option<Error> {
    parts.into_iter().find_map(|part| match part.state {
        PartState::Failed(error) => Some(error),
        PartState::Well | PartState::Busy | PartState::Degraded(_) => None,
    })
}

/// The parts by their names.
fn listed(parts: &[Part]) -> Value {
    let each = parts.iter().map(|part| {
        let mut told = json!({
            "state": part.state.as_str(),
            "since": part.since.to_rfc3339(),
        });
        if let Some(error) = part.failure() {
            told["error"] = error.text().into();
        }
        (part.name.to_owned(), told)
    });
    Value::Object(each.collect::<Map<_, _>>())
}
