//! Ranges of ids, for which an index has terms, and samples of them.
//!
//! Messages have the terms of the ranges of ids that they are in, one of each size: a range is asked for by its term.
//! A condition on the ids alone would not bound the work: PostgreSQL sorts all that a term finds, however few are
//! wanted, and SQLite looks at the ids only of what has all terms, which may be nothing.
//!
//! How much a larger range has of a term is not known before it is asked for, and no database tells. So a few of its
//! messages, chosen by a hash of their ids, have the term of its sample besides: what is counted among them tells, within
//! bounds, what the range has, wherever in it that is.

/// A size of ranges.
struct Size {
    /// Before the numbers of its ranges.
    letter: char,
    /// How many ids a range has, as a power of two.
    bits: u32,
    /// What is before the numbers of its samples, and of how many messages one is in them, as a power of two. The
    /// smallest is asked for without one.
    sample: Option<(char, u32)>,
}

const SIZES: [Size; 3] = [
    Size {
        letter: 'x',
        bits: 12,
        sample: None,
    },
    Size {
        letter: 'y',
        bits: 16,
        sample: Some(('u', 6)),
    },
    Size {
        letter: 'z',
        bits: 20,
        sample: Some(('v', 10)),
    },
];

/// A range of ids, for which the index has a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexRange {
    size: usize,
    number: i64,
}

impl IndexRange {
    /// How many ids the smallest one has.
    pub const SMALLEST: i64 = 1 << SIZES[0].bits;
    /// How many sizes of ranges there are; the smallest is 0.
    pub const SIZES: usize = SIZES.len();

    /// The range of a size that an id is in.
    pub fn of(id: i64, size: usize) -> Self {
        let size = size.min(Self::SIZES - 1);
        Self {
            size,
            number: id >> SIZES[size].bits,
        }
    }

    /// Which size it has.
    pub fn size(self) -> usize {
        self.size
    }

    /// The least id in it.
    pub fn first(self) -> i64 {
        self.number << SIZES[self.size].bits
    }

    /// The first id after it.
    pub fn end(self) -> i64 {
        (self.number + 1) << SIZES[self.size].bits
    }

    /// Its term.
    pub fn term(self) -> String {
        format!("{}{}", SIZES[self.size].letter, self.number)
    }

    /// The term of its sample, and for how many messages one in it stands.
    pub fn sample(self) -> Option<(String, i64)> {
        let (letter, bits) = SIZES[self.size].sample?;
        Some((format!("{letter}{}", self.number), 1 << bits))
    }

    /// The terms of all ranges and samples that a message is in.
    pub fn terms_of(id: i64) -> impl Iterator<Item = String> {
        (0..Self::SIZES).flat_map(move |size| {
            let range = Self::of(id, size);
            let sample = range.sample().filter(|_| is_sampled(id, size));
            std::iter::once(range.term()).chain(sample.map(|(term, _)| term))
        })
    }
}

fn is_sampled(id: i64, size: usize) -> bool {
    let sample = SIZES[size].sample;
    sample.is_some_and(|(_, bits)| mixed(id).trailing_zeros() >= bits)
}

/// A number whose bits each depend on all bits of an id (the end of `SplitMix64`).
fn mixed(id: i64) -> u64 {
    let mut hash = id.cast_unsigned();
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_terms_of_its_ranges() {
        let terms: Vec<_> = IndexRange::terms_of(70_001).collect();
        for term in ["x17", "y1", "z0"] {
            assert!(terms.iter().any(|it| it == term), "{terms:?}");
        }
        let range = IndexRange::of(70_001, 1);
        assert_eq!((range.first(), range.end()), (65_536, 131_072));
        assert_eq!(range.sample(), Some(("u1".to_owned(), 64)));
        assert_eq!(IndexRange::of(70_001, 0).sample(), None);
    }

    #[test]
    fn a_sample_is_spread_over_its_range() {
        for (size, ids) in [(1, 0..1 << 16), (2, 0..1 << 20)] {
            let (term, of) = IndexRange::of(0, size).sample().expect("it is large");
            let sampled: Vec<i64> = ids.filter(|id| is_sampled(*id, size)).collect();
            for id in &sampled {
                assert!(IndexRange::terms_of(*id).any(|it| it == term), "{id}");
            }
            let expected = IndexRange::of(0, size).end() / of;
            let most = expected + expected / 8;
            let count = i64::try_from(sampled.len()).expect("few");
            assert!((expected - expected / 8..most).contains(&count), "{count}");
            // In no sixteenth of the range many more or fewer than elsewhere.
            for part in 0..16 {
                let within = sampled
                    .iter()
                    .filter(|id| **id * 16 / (of * expected) == part);
                let count = within.count();
                assert!((32..=110).contains(&count), "{count} in part {part}");
            }
        }
    }
}
