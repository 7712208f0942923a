//! Finds, in what a server sends to PostgreSQL, the commits of messages: it commits other things beside them, such as the
//! search index.

/// A URL needs this so that each statement is sent as text, and not by the name it was prepared under.
pub(crate) const STATEMENTS_AS_TEXT: &str = "statement-cache-capacity=0";

/// What a connection has sent of its transaction.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    has_messages: bool,
}

impl Commits {
    /// Whether these bytes of a connection, which come next, commit messages.
    pub(crate) fn ends_messages(&mut self, bytes: &[u8]) -> bool {
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        self.has_messages |= has(b"insert into messages");
        has(b"COMMIT") && std::mem::take(&mut self.has_messages)
    }
}
