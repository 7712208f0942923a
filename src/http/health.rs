//! Whether the server is alive, and whether it can serve: `/health`, `/health/live`, `/health/ready`.

use std::{convert::Infallible, fmt, future::Future, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use rocket::{
    Request, Response, Route, get,
    http::Status,
    request::{FromRequest, Outcome},
    response, routes, tokio,
};
use serde_json::{Value, json};

use super::{ApiError, ShutdownSignal, api_error};
use crate::error::{Error, Result};

/// How long the database may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// When a balancer should ask again.
const SOON: Duration = Duration::from_secs(1);

/// Finds out whether the server can serve, by asking what it depends on; kept as Rocket's state.
pub struct Readiness(Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>);

impl Readiness {
    /// Asks `ask` each time; an error means "not now" and its cause is logged.
    pub fn new<F, A>(ask: A) -> Self
    where
        A: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self(Box::new(move || ask().boxed()))
    }

    async fn ask(&self) -> Result<()> {
        tokio::time::timeout(CHECK_TIMEOUT, (self.0)())
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

/// The server can serve: it is not stopping, and its database answers.
#[get("/health/ready")]
async fn ready(closing: &ShutdownSignal, dependence: Dependence<'_>) -> Result<Well, ApiError> {
    closing.refuse_new()?;
    if let Some(readiness) = dependence.0 {
        readiness.ask().await?;
    }
    Ok(live())
}

/// Both at once, with the version.
#[get("/health")]
async fn both(closing: &ShutdownSignal, dependence: Dependence<'_>) -> Result<Well, ApiError> {
    ready(closing, dependence).await?;
    Ok(Well(
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
    ))
}
