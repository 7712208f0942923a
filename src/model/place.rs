//! Places: where sockets are in the lanes of the log, as clients see it.

use std::{fmt, str::FromStr};

use crate::model::{
    cursor::{Cursor, Epoch, NotACursor, checked_epoch},
    ids::Position,
    lane::{Lane, Positions},
};

/// The version of the text of several positions.
const SEVERAL: &str = "2";
/// The version of the text of positions, and of how much was told of the next change after one of them.
const IN_PART: &str = "3";
/// In how many lanes a socket may be for its place to have room in a cursor: the longest has 63 characters.
pub const MOST_LANES: usize = 4;
/// How many frames of a change are counted: two digits.
const MOST_FRAMES: u16 = 36 * 36 - 1;
/// The largest position, which is an integer that JavaScript holds exactly.
const LARGEST: i64 = (1 << 53) - 1;
/// Of the numbers of several positions.
const RADIX: u32 = 36;

/// A change that was told in part: not all of its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartTold {
    /// Its position.
    pub position: Position,
    /// The number of the dialect of the frame that was told last. Those of dialects before it were told, if they were to be.
    dialect: u8,
    /// How many frames of that dialect were told.
    frames: u16,
}

impl PartTold {
    /// The change at a position, of which so many frames of a dialect were told, by the dialect's number.
    pub fn new(position: Position, dialect: u8, frames: usize) -> Self {
        let frames = u16::try_from(frames).unwrap_or(MOST_FRAMES);
        Self {
            position,
            dialect,
            // Those beyond are told again.
            frames: frames.min(MOST_FRAMES),
        }
    }

    /// Whether a frame of a dialect was told, or was not to be: the one of this index, from 0 on.
    pub fn has_told(self, dialect: u8, index: usize) -> bool {
        dialect < self.dialect || (dialect == self.dialect && index < usize::from(self.frames))
    }
}

/// Where a socket is: an epoch, and a position for each lane that it acts in. One is written as a cursor is, several as
/// `2.<epoch>.<position>-<position>…` in base 36. Where the change after one of them was told in part, they are written as
/// `3.<epoch>.<position>-<position>….<part>`: at which of the positions, the dialect, and how many frames of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The epoch that the positions belong to.
    pub epoch: Epoch,
    /// The positions.
    pub positions: Positions,
    /// The change after one of them, if it was told in part.
    pub part: Option<PartTold>,
}

impl Place {
    /// The change that was told in part, and after which of the positions it comes.
    fn named_part(&self) -> Option<(usize, PartTold)> {
        let part = self.part?;
        let mut positions = self.positions.iter();
        let at = positions.position(|position| position.plus(1) == part.position)?;
        Some((at, part))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.named_part();
        if part.is_none() && self.positions.lanes() == 1 {
            let position = self.positions.first();
            let epoch = self.epoch.clone();
            return write!(f, "{}", Cursor { epoch, position });
        }
        let version = if part.is_some() { IN_PART } else { SEVERAL };
        write!(f, "{version}.{}", self.epoch.as_str())?;
        for (index, position) in self.positions.iter().enumerate() {
            f.write_str(if index == 0 { "." } else { "-" })?;
            f.write_str(&in_base_36(position.get()))?;
        }
        if let Some((at, part)) = part {
            let at = i64::try_from(at).unwrap_or_default();
            let numbers = [at, part.dialect.into(), part.frames.into()];
            write!(f, ".{}", numbers.map(in_base_36).concat())?;
        }
        Ok(())
    }
}

fn in_base_36(number: i64) -> String {
    let mut rest = u64::try_from(number).unwrap_or_default();
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
        let (version, rest) = text.split_once('.').ok_or(NotACursor)?;
        if ![SEVERAL, IN_PART].contains(&version) {
            let Cursor { epoch, position } = text.parse()?;
            return Ok(Self {
                epoch,
                positions: position.into(),
                part: None,
            });
        }
        let (epoch, rest) = rest.split_once('.').ok_or(NotACursor)?;
        let epoch = checked_epoch(epoch)?;
        if version == SEVERAL {
            return Ok(Self {
                epoch,
                positions: several(rest, 2)?,
                part: None,
            });
        }
        let (positions, part) = rest.split_once('.').ok_or(NotACursor)?;
        let positions = several(positions, 1)?;
        let part = Some(told_in_part(part, &positions)?);
        Ok(Self {
            epoch,
            positions,
            part,
        })
    }
}

