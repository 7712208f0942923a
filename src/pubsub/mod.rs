//! The ears: who is listening, and how a change reaches them the moment it is published.
//!
//! # Why
//! Changes enter in one place, `Hub::publish`, in position order and without gaps, from whoever
//! knows them first: the writer that committed them, or the [`log_tail`] that read them from the log.
//! Nothing is queued for a client. A listener shares a short ring of what was said lately with
//! everybody who listens to the same thing; who falls behind the ring reads the log, which has
//! everything.

mod format;
mod hub;
pub mod log_tail;
mod published;
mod topic_log;

pub use format::{EventFormat, EventText};
pub use hub::Hub;
pub use published::{ENCODING_SLOTS, EncodingSlot, Published, PublishedSignal};
pub use topic_log::{Backlog, RightsVersion, Subscriber, Topic};
