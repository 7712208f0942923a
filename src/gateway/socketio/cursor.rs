//! How far delivery to a connection has come, in each lane that it acts in.

use super::connection::Recovery;
use crate::model::{Position, Positions};

/// The last position of which all frames were sent, in each lane, and how many frames were sent of a change of which not
/// all were.
#[derive(Debug, Clone)]
pub(super) struct DeliveryCursor {
    pub(super) after: Positions,
    /// How many of the session's lanes it has.
    pub(super) lanes: usize,
    pub(super) begun: Option<(Position, usize)>,
    /// How many signals had been published when they were last looked for.
    pub(super) signals: u64,
}

impl Default for DeliveryCursor {
    fn default() -> Self {
        Self {
            after: Position::START.into(),
            lanes: 0,
            begun: None,
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
        let delivered = recovery.map(Recovery::delivered);
        let mut after = lanes.clone();
        for (lane, from) in lanes.entries() {
            let known = if is_first {
                delivered.as_ref().and_then(|delivered| delivered.of(lane))
            } else {
                self.after.of(lane)
            };
            after.raise_in(lane, known.unwrap_or(from));
        }
        if let Some(recovery) = recovery {
            recovery.follow(&after);
        }
        self.lanes = after.lanes();
        self.after = after;
    }
}
