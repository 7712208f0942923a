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

mod catchers;
mod fields;
mod headers;
mod origins;
mod refusal;
mod signed_in;

use rocket::{Build, Rocket, shield::Shield};

pub use fields::{Fields, Query};
pub use origins::Provenance;
pub use refusal::{Refusal, refuse};
pub use signed_in::{SignedIn, TOKEN, USER_ID};

use crate::config::Settings;

/// Fits the door to a server: error answers, the origin policy, headers, OPTIONS.
///
/// Routes are mounted by whoever calls this, before or after.
pub fn fit(rocket: Rocket<Build>, settings: Settings) -> Rocket<Build> {
    rocket
        .manage(settings)
        // Rocket's own set of headers gives way to ours.
        .attach(Shield::new())
        .attach(origins::Door)
        .attach(headers::Headers)
        .register("/", [catchers::catcher()])
        .mount("/", [catchers::options()])
        .mount("/", origins::refused())
}
