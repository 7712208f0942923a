//! Cursors: positions as clients see them.

use std::{fmt, str::FromStr, sync::Arc};

use crate::model::{
    ids::Position,
    lane::{Lane, Positions},
};

/// The version of the cursor's text.
const VERSION: &str = "1";
/// The version of the text of several positions.
const SEVERAL: &str = "2";
/// In how many lanes a socket may be for its place to have room in a cursor: the longest has 58 characters.
pub const MOST_LANES: usize = 4;
/// The largest position, which is an integer that JavaScript holds exactly.
const LARGEST: i64 = (1 << 53) - 1;
/// Of the numbers of several positions.
const RADIX: u32 = 36;

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

    /// The same of a position for each lane.
    pub fn place_at(&self, positions: Positions) -> Place {
        Place {
            epoch: self.epoch.clone(),
            positions,
        }
    }
}

/// Where a socket is: an epoch, and a position for each lane that it acts in. One is written as a cursor is, several as
/// `2.<epoch>.<position>-<position>…` in base 36.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The epoch that the positions belong to.
    pub epoch: Epoch,
    /// The positions.
    pub positions: Positions,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.positions.lanes() == 1 {
            let position = self.positions.first();
            return write!(f, "{VERSION}.{}.{position}", self.epoch.0);
        }
        write!(f, "{SEVERAL}.{}", self.epoch.0)?;
        for (index, position) in self.positions.iter().enumerate() {
            f.write_str(if index == 0 { "." } else { "-" })?;
            f.write_str(&in_base_36(position))?;
        }
        Ok(())
    }
}

fn in_base_36(position: Position) -> String {
    let mut rest = u64::try_from(position.get()).unwrap_or_default();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(RADIX)).unwrap_or_default();
        digits.push(char::from_digit(digit, RADIX).unwrap_or('0'));
        rest /= u64::from(RADIX);
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

impl FromStr for Place {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let Some(rest) = text.strip_prefix("2.") else {
            let Cursor { epoch, position } = text.parse()?;
            let positions = position.into();
            return Ok(Self { epoch, positions });
        };
        let (epoch, positions) = rest.split_once('.').ok_or(NotACursor)?;
        let mut read: Option<Positions> = None;
        for number in positions.split('-') {
            let sound = number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
            let canonical = number == "0" || !number.starts_with('0');
            let value = i64::from_str_radix(number, RADIX).ok();
            let value = value.filter(|value| sound && canonical && *value <= LARGEST);
            let position = Position::new(value.ok_or(NotACursor)?);
            match &mut read {
                None => read = Some(position.into()),
                Some(read) => {
                    let is_next = read.iter().next_back().is_some_and(|last| last < position);
                    if !is_next || read.of(Lane::of(position)).is_some() {
                        return Err(NotACursor);
                    }
                    read.raise(position);
                }
            }
        }
        let positions = read.filter(|read| (2..=MOST_LANES).contains(&read.lanes()));
        Ok(Self {
            epoch: checked_epoch(epoch)?,
            positions: positions.ok_or(NotACursor)?,
        })
    }
}

/// An epoch from outside.
fn checked_epoch(epoch: &str) -> Result<Epoch, NotACursor> {
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
    fn the_place_of_a_socket_survives_its_own_text() {
        let end = |lane: i64| Lane::new(lane).expect("a lane").end();
        let mut positions = Positions::from(Position::new(981));
        let place = |positions: &Positions| Place {
            epoch: Epoch::new("k3v9k3v9".into()),
            positions: positions.clone(),
        };
        assert_eq!(place(&positions).to_string(), "1.k3v9k3v9.981");
        for lane in [2, 16, 256] {
            assert_eq!(place(&positions).to_string().parse(), Ok(place(&positions)));
            positions.raise(end(lane));
        }
        let text = place(&positions).to_string();
        assert_eq!(text.parse(), Ok(place(&positions)));
        assert!(
            text.starts_with("2.k3v9k3v9.r9-") && text.len() <= 64,
            "{text}"
        );
        positions.raise(end(17));
        assert_eq!(
            place(&positions).to_string().parse::<Place>(),
            Err(NotACursor)
        );
        for text in [
            "",
            "2",
            "2.k3v9",
            "2.k3v9.",
            "2.k3v9.r9",
            "2.k3v9.r9-",
            "2.k3v9.r9-ra",
            "2.k3v9.2gosa7pa2gv-r9",
            "2.k3v9.0r9-2gosa7pa2gv",
            "2.k3v9.R9-2gosa7pa2gv",
            "2.k3v9.+9-2gosa7pa2gv",
            "2.k3v9.r9-zzzzzzzzzzz",
            "2.k3v9.r9-zzzzzzzzzzzzzzzzzzzz",
            "2.K.r9-2gosa7pa2gv",
            "3.k3v9.981",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NotACursor), "{text:?}");
        }
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
