//! A change on its way to everybody who hears it.

use std::{any::Any, sync::OnceLock};

use crate::model::{Change, Signal, What};

/// How many ways of writing a change there may be: one a dialect, and some to spare.
pub const FORMS: usize = 12;

/// A change, with room for each written form of it, made once however many hear it.
#[derive(Debug)]
pub struct Published {
    /// What happened.
    pub change: Change,
    forms: Forms,
}

/// Something told to whoever listens just now, with room for its written forms.
#[derive(Debug)]
pub struct Told {
    /// What is told.
    pub signal: Signal,
    /// Its place among all signals of this process.
    pub number: u64,
    forms: Forms,
}

/// Written forms, each of whatever type its writer gives it.
#[derive(Debug, Default)]
struct Forms([OnceLock<Box<dyn Any + Send + Sync>>; FORMS]);

impl Forms {
    fn get<T: Any + Send + Sync>(&self, slot: usize, write: impl FnOnce() -> T) -> &T {
        let form = self.0[slot].get_or_init(|| Box::new(write()));
        form.downcast_ref()
            .expect("a slot belongs to one writer, which writes one type")
    }
}

impl Published {
    /// Wraps a change that nobody has written down yet.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            forms: Forms::default(),
        }
    }

    /// The change in form number `slot` (below [`FORMS`]), written now if nobody did before. A slot
    /// belongs to one writer and one type.
    pub fn form<T: Any + Send + Sync>(&self, slot: usize, write: impl FnOnce(&Change) -> T) -> &T {
        self.forms.get(slot, || write(&self.change))
    }

    /// About how many bytes it keeps in memory.
    pub(super) fn weight(&self) -> usize {
        let content = match &self.change.what {
            What::Message(message) | What::Edited(message) | What::Deleted(message) => {
                message.content.len()
            }
            What::Chat(_) | What::Desk(..) | What::Joined(_) | What::Left | What::Read(_) => 0,
        };
        size_of::<Self>() + 2 * content
    }
}

impl Told {
    pub(super) fn new(signal: Signal, number: u64) -> Self {
        Self {
            signal,
            number,
            forms: Forms::default(),
        }
    }

    /// The signal in form number `slot`, as [`Published::form`] has it.
    pub fn form<T: Any + Send + Sync>(&self, slot: usize, write: impl FnOnce(&Signal) -> T) -> &T {
        self.forms.get(slot, || write(&self.signal))
    }
}
