//! Reading JSON that clients write: text, numbers and ids by their value.
//!
//! # Why
//! One reader for every API and every transport, so that a number is the same number wherever it comes
//! in: `5`, `5.0` and `5e0` are one (libraries for typed languages write whole numbers as fractions),
//! and text that spells a number is that number where a number is wanted, for forms and queries have
//! text alone. Each API has its own names for fields; how a value is read is not one of its words.

mod args;
pub mod field;
pub mod schema;
mod text;
mod value;

pub use args::Args;
pub use text::{read_bytes, without_mark};
pub use value::{at_least_none, flag, is_on, own_id, whole, whole_text};
