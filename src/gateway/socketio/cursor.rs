//! How far delivery to a connection has come, in each lane that it acts in.

use super::connection::Recovery;
use crate::model::{Lane, PartTold, Position, Positions};

/// The last position of which all frames were sent, in each lane, and which frames were sent of a change of which not
/// all were.
#[derive(Debug, Clone)]
pub(super) struct DeliveryCursor {
    pub(super) after: Positions,
    /// How many of the session's lanes it has.
    pub(super) lanes: usize,
    pub(super) part: Option<PartTold>,
    /// How many signals had been published when they were last looked for.
    pub(super) signals: u64,
}

impl Default for DeliveryCursor {
    fn default() -> Self {
        Self {
            after: Position::START.into(),
            lanes: 0,
            part: None,
            signals: 0,
        }
    }
}

impl DeliveryCursor {
    /// Begins in those of these lanes that it does not have: with what a recovered connection was told, or else where
    /// somebody there begins to receive.
    pub(super) fn follow(&mut self, lanes: &Positions, recovery: Option<&Recovery>) {
        if self.lanes == lanes.lanes() {
            return;
        }
        let is_first = self.lanes == 0;
        let told = recovery.map(Recovery::told);
        let mut after = lanes.clone();
        for (lane, from) in lanes.entries() {
            let known = if is_first {
                told.as_ref().and_then(|told| told.positions.of(lane))
            } else {
                self.after.of(lane)
            };
            after.raise_in(lane, known.unwrap_or(from));
        }
        if let Some(recovery) = recovery {
            recovery.follow(&after);
        }
        if is_first {
            self.part = told.and_then(|told| told.part);
        }
        self.lanes = after.lanes();
        self.after = after;
    }

    /// The number of the lane to begin with: where not all frames of a change were sent, for an offset has room for one
    /// such change.
    pub(super) fn first(&self) -> usize {
        let lane = self.part.map(|part| Lane::of(part.position));
        let mut lanes = self.after.entries().map(|(lane, _)| lane);
        let place = lane.and_then(|lane| lanes.position(|of| of == lane));
        place.unwrap_or_default()
    }

    /// The lane so many places after that number, and the position there.
    pub(super) fn after_first(&self, first: usize, places: usize) -> Option<(Lane, Position)> {
        self.after.nth((first + places) % self.lanes.max(1))
    }
}
