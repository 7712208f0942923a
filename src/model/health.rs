//! How each part is that serving depends on.

use super::Timestamp;
use crate::error::Error;

/// A part that serving depends on, as it was just found.
#[derive(Debug)]
pub struct Part {
    /// Its name, as operators read it.
    pub name: &'static str,
    /// How it is.
    pub state: PartState,
    /// Since when this server has seen it so.
    pub since: Timestamp,
}

/// How a part is.
#[derive(Debug)]
pub enum PartState {
    /// As it ought to be.
    Well,
    /// In use to its bound: who comes now waits.
    Busy,
    /// It fails, and the server serves without it.
    Degraded(Error),
    /// It keeps the server from serving.
    Failed(Error),
}

impl PartState {
    /// The word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Busy => "busy",
            Self::Degraded(_) => "degraded",
            Self::Failed(_) => "failed",
        }
    }

    /// Every such word.
    pub const WORDS: &[&str] = &["ok", "busy", "degraded", "failed"];
}

impl Part {
    /// Why it fails, if it does.
    pub fn failure(&self) -> Option<&Error> {
        match &self.state {
            PartState::Degraded(error) | PartState::Failed(error) => Some(error),
            PartState::Well | PartState::Busy => None,
        }
    }
}
