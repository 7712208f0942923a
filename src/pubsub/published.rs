//! A change on its way to everybody who hears it.

use std::{any::Any, sync::OnceLock};

use crate::model::{Change, ChangeKind, Signal};

/// How many ways of writing a change there may be: one a dialect, and some to spare.
pub const ENCODING_SLOTS: usize = 12;

/// A change, with room for each written form of it, made once however many hear it.
#[derive(Debug)]
pub struct Published {
    /// What happened.
    pub change: Change,
    encodings: Encodings,
}

/// Something told to whoever listens just now, with room for its written forms.
#[derive(Debug)]
pub struct PublishedSignal {
    /// What is told.
    pub signal: Signal,
    /// Its place among all signals of this process.
    pub number: u64,
    encodings: Encodings,
}

/// Written forms, each of whatever type its writer gives it.
#[derive(Debug, Default)]
struct Encodings([OnceLock<Box<dyn Any + Send + Sync>>; ENCODING_SLOTS]);

impl Encodings {
    fn get<T: Any + Send + Sync>(&self, slot: usize, write: impl FnOnce() -> T) -> &T {
        let encoding = self.0[slot].get_or_init(|| Box::new(write()));
        encoding
            .downcast_ref()
            .expect("a slot belongs to one writer, which writes one type")
    }
}

impl Published {
    /// Wraps a change that nobody has written down yet.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            encodings: Encodings::default(),
        }
    }

    /// The change in form number `slot` (below [`ENCODING_SLOTS`]), written now if nobody did before. A slot
    /// belongs to one writer and one type.
    pub fn encoding<T: Any + Send + Sync>(
        &self,
        slot: usize,
        write: impl FnOnce(&Change) -> T,
    ) -> &T {
        self.encodings.get(slot, || write(&self.change))
    }

    /// About how many bytes it keeps in memory.
    pub(super) fn weight(&self) -> usize {
        let content = match &self.change.what {
            ChangeKind::Message(message)
            | ChangeKind::Edited(message)
            | ChangeKind::Deleted(message) => message.content.len(),
            ChangeKind::Chat(_)
            | ChangeKind::Conversation(..)
            | ChangeKind::Joined(_)
            | ChangeKind::Left
            | ChangeKind::Read(_) => 0,
        };
        size_of::<Self>() + 2 * content
    }
}

impl PublishedSignal {
    pub(super) fn new(signal: Signal, number: u64) -> Self {
        Self {
            signal,
            number,
            encodings: Encodings::default(),
        }
    }

    /// The signal in form number `slot`, as [`Published::encoding`] has it.
    pub fn encoding<T: Any + Send + Sync>(
        &self,
        slot: usize,
        write: impl FnOnce(&Signal) -> T,
    ) -> &T {
        self.encodings.get(slot, || write(&self.signal))
    }
}
