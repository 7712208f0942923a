//! A change on its way to everybody who hears it.

use std::sync::OnceLock;

use crate::model::{Change, What};

/// How many ways of writing a change there may be: one a dialect, and some to spare.
pub const FORMS: usize = 8;

/// A change, with room for each written form of it, made once however many hear it.
#[derive(Debug)]
pub struct Published {
    /// What happened.
    pub change: Change,
    forms: [OnceLock<Box<str>>; FORMS],
}

impl Published {
    /// Wraps a change that nobody has written down yet.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            forms: Default::default(),
        }
    }

    /// The change in form number `slot` (below [`FORMS`]), written now if nobody did before.
    pub fn form(&self, slot: usize, write: impl FnOnce(&Change) -> String) -> &str {
        self.forms[slot].get_or_init(|| write(&self.change).into_boxed_str())
    }

    /// About how many bytes it keeps in memory.
    pub(super) fn weight(&self) -> usize {
        let content = match &self.change.what {
            What::Message(message) | What::Edited(message) | What::Deleted(message) => {
                message.content.len()
            }
            What::Chat(_) | What::Joined(_) | What::Left | What::Read(_) => 0,
        };
        size_of::<Self>() + 2 * content
    }
}
