//! Secrets and signatures, as Standard Webhooks has them.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret of 256 random bits.
pub(super) fn new_secret() -> String {
    let key: [u8; 32] = rand::random();
    format!("{PREFIX}{}", STANDARD.encode(key))
}

/// The header that proves who sends a body: a signature by each of these secrets, with blanks between them.
pub(super) fn signatures<'a>(
    secrets: impl Iterator<Item = &'a str>,
    (id, timestamp): (&str, i64),
    body: &[u8],
) -> Result<String> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let key = secret.strip_prefix(PREFIX).unwrap_or(secret);
        let key = STANDARD.decode(key).map_err(Error::internal)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(Error::internal)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        signatures.push(format!("v1,{signature}"));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standards_own_example() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signatures(
            [secret].into_iter(),
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.expect("it signs"), expected);
    }

    #[test]
    fn each_secret_signs_and_no_two_are_alike() {
        let (one, other) = (new_secret(), new_secret());
        assert_ne!(one, other);
        let both = signatures([&*one, &*other].into_iter(), ("msg_1_2", 3), b"{}");
        let both = both.expect("it signs");
        let alone = signatures([&*other].into_iter(), ("msg_1_2", 3), b"{}");
        assert_eq!(both.split(' ').count(), 2);
        assert_eq!(both.split(' ').next_back(), alone.ok().as_deref());
    }
}
