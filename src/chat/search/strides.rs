//! How far back the index is asked at a time.
//!
//! What a question costs is what the index has of the rarest of the terms in the range that is asked for: everything else
//! it leaps over. How much that is, a count in the range's sample tells: so what is rare is sought in a million messages at once, and
//! words that are each common, and never in one message, a few thousand at a time.

use super::budget::Budget;
use crate::{
    error::Result,
    model::search::{IndexRange, TermSets},
    store::Store,
};

/// In how few messages nothing is counted before they are searched.
const FEW: i64 = 1_024;
/// How many sets are counted: the first ones, which are the most likely to be rare.
const COUNTED: usize = 4;

/// A range to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stride {
    pub(super) range: IndexRange,
    /// How many entries that is expected to look at.
    pub(super) entries: i64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Strides<'a> {
    store: &'a Store,
    /// The index has nothing from this id on.
    end: i64,
    /// What was found out of a range of each size.
    known: [Option<Stride>; IndexRange::SIZES],
    /// The largest size that is asked for.
    largest: usize,
    /// Whether the first question is for the smallest range, whatever that has: common words are in it.
    first: bool,
}

impl<'a> Strides<'a> {
    pub(super) fn new(store: &'a Store, end: i64, first: bool) -> Self {
        Self {
            store,
            end,
            known: [None; IndexRange::SIZES],
            largest: IndexRange::SIZES - 1,
            first,
        }
    }

    /// What to ask for next, before a place.
    pub(super) async fn next(
        &mut self,
        sets: &mut TermSets,
        place: i64,
        budget: &mut Budget,
    ) -> Result<Stride> {
        let range = IndexRange::of(place - 1, 0);
        let mut stride = Stride {
            range,
            entries: self.ids(range),
        };
        if std::mem::take(&mut self.first) {
            // What it costs is found out afterwards, and bounded.
            stride.entries = 0;
            return Ok(stride);
        }
        let most = budget.left().min(IndexRange::SMALLEST);
        for size in 1..=self.largest {
            let larger = IndexRange::of(place - 1, size);
            let larger = self.weigh(larger, sets, budget).await?;
            if size == 1 {
                let share = larger.entries * self.ids(range) / self.ids(larger.range).max(1);
                stride.entries = stride.entries.min(share + 1);
            }
            if larger.entries > most.min(budget.left()) {
                break;
            }
            stride = larger;
        }
        Ok(stride)
    }

    /// A range had more than can be sorted: from now on only smaller ones are asked for.
    pub(super) fn shorten(&mut self, range: IndexRange) {
        self.largest = range.size().saturating_sub(1);
    }

    /// Other terms are asked for from now on.
    pub(super) fn forget(&mut self) {
        self.known = [None; IndexRange::SIZES];
    }

    /// What a range costs. The sets are put in order, the rarest first.
    async fn weigh(
        &mut self,
        range: IndexRange,
        sets: &mut TermSets,
        budget: &mut Budget,
    ) -> Result<Stride> {
        let known = self.known[range.size()].filter(|known| known.range == range);
        if let Some(known) = known {
            return Ok(known);
        }
        let mut entries = self.ids(range);
        if let Some((sample, of)) = range.sample()
            && entries > FEW
        {
            let counted = sets.len().min(COUNTED);
            let counts = self.store.counted_in(&sample, &sets[..counted]).await?;
            budget.ask(counts.iter().sum());
            let rarest = counts.iter().min().copied().unwrap_or_default();
            // None in the sample is few in the range, and not none.
            entries = entries.min((rarest * of).max(of / 4));
            let mut rest = sets.split_off(counted);
            let mut ordered: Vec<_> = counts.into_iter().zip(std::mem::take(sets)).collect();
            ordered.sort_by_key(|(count, _)| *count);
            sets.extend(ordered.into_iter().map(|(_, set)| set));
            sets.append(&mut rest);
        }
        let stride = Stride { range, entries };
        self.known[range.size()] = Some(stride);
        Ok(stride)
    }

    /// How many ids in a range the index may have.
    fn ids(&self, range: IndexRange) -> i64 {
        range.end().min(self.end) - range.first()
    }
}
