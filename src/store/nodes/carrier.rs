//! What carries what servers of one database say to each other: PostgreSQL, or something else that they share.
//!
//! It may lose, double, delay and reorder all of it. What is so for good is in the database, and each server looks there.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::error::Result;

/// What one server says to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// There is something to read; the id of who says so.
    News(String),
    /// Something that is nowhere else: a [`Datagram`](super::Datagram), as it is written down.
    Datagram(String),
}

/// See the module.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Is called once, and before all else: begins to carry for the servers of a database, which is known by this name
    /// (digits and `-`). What is out of reach is tried again for as long as it takes.
    fn begin(&self, database: String) -> BoxFuture<'_, Result<()>>;

    /// Says something to all servers, this one too. What cannot be said now is lost.
    fn say(&self, said: Vec<Said>) -> BoxFuture<'_, Result<()>>;

    /// Begins to hear. Returns once everything that is said from now on can be heard, or when it is to be tried again.
    fn hear(&self) -> BoxFuture<'_, Result<Box<dyn Hearing>>>;

    /// Sends on what was said last. Nothing is said after that.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Hears what any server says.
pub trait Hearing: Send {
    /// The next; nothing where something may have been lost. After an error no more comes.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Said>>>;
}
