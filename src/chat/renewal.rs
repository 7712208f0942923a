//! Verifies tokens again for as long as connections use them.
//!
//! A request asks for itself, and an answer is believed for a while. Who stays (a socket, a stream, a
//! wait) is asked about by a task of its own, one for each token, which delays no other: when the
//! tenant's system rejects it, the login ends here and everything that relies on it is notified at once.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::chat::{
    Services,
    logins::{LiveLogin, Logins},
    verify::{Verdict, Verifier},
};

/// When to ask again a system that could not be asked.
pub(super) const AGAIN: Duration = Duration::from_secs(5);

/// What the task works with. It keeps no login alive.
struct Renewal {
    verifier: Arc<Verifier>,
    logins: Arc<Logins>,
    live: Weak<LiveLogin>,
    token: String,
}

/// Sees to it that a token which was just found to be good is verified again, unless that is seen to
/// already.
pub(super) fn start(services: &Services, live: &Arc<LiveLogin>, token: &str) {
    if live.is_renewed.swap(true, Ordering::AcqRel) {
        return;
    }
    let renewal = Renewal {
        verifier: Arc::clone(&services.verifier),
        logins: Arc::clone(&services.logins),
        live: Arc::downgrade(live),
        token: token.to_owned(),
    };
    let closing = services.closing.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = closing.cancelled() => {}
            () = renewal.run() => {}
        }
    });
}

impl Renewal {
    async fn run(self) {
        // A short outage of the tenant's system ends no login, a long one does.
        let grace = self.verifier.good_for() * 2;
        let mut proved = Instant::now();
        let mut rest = self.believed_for().await;
        loop {
            tokio::time::sleep(rest).await;
            let Some(live) = self.live.upgrade() else {
                return;
            };
            if live.life.is_over() || self.is_done(&live) {
                return;
            }
            let verdict = self.ask(&live).await;
            rest = match verdict {
                Verdict::Good => {
                    proved = Instant::now();
                    self.believed_for().await
                }
                Verdict::Unavailable if proved.elapsed() < grace => AGAIN,
                Verdict::Unavailable | Verdict::Bad => {
                    self.logins.end_live(&live);
                    return;
                }
            };
        }
    }

    async fn ask(&self, live: &LiveLogin) -> Verdict {
        match &live.verify_url {
            Some(url) => {
                let whose = (live.person.tenant, url.as_str());
                self.verifier.verify(whose, &self.token).await
            }
            None => Verdict::Good,
        }
    }

    /// How long the last answer is still believed.
    async fn believed_for(&self) -> Duration {
        let Some(live) = self.live.upgrade() else {
            return Duration::ZERO;
        };
        match &live.verify_url {
            Some(url) => {
                let whose = (live.person.tenant, url.as_str());
                self.verifier.believed_for(whose, &live.token).await
            }
            None => self.verifier.good_for(),
        }
    }

    /// Whether no connection has the login; the next one begins anew.
    fn is_done(&self, live: &Arc<LiveLogin>) -> bool {
        if self.logins.is_relied_on(live) {
            return false;
        }
        live.is_renewed.store(false, Ordering::Release);
        // Somebody may have come in between and have found it seen to.
        !self.logins.is_relied_on(live) || live.is_renewed.swap(true, Ordering::AcqRel)
    }
}
