//! The front door: what every HTTP route shares.
//!
//! # Why
//! A route reads its [`Fields`] or [`Query`], asks one verb, and answers or returns a [`Refusal`].
//! Whatever goes wrong before or after that ends in a catcher, so that an API caller always gets
//! `{"error":…,"code":…}` and never a page of the framework's.
//!
//! Guards cannot hand their sentence to a catcher (Rocket passes on the status alone), so they leave
//! the [`Error`](crate::Error) with the request: see [`refuse`].
//!
//! Cookies are believed only where [`Provenance::cookies_count`] says so, and requests that would
//! act on them from elsewhere end before any route: a route cannot forget to ask.

mod address;
mod catchers;
pub mod docs;
pub mod events;
pub mod feed;
mod fields;
mod figures;
mod headers;
mod health;
mod limits;
pub mod long_poll;
mod origins;
mod pages;
mod refusal;
mod shutdown;
mod signed_in;
pub mod sse;

use std::sync::Arc;

use rocket::{Build, Rocket, fairing::AdHoc, shield::Shield};

pub use address::ClientAddress;
pub use fields::{Fields, Query};
pub use health::Readiness;
pub use limits::LiveSessions;
pub use origins::Provenance;
pub use refusal::{Refusal, refuse};
pub use shutdown::Closing;
pub use signed_in::SignedIn;

use crate::{
    config::Settings,
    telemetry::{Access, Metrics},
};

/// Fits the door to a server: error answers, the origin policy, headers, request ids, counts,
/// `/health`, `/metrics`, the pages and OPTIONS.
///
/// It comes first, before the database is attached: fairings run in the order they came. Settings,
/// metrics and `closing` become Rocket's state. Routes are mounted by whoever calls this, and a
/// [`Readiness`] is managed by whoever knows the database.
pub fn fit(
    rocket: Rocket<Build>,
    settings: Settings,
    metrics: Arc<Metrics>,
    closing: Closing,
) -> Rocket<Build> {
    docs::fit(rocket)
        .attach(Access(Arc::clone(&metrics)))
        .attach(closing.clone())
        .attach(announcement())
        // Rocket's own set of headers gives way to ours.
        .attach(Shield::new())
        .attach(origins::Door)
        .attach(limits::Door)
        .attach(headers::Headers)
        .manage(settings)
        .manage(metrics)
        .manage(closing)
        .register("/", [catchers::catcher()])
        .mount("/", [catchers::options()])
        .mount("/", origins::refused())
        .mount("/", health::routes())
        .mount("/", figures::routes())
        .mount("/", pages::routes())
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
