//! How long a proof of identity is valid, and who is notified of its end.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio_util::sync::CancellationToken;

use crate::pubsub::{Noted, Waker};

/// The life of a login or of a tenant's key, in this process: it ends once, and everything that relies on it is
/// notified at once.
#[derive(Default)]
pub struct Lifetime {
    ended: CancellationToken,
    /// The wakers to notify when it ends.
    wakers: Mutex<Vec<Weak<dyn Waker>>>,
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifetime")
            .field("is_over", &self.is_over())
            .finish_non_exhaustive()
    }
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
    pub fn notify_when_over(&self, waker: &Arc<dyn Waker>) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| waker.strong_count() > 0);
        if !wakers
            .iter()
            .any(|known| std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(waker)))
        {
            wakers.push(Arc::downgrade(waker));
        }
        drop(wakers);
        if self.is_over() {
            waker.wake();
        }
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
        let wakers =
            std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        let noted: Noted = wakers.iter().filter_map(Weak::upgrade).collect();
        // The caller that ends it may hold locks.
        noted.deliver_later();
    }
}
