//! Lanes: the logs of one database, each a range of positions.
//!
//! # Why
//! A lane is a range of the one row of positions, so a position says in which lane it is, and no key, reference or cursor
//! needs the lane beside it.

use std::fmt;

use crate::model::Position;

/// How many positions a lane has, as a power of two.
const BITS: u32 = 45;

/// One of the logs of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(u8);

impl Lane {
    /// The one that every database has.
    pub const FIRST: Self = Self(0);
    /// How many there may be: the last position of the last one is the largest integer that JavaScript holds exactly.
    pub const MOST: usize = 256;

    /// The lane of a number from 1 on.
    pub fn new(number: i64) -> Option<Self> {
        u8::try_from(number.checked_sub(1)?).ok().map(Self)
    }

    /// The lane that a position is in.
    pub fn of(position: Position) -> Self {
        let last = i64::from(u8::MAX);
        let index = (position.get() >> BITS).clamp(0, last);
        Self(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// Its number, from 1 on.
    pub fn number(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// How many lanes there are before it.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Where it begins: before its first position.
    pub fn start(self) -> Position {
        Position::new(i64::from(self.0) << BITS)
    }

    /// Its last position.
    pub fn end(self) -> Position {
        Position::new(((i64::from(self.0) + 1) << BITS) - 1)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A tenant went on in another lane: nothing of theirs is between these two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The end of the lane that they left, as it was then.
    pub after: Position,
    /// The end of the lane that they came to, as it was then.
    pub head: Position,
}

/// A position for each of some lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    // With one lane nothing is allocated.
    first: (Lane, Position),
    /// Those of other lanes, all of them higher, in their order.
    others: Vec<(Lane, Position)>,
}

impl From<Position> for Positions {
    fn from(position: Position) -> Self {
        Self::new(Lane::of(position), position)
    }
}

impl Positions {
    /// One for a lane. Who has come to a lane and has yet to read what was before is at a position of a lower one.
    pub fn new(lane: Lane, position: Position) -> Self {
        Self {
            first: (lane, position),
            others: Vec::new(),
        }
    }

    /// All of them, each with its lane, in the order of the lanes.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (Lane, Position)> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// All of them, in the order of the lanes.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Position> {
        self.entries().map(|(_, position)| position)
    }

    /// For how many lanes.
    pub fn lanes(&self) -> usize {
        1 + self.others.len()
    }

    /// The one of a lane.
    pub fn of(&self, lane: Lane) -> Option<Position> {
        let mut entries = self.entries();
        entries.find_map(|(of, position)| (of == lane).then_some(position))
    }

    /// The one at a place, where there are so many lanes.
    pub fn nth(&self, place: usize) -> Option<(Lane, Position)> {
        self.entries().nth(place)
    }

    /// The one of the lowest lane.
    pub fn first(&self) -> Position {
        self.first.1
    }

    /// Goes on to a position in its lane, unless it is further there already.
    pub fn raise(&mut self, position: Position) {
        self.raise_in(Lane::of(position), position);
    }

    /// The same for a lane.
    pub fn raise_in(&mut self, lane: Lane, position: Position) {
        self.change(lane, position, Position::max);
    }

    /// Goes back to a position for a lane, unless it is less far there already.
    pub fn lower_in(&mut self, lane: Lane, position: Position) {
        self.change(lane, position, Position::min);
    }

    fn change(&mut self, lane: Lane, position: Position, best: fn(Position, Position) -> Position) {
        let mut all = std::iter::once(&mut self.first).chain(&mut self.others);
        if let Some((_, known)) = all.find(|(of, _)| *of == lane) {
            *known = best(position, *known);
        } else if lane < self.first.0 {
            self.others.insert(0, self.first);
            self.first = (lane, position);
        } else {
            let place = self.others.partition_point(|(other, _)| *other < lane);
            self.others.insert(place, (lane, position));
        }
    }

    /// Goes on to all of these.
    pub fn raise_all(&mut self, other: &Self) {
        for (lane, position) in other.entries() {
            self.raise_in(lane, position);
        }
    }

    /// Whether one of these is before the one of the same lane of others.
    pub fn is_before(&self, other: &Self) -> bool {
        self.entries()
            .any(|(lane, position)| other.of(lane).is_some_and(|known| position < known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_says_in_which_lane_it_is() {
        let (first, second) = (Lane::FIRST, Lane::new(2).expect("there is one"));
        assert_eq!((first.number(), first.start().get()), (1, 0));
        assert_eq!(second.start().get(), 1 << 45);
        for (lane, position) in [
            (first, Position::START),
            (first, first.end()),
            (second, first.end().plus(1)),
            (second, second.start()),
            (second, second.end()),
        ] {
            assert_eq!(Lane::of(position), lane, "{position}");
        }
        let last = Lane::new(256).expect("there is one");
        assert_eq!(last.end().get(), (1 << 53) - 1);
        assert_eq!(Lane::of(Position::new(i64::MAX)), last);
        assert_eq!(Lane::of(Position::new(-1)), first);
        for number in [0, -1, 257, i64::MIN, i64::MAX] {
            assert_eq!(Lane::new(number), None, "{number}");
        }
    }

    #[test]
    fn positions_go_on_in_each_lane_by_itself() {
        let at = |lane: i64, place: i64| Lane::new(lane).expect("a lane").start().plus(place);
        let mut positions = Positions::from(at(2, 5));
        positions.raise(at(4, 1));
        positions.raise(at(1, 9));
        positions.raise(at(3, 2));
        positions.raise(at(2, 7));
        positions.raise(at(3, 1));
        let all = [at(1, 9), at(2, 7), at(3, 2), at(4, 1)];
        assert!(positions.iter().eq(all));
        assert_eq!((positions.lanes(), positions.first()), (4, at(1, 9)));
        assert_eq!(positions.of(Lane::of(at(2, 0))), Some(at(2, 7)));
        assert_eq!(positions.of(Lane::of(at(9, 0))), None);
        assert!(Positions::from(at(2, 6)).is_before(&positions));
        assert!(!Positions::from(at(2, 7)).is_before(&positions));
        assert!(!Positions::from(at(5, 0)).is_before(&positions));
        positions.lower_in(Lane::of(at(3, 0)), at(1, 4));
        positions.lower_in(Lane::of(at(3, 0)), at(2, 4));
        assert_eq!(positions.of(Lane::of(at(3, 0))), Some(at(1, 4)));
        assert_eq!(positions.nth(2), Some((Lane::of(at(3, 0)), at(1, 4))));
        assert_eq!(positions.nth(4), None);
    }
}
