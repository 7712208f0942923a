//! The epochs of the log as this process has seen them: one after the other, and the same for the hubs of all lanes.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use super::{Hub, State, Unnotified};
use crate::model::{Epoch, EpochMark, Position};

/// See the module.
#[derive(Debug)]
pub(super) struct Epochs {
    epoch: RwLock<Epoch>,
    /// How many have ended.
    number: AtomicU64,
    /// Notified at each end.
    ended: watch::Sender<()>,
}

impl Epochs {
    pub(super) fn new(epoch: Epoch) -> Arc<Self> {
        Arc::new(Self {
            epoch: RwLock::new(epoch),
            number: AtomicU64::new(0),
            ended: watch::Sender::new(()),
        })
    }
}

impl Hub {
    /// The present epoch.
    pub fn epoch(&self) -> EpochMark {
        // An end in between shows the old number beside the new epoch: that mark has ended.
        let number = self.epochs.number.load(Ordering::Acquire);
        let epoch = self.epochs.epoch.read();
        EpochMark {
            epoch: epoch.unwrap_or_else(PoisonError::into_inner).clone(),
            number,
        }
    }

    /// Whether the epoch has ended in which somebody began to listen.
    pub fn has_ended(&self, mark: &EpochMark) -> bool {
        self.epochs.number.load(Ordering::Acquire) != mark.number
    }

    /// Receives the end of each epoch.
    pub fn epochs(&self) -> watch::Receiver<()> {
        self.epochs.ended.subscribe()
    }

    /// Begins another epoch, see [`Hub::begin_epoch_in`], where there is one lane.
    #[cfg(test)]
    pub(crate) fn begin_epoch(&self, epoch: Epoch, head: Position) -> Unnotified {
        Self::begin_epoch_in(&[(self, head)], epoch)
    }

    /// Begins another epoch in all lanes, in each of which the log goes on after a position. All topics are dropped:
    /// nothing that is known of the old epoch counts. Their subscribers are woken to learn of it.
    pub(crate) fn begin_epoch_in(hubs: &[(&Self, Position)], epoch: Epoch) -> Unnotified {
        // All are locked, in the order of their lanes: who subscribes in the new epoch finds no topic of the old one.
        let mut states: Vec<_> = hubs.iter().map(|(hub, _)| hub.state()).collect();
        let mut topics = Vec::new();
        for state in &mut states {
            let (batches, signals) = (state.batches, state.signals);
            let ended = std::mem::replace(
                &mut **state,
                State {
                    batches,
                    signals,
                    ..State::default()
                },
            );
            topics.extend(ended.people.into_values().chain(ended.chats.into_values()));
        }
        if let Some((first, _)) = hubs.first() {
            let epochs = &first.epochs;
            epochs.number.fetch_add(1, Ordering::AcqRel);
            *epochs.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        }
        for (hub, head) in hubs {
            hub.head.store(head.get(), Ordering::Release);
        }
        drop(states);
        for (hub, _) in hubs {
            hub.moved.notify_waiters();
        }
        if let Some((first, _)) = hubs.first() {
            first.epochs.ended.send_replace(());
        }
        Unnotified(topics)
    }
}
