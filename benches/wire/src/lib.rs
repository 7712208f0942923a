//! What the benchmarks speak on the wire: a Socket.IO client, and a server that only writes.

pub mod bare;
mod client;
mod frames;

pub use client::{ANSWER_TIMEOUT, Socket};
pub use frames::{frame, masked_frame};
