//! How long a proof of identity stays good, and who is told when it ends.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The life of a login or of a tenant's key, in this process: it ends once, and whoever relies on it is
/// told at once.
#[derive(Debug, Default)]
pub struct Lifetime {
    ended: CancellationToken,
    /// Who is rung when it ends.
    bells: Mutex<Vec<Weak<Notify>>>,
}

impl Lifetime {
    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits until it ends.
    pub async fn over(&self) {
        self.ended.cancelled().await;
    }

    /// Rings a bell when it ends: one bell may serve many lives.
    pub fn ring_when_over(&self, bell: &Arc<Notify>) {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|bell| bell.strong_count() > 0);
        if !bells
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(bell))
        {
            bells.push(Arc::downgrade(bell));
        }
        drop(bells);
        if self.is_over() {
            bell.notify_one();
        }
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
        let bells = std::mem::take(&mut *self.bells.lock().unwrap_or_else(PoisonError::into_inner));
        for bell in bells.iter().filter_map(Weak::upgrade) {
            bell.notify_one();
        }
    }
}
