//! Subscribers that are served by a call: the task that notes something new also delivers it.

use std::sync::Arc;

/// How many subscribers one task delivers to.
const CHUNK: usize = 128;

/// A subscriber that is delivered to.
pub trait Waker: Send + Sync {
    /// Notes that there is something new. Whether that was not noted before: then [`Waker::deliver`] has to be
    /// called. This never waits.
    fn note(&self) -> bool;

    /// Delivers what is new, unless another task is delivering, which then checks again afterwards. The caller must
    /// hold no lock.
    fn deliver(&self);

    /// Notes and delivers.
    fn wake(&self) {
        if self.note() {
            self.deliver();
        }
    }
}

/// Subscribers for whom something is noted, each once.
#[derive(Default)]
pub struct Noted(Vec<Arc<dyn Waker>>);

impl Noted {
    /// Notes that there is something new for a subscriber.
    pub(super) fn note(&mut self, waker: &Arc<dyn Waker>) {
        if waker.note() {
            self.0.push(Arc::clone(waker));
        }
    }

    /// Delivers to all of them: to a few at once, to many in chunks by tasks of their own, so that all cores
    /// deliver and the caller continues.
    pub(super) fn deliver(self) {
        if self.0.len() <= CHUNK {
            deliver_to(&self.0);
        } else {
            self.deliver_later();
        }
    }

    /// Delivers to all of them by tasks of their own, for a caller that may hold locks.
    pub(crate) fn deliver_later(self) {
        let mut rest = self.0;
        while !rest.is_empty() {
            let chunk = rest.split_off(rest.len().saturating_sub(CHUNK));
            tokio::spawn(async move { deliver_to(&chunk) });
        }
    }
}

impl FromIterator<Arc<dyn Waker>> for Noted {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Waker>>>(wakers: I) -> Self {
        let mut noted = Self::default();
        wakers.into_iter().for_each(|waker| noted.note(&waker));
        noted
    }
}

fn deliver_to(wakers: &[Arc<dyn Waker>]) {
    for waker in wakers {
        waker.deliver();
    }
}
