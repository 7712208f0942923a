//! Publish and subscribe within one process: topics, their subscribers, and the delivery of each change.
//!
//! # Why
//! Changes enter in one place, `Hub::publish`, in position order and without gaps, from the
//! writer that committed them, or from the [`log_tail`] that read them from the log.
//! Nothing is queued for a client. All subscribers of a topic share one short ring buffer of its
//! latest changes; a subscriber that has fallen behind the buffer reads the log, which has
//! everything.
//!
//! Subscribers are woken by batch: once everything of a batch is in the topics and the head covers it, each
//! subscriber of a topic with something new is noted once ([`Waker`]), and is then delivered to by the
//! publishing task or, if there are many, by tasks of their own. What is noted while another task delivers to that
//! subscriber is delivered by that task afterwards, so nothing is missed and no task waits.

mod format;
mod hub;
pub mod log_tail;
mod presence;
mod published;
mod topic;
mod topic_log;
mod visibility;
mod waker;

pub use format::{EventFormat, EventText};
pub use hub::{Hub, Unnotified};
pub use published::{ENCODING_SLOTS, EncodingSlot, Published, PublishedSignal};
pub use topic::Topic;
pub use topic_log::{Backlog, RightsVersion, Subscriber};
pub use waker::{Noted, Waker};
