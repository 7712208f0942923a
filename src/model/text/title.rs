//! A chat's title.

use super::{fold::fold, line};
use crate::error::Result;

/// The most characters a title may have.
const TITLE_CHARS: usize = 255;

/// A chat's title: 1 to 255 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Validates a title.
    pub fn parse(text: &str) -> Result<Self> {
        line("title", text, TITLE_CHARS).map(Self)
    }

    /// The title as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title as it is compared with others.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}
