//! Waiting for events by long-poll and as a stream.

mod alike;
mod audience;
mod ends;
mod poll;
mod stream;
