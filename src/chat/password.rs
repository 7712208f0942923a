//! Passwords: hashed with bcrypt, away from the tasks that answer requests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{Error, Result},
    model::{NewPassword, Password},
};

/// Sets our digests apart from those of any other program that hashes the same password.
const LABEL: &[u8] = b"parlance password v1";
/// How many hashes may wait for each one that runs.
const QUEUE: usize = 64;

/// What comes of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is another one's.
    Wrong,
    /// It is the password's.
    Right,
    /// It is the password's, made of it as it was sent: to be made anew.
    RightAsSent,
}

/// Hashes and compares passwords.
///
/// bcrypt reads 72 bytes and stops at a zero byte, so it is given the base64 of an HMAC-SHA-384:
/// 64 characters that depend on every byte of the password.
#[derive(Debug)]
pub(super) struct Hasher {
    cost: u32,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A place in the queue of passwords that are hashed, from before it is known whether this one is.
#[derive(Debug)]
pub(super) struct Place {
    cost: u32,
    turns: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

impl Hasher {
    /// A hasher of a cost, which runs `parallel` hashes at once.
    pub(super) fn new(cost: u32, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Self {
            cost,
            turns: Arc::new(Semaphore::new(parallel)),
            waiting: Arc::new(Semaphore::new(parallel.saturating_mul(QUEUE + 1))),
        }
    }

    /// A place in the queue: a refusal when there is none.
    pub(super) fn place(&self) -> Result<Place> {
        let place = Arc::clone(&self.waiting).try_acquire_owned();
        let place = place.map_err(|full| {
            let sentence = "too many people are signing in just now, please try again";
            Error::unavailable(sentence, Duration::from_secs(2)).because(full)
        })?;
        Ok(Place {
            cost: self.cost,
            turns: Arc::clone(&self.turns),
            _place: place,
        })
    }

    /// The hash of a password that is about to be set.
    pub(super) async fn hash(&self, password: &NewPassword) -> Result<String> {
        self.place()?.hash(password).await
    }
}

impl Place {
    async fn hash(self, password: &NewPassword) -> Result<String> {
        let digest = digest(password.expose());
        let cost = self.cost;
        self.run(move || bcrypt::hash(digest, cost)).await
    }

    /// Whether a password has this hash. Without a hash it takes as long and says no, so that
    /// nobody learns from the time which names exist.
    ///
    /// Hashes were once made of passwords as they were sent: where that is another text than the one
    /// that is compared, both are tried.
    pub(super) async fn verify(self, password: &Password, hash: Option<String>) -> Result<Verdict> {
        let prepared = password.prepared();
        let other = (prepared != password.expose()).then(|| digest(password.expose()));
        let prepared = digest(&prepared);
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| nobody(self.cost));
        let verdict = self.run(move || {
            if bcrypt::verify(prepared, &hash)? {
                return Ok(Verdict::Right);
            }
            Ok(match other {
                Some(other) if bcrypt::verify(&other, &hash)? => Verdict::RightAsSent,
                Some(_) | None => Verdict::Wrong,
            })
        });
        let verdict = verdict.await?;
        Ok(if exists { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> std::result::Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T> {
        let turns = self.turns.acquire();
        let _turn = turns.await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)
    }
}

/// A well-formed hash of a cost that no password has been found for.
fn nobody(cost: u32) -> String {
    format!("$2b${cost:02}$......................{}", ".".repeat(31))
}

fn digest(password: &str) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(LABEL).expect("HMAC takes a key of any length");
    mac.update(password.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text.to_owned()).expect("a sound password")
    }

    fn place(hasher: &Hasher) -> Place {
        hasher.place().expect("the queue is not full")
    }

    fn set(text: &str) -> NewPassword {
        NewPassword::renewed(&password(text))
    }

    #[tokio::test]
    async fn a_hash_of_what_was_sent_is_known_and_told_apart() {
        let hasher = Hasher::new(4, 1);
        let (sent, composed) = ("cafe\u{301} au lait", "caf\u{e9} au lait");
        let old = bcrypt::hash(digest(sent), 4).expect("hashed");
        let new = hasher.hash(&set(sent)).await.expect("hashed");
        for (hash, text, verdict) in [
            (&old, sent, Verdict::RightAsSent),
            (&old, composed, Verdict::Wrong),
            (&new, sent, Verdict::Right),
            (&new, composed, Verdict::Right),
            (&new, "cafe au lait", Verdict::Wrong),
        ] {
            let verified = place(&hasher)
                .verify(&password(text), Some(hash.clone()))
                .await;
            assert_eq!(verified.expect("compared"), verdict, "{text}");
        }
    }

    #[tokio::test]
    async fn every_byte_of_a_long_password_counts() {
        let hasher = Hasher::new(4, 1);
        let long = "x".repeat(1000);
        let hash = hasher.hash(&set(&long)).await.expect("hashed");
        let verified = place(&hasher)
            .verify(&password(&long), Some(hash.clone()))
            .await;
        assert_eq!(verified.expect("compared"), Verdict::Right);
        let other = format!("{}y", &long[1..]);
        let verified = place(&hasher).verify(&password(&other), Some(hash)).await;
        assert_eq!(verified.expect("compared"), Verdict::Wrong);
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let hasher = Hasher::new(4, 1);
        let verified = place(&hasher).verify(&password("secret"), None).await;
        assert_eq!(verified.expect("compared"), Verdict::Wrong);
        let hash = nobody(4);
        assert!(
            bcrypt::verify("anything", &hash).is_ok(),
            "it is a well-formed hash: {hash}"
        );
    }
}
