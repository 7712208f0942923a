//! Fencing for who only reads: the log as a look has found it, compared with what is known of it.

use super::{Fence, Place};
use crate::model::{Epoch, Positions};

impl Fence {
    /// What is known now: to be compared with what a look finds that begins after this.
    pub(in crate::store) fn known(&self) -> Option<Place> {
        self.state().known.clone()
    }

    /// Compares the log as a look has found it, which began when it was known so. What is found there may be older
    /// than what is known by now.
    pub(in crate::store) fn observe(&self, before: &Place, epoch: &Epoch, heads: &Positions) {
        let mut state = self.state();
        let Some(now) = &mut state.known else {
            return;
        };
        if now.epoch == *epoch {
            let is_shorter = before.epoch == *epoch && heads.is_before(&before.heads);
            now.heads.raise_all(heads);
            if !is_shorter {
                return;
            }
        } else if before.epoch == *epoch {
            // Another epoch was taken up meanwhile.
            return;
        }
        drop(state);
        self.due.send_replace(true);
    }
}
