//! What tells a poll that somebody on its way sends again from the client's next one.
//!
//! # Why
//! A balancer may send a poll again whose server it has lost. If that server had only passed it on, the session is elsewhere
//! and has answered already: the repeat would be answered with what comes after that, and the client would never know what it
//! has missed. Clients give each poll another `t`, against caches, by which a repeat is known.
//!
//! Where no server passes requests on nobody can lose one while the session stays, and `t` may be what it wants.

use std::hash::{DefaultHasher, Hash, Hasher};

use rocket::Request;

use super::{handshake::query_value, peers::Peers};

/// A poll that has a `t`.
#[derive(Debug, Clone, Copy)]
pub(super) struct PollMark {
    /// A digest of it.
    digest: u64,
    /// Another server has passed the poll on.
    is_passed_on: bool,
}

impl PollMark {
    /// Of a poll at a server that has others.
    pub(super) fn of(request: &Request<'_>, query: &str, peers: &dyn Peers) -> Option<Self> {
        let t = query_value(query, "t")?;
        let mut digest = DefaultHasher::new();
        t.hash(&mut digest);
        Some(Self {
            digest: digest.finish(),
            is_passed_on: peers.has_passed_on(request),
        })
    }

    /// Whether it is the same poll as one that was answered.
    pub(super) fn repeats(self, answered: Self) -> bool {
        self.digest == answered.digest && (self.is_passed_on || answered.is_passed_on)
    }
}

#[cfg(test)]
mod tests {
    use super::PollMark;

    #[test]
    fn a_poll_is_repeated_only_where_a_server_has_passed_it_on() {
        let mark = |digest, is_passed_on| PollMark {
            digest,
            is_passed_on,
        };
        assert!(mark(1, true).repeats(mark(1, true)));
        assert!(mark(1, true).repeats(mark(1, false)));
        assert!(mark(1, false).repeats(mark(1, true)));
        assert!(!mark(1, false).repeats(mark(1, false)));
        assert!(!mark(1, true).repeats(mark(2, true)));
    }
}
