//! Locking a lane, with what is compared then.

use std::sync::Arc;

use super::LockRow;
use crate::{
    error::Result,
    model::Lane,
    store::{
        batch::Locked,
        failure::{bounded, failed, lane_not_locked},
        transaction::Transaction,
    },
};

/// Locks a lane. The timeline is the number by which PostgreSQL counts promotions. The functions need no rights, but not
/// every service that speaks PostgreSQL's protocol has them.
macro_rules! lock {
    ($row:literal) => {
        concat!(
            "select head, epoch, moves, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as timeline from ",
            $row,
            " for update"
        )
    };
    ($row:literal, without timeline) => {
        concat!("select head, epoch, moves, cast(null as text) as timeline from ", $row, " for update")
    };
}

const LOCK: &str = lock!("log where id = 1");
pub(in crate::store) const LOCK_WITHOUT_TIMELINE: &str =
    lock!("log where id = 1", without timeline);
const LOCK_OTHER: &str = lock!("lanes where lane = $1");
const LOCK_OTHER_WITHOUT_TIMELINE: &str = lock!("lanes where lane = $1", without timeline);

impl Transaction {
    /// Locks a lane, compares it with what is known, and returns its head.
    pub(in crate::store) async fn lock_log(&mut self, lane: Lane) -> Result<Locked> {
        let fence = Arc::clone(self.fence());
        let before = fence.heads();
        let row = if lane == Lane::FIRST {
            let sql = if fence.has_timeline() {
                LOCK
            } else {
                LOCK_WITHOUT_TIMELINE
            };
            bounded(sqlx::query_as::<_, LockRow>(sql).fetch_one(&mut **self)).await
        } else {
            let sql = if fence.has_timeline() {
                LOCK_OTHER
            } else {
                LOCK_OTHER_WITHOUT_TIMELINE
            };
            let asked = sqlx::query_as::<_, LockRow>(sql).bind(lane.number());
            bounded(asked.fetch_one(&mut **self)).await
        };
        let row = match row {
            Err(error) if fence.heads().lanes() > 1 => Err(lane_not_locked(error)),
            row => row.map_err(failed),
        };
        fence.admit(row?, &before)
    }
}
