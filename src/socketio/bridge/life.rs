//! One socket's life: who speaks on it, and how far it has heard.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use crate::dialect::Speaker;

/// See the module. Its turn is held by an event while it is handled, and by the pump while it tells
/// what is new: never both, so an answer comes before what it caused.
pub(super) struct Life {
    speaker: Mutex<Speaker>,
    bell: Arc<Notify>,
    drained: Notify,
    ended: CancellationToken,
    pumping: AtomicBool,
}

impl Life {
    pub(super) fn new(speaker: impl FnOnce(Arc<Notify>) -> Speaker) -> Self {
        let bell = Arc::new(Notify::new());
        Self {
            speaker: Mutex::new(speaker(Arc::clone(&bell))),
            bell,
            drained: Notify::new(),
            ended: CancellationToken::new(),
            pumping: AtomicBool::new(false),
        }
    }

    pub(super) async fn turn(&self) -> MutexGuard<'_, Speaker> {
        self.speaker.lock().await
    }

    /// Whether the pump is yet to be started; says so once.
    pub(super) fn begin_pump(&self) -> bool {
        !self.pumping.swap(true, Ordering::AcqRel)
    }

    /// Waits until there may be something to hear; says no when the socket is gone.
    pub(super) async fn rung(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.bell.notified() => true,
        }
    }

    /// Waits until the outbox is empty; says no when the socket is gone.
    pub(super) async fn emptied(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => false,
            () = self.drained.notified() => true,
        }
    }

    pub(super) fn drained(&self) {
        self.drained.notify_one();
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }
}
