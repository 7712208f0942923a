//! One log line for each sign-in, whether it went well or not, and a list of them for whose account it is.
//!
//! # Why
//! An operator sees who signed in and who tries to: by a person's number or a reason, and by the
//! address, never by a name, an e-mail address or a token. Failures come from strangers, who could
//! fill a disk with them: past a rate they are counted, and the next line tells how many.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::{
    chat::{
        Services,
        accounts::Device,
        housekeeping::{HOUSE, ROWS_AT_ONCE},
    },
    error::Result,
    model::{PersonId, SignIn, SignInOutcome, Timestamp},
    store::Store,
};

/// How many lines about failures are written a second.
const LINES: NonZeroU32 = NonZeroU32::new(1).expect("it is not zero");
/// How many of them may come at once.
const BURST: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// How many attempts are noted at a time; what is more within some seconds is not.
const NOTED: usize = 4_096;
/// For how long attempts are kept.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// Forgets those that are too old.
pub(super) async fn forget(services: &Services) -> Result<()> {
    let before = services.clock.now().minus(KEPT);
    let most = i64::try_from(ROWS_AT_ONCE).unwrap_or(i64::MAX);
    while services.store.has_sign_ins_before(before).await? {
        let forgotten = services.store.write(HOUSE, move |tx| {
            Box::pin(async move { tx.forget_sign_ins(before, most).await })
        });
        forgotten.await?;
    }
    Ok(())
}

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
    /// The password was right, and no code of the second factor came.
    NoCode,
    /// The password was right, and the code of the second factor was not.
    WrongCode,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "no such account",
            Self::WrongPassword => "wrong password",
            Self::Throttled => "too many attempts",
            Self::Unchecked => "not checked",
            Self::NoCode => "no code of the second factor",
            Self::WrongCode => "wrong code of the second factor",
        }
    }
}

/// Writes the lines.
#[derive(Debug)]
pub(super) struct SignIns {
    failures: DefaultDirectRateLimiter,
    left_out: AtomicU64,
    /// What is to be written down for those whose accounts they are.
    noted: Mutex<Vec<(PersonId, SignIn)>>,
}

impl Default for SignIns {
    fn default() -> Self {
        Self {
            failures: RateLimiter::direct(Quota::per_second(LINES).allow_burst(BURST)),
            left_out: AtomicU64::new(0),
            noted: Mutex::default(),
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

    /// Notes an attempt for whom the account belongs to. It is written down later: an account that is there is
    /// not to be told by the time that a failure takes.
    pub(super) fn note(
        &self,
        person: PersonId,
        outcome: SignInOutcome,
        device: &Device,
        at: Timestamp,
    ) {
        let mut noted = self.noted();
        if noted.len() < NOTED {
            let (client, address) = device.kept();
            let sign_in = SignIn {
                id: 0,
                outcome,
                client,
                address: Some(address),
                at,
            };
            noted.push((person, sign_in));
        }
    }

    /// Writes down what was noted.
    pub(super) async fn flush(&self, store: &Store) -> Result<()> {
        let noted = std::mem::take(&mut *self.noted());
        for some in noted.chunks(ROWS_AT_ONCE) {
            let some = some.to_vec();
            let added = store.write(HOUSE, move |tx| {
                Box::pin(async move { tx.add_sign_ins(&some).await })
            });
            added.await?;
        }
        Ok(())
    }

    fn noted(&self) -> MutexGuard<'_, Vec<(PersonId, SignIn)>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
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
