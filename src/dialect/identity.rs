//! Somebody for whom a client session acts, and what they receive on it.

use crate::{
    chat::{Caller, subscription::Subscription},
    dialect::{DialectId, DialectMask},
    model::{Lane, Position},
};

/// A person for whom a session acts.
#[derive(Debug)]
pub struct Identity {
    /// Who.
    pub caller: Caller,
    /// In which dialects.
    pub(super) dialects: DialectMask,
    /// What came before is not for this connection.
    pub(super) from: Position,
    /// The lane in which it listens.
    pub(super) lane: Lane,
    pub(super) subscription: Option<Subscription>,
}

impl Identity {
    /// Whether it receives the events of a dialect.
    pub fn is_active_in(&self, dialect: DialectId) -> bool {
        self.dialects.contains(dialect)
    }

    /// The dialects whose events it receives.
    pub fn dialects(&self) -> DialectMask {
        self.dialects
    }

    /// What came up to here is not for this connection.
    pub fn from(&self) -> Position {
        self.from
    }

    /// The lane in which it listens.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// What they receive; none of an HTTP request.
    pub fn subscription(&mut self) -> Option<&mut Subscription> {
        self.subscription.as_mut()
    }
}
