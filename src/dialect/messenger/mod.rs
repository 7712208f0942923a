//! The messenger dialect: a cookie-session REST API with form posts and long-polling.
//!
//! # Why
//! The document gives seven requests with their bodies to the letter; they come exactly so. Its
//! client has cookies and can wait for an answer, nothing more, so everything added to it (paging,
//! resuming, streams) is made of the same two things, and keys are only ever added.
//!
//! The document calls the cookie `token` in one place and `access_token` in another: `token` is
//! set, and either is taken.

pub mod described;
pub mod events;
pub mod hits;
pub mod routes;
pub mod security_wire;
pub mod wire;

/// The dialect's name, as `?dialect=` and the metrics have it.
pub const NAME: &str = "messenger";
