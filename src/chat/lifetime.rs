//! How long a proof of identity is valid, and who is notified of its end.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    pubsub::{Noted, Waker},
};

/// When to show again what was proof.
const SOON: Duration = Duration::from_secs(1);

/// The life of a login or of a tenant's key, in this process: it ends once, and everything that relies on it is
/// notified at once.
#[derive(Default)]
pub struct Lifetime {
    /// Looked at for everybody for whom a connection acts at every event: the token below would lock for it.
    is_over: AtomicBool,
    /// Whether it is over only because nobody knows whether it is.
    is_lost: AtomicBool,
    ended: CancellationToken,
    /// The wakers to notify when it ends.
    wakers: Mutex<Wakers>,
}

/// Wakers, each once: ten thousand connections may rely on one key, so none of them is compared with all others.
#[derive(Default)]
struct Wakers {
    /// By the address of each, which is not used again as long as the weak reference is kept.
    known: HashMap<usize, Weak<dyn Waker>>,
    /// With so many, those of connections that are gone are taken out.
    most: usize,
}

/// With fewer wakers than this nobody looks for those that are gone.
const FEW: usize = 8;

impl Wakers {
    fn add(&mut self, waker: &Arc<dyn Waker>) {
        let address = Arc::as_ptr(waker).addr();
        if self.known.len() >= self.most.max(FEW) && !self.known.contains_key(&address) {
            self.known.retain(|_, waker| waker.strong_count() > 0);
            self.known.shrink_to(2 * self.known.len());
            // So each one that is added costs the same on average.
            self.most = 2 * self.known.len();
        }
        self.known
            .entry(address)
            .or_insert_with(|| Arc::downgrade(waker));
    }
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
        self.is_over.load(Ordering::SeqCst)
    }

    /// Whether it is over because this server could not see for too long what has ended: it may be good, and is to be
    /// looked up again.
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::SeqCst)
    }

    /// What is told somebody who relies on it once it is over.
    pub fn refusal(&self) -> Error {
        if self.is_lost() {
            let words = "this server could not see whether you are signed in, please try again";
            return Error::unavailable(words, SOON);
        }
        Error::unauthenticated()
    }

    /// Waits until it ends.
    pub async fn over(&self) {
        self.ended.cancelled().await;
    }

    /// Notifies a waker when it ends; one waker may serve many lifetimes.
    pub fn notify_when_over(&self, waker: &Arc<dyn Waker>) {
        self.wakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(waker);
        if self.is_over() {
            waker.wake();
        }
    }

    /// Ends it though it may be good.
    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::SeqCst);
        self.end();
    }

    pub(super) fn end(&self) {
        // Before the wakers are taken: one that is added after that finds that it is over.
        self.is_over.store(true, Ordering::SeqCst);
        self.ended.cancel();
        let wakers =
            std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        let noted: Noted = wakers.known.values().filter_map(Weak::upgrade).collect();
        // The caller that ends it may hold locks.
        noted.deliver_later();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::error::Kind;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Waker for Counted {
        fn note(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) == 0
        }

        fn deliver(&self) {}
    }

    #[test]
    fn who_is_only_lost_is_not_told_that_they_are_not_signed_in() {
        let (ended, lost) = (Lifetime::default(), Lifetime::default());
        ended.end();
        lost.lose();
        assert!(ended.is_over() && lost.is_over());
        assert_eq!(ended.refusal().kind(), Kind::Unauthenticated);
        assert_eq!(lost.refusal().kind(), Kind::Unavailable);
    }

    fn kept(life: &Lifetime) -> usize {
        life.wakers.lock().expect("no panic").known.len()
    }

    #[tokio::test]
    async fn everybody_who_still_relies_on_it_is_notified_once_and_the_gone_are_not_kept() {
        let life = Lifetime::default();
        let staying: Vec<_> = (0..100).map(|_| Arc::new(Counted::default())).collect();
        for waker in &staying {
            let waker = Arc::clone(waker) as Arc<dyn Waker>;
            life.notify_when_over(&waker);
            life.notify_when_over(&waker);
        }
        assert_eq!(kept(&life), staying.len());
        for _ in 0..10_000 {
            let gone: Arc<dyn Waker> = Arc::new(Counted::default());
            life.notify_when_over(&gone);
        }
        assert!(kept(&life) <= 2 * staying.len() + 1, "{}", kept(&life));
        life.end();
        let notified = staying
            .iter()
            .map(|waker| waker.0.load(Ordering::Relaxed))
            .sum::<usize>();
        assert_eq!(notified, staying.len());
    }
}
