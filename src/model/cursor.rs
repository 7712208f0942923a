//! Cursors: positions as clients see them.

use std::{fmt, str::FromStr, sync::Arc};

use crate::model::{
    ids::Position,
    lane::Positions,
    place::{PartTold, Place},
};

/// The version of the cursor's text.
const VERSION: &str = "1";

/// The epoch of the log that a position belongs to: 8 random letters and digits, new after a restore or a
/// failover that may have lost changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// Takes the epoch that the store keeps.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The epoch's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An epoch and a position, written as `1.<epoch>.<position>`: opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch that the position belongs to.
    pub epoch: Epoch,
    /// The position up to which all changes have been seen.
    pub position: Position,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.{}", self.epoch.0, self.position)
    }
}

/// The epoch in which somebody began to listen, and which one that was of those that this process has seen.
#[derive(Debug, Clone)]
pub struct EpochMark {
    /// The epoch.
    pub epoch: Epoch,
    /// Its number in this process.
    pub number: u64,
}

impl EpochMark {
    /// The cursor of a position of that epoch.
    pub fn cursor_at(&self, position: Position) -> Cursor {
        Cursor {
            epoch: self.epoch.clone(),
            position,
        }
    }

    /// The same of a position for each lane, and of a change that was told in part.
    pub fn place_at(&self, positions: Positions, part: Option<PartTold>) -> Place {
        Place {
            epoch: self.epoch.clone(),
            positions,
            part,
        }
    }
}

/// An epoch from outside.
pub(super) fn checked_epoch(epoch: &str) -> Result<Epoch, NotACursor> {
    let sound = (1..=32).contains(&epoch.len())
        && epoch
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    sound.then(|| Epoch(epoch.into())).ok_or(NotACursor)
}

/// The error for text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        if text.starts_with("3.") {
            // An offset of a socket: a change that was told there in part is told once more.
            let Place {
                epoch, positions, ..
            } = text.parse()?;
            let position = positions.first();
            let is_one = positions.lanes() == 1;
            return is_one.then_some(Self { epoch, position }).ok_or(NotACursor);
        }
        let mut parts = text.split('.');
        let (Some(VERSION), Some(epoch), Some(position), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotACursor);
        };
        let epoch = checked_epoch(epoch)?;
        if position != "0" && position.starts_with('0') {
            return Err(NotACursor);
        }
        let position = position.parse().map_err(|_| NotACursor)?;
        Ok(Self { epoch, position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_own_text() {
        let cursor = Cursor {
            epoch: Epoch::new("k3v9".into()),
            position: Position::new(981),
        };
        assert_eq!(cursor.to_string(), "1.k3v9.981");
        assert_eq!("1.k3v9.981".parse(), Ok(cursor));
    }

    #[test]
    fn foreign_text_is_no_cursor() {
        for text in [
            "",
            "1",
            "1.k3v9",
            "2.k3v9.981",
            "1..981",
            "1.K.1",
            "1.k.-1",
            "1.k.01",
            "1.k.1.",
            "1.k. 1",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text:?}");
        }
    }
}
