//! What an operator decides about the verbs.

use std::time::Duration;

use crate::chat::{WriterBounds, limits, verify};

/// What an operator decides about the verbs.
#[derive(Debug, Clone)]
pub struct ChatConfig {
    /// bcrypt's cost for new passwords.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at once.
    pub bcrypt_parallel: usize,
    /// The fewest characters of a password that is set.
    pub password_min: usize,
    /// How long a login lives unused.
    pub login_idle: Duration,
    /// How long a login lives at all.
    pub login_max: Duration,
    /// Whether anybody may sign up.
    pub registration_open: bool,
    /// Whether who guesses passwords, or makes accounts by the dozen, is slowed down.
    pub throttled: bool,
    /// How often anybody may ask.
    pub rates: limits::Rates,
    /// How tenants' tokens are verified.
    pub verify: verify::Terms,
    /// The writer's bounds.
    pub writer: WriterBounds,
}
