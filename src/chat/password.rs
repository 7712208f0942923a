//! Passwords: hashed with bcrypt, away from the tasks that answer requests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use std::time::Duration;
use tokio::sync::Semaphore;

use crate::{
    error::{Error, Result},
    model::Password,
};

/// Sets our digests apart from those of any other program that hashes the same password.
const LABEL: &[u8] = b"parlance password v1";
/// How many hashes may wait for each one that runs.
const QUEUE: usize = 32;

/// Hashes and compares passwords.
///
/// bcrypt reads 72 bytes and stops at a zero byte, so it is given the base64 of an HMAC-SHA-384:
/// 64 characters that depend on every byte of the password.
#[derive(Debug)]
pub struct Hasher {
    cost: u32,
    turns: Semaphore,
    waiting: Semaphore,
}

impl Hasher {
    /// A hasher of a cost, which runs `parallel` hashes at once.
    pub fn new(cost: u32, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Self {
            cost,
            turns: Semaphore::new(parallel),
            waiting: Semaphore::new(parallel.saturating_mul(QUEUE + 1)),
        }
    }

    /// The hash of a password that is about to be set.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        let digest = digest(password);
        let cost = self.cost;
        self.run(move || bcrypt::hash(digest, cost)).await
    }

    /// Whether a password has this hash. Without a hash it takes as long and says no, so that
    /// nobody learns from the time which names exist.
    pub async fn verify(&self, password: &Password, hash: Option<String>) -> Result<bool> {
        let digest = digest(password);
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody());
        Ok(self.run(move || bcrypt::verify(digest, &hash)).await? && exists)
    }

    /// A well-formed hash at our cost that no password has been found for.
    fn nobody(&self) -> String {
        format!(
            "$2b${:02}$......................{}",
            self.cost,
            ".".repeat(31)
        )
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T> {
        let busy = || {
            let sentence = "too many people are signing in just now, please try again";
            Error::unavailable(sentence, Duration::from_secs(2))
        };
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)
    }
}

fn digest(password: &Password) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(LABEL).expect("HMAC takes a key of any length");
    mac.update(password.expose().as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).expect("a sound password")
    }

    #[tokio::test]
    async fn every_byte_of_a_long_password_counts() {
        let hasher = Hasher::new(4, 1);
        let long = "x".repeat(1000);
        let hash = hasher.hash(&password(&long)).await.expect("hashed");
        assert!(
            hasher
                .verify(&password(&long), Some(hash.clone()))
                .await
                .expect("compared")
        );
        let other = format!("{}y", &long[1..]);
        assert!(
            !hasher
                .verify(&password(&other), Some(hash))
                .await
                .expect("compared")
        );
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let hasher = Hasher::new(4, 1);
        assert!(
            !hasher
                .verify(&password("secret"), None)
                .await
                .expect("compared")
        );
        let hash = hasher.nobody();
        assert!(
            bcrypt::verify("anything", &hash).is_ok(),
            "it is a well-formed hash: {hash}"
        );
    }
}
