//! How much one request may look at.
//!
//! The unit is an entry that a database meets on its way along a list of its index, about 0.2 microseconds on the machine
//! where the costs were measured, in both databases. It is work and not time: what a request looks at is the same on
//! every machine.

/// What a request may cost.
pub(super) const BUDGET: i64 = 12_000;

/// A statement, whatever it finds.
const STATEMENT: i64 = 1_500;
/// A term whose list is opened, beyond the first ones.
const TERM: i64 = 75;
const FIRST_TERMS: usize = 4;
/// An entry that is leapt to, past others.
const LEAP: i64 = 4;
/// How many messages of a range cost as much as an entry: SQLite goes along its own list too.
const WALKED: i64 = 20;
/// A message of a sample that has what is counted: between two of them are many.
const COUNTED: i64 = 16;
/// A message that is read and compared, and how many bytes of its text cost as much as an entry.
const MESSAGE: i64 = 24;
const BYTES: usize = 8;

/// What a question costs of so many ids, where the rarest of its terms has so many entries: it leaps from one of those to
/// the next, or goes along all there is.
pub(super) fn cost(entries: i64, ids: i64) -> i64 {
    let leaps = entries.saturating_mul(LEAP);
    leaps.min(entries.saturating_add(ids / WALKED))
}

/// What it costs to look for these terms at all.
pub(super) fn opening(sets: &[Vec<String>]) -> i64 {
    let terms: usize = sets.iter().map(Vec::len).sum();
    let more = i64::try_from(terms.saturating_sub(FIRST_TERMS)).unwrap_or(i64::MAX);
    more.saturating_mul(TERM)
}

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    given: i64,
    spent: i64,
    /// What the last messages cost, each.
    message: i64,
}

impl Budget {
    pub(super) fn new(given: i64) -> Self {
        Self {
            given,
            spent: 0,
            message: MESSAGE,
        }
    }

    pub(super) fn spent(&self) -> i64 {
        self.spent
    }

    pub(super) fn left(&self) -> i64 {
        self.given.saturating_sub(self.spent).max(0)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Whether there is enough left for a statement that costs so much besides itself.
    pub(super) fn has(&self, cost: i64) -> bool {
        cost.saturating_add(STATEMENT) <= self.left()
    }

    /// How many messages there is still something left for, as long as those before; at least one.
    pub(super) fn messages(&self) -> i64 {
        (self.left() / self.message).max(1)
    }

    /// Takes account of a statement that cost so much besides itself.
    pub(super) fn ask(&mut self, cost: i64) {
        self.spent = self.spent.saturating_add(cost).saturating_add(STATEMENT);
    }

    /// Takes account of a statement that found so many of these in samples.
    pub(super) fn count(&mut self, sets: &[Vec<String>], counted: i64) {
        self.ask(counted.saturating_mul(COUNTED) + opening(sets));
    }

    /// Takes account of so many messages that were looked up, and of the bytes of text that were compared.
    pub(super) fn read(&mut self, messages: usize, bytes: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let cost = number(messages)
            .saturating_mul(MESSAGE)
            .saturating_add(number(bytes / BYTES));
        if let Some(each) = cost.checked_div(number(messages)) {
            self.message = each.max(MESSAGE);
        }
        self.spent = self.spent.saturating_add(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_room_for_fewer_messages_where_they_are_long() {
        let mut budget = Budget::new(10_000);
        budget.ask(1_000);
        assert_eq!(budget.left(), 9_000 - STATEMENT);
        assert_eq!(budget.messages(), budget.left() / MESSAGE);
        budget.read(2, 1_600);
        assert_eq!(budget.spent(), 1_000 + STATEMENT + 2 * MESSAGE + 200);
        assert_eq!(budget.messages(), budget.left() / (MESSAGE + 100));
        budget.read(0, 0);
        assert!(budget.has(budget.left() - STATEMENT));
        assert!(!budget.has(budget.left() - STATEMENT + 1));
        budget.ask(i64::MAX);
        assert!(budget.is_spent());
        assert_eq!((budget.left(), budget.messages()), (0, 1));
    }

    #[test]
    fn what_is_rare_is_leapt_to_and_what_is_common_walked_along() {
        assert_eq!(cost(10, 1 << 20), 10 * LEAP);
        assert_eq!(cost(1 << 15, 1 << 16), (1 << 15) + (1 << 16) / WALKED);
        assert_eq!(cost(0, 1 << 16), 0);
        let set = |terms: usize| vec![String::new(); terms];
        assert_eq!(opening(&[set(1), set(2)]), 0);
        assert_eq!(opening(&[set(1), set(100)]), 97 * TERM);
    }
}
