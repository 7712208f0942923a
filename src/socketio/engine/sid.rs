//! The id of a session, a secret that one client shares with the server.

use std::fmt;

/// How many of its characters are random.
const RANDOM: usize = 20;

/// 120 random bits as 20 characters, behind a prefix that says whose session it is where there are several servers. A
/// request with this id acts for the client, so it is not shown to others and not logged: its `Debug` form hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid {
    length: u8,
    /// The rest is zero.
    text: [u8; RANDOM + Sid::MAX_PREFIX],
}

impl Sid {
    /// The most characters of a prefix.
    pub const MAX_PREFIX: usize = 12;

    /// A new random id.
    pub fn random() -> Self {
        Self::with_prefix("")
    }

    /// A new random id behind a prefix, of which the first [`Sid::MAX_PREFIX`] letters and digits count.
    pub fn with_prefix(prefix: &str) -> Self {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let prefix = prefix.bytes().filter(u8::is_ascii_alphanumeric);
        let bits = rand::random::<[u8; RANDOM]>();
        let random = bits.map(|byte| LETTERS[usize::from(byte % 64)]);
        Self::of(prefix.take(Self::MAX_PREFIX).chain(random))
    }

    /// The id of these characters, of which there is room for all.
    fn of(characters: impl Iterator<Item = u8>) -> Self {
        let (mut text, mut length) = ([0; RANDOM + Self::MAX_PREFIX], 0);
        for (place, character) in text.iter_mut().zip(characters) {
            *place = character;
            length += 1;
        }
        Self { length, text }
    }

    /// Reads an id from its text; `None` if the text is not an id.
    pub fn parse(text: &str) -> Option<Self> {
        let may_be = (RANDOM..=RANDOM + Self::MAX_PREFIX).contains(&text.len());
        may_be.then(|| Self::of(text.bytes()))
    }

    /// The id as text. It is for its client only.
    pub fn as_str(&self) -> &str {
        let text = &self.text[..usize::from(self.length)];
        str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(secret)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_is_not_told_by_debug() {
        let sid = Sid::random();
        assert!(!format!("{sid:?}").contains(sid.as_str()));
        assert_eq!(Sid::parse(sid.as_str()), Some(sid));
        assert_eq!(Sid::parse("short"), None);
    }

    #[test]
    fn every_place_of_an_id_is_drawn() {
        let ids: HashSet<_> = (0..1000).map(|_| Sid::random()).collect();
        assert_eq!(ids.len(), 1000);
        for place in 0..20 {
            let letters: HashSet<_> = ids.iter().map(|id| id.text[place]).collect();
            assert!(letters.len() > 50, "{} at {place}", letters.len());
        }
    }

    #[test]
    fn a_prefix_comes_before_what_is_random() {
        for (prefix, kept) in [
            ("", ""),
            ("aB3", "aB3"),
            ("a-?&b", "ab"),
            ("0123456789abcdef", "0123456789ab"),
        ] {
            let sid = Sid::with_prefix(prefix);
            assert_eq!(sid.as_str().len(), kept.len() + 20);
            assert!(sid.as_str().starts_with(kept), "{prefix}");
            assert_eq!(Sid::parse(sid.as_str()), Some(sid));
            assert_ne!(Sid::with_prefix(prefix), sid);
        }
        assert_eq!(Sid::parse(&"a".repeat(19)), None);
        assert_eq!(Sid::parse(&"a".repeat(33)), None);
    }
}
