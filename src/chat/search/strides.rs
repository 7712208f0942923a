//! How far back the index is asked at a time.
//!
//! A question to the index costs what the range has that is asked for, at most: the middle size is one that a request has time for
//! whatever the words are. What is rare in it is sought in the largest at once, if a few of that one's messages say that it is
//! rare there as well; and where hits are many, the smallest has enough of them.

use super::budget::{Budget, cost, opening};
use crate::{
    error::Result,
    model::search::{IndexRange, TermSets},
    store::Store,
};

/// In how few messages nothing is counted before they are searched.
const FEW: i64 = 1_024;
/// How many sets are counted: the first ones, which are the most likely to be rare.
const COUNTED: usize = 4;
/// What has more than so many in a sample is common, however many more: at most so many are counted in the middle size,
/// and in the largest.
const COMMON: i64 = 128;
const COMMON_IN_LARGEST: i64 = 4;
/// What has more than so many in the middle size's sample is not counted in the largest's.
const RARE: i64 = 4;

const MIDDLE: usize = 1;
const LARGEST: usize = 2;

/// A range to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stride {
    pub(super) range: IndexRange,
    /// What that is expected to cost.
    pub(super) cost: i64,
}

/// What samples of a range tell.
#[derive(Debug, Clone, Copy)]
struct Weight {
    range: IndexRange,
    /// How many of it have the rarest of the terms, at most.
    entries: i64,
    /// How many of the first sets are rare in it.
    rare: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Strides<'a> {
    store: &'a Store,
    /// The ids that the index has.
    ids: (i64, i64),
    /// What was found out of a range of each size.
    known: [Option<Weight>; IndexRange::SIZES],
    /// The largest size that is asked for.
    largest: usize,
    /// How many of the first sets were rare in the largest range that was asked for last.
    rare: usize,
    /// Whether the next question is for the smallest range, whatever that has: the first one of all, as common words are in
    /// it, and those after one with many hits.
    small: bool,
}

impl<'a> Strides<'a> {
    /// Of an index that has messages from one id on and before another.
    pub(super) fn new(store: &'a Store, ids: (i64, i64), first: bool) -> Self {
        Self {
            store,
            ids,
            known: [None; IndexRange::SIZES],
            largest: LARGEST,
            rare: 0,
            small: first,
        }
    }

    /// What to ask for next, before a place. None if there is not enough of the budget left for it, and the request has
    /// come further already.
    pub(super) async fn next(
        &mut self,
        sets: &mut TermSets,
        (place, is_further): (i64, bool),
        budget: &mut Budget,
    ) -> Result<Option<Stride>> {
        let smallest = IndexRange::of(place - 1, 0);
        let mut stride = Stride {
            range: smallest,
            // What it costs is found out afterwards, and bounded.
            cost: 0,
        };
        if std::mem::take(&mut self.small) {
            return Ok(Some(stride));
        }
        // What was rare in all of the one before is so in the next one, or its sample says otherwise.
        if self.rare > 0 {
            let range = IndexRange::of(place - 1, LARGEST);
            let stride = self.large((range, place), sets, self.rare, budget).await?;
            if let Some(stride) = stride {
                let is_too_much = is_further && !budget.has(stride.cost);
                return Ok((!is_too_much).then_some(stride));
            }
        }
        if self.largest < MIDDLE {
            let ids = self.before(smallest, place);
            stride.cost = cost(ids, ids) + opening(sets);
            return Ok(Some(stride));
        }
        let middle = IndexRange::of(place - 1, MIDDLE);
        let weight = self.weigh(middle, sets, COUNTED, budget).await?;
        let ids = self.before(middle, place);
        let entries = weight.entries * ids / self.before(middle, middle.end()).max(1) + 1;
        stride = Stride {
            range: middle,
            cost: cost(entries, ids) + opening(sets),
        };
        if is_further && !budget.has(stride.cost) {
            return Ok(None);
        }
        let is_all = middle.first() <= self.ids.0;
        if self.largest < LARGEST || is_all || weight.rare == 0 {
            return Ok(Some(stride));
        }
        let range = IndexRange::of(place - 1, LARGEST);
        let large = self.large((range, place), sets, weight.rare, budget);
        let large = large.await?.filter(|large| budget.has(large.cost));
        Ok(Some(large.unwrap_or(stride)))
    }

    /// The largest range, if the first sets are rare in it too.
    async fn large(
        &mut self,
        (range, place): (IndexRange, i64),
        sets: &mut TermSets,
        first: usize,
        budget: &mut Budget,
    ) -> Result<Option<Stride>> {
        let weight = self.weigh(range, sets, first, budget).await?;
        self.rare = weight.rare;
        let cost = cost(weight.entries, self.before(range, place)) + opening(sets);
        Ok((weight.rare > 0).then_some(Stride { range, cost }))
    }

    /// A range had more than can be sorted: from now on only smaller ones are asked for.
    pub(super) fn shorten(&mut self, range: IndexRange) {
        self.largest = range.size().saturating_sub(1);
        self.rare = 0;
    }

    /// A question had as many hits as were wanted: the next one will have some too.
    pub(super) fn stay_small(&mut self) {
        self.small = true;
    }

    /// Other terms are asked for from now on.
    pub(super) fn forget(&mut self) {
        self.known = [None; IndexRange::SIZES];
        self.largest = LARGEST;
        self.rare = 0;
        self.small = false;
    }

    /// What a range has of the first sets. Those are put in order, the rarest first.
    async fn weigh(
        &mut self,
        range: IndexRange,
        sets: &mut TermSets,
        first: usize,
        budget: &mut Budget,
    ) -> Result<Weight> {
        let known = self.known[range.size()].filter(|known| known.range == range);
        if let Some(known) = known {
            return Ok(known);
        }
        let ids = self.before(range, range.end());
        let mut weight = Weight {
            range,
            entries: ids,
            rare: 0,
        };
        if let Some((sample, of)) = range.sample()
            && ids > FEW
        {
            let (common, rare) = if range.size() == LARGEST {
                (COMMON_IN_LARGEST + 1, COMMON_IN_LARGEST)
            } else {
                (COMMON, RARE)
            };
            let counted = sets.len().min(first);
            let counts = self.store.counted_in(&sample, &sets[..counted], common);
            let counts = counts.await?;
            budget.count(&sets[..counted], counts.iter().sum());
            let least = counts.iter().min().copied().unwrap_or_default();
            // None in the sample is few in the range, and not none.
            weight.entries = ids.min((least * of).max(of / 4));
            weight.rare = counts.iter().filter(|count| **count <= rare).count();
            let mut rest = sets.split_off(counted);
            let mut ordered: Vec<_> = counts.into_iter().zip(std::mem::take(sets)).collect();
            ordered.sort_by_key(|(count, _)| *count);
            sets.extend(ordered.into_iter().map(|(_, set)| set));
            sets.append(&mut rest);
        }
        self.known[range.size()] = Some(weight);
        Ok(weight)
    }

    /// How many ids before a place the index may have in a range.
    fn before(&self, range: IndexRange, place: i64) -> i64 {
        let (from, end) = self.ids;
        (place.min(end) - range.first().max(from)).max(0)
    }
}
