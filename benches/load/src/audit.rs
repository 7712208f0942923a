//! What was sent against what arrived: no figure is believed that does not add up.

use std::{collections::BTreeSet, ops::AddAssign};

/// What one hearer has heard of one speaker, whose messages are numbered from 0.
#[derive(Default)]
pub struct Sequence {
    next: u64,
    missing: BTreeSet<u64>,
    delivered: u64,
    doubled: u64,
    disordered: u64,
}

impl Sequence {
    /// Notes a number that arrived.
    pub fn note(&mut self, number: u64) {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            self.delivered += 1;
        } else if self.missing.remove(&number) {
            self.disordered += 1;
            self.delivered += 1;
        } else {
            self.doubled += 1;
        }
    }

    /// Whether so many have arrived, from the first on.
    pub fn has(&self, count: u64) -> bool {
        self.delivered >= count
    }

    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The account of it, where `expected` were sent to this hearer.
    pub fn audit(&self, expected: u64) -> Audit {
        Audit {
            expected,
            delivered: self.delivered,
            doubled: self.doubled,
            disordered: self.disordered,
            ..Audit::default()
        }
    }
}

/// The account of a turn, or of all turns of a server.
#[derive(Clone, Default)]
pub struct Audit {
    /// Requests and messages that clients sent.
    pub sent: u64,
    /// Those that were answered with success.
    pub answered: u64,
    /// How often others should have been told.
    pub expected: u64,
    /// How often they were.
    pub delivered: u64,
    pub doubled: u64,
    pub disordered: u64,
    /// Rows that should be in the database, and those that are; of servers that have one.
    pub rows: Option<(u64, u64)>,
}

impl Audit {
    /// Requests without anybody to be told.
    pub fn requests(sent: u64, answered: u64) -> Self {
        Self {
            sent,
            answered,
            ..Self::default()
        }
    }

    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.delivered)
    }

    /// Whether everything adds up.
    pub fn is_clean(&self) -> bool {
        self.sent == self.answered
            && self.expected == self.delivered
            && self.doubled == 0
            && self.disordered == 0
            && self.rows.is_none_or(|(due, found)| due == found)
    }
}

impl AddAssign for Audit {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.expected += other.expected;
        self.delivered += other.delivered;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.rows = other.rows.or(self.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(numbers: &[u64], expected: u64) -> Audit {
        let mut sequence = Sequence::default();
        for number in numbers {
            sequence.note(*number);
        }
        sequence.audit(expected)
    }

    #[test]
    fn what_arrives_once_and_in_order_is_clean() {
        assert!(heard(&[0, 1, 2], 3).is_clean());
    }

    #[test]
    fn what_is_missing_is_lost() {
        let audit = heard(&[0, 2], 3);
        assert_eq!((audit.lost(), audit.disordered), (1, 0));
        assert!(!audit.is_clean());
    }

    #[test]
    fn what_comes_late_is_out_of_order_and_not_lost() {
        let audit = heard(&[1, 0, 2], 3);
        assert_eq!((audit.lost(), audit.disordered, audit.doubled), (0, 1, 0));
        assert!(!audit.is_clean());
    }

    #[test]
    fn what_comes_twice_is_doubled() {
        let audit = heard(&[0, 1, 1, 0, 2], 3);
        assert_eq!((audit.lost(), audit.doubled, audit.disordered), (0, 2, 0));
        assert!(!audit.is_clean());
    }

    #[test]
    fn rows_and_answers_must_add_up() {
        let mut audit = Audit::requests(3, 3);
        audit.rows = Some((3, 3));
        assert!(audit.is_clean());
        audit.rows = Some((3, 2));
        assert!(!audit.is_clean());
        assert!(!Audit::requests(3, 2).is_clean());
    }
}
