//! `/metrics`, for this machine and for clients that have the token.

use std::sync::Arc;

use rocket::{
    Request, Response, Route, State, get,
    http::{ContentType, Status},
    request::{FromRequest, Outcome},
    response::Responder,
    routes,
};

use super::{ApiError, ClientAddress, Query, credentials, refuse};
use crate::{
    chat::{Services, limits},
    config::Settings,
    error::{Error, Kind, Result},
    telemetry::Metrics,
};

pub(super) fn routes() -> Vec<Route> {
    routes![metrics]
}

/// The proof that a client may read the metrics.
struct Scraper;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Scraper {
    type Error = Kind;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Kind> {
        match admit(request).await {
            Ok(scraper) => Outcome::Success(scraper),
            Err(error) => refuse(request, error),
        }
    }
}

/// Clients on this machine are admitted, and those that show `metrics_token`.
async fn admit(request: &Request<'_>) -> Result<Scraper> {
    if ClientAddress::of(request).is_this_machine() {
        return Ok(Scraper);
    }
    let refusal = || {
        Error::forbidden("the figures are for this machine, or for a request with metrics_token")
    };
    let token = request
        .rocket()
        .state::<Settings>()
        .and_then(|settings| settings.metrics_token.as_deref())
        .ok_or_else(refusal)?;
    let query = Query::of(request)?;
    let authorization = request.headers().get_one("Authorization");
    let shown = credentials::token(query.text("token")?, authorization).ok_or_else(refusal)?;
    let is_right = same(shown.as_bytes(), token.as_bytes());
    if let Some(services) = request.rocket().state::<Arc<Services>>() {
        let network = ClientAddress::of(request).network();
        let secret = format!("metrics {shown}");
        limits::count_secret(services, &secret, network, is_right).await?;
    }
    if is_right {
        Ok(Scraper)
    } else {
        Err(refusal())
    }
}

/// Compares without telling by the time it takes how much was right.
fn same(shown: &[u8], token: &[u8]) -> bool {
    let differences = shown
        .iter()
        .zip(token)
        .fold(0, |differences, (a, b)| differences | (a ^ b));
    shown.len() == token.len() && differences == 0
}

/// The metrics as text.
struct MetricsText(String);

impl<'r> Responder<'r, 'static> for MetricsText {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        let media_type = ContentType::parse_flexible(Metrics::MEDIA_TYPE);
        Response::build_from(self.0.respond_to(request)?)
            .status(Status::Ok)
            .header(media_type.unwrap_or(ContentType::Text))
            .raw_header("Cache-Control", "no-store")
            .ok()
    }
}

#[get("/metrics")]
fn metrics(_scraper: Scraper, metrics: &State<Arc<Metrics>>) -> Result<MetricsText, ApiError> {
    Ok(MetricsText(metrics.text()?))
}