/// At least so many positions, ascending and each of another lane.
fn several(text: &str, least: usize) -> Result<Positions, NotACursor> {
    let mut read: Option<Positions> = None;
    for number in text.split('-') {
        let position = Position::new(from_base_36(number)?);
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
    let read = read.filter(|read| (least..=MOST_LANES).contains(&read.lanes()));
    read.ok_or(NotACursor)
}

/// The change after one of the positions, that was told in part.
fn told_in_part(part: &str, positions: &Positions) -> Result<PartTold, NotACursor> {
    let digit = |index: usize| part.get(index..=index).ok_or(NotACursor);
    let at = usize::try_from(from_base_36(digit(0)?)?).map_err(|_| NotACursor)?;
    let dialect = u8::try_from(from_base_36(digit(1)?)?).map_err(|_| NotACursor)?;
    let frames = u16::try_from(from_base_36(part.get(2..).ok_or(NotACursor)?)?);
    let frames = frames.ok().filter(|it| (1..=MOST_FRAMES).contains(it));
    let (lane, after) = positions.nth(at).ok_or(NotACursor)?;
    let position = after.plus(1);
    if Lane::of(position) != lane || position.get() > LARGEST {
        return Err(NotACursor);
    }
    Ok(PartTold {
        position,
        dialect,
        frames: frames.ok_or(NotACursor)?,
    })
}

/// A number as [`in_base_36`] writes it.
fn from_base_36(number: &str) -> Result<i64, NotACursor> {
    let sound = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    let canonical = number == "0" || !number.starts_with('0');
    let value = i64::from_str_radix(number, RADIX).ok();
    let value = value.filter(|value| sound && canonical && *value <= LARGEST);
    value.ok_or(NotACursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_socket_survives_its_own_text() {
        let end = |lane: i64| Lane::new(lane).expect("a lane").end();
        let mut positions = Positions::from(Position::new(981));
        let place = |positions: &Positions| Place {
            epoch: Epoch::new("k3v9k3v9".into()),
            positions: positions.clone(),
            part: None,
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
    fn a_change_that_was_told_in_part_has_room_in_a_place() {
        let end = |lane: i64| Lane::new(lane).expect("a lane").end();
        let part = |after: Position, frames| Some(PartTold::new(after.plus(1), 7, frames));
        let mut place = Place {
            epoch: Epoch::new("k3v9k3v9".into()),
            positions: Position::new(981).into(),
            part: part(Position::new(981), 1),
        };
        assert_eq!(place.to_string(), "3.k3v9k3v9.r9.071");
        assert_eq!(place.to_string().parse(), Ok(place.clone()));
        // By HTTP all of the change is told.
        let cursor = Cursor {
            epoch: place.epoch.clone(),
            position: Position::new(981),
        };
        assert_eq!(place.to_string().parse(), Ok(cursor));

        for lane in [254, 255, 256] {
            place.positions.raise(end(lane).plus(-1));
        }
        place.part = part(end(256).plus(-1), usize::MAX);
        let text = place.to_string();
        assert!(text.ends_with("37zz") && text.len() <= 64, "{text}");
        assert_eq!(text.parse(), Ok(place.clone()));
        assert_eq!(text.parse::<Cursor>(), Err(NotACursor));

        // Another change than the next one is not named.
        place.part = part(Position::new(982), 1);
        assert!(place.to_string().starts_with("2.k3v9k3v9.r9-"));
        for text in [
            "3.k3v9.r9.",
            "3.k3v9.r9.0",
            "3.k3v9.r9.07",
            "3.k3v9.r9.070",
            "3.k3v9.r9.0701",
            "3.k3v9.r9.07zzz",
            "3.k3v9.r9.171",
            "3.k3v9.r9.0-1",
            "3.k3v9.r9.0é1",
            "3.k3v9.r9.071.1",
            "3.k3v9..071",
            "3.k3v9.2gosa7pa2gv.071",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NotACursor), "{text:?}");
        }
    }

    #[test]
    fn what_was_told_of_a_change_goes_by_dialects_and_frames() {
        let part = PartTold::new(Position::new(1), 1, 2);
        assert!(part.has_told(0, 0) && part.has_told(0, 9));
        assert!(part.has_told(1, 0) && part.has_told(1, 1));
        assert!(!part.has_told(1, 2) && !part.has_told(2, 0));
    }
}
