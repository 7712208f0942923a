//! Full-text search without a database: the words of a text, queries, index terms and excerpts.
//!
//! # Why
//! Both databases search with the words that are found here, so that both give the same answers: an index holds
//! the terms of a message as a set ([`terms`]), without positions. A term is a word, a prefix of a word or a pair of
//! adjacent words, so that a word, the beginning of one and a phrase are each one lookup, however common their words
//! are. An index may answer too much (a pair is a hash, a long word is cut), and never too little:
//! every hit is compared with its message's present text ([`Query::find`]), which alone decides. So a deleted or
//! edited message is never found by what it said before, whatever the index still holds.

mod excerpt;
mod query;
mod ranges;
mod terms;
mod words;

pub use excerpt::{Excerpt, excerpt};
pub use query::{Match, Query};
pub use ranges::IndexRange;
pub use terms::{TERMS_VERSION, TermSets, of_chat, of_message, of_sender, terms};
pub use words::{Word, words};
