//! The digest by which a repeat under the same idempotency key is recognised.

use sha2::{Digest, Sha256};

/// The digest of these parts, none of which holds a zero byte; half a hash is enough to tell one sender's
/// own texts apart.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for (place, part) in parts.into_iter().enumerate() {
        if place > 0 {
            hasher.update([0]);
        }
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            hex
        })
}
