//! A dialect's encoding of changes for long-polls and streams.

use crate::pubsub::{Published, PublishedSignal};

/// One event, in JSON.
#[derive(Debug, Clone, Copy)]
pub struct EventText<'p> {
    /// The event's name: the `event:` of a stream.
    pub name: &'p str,
    /// Its payload: the `data:` of a stream.
    pub data: &'p str,
    /// The same as an entry of a long-poll's list.
    pub listed: &'p str,
}

/// A dialect's part in a long-poll or a stream; everything else is the same for all dialects.
pub trait EventFormat: Send {
    /// The key of the list in a long-poll's answer.
    fn list_key(&self) -> &'static str {
        "events"
    }

    /// The events that encode a change; none when it is not for this request.
    fn events<'p>(&self, published: &'p Published) -> Vec<EventText<'p>>;

    /// The events of a signal; none when it is not for this request, or this is no feed of signals.
    fn signals<'p>(&self, signal: &'p PublishedSignal) -> Vec<EventText<'p>>;

    /// Keys that a long-poll's answer has beyond the common ones: JSON, each with a comma before it.
    fn more_keys(&self, _told: &[&Published]) -> String {
        String::new()
    }
}
