//! One log line for each sign-in, whether it went well or not.
//!
//! # Why
//! An operator sees who signed in and who tries to: by a person's number or a reason, and by the
//! address, never by a name, an e-mail address or a token. Failures come from strangers, who could
//! fill a disk with them: past a rate they are counted, and the next line tells how many.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::model::PersonId;

/// How many lines about failures are written a second.
const LINES: NonZeroU32 = NonZeroU32::new(1).expect("it is not zero");
/// How many of them may come at once.
const BURST: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no such account.
    UnknownAccount,
    /// The account has another password.
    WrongPassword,
    /// Too many attempts came before.
    Throttled,
    /// The password was never checked.
    Unchecked,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "no such account",
            Self::WrongPassword => "wrong password",
            Self::Throttled => "too many attempts",
            Self::Unchecked => "not checked",
        }
    }
}

/// Writes the lines.
#[derive(Debug)]
pub(super) struct SignIns {
    failures: DefaultDirectRateLimiter,
    left_out: AtomicU64,
}

impl Default for SignIns {
    fn default() -> Self {
        Self {
            failures: RateLimiter::direct(Quota::per_second(LINES).allow_burst(BURST)),
            left_out: AtomicU64::new(0),
        }
    }
}

impl SignIns {
    /// Somebody has signed in.
    pub(super) fn succeeded(person: PersonId, address: IpAddr) {
        tracing::info!(%person, %address, "Somebody signed in.");
    }

    /// Somebody has made an account.
    pub(super) fn signed_up(person: PersonId, address: IpAddr) {
        tracing::info!(%person, %address, "Somebody made an account.");
    }

    /// Somebody could not sign in, or not prove the password that they have.
    pub(super) fn failed(&self, reason: Reason, address: IpAddr) {
        let reason = reason.as_str();
        if self.failures.check().is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        match self.left_out.swap(0, Ordering::Relaxed) {
            0 => tracing::warn!(reason, %address, "A sign-in failed."),
            left_out => {
                tracing::warn!(
                    reason,
                    %address,
                    left_out,
                    "A sign-in failed, and others of which no line was written."
                );
            }
        }
    }
}
