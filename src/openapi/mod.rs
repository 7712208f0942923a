//! The descriptions of the APIs: an OpenAPI document at `/openapi.json`, an AsyncAPI document at
//! `/asyncapi.json`, types of the events below `/types`, and pages at `/swagger` and `/docs`.
//!
//! # Why
//! The document is the code's own. Its operations are the routes that are mounted, so none can be
//! missing; what an answer holds comes from the types that serde writes, and what an error can be from
//! [`Kind`](crate::error::Kind). What only a person can say of a route stands in tables, and tests
//! compare those with the routes, send their examples to a server, and hold every answer that a test
//! receives against the document.
//!
//! The pages come out of the binary: a documentation that loads scripts from elsewhere would need a
//! weaker policy than any other page here.

mod administration;
mod answers;
mod chats;
mod document;
pub mod events;
mod failures;
mod fields;
mod guides;
mod html;
mod operation;
mod others;
mod pages;
mod people;
mod programs;
mod webhooks;

use rocket::{Build, Rocket, fairing::AdHoc};

pub use document::{describe, documented, mistakes};

use crate::{json::field, telemetry::traced};
use pages::Documents;

/// What Rocket is given for the documentation.
pub fn configure(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.attach(fairing()).mount("/", traced(pages::routes()))
}

/// Writes the document once the routes are known.
fn fairing() -> AdHoc {
    AdHoc::on_ignite("openapi", |rocket| async {
        let documents = Documents {
            requests: document::describe(rocket.routes()).to_string().into(),
            events: events::describe().to_string().into(),
        };
        rocket.manage(documents)
    })
}
