//! The key schedules of several Blowfish ciphers, computed side by side.

use std::array;

use crate::pi;

/// The words of a key or a salt that is repeated as often as need be.
pub(crate) type Words = [u32; 18];

/// How many pairs of words of a salt there are before it repeats.
const SALT_PAIRS: usize = 2;

/// One cipher: its subkeys and substitution boxes.
#[derive(Clone)]
pub(crate) struct Cipher {
    p: [u32; 18],
    s: [[u32; 256]; 4],
}

/// The two halves of a block.
pub(crate) type Block = [u32; 2];

/// The first words of these bytes, repeated.
pub(crate) fn words(bytes: &[u8]) -> Words {
    let mut bytes = bytes.iter().cycle().copied();
    array::from_fn(|_| {
        let word = array::from_fn(|_| bytes.next().unwrap_or_default());
        u32::from_be_bytes(word)
    })
}

impl Cipher {
    pub(crate) const START: Self = Self { p: pi::P, s: pi::S };

    /// The function of one round.
    #[inline]
    fn f(&self, word: u32) -> u32 {
        let [a, b, c, d] = word.to_be_bytes().map(usize::from);
        let [first, second, third, fourth] = &self.s;
        (first[a].wrapping_add(second[b]) ^ third[c]).wrapping_add(fourth[d])
    }

    fn mix_in(&mut self, key: &Words) {
        for (subkey, word) in self.p.iter_mut().zip(key) {
            *subkey ^= word;
        }
    }

    /// Replaces a pair of words: first those of the subkeys, then those of the boxes.
    #[inline]
    fn replace(&mut self, pair: usize, block: Block) {
        let words = match pair.checked_sub(9) {
            None => &mut self.p[2 * pair..2 * pair + 2],
            Some(pair) => &mut self.s[pair / 128][2 * (pair % 128)..][..2],
        };
        words.copy_from_slice(&block);
    }
}

/// How many pairs of words a cipher has.
const PAIRS: usize = 9 + 4 * 128;

/// Encrypts one block with each cipher. A round depends on the one before, so a single cipher leaves most of a core
/// idle, and the rounds of several fill it.
#[inline]
pub(crate) fn encrypt<const N: usize>(ciphers: &[Cipher; N], blocks: &mut [Block; N]) {
    for round in 0..8 {
        for (cipher, [left, right]) in ciphers.iter().zip(&mut *blocks) {
            *left ^= cipher.p[2 * round];
            *right ^= cipher.f(*left);
        }
        for (cipher, [left, right]) in ciphers.iter().zip(&mut *blocks) {
            *right ^= cipher.p[2 * round + 1];
            *left ^= cipher.f(*right);
        }
    }
    for (cipher, block) in ciphers.iter().zip(blocks) {
        let [left, right] = *block;
        *block = [right ^ cipher.p[17], left ^ cipher.p[16]];
    }
}

/// Mixes a key into each cipher, with a salt.
pub(crate) fn expand_salted<const N: usize>(
    ciphers: &mut [Cipher; N],
    salts: &[Words; N],
    keys: &[Words; N],
) {
    expand_with(ciphers, keys, |pair, blocks| {
        let at = 2 * (pair % SALT_PAIRS);
        for (block, salt) in blocks.iter_mut().zip(salts) {
            block[0] ^= salt[at];
            block[1] ^= salt[at + 1];
        }
    });
}

/// Mixes a key into each cipher.
pub(crate) fn expand<const N: usize>(ciphers: &mut [Cipher; N], keys: &[Words; N]) {
    expand_with(ciphers, keys, |_, _| {});
}

#[inline]
fn expand_with<const N: usize>(
    ciphers: &mut [Cipher; N],
    keys: &[Words; N],
    before: impl Fn(usize, &mut [Block; N]),
) {
    for (cipher, key) in ciphers.iter_mut().zip(keys) {
        cipher.mix_in(key);
    }
    let mut blocks = [Block::default(); N];
    for pair in 0..PAIRS {
        before(pair, &mut blocks);
        encrypt(ciphers, &mut blocks);
        for (cipher, block) in ciphers.iter_mut().zip(&blocks) {
            cipher.replace(pair, *block);
        }
    }
}
