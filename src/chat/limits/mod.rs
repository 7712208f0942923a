//! Bounds on what one caller may take: requests, guesses of passwords, waits.
//!
//! # Why
//! Each bound counts what costs the server something and says when to come again. They stand
//! together so that a new route or event finds the one that it needs.

pub mod login_throttle;
pub mod rate_limit;
pub mod wait_limit;

pub use rate_limit::{RateLimit, Rates, Who};
