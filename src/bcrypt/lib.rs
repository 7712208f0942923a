//! bcrypt that hashes several passwords at a time on one core.
//!
//! # Why
//! Each step of bcrypt needs what the step before has looked up in a table, so a core that hashes one password
//! waits for its first-level cache most of the time. The steps of another password fit into that wait: four side by
//! side take less than one and a half times as long as one. A server that has several passwords to compare, as
//! after an outage or under a flood of sign-ups, so serves nearly three times as many, and who guesses at a stolen
//! hash gains nothing that was not theirs already.
//!
//! A crate of its own because the cargo profile of debug builds optimises whole crates, and hashing without
//! optimisation is thirty times slower.

mod blowfish;
mod pi;

use std::array;

use blowfish::{Cipher, encrypt, expand, expand_salted, words};

/// How many passwords are hashed side by side.
pub const LANES: usize = 4;
/// How many bytes of a password count.
pub const PASSWORD_BYTES: usize = 72;
/// The length of a salt.
pub const SALT_BYTES: usize = 16;
/// The length of a hash.
pub const HASH_BYTES: usize = 23;

/// What is encrypted: `OrpheanBeholderScryDoubt`.
const TEXT: [[u32; 2]; 3] = [
    [0x4f72_7068, 0x6561_6e42],
    [0x6568_6f6c, 0x6465_7253],
    [0x6372_7944, 0x6f75_6274],
];

/// A password with its salt.
#[derive(Clone, Copy)]
pub struct Salted<'a> {
    /// The password, of which the first [`PASSWORD_BYTES`] count.
    pub password: &'a [u8],
    /// The salt.
    pub salt: [u8; SALT_BYTES],
}

/// A hash without its salt and its cost.
pub type Hash = [u8; HASH_BYTES];

/// The hashes of passwords, in their order. Each step of `cost` doubles the time; it must be below 32.
pub fn hash(cost: u32, salted: &[Salted<'_>]) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(salted.len());
    for some in salted.chunks(LANES) {
        match *some {
            [a, b, c, d] => hashes.extend(lanes(cost, [a, b, c, d])),
            [a, b, c] => hashes.extend(lanes(cost, [a, b, c])),
            [a, b] => hashes.extend(lanes(cost, [a, b])),
            ref some => hashes.extend(some.iter().flat_map(|one| lanes(cost, [*one]))),
        }
    }
    hashes
}

fn lanes<const N: usize>(cost: u32, salted: [Salted<'_>; N]) -> [Hash; N] {
    let mut ciphers: Box<[Cipher; N]> = Box::new(array::from_fn(|_| Cipher::START));
    let keys = salted.map(|one| words(&terminated(one.password)));
    let salts = salted.map(|one| words(&one.salt));
    expand_salted(&mut ciphers, &salts, &keys);
    for _ in 0..1_u32 << cost {
        expand(&mut ciphers, &keys);
        expand(&mut ciphers, &salts);
    }
    let mut hashes = [[0; HASH_BYTES]; N];
    for (part, text) in TEXT.into_iter().enumerate() {
        let mut blocks = [text; N];
        for _ in 0..64 {
            encrypt(&ciphers, &mut blocks);
        }
        for (hash, [left, right]) in hashes.iter_mut().zip(blocks) {
            let bytes = left.to_be_bytes().into_iter().chain(right.to_be_bytes());
            // The last byte is not part of the hash.
            for (into, byte) in hash[8 * part..].iter_mut().zip(bytes) {
                *into = byte;
            }
        }
    }
    hashes
}

/// A password with the zero byte after it, as far as it counts.
fn terminated(password: &[u8]) -> Vec<u8> {
    let bytes = password.iter().copied().chain([0]);
    bytes.take(PASSWORD_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes of other programs: cost, password, salt, hash.
    const KNOWN: [(u32, &str, [u8; SALT_BYTES], Hash); 3] = [
        (
            6,
            "",
            [
                0x14, 0x4b, 0x3d, 0x69, 0x1a, 0x7b, 0x4e, 0xcf, 0x39, 0xcf, 0x73, 0x5c, 0x7f, 0xa7,
                0xa7, 0x9c,
            ],
            [
                0x55, 0x7e, 0x94, 0xf3, 0x4b, 0xf2, 0x86, 0xe8, 0x71, 0x9a, 0x26, 0xbe, 0x94, 0xac,
                0x1e, 0x16, 0xd9, 0x5e, 0xf9, 0xf8, 0x19, 0xde, 0xe0,
            ],
        ),
        (
            6,
            "a",
            [
                0xa3, 0x61, 0x2d, 0x8c, 0x9a, 0x37, 0xda, 0xc2, 0xf9, 0x9d, 0x94, 0xda, 0x03, 0xbd,
                0x45, 0x21,
            ],
            [
                0xe6, 0xd5, 0x38, 0x31, 0xf8, 0x20, 0x60, 0xdc, 0x08, 0xa2, 0xe8, 0x48, 0x9c, 0xe8,
                0x50, 0xce, 0x48, 0xfb, 0xf9, 0x76, 0x97, 0x87, 0x38,
            ],
        ),
        (
            8,
            "abcdefghijklmnopqrstuvwxyz",
            [
                0x71, 0x5b, 0x96, 0xca, 0xed, 0x2a, 0xc9, 0x2c, 0x35, 0x4e, 0xd1, 0x6c, 0x1e, 0x19,
                0xe3, 0x8a,
            ],
            [
                0x98, 0xbf, 0x9f, 0xfc, 0x1f, 0x5b, 0xe4, 0x85, 0xf9, 0x59, 0xe8, 0xb1, 0xd5, 0x26,
                0x39, 0x2f, 0xbd, 0x4e, 0xd2, 0xd5, 0x71, 0x9f, 0x50,
            ],
        ),
    ];

    #[test]
    fn known_hashes_come_out_beside_any_others() {
        for (cost, password, salt, expected) in KNOWN {
            let known = Salted {
                password: password.as_bytes(),
                salt,
            };
            for count in 1..=LANES + 2 {
                for place in 0..count {
                    let other = Salted {
                        password: b"other",
                        salt: [7; SALT_BYTES],
                    };
                    let mut all = vec![other; count];
                    all[place] = known;
                    let hashes = hash(cost, &all);
                    assert_eq!(hashes.len(), count);
                    assert_eq!(hashes[place], expected, "{password:?}: {place} of {count}");
                }
            }
        }
    }

    #[test]
    fn bytes_past_the_limit_do_not_count() {
        let [one, other] = [b"x".repeat(72), b"x".repeat(99)];
        let salted = [&one, &other].map(|password| Salted {
            password,
            salt: [3; SALT_BYTES],
        });
        let hashes = hash(4, &salted);
        assert_eq!(hashes[0], hashes[1]);
        let shorter = Salted {
            password: &one[1..],
            ..salted[0]
        };
        assert_ne!(hash(4, &[shorter])[0], hashes[0]);
    }
}
