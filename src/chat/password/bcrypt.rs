//! bcrypt, for several passwords side by side.
//!
//! # Why
//! Each step of bcrypt looks up what the step before has computed, so that one password leaves most of a core idle. Several
//! together fill it: four take a fifth longer than one. The crate `bcrypt` hashes one after the other; a test holds ours to
//! its results.

#![expect(
    clippy::needless_range_loop,
    reason = "one number goes through the tables and the blocks of all passwords"
)]

/// How many are hashed side by side at most: their tables fit the first cache of a core.
pub(super) const SIDE_BY_SIDE: usize = 4;
/// The bytes of a password that count.
pub(super) const KEY_BYTES: usize = 72;
/// What is encrypted with the tables in the end: `OrpheanBeholderScryDoubt`.
const TEXT: [u32; 6] = [
    0x4f72_7068,
    0x6561_6e42,
    0x6568_6f6c,
    0x6465_7253,
    0x6372_7944,
    0x6f75_6274,
];
/// How often.
const TIMES: usize = 64;

/// A salt.
pub(super) type Salt = [u8; 16];
/// What comes of a password and a salt.
pub(super) type Hash = [u8; 24];

/// The tables of Blowfish before anything is hashed: the digits of pi.
const START: Tables = Tables::read(include_bytes!("pi.txt"));

/// The tables of Blowfish.
#[derive(Clone)]
struct Tables {
    p: [u32; 18],
    s: [[u32; 256]; 4],
}

impl Tables {
    /// Reads hexadecimal digits in lines.
    const fn read(digits: &[u8]) -> Self {
        let mut words = [0_u32; 18 + 4 * 256];
        let (mut at, mut count) = (0, 0);
        while at < digits.len() {
            let digit = match digits[at] {
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'f' => digit - b'a' + 10,
                _ => 16,
            };
            if digit < 16 {
                words[count / 8] = words[count / 8] << 4 | digit as u32;
                count += 1;
            }
            at += 1;
        }
        assert!(count == words.len() * 8, "eight digits a word");
        let mut tables = Self {
            p: [0; 18],
            s: [[0; 256]; 4],
        };
        let mut index = 0;
        while index < words.len() {
            match index {
                0..18 => tables.p[index] = words[index],
                _ => tables.s[(index - 18) / 256][(index - 18) % 256] = words[index],
            }
            index += 1;
        }
        tables
    }

    fn mixed(&self, word: u32) -> u32 {
        let [a, b, c, d] = word.to_be_bytes().map(usize::from);
        let [one, two, three, four] = &self.s;
        (one[a].wrapping_add(two[b]) ^ three[c]).wrapping_add(four[d])
    }
}

/// The tables of several passwords, and the block of each that is encrypted.
struct Side<const N: usize> {
    tables: [Tables; N],
    left: [u32; N],
    right: [u32; N],
}

impl<const N: usize> Side<N> {
    /// Encrypts the block of each with its tables.
    fn encrypt(&mut self) {
        let (mut left, mut right) = (self.left, self.right);
        for round in 0..8 {
            for n in 0..N {
                let tables = &self.tables[n];
                left[n] ^= tables.p[2 * round];
                right[n] ^= tables.mixed(left[n]);
            }
            for n in 0..N {
                let tables = &self.tables[n];
                right[n] ^= tables.p[2 * round + 1];
                left[n] ^= tables.mixed(right[n]);
            }
        }
        for n in 0..N {
            let tables = &self.tables[n];
            self.left[n] = right[n] ^ tables.p[17];
            self.right[n] = left[n] ^ tables.p[16];
        }
    }

    /// Puts keys into the tables; with salts they go into the blocks.
    fn expand(&mut self, keys: &[[u32; 18]; N], salts: Option<&[[u32; 18]; N]>) {
        for n in 0..N {
            for (word, key) in self.tables[n].p.iter_mut().zip(&keys[n]) {
                *word ^= key;
            }
        }
        (self.left, self.right) = ([0; N], [0; N]);
        let mut halves = [0, 2].into_iter().cycle();
        let mut next = |side: &mut Self| {
            if let (Some(salts), Some(half)) = (salts, halves.next()) {
                for (n, salt) in salts.iter().enumerate() {
                    side.left[n] ^= salt[half];
                    side.right[n] ^= salt[half + 1];
                }
            }
            side.encrypt();
        };
        for index in 0..9 {
            next(self);
            for n in 0..N {
                self.tables[n].p[2 * index] = self.left[n];
                self.tables[n].p[2 * index + 1] = self.right[n];
            }
        }
        for table in 0..4 {
            for index in 0..128 {
                next(self);
                for n in 0..N {
                    self.tables[n].s[table][2 * index] = self.left[n];
                    self.tables[n].s[table][2 * index + 1] = self.right[n];
                }
            }
        }
    }
}

/// The hashes of several passwords, each with its salt, at one cost.
pub(super) fn hash<const N: usize>(cost: u32, passwords: [(&[u8], &Salt); N]) -> [Hash; N] {
    let keys = passwords.map(|(password, _)| key(password));
    let salts = passwords.map(|(_, salt)| words(salt));
    let mut side = Side {
        tables: std::array::from_fn(|_| START.clone()),
        left: [0; N],
        right: [0; N],
    };
    side.expand(&keys, Some(&salts));
    for _ in 0..1_u64 << cost {
        side.expand(&keys, None);
        side.expand(&salts, None);
    }
    let mut hashes = [[0; 24]; N];
    for (index, [left, right]) in TEXT.as_chunks().0.iter().enumerate() {
        (side.left, side.right) = ([*left; N], [*right; N]);
        for _ in 0..TIMES {
            side.encrypt();
        }
        for (n, hash) in hashes.iter_mut().enumerate() {
            hash[8 * index..][..4].copy_from_slice(&side.left[n].to_be_bytes());
            hash[8 * index + 4..][..4].copy_from_slice(&side.right[n].to_be_bytes());
        }
    }
    hashes
}

/// The words of a password, which ends with a zero byte if that fits.
fn key(password: &[u8]) -> [u32; 18] {
    let most = password.len().min(KEY_BYTES);
    let mut bytes = [0; KEY_BYTES];
    bytes[..most].copy_from_slice(&password[..most]);
    words(&bytes[..(most + 1).min(KEY_BYTES)])
}

/// Bytes as words, again and again from their beginning.
fn words(bytes: &[u8]) -> [u32; 18] {
    let mut bytes = bytes.iter().cycle();
    let mut next = || bytes.next().copied().unwrap_or_default();
    std::array::from_fn(|_| u32::from_be_bytes([next(), next(), next(), next()]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn hashes_are_those_of_the_crate(
            passwords in proptest::array::uniform4(("[^\\x00]{0,40}", any::<Salt>())),
            cost in 4..6_u32,
        ) {
            let asked = passwords.each_ref().map(|(password, salt)| (password.as_bytes(), salt));
            let together = hash(cost, asked);
            for ((password, salt), hash) in asked.iter().zip(together) {
                let mut ended = [password, &b"\0"[..]].concat();
                ended.truncate(KEY_BYTES);
                prop_assert_eq!(hash, ::bcrypt::bcrypt(cost, **salt, &ended));
            }
            let [one, two, three, four] = asked;
            prop_assert_eq!(hash(cost, [two, three]), [together[1], together[2]]);
            prop_assert_eq!(hash(cost, [four, one, two]), [together[3], together[0], together[1]]);
            prop_assert_eq!(hash(cost, [one]), [together[0]]);
        }
    }
}
