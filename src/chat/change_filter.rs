//! Which kinds of change, and of signal, a caller wants to be told.

use crate::model::{ChangeKind, SignalKind};

/// Which kinds of change a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeFilter(u16);

impl ChangeFilter {
    /// All kinds.
    pub const ALL: Self = Self(u16::MAX);
    /// The words for the kinds, in the order of the bits.
    pub const WORDS: [&'static str; 9] = [
        "message", "edited", "deleted", "reaction", "chat", "member", "read", "settings", "person",
    ];
    /// The words for what is told to who listens just now, and never logged.
    pub const SIGNALS: [&'static str; 2] = ["typing", "presence"];
    /// The bit of presence.
    const PRESENCE: usize = Self::WORDS.len() + 1;

    /// The kinds that these words name; none when one of them names no kind.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        words.into_iter().try_fold(Self(0), |filter, word| {
            let mut words = Self::WORDS.iter().chain(&Self::SIGNALS);
            let bit = words.position(|known| *known == word)?;
            Some(Self(filter.0 | 1 << bit))
        })
    }

    /// The same without presence.
    #[must_use]
    pub fn without_presence(self) -> Self {
        Self(self.0 & !(1 << Self::PRESENCE))
    }

    pub(super) fn wants_presence(self) -> bool {
        self.0 & 1 << Self::PRESENCE != 0
    }

    pub(super) fn matches_signal(self, kind: &SignalKind) -> bool {
        let bit = match kind {
            SignalKind::Typing(_) => Self::WORDS.len(),
            SignalKind::Presence(_) => Self::PRESENCE,
        };
        self.0 & 1 << bit != 0
    }

    pub(super) fn matches(self, what: &ChangeKind) -> bool {
        let bit = match what {
            ChangeKind::Message(_) => 0,
            ChangeKind::Edited(_) => 1,
            ChangeKind::Deleted(_) => 2,
            ChangeKind::Reaction(_) => 3,
            ChangeKind::Chat(_) | ChangeKind::Conversation(..) => 4,
            ChangeKind::Joined(_) | ChangeKind::Role(_) | ChangeKind::Left => 5,
            ChangeKind::Read(_) => 6,
            ChangeKind::Settings(_) => 7,
            ChangeKind::Person(_) => 8,
        };
        self.0 & 1 << bit != 0
    }
}
