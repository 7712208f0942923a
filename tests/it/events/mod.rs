//! Waiting for events by long-poll and as a stream.

pub(crate) mod alike;
pub(crate) mod audience;
pub(crate) mod ends;
pub(crate) mod poll;
pub(crate) mod stream;
