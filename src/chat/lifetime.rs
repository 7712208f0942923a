//! How long a proof of identity stays good, and who is told when it ends.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The life of a login or of a tenant's key, in this process: it ends once, and all that rely on it are
/// told at once.
#[derive(Debug, Default)]
pub struct Lifetime {
    ended: CancellationToken,
    /// The wakers to notify when it ends.
    wakers: Mutex<Vec<Weak<Notify>>>,
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

    /// Notifies a waker when it ends; one waker may serve many lifetimes.
    pub fn notify_when_over(&self, waker: &Arc<Notify>) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| waker.strong_count() > 0);
        if !wakers
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(waker))
        {
            wakers.push(Arc::downgrade(waker));
        }
        drop(wakers);
        if self.is_over() {
            waker.notify_one();
        }
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
        let wakers =
            std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        for waker in wakers.iter().filter_map(Weak::upgrade) {
            waker.notify_one();
        }
    }
}
