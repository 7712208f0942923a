//! Device cookies: they distinguish a browser that has signed in before from others.
//!
//! # Why
//! Guesses at an account's password slow down every sign-in to it, also its owner's. So a browser
//! that has signed in gets a cookie that says so, and its attempts are counted apart from others.
//! Nothing is kept here of it: the server believes what it has signed. The cookie lets nobody in, and
//! says nothing of whose it is to who reads it.
//!
//! It holds an entry for each of the last accounts that signed in from there, `<nonce><mac>` in hex with a
//! dot between two. A browser keeps its nonce, so that signing in anew begins no second counter.

use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha2::Sha256;

use crate::model::hex;

/// Sets these digests apart from any others made with the secret.
const LABEL: &[u8] = b"parlance device cookie v1\0";
/// Bytes of a nonce, and of the digest that vouches for it.
const NONCE: usize = 8;
const DIGEST: usize = 16;
/// The accounts that one browser is known for.
const ACCOUNTS: usize = 4;
/// The entries that are looked at.
const LOOKED_AT: usize = 4 * ACCOUNTS;

/// Signs and reads device cookies.
pub(super) struct DeviceCookies {
    secret: String,
}

impl std::fmt::Debug for DeviceCookies {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret must not be logged.
        out.write_str("..")
    }
}

impl DeviceCookies {
    /// Those that are signed with this secret.
    pub(super) fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
        }
    }

    /// The nonce of a browser that has signed in to this account before.
    pub(super) fn nonce(&self, cookie: &str, account: &str) -> Option<u64> {
        let (nonce, _) = self.entry(cookie, account)?;
        Some(u64::from_be_bytes(nonce))
    }

    /// The cookie of a browser that has signed in to this account just now, and showed another before.
    pub(super) fn signed_in(&self, cookie: &str, account: &str) -> String {
        let (nonce, known) = match self.entry(cookie, account) {
            Some((nonce, known)) => (nonce, Some(known)),
            None => (rand::rng().random(), None),
        };
        let digest = self.mac(account, nonce).finalize().into_bytes();
        let newest = hex::encode(&[&nonce[..], &digest[..DIGEST]].concat());
        let others = entries(cookie).filter(|entry| Some(*entry) != known);
        let mut kept = vec![newest.as_str()];
        kept.extend(others.take(ACCOUNTS - 1));
        kept.join(".")
    }

    /// The nonce of the entry that is this account's, and the entry.
    fn entry<'a>(&self, cookie: &'a str, account: &str) -> Option<([u8; NONCE], &'a str)> {
        entries(cookie).find_map(|entry| {
            let bytes = hex::decode(entry)?;
            let (nonce, digest) = bytes.split_first_chunk::<NONCE>()?;
            let mac = self.mac(account, *nonce);
            mac.verify_truncated_left(digest).ok()?;
            Some((*nonce, entry))
        })
    }

    fn mac(&self, account: &str, nonce: [u8; NONCE]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(LABEL);
        mac.update(&nonce);
        mac.update(account.as_bytes());
        mac
    }
}

/// What may be entries: of the right length, so that a short digest vouches for nothing.
fn entries(cookie: &str) -> impl Iterator<Item = &str> {
    let parts = cookie.split('.').take(LOOKED_AT);
    parts.filter(|part| part.len() == 2 * (NONCE + DIGEST) && part.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_for_the_accounts_that_signed_in_from_it() {
        let cookies = DeviceCookies::new("secret");
        let one = cookies.signed_in("", "name/ann");
        let both = cookies.signed_in(&one, "name/bo");
        let nonce = cookies.nonce(&one, "name/ann").expect("ann's");
        assert_eq!(cookies.nonce(&both, "name/ann"), Some(nonce));
        assert!(
            cookies
                .nonce(&both, "name/bo")
                .is_some_and(|bo| bo != nonce)
        );
        assert_eq!(cookies.nonce(&one, "name/bo"), None);
        // A browser that signs in again keeps its nonce.
        assert_eq!(cookies.signed_in(&one, "name/ann"), one);
        assert_eq!(cookies.signed_in(&both, "name/bo"), both);
        assert_ne!(cookies.signed_in("", "name/ann"), one);
        // The newest stay.
        let many = (0..9).fold(String::new(), |cookie, number| {
            cookies.signed_in(&cookie, &format!("name/{number}"))
        });
        assert_eq!(many.len(), 4 * 48 + 3);
        let known =
            (0..9).filter(|number| cookies.nonce(&many, &format!("name/{number}")).is_some());
        assert_eq!(known.collect::<Vec<_>>(), [5, 6, 7, 8]);
    }

    #[test]
    fn what_the_server_did_not_sign_is_nothing() {
        let cookies = DeviceCookies::new("secret");
        let one = cookies.signed_in("", "name/ann");
        assert!(!one.contains("ann"));
        assert_eq!(DeviceCookies::new("another").nonce(&one, "name/ann"), None);
        let turned: String = one.chars().rev().collect();
        let longer = format!("{one}00");
        for forged in [
            "",
            ".",
            "..",
            &one[..32],
            &one[2..],
            &one[..46],
            &longer,
            &turned,
            "\u{e4}",
        ] {
            assert_eq!(cookies.nonce(forged, "name/ann"), None, "{forged}");
        }
        for at in 0..one.len() {
            let mut forged = one.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).expect("still text");
            assert_eq!(cookies.nonce(&forged, "name/ann"), None, "{at}");
        }
        // What is odd beside it spoils nothing, and is not kept.
        let odd = format!("x.{one}.\u{e4}.");
        assert!(cookies.nonce(&odd, "name/ann").is_some());
        assert_eq!(cookies.signed_in(&odd, "name/ann"), one);
    }
}
