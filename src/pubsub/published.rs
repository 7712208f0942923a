//! A published change or signal, with the encodings that dialects have made of it.

use std::{any::Any, sync::OnceLock};

use crate::model::{Change, ChangeKind, ChatId, Signal};

/// How many encodings of a change there may be: one for each dialect that can be registered.
pub const ENCODING_SLOTS: usize = 9;

/// The place of one dialect's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingSlot(usize);

impl EncodingSlot {
    /// The slot of this number, which must be below [`ENCODING_SLOTS`]; in a constant the compiler checks it.
    pub const fn new(number: usize) -> Self {
        assert!(number < ENCODING_SLOTS, "there is no such slot");
        Self(number)
    }
}

/// A change with its encodings: each is made once, however many subscribers there are.
#[derive(Debug)]
pub struct Published {
    /// What happened.
    pub change: Change,
    encodings: Encodings,
}

/// A signal with its encodings.
#[derive(Debug)]
pub struct PublishedSignal {
    /// The signal.
    pub signal: Signal,
    /// Its place among all signals of this process.
    pub number: u64,
    encodings: Encodings,
}

/// One encoding for each slot, of the type that the slot's dialect chose.
#[derive(Debug, Default)]
struct Encodings([OnceLock<Box<dyn Any + Send + Sync>>; ENCODING_SLOTS]);

impl Encodings {
    fn get<T: Any + Send + Sync>(&self, slot: EncodingSlot, encode: impl FnOnce() -> T) -> &T {
        let encoding = self.0[slot.0].get_or_init(|| Box::new(encode()));
        encoding
            .downcast_ref()
            .expect("a slot belongs to one dialect, which keeps one type there")
    }
}

impl Published {
    /// A change without encodings.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            encodings: Encodings::default(),
        }
    }

    /// The encoding in a slot, made now if it was not before. A slot belongs to one dialect and one type.
    pub fn encoding<T: Any + Send + Sync>(
        &self,
        slot: EncodingSlot,
        encode: impl FnOnce(&Change) -> T,
    ) -> &T {
        self.encodings.get(slot, || encode(&self.change))
    }

    /// About how many bytes it keeps in memory.
    pub(super) fn weight(&self) -> usize {
        let content = match &self.change.what {
            ChangeKind::Message(message)
            | ChangeKind::Edited(message)
            | ChangeKind::Deleted(message) => message.content.len(),
            ChangeKind::Person(person) => person.chats.len() * size_of::<ChatId>(),
            ChangeKind::Reaction(_)
            | ChangeKind::Chat(_)
            | ChangeKind::Conversation(..)
            | ChangeKind::Joined(_)
            | ChangeKind::Role(_)
            | ChangeKind::Settings(_)
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

    /// The encoding in a slot, as [`Published::encoding`] has it.
    pub fn encoding<T: Any + Send + Sync>(
        &self,
        slot: EncodingSlot,
        encode: impl FnOnce(&Signal) -> T,
    ) -> &T {
        self.encodings.get(slot, || encode(&self.signal))
    }
}
