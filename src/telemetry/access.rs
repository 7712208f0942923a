//! One line and one count for each request.

use std::{sync::Arc, time::Instant};

use prometheus_client::metrics::gauge::Gauge;
use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
    http::{Status, StatusClass},
};

use super::{Metrics, RequestId, RequestLabels, RouteLabels};

/// Times, counts and logs requests; attached before any other fairing.
#[derive(Debug, Clone)]
pub struct Access(pub Arc<Metrics>);

/// When a request came, and that it is here: it counts itself out when Rocket drops it, which is
/// after the last byte of its answer, or when its client has gone.
struct Arrival {
    at: Instant,
    in_flight: Gauge,
}

impl Arrival {
    fn now(metrics: &Metrics) -> Self {
        metrics.requests_in_flight.inc();
        Self {
            at: Instant::now(),
            in_flight: metrics.requests_in_flight.clone(),
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

#[rocket::async_trait]
impl Fairing for Access {
    fn info(&self) -> Info {
        Info {
            name: "access",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Arrival::now(&self.0));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let arrival = request.local_cache(|| Arrival::now(&self.0));
        let elapsed = arrival.at.elapsed();
        let status = response.status();
        let method = request.method().as_str();
        let route = request
            .route()
            .map_or("none", |route| route.uri.path())
            .to_owned();
        tracing::debug!(
            request_id = RequestId::of(request).as_str(),
            method,
            route,
            status = status.code,
            milliseconds = elapsed.as_secs_f64() * 1_000.0,
            "Answered a request."
        );
        self.0
            .request_seconds
            .get_or_create(&RouteLabels {
                route: route.clone(),
            })
            .observe(elapsed.as_secs_f64());
        self.0
            .requests
            .get_or_create(&RequestLabels {
                method,
                route,
                status: class(status),
            })
            .inc();
    }
}

fn class(status: Status) -> &'static str {
    match status.class() {
        StatusClass::Informational => "1xx",
        StatusClass::Success => "2xx",
        StatusClass::Redirection => "3xx",
        StatusClass::ClientError => "4xx",
        StatusClass::ServerError => "5xx",
        StatusClass::Unknown => "other",
    }
}
