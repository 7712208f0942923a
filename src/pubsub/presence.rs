//! Who hears presence: counted for each topic and for the hub, so that nobody else is looked up or woken for it.

use std::sync::{Arc, Weak, atomic::Ordering};

use super::{Hub, topic_log::TopicLog};

/// A subscriber that hears who comes online and who goes; dropping it ends that.
#[derive(Debug)]
pub(super) struct PresenceListener {
    topic_log: Arc<TopicLog>,
    hub: Weak<Hub>,
}

impl PresenceListener {
    pub(super) fn new(topic_log: Arc<TopicLog>, hub: Weak<Hub>) -> Self {
        topic_log.presence_listeners.fetch_add(1, Ordering::AcqRel);
        if let Some(hub) = hub.upgrade() {
            hub.presence_listeners.fetch_add(1, Ordering::AcqRel);
        }
        Self { topic_log, hub }
    }
}

impl Drop for PresenceListener {
    fn drop(&mut self) {
        let listeners = &self.topic_log.presence_listeners;
        listeners.fetch_sub(1, Ordering::AcqRel);
        if let Some(hub) = self.hub.upgrade() {
            hub.presence_listeners.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
