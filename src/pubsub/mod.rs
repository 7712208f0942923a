//! Publish and subscribe within one process: topics, their subscribers, and the delivery of each change.
//!
//! # Why
//! Changes enter in one place, `Hub::publish`, in position order and without gaps, from whoever
//! knows them first: the writer that committed them, or the [`log_tail`] that read them from the log.
//! Nothing is queued for a client. All subscribers of a topic share one short ring buffer of its
//! latest changes; a subscriber that has fallen behind the buffer reads the log, which has
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
