//! How much one request may look at.

/// What a request may cost. An entry of the index that is looked at is 1; the rest is measured by how long it takes
/// beside that.
pub(super) const BUDGET: i64 = 6_000;

/// A statement, whatever it finds.
const STATEMENT: i64 = 128;
/// A message that is read and compared, and how many bytes of its text cost as much as an entry.
const MESSAGE: i64 = 8;
const BYTES: usize = 16;

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

    /// How many messages there is still something left for, as long as those before; at least one.
    pub(super) fn messages(&self) -> i64 {
        (self.left() / self.message).max(1)
    }

    /// Takes account of a statement that looked at so many entries, or rows of an index.
    pub(super) fn ask(&mut self, entries: i64) {
        self.spent = self.spent.saturating_add(entries).saturating_add(STATEMENT);
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
        assert_eq!(budget.spent(), 1_000 + STATEMENT + 2 * MESSAGE + 100);
        assert_eq!(budget.messages(), budget.left() / (MESSAGE + 50));
        budget.read(0, 0);
        budget.ask(i64::MAX);
        assert!(budget.is_spent());
        assert_eq!((budget.left(), budget.messages()), (0, 1));
    }
}
