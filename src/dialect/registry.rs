//! The registry: which event-style dialects a server has, their ids and their names.

use std::{fmt, ops::Deref, str::FromStr};

use serde_json::Value;

use crate::{
    dialect::{Dialect, embed, messenger, service, support},
    pubsub::{ENCODING_SLOTS, EncodingSlot},
};

/// The event-style dialects of a server.
pub static DIALECTS: DialectSet = DialectSet::BUILT_IN;

/// Where a change keeps its encodings for the messenger; each event-style dialect has a slot after it.
pub const MESSENGER_SLOT: EncodingSlot = EncodingSlot::new(0);

/// The id of an event-style dialect.
///
/// Connections that a client may resume are stored with the ids of their dialects, so a dialect keeps its
/// id for good, and the id of one that is gone is not given to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialectId(u8);

/// Some event-style dialects, one bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DialectMask(u8);

const _: () = assert!(
    DialectId::COUNT <= u8::BITS as usize,
    "a mask has a bit for every dialect"
);
const _: () = assert!(
    DialectId::COUNT < ENCODING_SLOTS,
    "a change has a slot for every dialect, the messenger among them"
);

impl DialectId {
    /// How many ids there are.
    pub const COUNT: usize = 8;

    /// The id of this number, which must be below [`DialectId::COUNT`]; in a constant the compiler checks it.
    pub const fn new(number: u8) -> Self {
        assert!((number as usize) < Self::COUNT, "there is no such id");
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Where a change keeps its encodings for this dialect.
    pub const fn slot(self) -> EncodingSlot {
        EncodingSlot::new(self.0 as usize + 1)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DialectId {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        let number = text.parse().map_err(|_| UnknownDialect)?;
        let exists = usize::from(number) < Self::COUNT;
        exists.then_some(Self(number)).ok_or(UnknownDialect)
    }
}

/// Text that names no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownDialect;

impl DialectMask {
    /// One dialect.
    pub const fn of(id: DialectId) -> Self {
        Self(1 << id.0)
    }

    /// Whether a dialect is among them.
    pub const fn contains(self, id: DialectId) -> bool {
        self.0 & Self::of(id).0 != 0
    }

    /// Those that another mask has not.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Adds those of another mask.
    pub const fn insert(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

impl fmt::Display for DialectMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DialectMask {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        text.parse().map(Self).map_err(|_| UnknownDialect)
    }
}

/// What is fixed about a dialect when the server is compiled.
pub trait DialectInfo {
    /// Its id.
    const ID: DialectId;
    /// Its name, as `?dialect=` and the metrics have it.
    const NAME: &'static str;
}

/// A dialect of a [`DialectSet`].
#[derive(Clone, Copy)]
pub struct DialectEntry {
    id: DialectId,
    name: &'static str,
    dialect: &'static dyn Dialect,
}

impl DialectEntry {
    /// The dialect's id.
    pub fn id(self) -> DialectId {
        self.id
    }

    /// The dialect's name.
    pub fn name(self) -> &'static str {
        self.name
    }
}

impl Deref for DialectEntry {
    type Target = dyn Dialect;

    fn deref(&self) -> &Self::Target {
        self.dialect
    }
}

impl fmt::Debug for DialectEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The event-style dialects that a server has, by their ids.
#[derive(Debug)]
pub struct DialectSet([Option<DialectEntry>; DialectId::COUNT]);

impl DialectSet {
    /// The dialects of Parlance: a new one is one more line here.
    pub const BUILT_IN: Self = Self([None; DialectId::COUNT])
        .with(&embed::Embed)
        .with(&support::Support)
        .with(&service::Service);

    /// The same and one more dialect, whose id and name no other has; in a constant the compiler checks it.
    #[must_use]
    pub const fn with<D: Dialect + DialectInfo>(mut self, dialect: &'static D) -> Self {
        assert!(
            self.0[D::ID.index()].is_none(),
            "two dialects have the same id"
        );
        assert!(
            !same(D::NAME, messenger::NAME),
            "that is the messenger's name"
        );
        let mut index = 0;
        while index < DialectId::COUNT {
            if let Some(other) = self.0[index] {
                assert!(
                    !same(D::NAME, other.name),
                    "two dialects have the same name"
                );
            }
            index += 1;
        }
        self.0[D::ID.index()] = Some(DialectEntry {
            id: D::ID,
            name: D::NAME,
            dialect,
        });
        self
    }

    /// The dialects in the order of their ids.
    pub fn iter(&'static self) -> impl Iterator<Item = DialectEntry> {
        self.0.iter().copied().flatten()
    }

    /// The dialect of that id.
    pub fn get(&self, id: DialectId) -> Option<DialectEntry> {
        self.0[id.index()]
    }

    /// The dialect of that name.
    pub fn named(&'static self, name: &str) -> Option<DialectEntry> {
        self.iter().find(|dialect| dialect.name == name)
    }

    /// The dialects of a mask.
    pub fn among(&'static self, mask: DialectMask) -> impl Iterator<Item = DialectEntry> {
        self.iter().filter(move |dialect| mask.contains(dialect.id))
    }

    /// The dialect that an event is for: the first that has it.
    pub fn of_event(&'static self, event: &str, argument: Option<&Value>) -> Option<DialectEntry> {
        self.iter().find(|dialect| dialect.matches(event, argument))
    }
}

/// Whether two texts are the same, in a constant.
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_connections_name_dialects_by_these_ids() {
        let ids = DIALECTS
            .iter()
            .map(|dialect| (dialect.name(), dialect.id().to_string()));
        let ids: Vec<_> = ids.collect();
        let stored = [("embed", "0"), ("support", "1"), ("service", "2")];
        assert_eq!(ids, stored.map(|(name, id)| (name, id.to_owned())));
    }

    #[test]
    fn a_mask_is_stored_as_a_number() {
        let mut mask = DialectMask::of(DialectId::new(0));
        mask.insert(DialectMask::of(DialectId::new(7)));
        assert_eq!(mask.to_string(), "129");
        assert_eq!("129".parse(), Ok(mask));
        assert!(mask.contains(DialectId::new(7)) && !mask.contains(DialectId::new(1)));
        assert!("256".parse::<DialectMask>().is_err());
    }

    #[test]
    fn every_dialect_has_a_slot_of_its_own() {
        let last = DialectId::new(u8::try_from(DialectId::COUNT - 1).expect("a small number"));
        assert_ne!(last.slot(), DialectId::new(0).slot());
        assert_ne!(DialectId::new(0).slot(), MESSENGER_SLOT);
    }
}
