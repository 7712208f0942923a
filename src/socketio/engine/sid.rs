//! The id of a session, a secret that one client shares with the server.

use std::fmt;

/// 120 random bits as 20 characters. A request with this id acts for the client, so it is not shown to
/// others and not logged: its `Debug` form hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid([u8; 20]);

impl Sid {
    /// A new random id.
    pub fn random() -> Self {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = rand::random::<[u8; 20]>();
        Self(bits.map(|byte| LETTERS[usize::from(byte % 64)]))
    }

    /// Reads an id from its text; `None` if the text is not an id.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(text.as_bytes().try_into().ok()?))
    }

    /// The id as text. It is for its client only.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
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
            let letters: HashSet<_> = ids.iter().map(|id| id.0[place]).collect();
            assert!(letters.len() > 50, "{} at {place}", letters.len());
        }
    }
}
