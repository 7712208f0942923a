//! What every HTTP route shares: bodies, errors, cookies, limits, headers, health and pages.
//!
//! # Why
//! A route reads its [`Fields`] or [`Query`], asks one verb, and answers or returns a [`ApiError`].
//! Whatever goes wrong before or after that ends in a catcher, so that an API caller always gets
//! `{"error":…,"code":…}` and never a page of the framework's.
//!
//! Guards cannot hand their sentence to a catcher (Rocket passes on the status alone), so they leave
//! the [`Error`](crate::Error) with the request: see [`refuse`].
//!
//! Cookies are believed only where [`RequestOrigin::cookies_count`] says so, and requests that would
//! act on them from elsewhere end before any route: a route cannot forget to ask.

mod address;
mod api_error;
mod catchers;
mod connections;
pub mod cookies;
pub mod credentials;
mod csrf;
mod device;
pub mod feed;
pub(crate) mod fields;
mod headers;
mod health;
pub mod local;
pub mod long_poll;
mod metrics;
mod pages;
mod rate_limit;
mod shutdown;
pub(crate) mod signed_in;
pub mod sse;

use std::sync::Arc;

use rocket::{Build, Rocket, fairing::AdHoc, shield::Shield};

pub use address::ClientAddress;
pub use api_error::{ApiError, refuse};
pub use connections::Connections;
pub use csrf::RequestOrigin;
pub use device::{cookie, device, set_device_cookie};
pub use fields::{Fields, Query};
pub use health::Readiness;
pub(crate) use pages::beside;
pub use rate_limit::LiveSessions;
pub use shutdown::ShutdownSignal;
pub use signed_in::SignedIn;

use crate::{
    config::Settings,
    telemetry::{Access, Metrics, traced},
};

/// Attaches to a server: error answers, the origin policy, headers, request ids, counts,
/// `/health`, `/metrics`, the pages and OPTIONS.
///
/// It comes first, before the database is attached: fairings run in the order they came. Settings,
/// metrics and `closing` become Rocket's state. The caller mounts the dialects' routes, and manages a
/// [`Readiness`] once the database is open.
pub fn configure(
    rocket: Rocket<Build>,
    settings: Settings,
    metrics: Arc<Metrics>,
    closing: ShutdownSignal,
) -> Rocket<Build> {
    rocket
        .attach(Access(Arc::clone(&metrics)))
        .attach(closing.clone())
        .attach(announcement())
        // Rocket's own set of headers gives way to ours.
        .attach(Shield::new())
        .attach(csrf::CsrfFairing)
        .attach(rate_limit::RateLimitFairing)
        .attach(headers::Headers)
        .manage(settings)
        .manage(metrics)
        .manage(closing)
        .register("/", [catchers::catcher()])
        .mount("/", traced([catchers::options()]))
        .mount("/", traced(csrf::refused()))
        .mount("/", traced(health::routes()))
        .mount("/", traced(metrics::routes()))
        .mount("/", traced(pages::routes()))
}

/// One line that says where the server listens: Rocket's own lines are silenced.
fn announcement() -> AdHoc {
    AdHoc::on_liftoff("announcement", |rocket| {
        Box::pin(async move {
            let config = rocket.config();
            let (address, port) = (config.address, config.port);
            let version = env!("CARGO_PKG_VERSION");
            tracing::info!(%address, port, version, "The server listens.");
        })
    })
}
