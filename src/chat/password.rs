//! Passwords: hashed with bcrypt, away from the tasks that answer requests.

use std::{hint::black_box, sync::Arc, time::Duration};

use base64::{
    Engine as _,
    alphabet::BCRYPT,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, STANDARD},
    },
};
use hmac::{Hmac, KeyInit, Mac};
use parlance_bcrypt::{Hash, SALT_BYTES};
use rand::Rng;
use sha2::Sha384;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    chat::hashing::{HashQueue, Job},
    error::{Error, Result},
    model::{NewPassword, Password},
};

/// How bcrypt writes bytes.
const BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);
/// The characters of a salt.
const SALT_CHARS: usize = 22;
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
    queue: HashQueue,
    waiting: Arc<Semaphore>,
}

/// A place in the queue of passwords that are hashed, from before it is known whether this one is.
#[derive(Debug)]
pub(super) struct Place {
    cost: u32,
    queue: HashQueue,
    place: Arc<OwnedSemaphorePermit>,
}

/// A hash as it is stored.
struct Stored {
    cost: u32,
    salt: [u8; SALT_BYTES],
    hash: Hash,
}

impl Hasher {
    /// A hasher of a cost, which hashes on `parallel` threads at once.
    pub(super) fn new(cost: u32, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Self {
            cost,
            queue: HashQueue::new(parallel),
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
            queue: self.queue.clone(),
            place: Arc::new(place),
        })
    }

    /// The hash of a password that is about to be set.
    pub(super) async fn hash(&self, password: &NewPassword) -> Result<String> {
        self.place()?.hash(password).await
    }
}

impl Place {
    async fn hash(self, password: &NewPassword) -> Result<String> {
        let mut salt = [0; SALT_BYTES];
        rand::rng().fill_bytes(&mut salt);
        let cost = self.cost;
        let hash = self.run((cost, salt), digest(password.expose())).await?;
        Ok(Stored { cost, salt, hash }.to_string())
    }

    /// Whether a password has this hash. Without a hash it takes as long and says no, so that
    /// nobody learns from the time which names exist.
    ///
    /// Hashes were once made of passwords as they were sent: where that is another text than the one
    /// that is compared, both are tried.
    pub(super) async fn verify(self, password: &Password, hash: Option<String>) -> Result<Verdict> {
        let prepared = password.prepared();
        let other = (prepared != password.expose()).then(|| digest(password.expose()));
        let exists = hash.is_some();
        let stored = Stored::parse(&hash.unwrap_or_else(|| nobody(self.cost)))?;
        let verdict = if self.is_hash_of(&stored, digest(&prepared)).await? {
            Verdict::Right
        } else if let Some(other) = other
            && self.is_hash_of(&stored, other).await?
        {
            Verdict::RightAsSent
        } else {
            Verdict::Wrong
        };
        Ok(if exists { verdict } else { Verdict::Wrong })
    }

    async fn is_hash_of(&self, stored: &Stored, digest: String) -> Result<bool> {
        let hash = self.run((stored.cost, stored.salt), digest).await?;
        Ok(is_same(&stored.hash, &hash))
    }

    async fn run(&self, (cost, salt): (u32, [u8; SALT_BYTES]), digest: String) -> Result<Hash> {
        let job = Job {
            cost,
            salt,
            password: digest,
            _place: Arc::clone(&self.place),
        };
        self.queue.hash(job).await
    }
}

impl Stored {
    /// Reads a hash of any bcrypt.
    fn parse(text: &str) -> Result<Self> {
        let parsed = || {
            let (version, rest) = text.strip_prefix("$2")?.split_once('$')?;
            let (cost, rest) = rest.split_once('$')?;
            let (salt, hash) = rest.split_at_checked(SALT_CHARS)?;
            let cost = cost.parse().ok().filter(|cost| (4..32).contains(cost))?;
            Some(Self {
                cost,
                salt: bytes(salt)?,
                hash: bytes(hash)?,
            })
            .filter(|_| matches!(version, "a" | "b" | "x" | "y"))
        };
        parsed().ok_or_else(|| Error::internal("a password's hash is malformed"))
    }
}

impl std::fmt::Display for Stored {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (salt, hash) = (BASE64.encode(self.salt), BASE64.encode(self.hash));
        write!(out, "$2b${:02}${salt}{hash}", self.cost)
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// Compares hashes in a time that does not depend on where they differ.
fn is_same(one: &Hash, other: &Hash) -> bool {
    let pairs = one.iter().zip(other);
    let differing = pairs.fold(0, |differing, (a, b)| black_box(differing | (a ^ b)));
    differing == 0
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
    use futures_util::{FutureExt as _, future::join_all};

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

    #[tokio::test]
    async fn hashes_are_those_of_every_other_bcrypt() {
        let hasher = Hasher::new(4, 2);
        let texts = (0..11).map(|number| "secret word ".repeat(number + 1));
        let verified = texts.map(|text| {
            let hasher = &hasher;
            async move {
                let ours = hasher.hash(&set(&text)).await.expect("hashed");
                let is_right = bcrypt::verify(digest(&text), &ours);
                assert!(is_right.expect("well-formed"), "{ours}");
                let cost = if text.len() > 50 { 5 } else { 4 };
                let theirs = bcrypt::hash(digest(&text), cost).expect("hashed");
                for (stored, verdict) in [
                    (theirs.clone(), Verdict::Right),
                    (theirs.replacen("$2b$", "$2y$", 1), Verdict::Right),
                    (flipped(&theirs), Verdict::Wrong),
                ] {
                    let attempt = password(&text);
                    let verified = place(hasher).verify(&attempt, Some(stored)).await;
                    assert_eq!(verified.expect("compared"), verdict, "{theirs}");
                }
            }
        });
        // All at once, so that several are hashed side by side.
        join_all(verified).await;
    }

    /// The same hash but for its first character.
    fn flipped(hash: &str) -> String {
        let place = hash.len() - 31;
        let other = if hash[place..].starts_with('a') {
            "b"
        } else {
            "a"
        };
        format!("{}{other}{}", &hash[..place], &hash[place + 1..])
    }

    #[tokio::test]
    async fn what_is_no_hash_is_compared_with_nothing() {
        let hasher = Hasher::new(4, 1);
        let good = bcrypt::hash("secret", 4).expect("hashed");
        for stored in [
            "",
            "secret",
            &good[..59],
            &format!("{good}a"),
            &good.replacen("$2b$", "$2c$", 1),
            &good.replacen("$04$", "$03$", 1),
            &good.replacen("$04$", "$32$", 1),
            &good.replacen("$04$", "$xx$", 1),
            &good.replace(&good[20..21], "\u{e9}"),
        ] {
            let attempt = password("secret");
            let verified = place(&hasher).verify(&attempt, Some(stored.to_owned()));
            assert!(verified.await.is_err(), "{stored}");
        }
    }

    #[tokio::test]
    async fn who_waits_no_longer_has_no_place() {
        let hasher = Hasher::new(4, 1);
        let secret = set("secret");
        let free = hasher.waiting.available_permits();
        for _ in 0..2 * (QUEUE + 1) {
            let mut hashed = Box::pin(hasher.hash(&secret));
            assert!(hashed.as_mut().now_or_never().is_none());
            // The thread is free again, and takes what is left behind.
            drop(hashed);
            hasher.hash(&secret).await.expect("hashed");
        }
        assert_eq!(hasher.waiting.available_permits(), free);
    }
}
