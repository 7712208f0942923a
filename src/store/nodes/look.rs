//! A look at what other servers wrote: where the log ends, and what has ended since the look before.

use std::collections::HashSet;

use super::{STATEMENT_TIMEOUT, answered};
use crate::{
    error::{Error, Result},
    model::{Ending, Epoch, PersonId},
    store::{
        LaneHead, Store, Tx, failed,
        lanes::{heads, lane_head},
    },
};

/// One statement, so one moment: what was committed before it is seen, and the transactions that were under way are
/// known by the oldest of them. What has ended comes with the first lane.
const LOOK: &str = "select l.lane, l.head, l.epoch, l.moves, \
       txid_snapshot_xmin(txid_current_snapshot()) as oldest, e.id, e.kind, e.target_id \
     from (select cast(1 as bigint) as lane, head, epoch, moves from log where id = 1 \
       union all select lane, head, epoch, moves from lanes) l \
     left join endings e on l.lane = 1 and e.xact >= $1 order by l.lane";

/// The end of a person, whose logins are told one by one.
const END_PERSON: &str = "insert into endings (kind, target_id) values ('person', $1)";

row! {
    struct LookRow {
        lane: i64,
        head: i64,
        epoch: String,
        moves: i64,
        oldest: i64,
        id: Option<i64>,
        kind: Option<String>,
        target_id: Option<i64>,
    }
}

/// What was seen so far of what has ended.
#[derive(Debug, Default)]
pub struct Seen {
    /// No transaction before this one was under way at the last look; none: nobody has looked.
    oldest: Option<i64>,
    /// What the last look saw of transactions since.
    known: HashSet<i64>,
}

/// What a look has found.
#[derive(Debug)]
pub struct Look {
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The lanes, in the order of their numbers.
    pub lanes: Vec<LaneHead>,
    /// What has ended since the look before; nothing at the first one.
    pub endings: Vec<Ending>,
}

impl Seen {
    /// Whether nobody has looked.
    pub fn is_nothing(&self) -> bool {
        self.oldest.is_none()
    }

    fn take(&mut self, rows: &[LookRow]) -> Vec<Ending> {
        let seen = rows.iter().filter_map(|row| row.id);
        let before = std::mem::replace(&mut self.known, seen.collect());
        self.oldest = rows.first().map(|row| row.oldest).or(self.oldest);
        let new = rows
            .iter()
            .filter(|row| row.id.is_some_and(|id| !before.contains(&id)));
        new.filter_map(|row| Ending::from_stored(row.kind.as_deref()?, row.target_id?))
            .collect()
    }
}

impl Store {
    /// Looks at what others wrote. What the log is found to be is compared with what is known of it, as before a batch.
    pub async fn look(&self, seen: &mut Seen) -> Result<Look> {
        let nodes = self.shared()?;
        let before = self.fence().and_then(|fence| fence.known());
        let mut connection = nodes.connection().await?;
        let asked = sqlx::query_as(LOOK).bind(seen.oldest.unwrap_or(i64::MAX));
        let asked = tokio::time::timeout(STATEMENT_TIMEOUT, asked.fetch_all(&mut *connection));
        let rows: Vec<LookRow> = answered(asked.await, connection)?;
        let missing = || Error::internal("the log has no row");
        let first = rows.first().ok_or_else(missing)?;
        let epoch = Epoch::new(first.epoch.clone());
        let mut lanes = Vec::new();
        for row in &rows {
            let found = lane_head(row.lane, row.head, row.moves)?;
            if lanes.last() != Some(&found) {
                lanes.push(found);
            }
        }
        if let (Some(fence), Some(before)) = (self.fence(), before) {
            fence.observe(&before, &epoch, &heads(&lanes));
        }
        Ok(Look {
            epoch,
            lanes,
            endings: seen.take(&rows),
        })
    }
}

impl Tx {
    /// Tells other servers that a person is gone, or may not sign in. On SQLite there are none.
    pub async fn end_person(&mut self, person: PersonId) -> Result<()> {
        if self.is_sqlite() {
            return Ok(());
        }
        self.note_news();
        let told = self.query(END_PERSON).bind(person.get()).execute();
        told.await.map(drop).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LoginId;

    fn rows(oldest: i64, endings: &[i64]) -> Vec<LookRow> {
        let row = |id: Option<i64>| LookRow {
            lane: 1,
            moves: 0,
            head: 1,
            epoch: "a".to_owned(),
            oldest,
            id,
            kind: id.map(|_| "login".to_owned()),
            target_id: id,
        };
        if endings.is_empty() {
            return vec![row(None)];
        }
        endings.iter().map(|id| row(Some(*id))).collect()
    }

    fn logins(ids: &[i64]) -> Vec<Ending> {
        let ids = ids.iter().copied();
        ids.map(|id| Ending::Login(LoginId::new(id))).collect()
    }

    #[test]
    fn what_is_seen_again_while_an_older_transaction_is_under_way_is_told_once() {
        let mut seen = Seen::default();
        assert!(seen.is_nothing());
        assert_eq!(seen.take(&rows(10, &[])), []);
        assert!(!seen.is_nothing());
        // The transaction 10 goes on, and so the others are seen again.
        assert_eq!(seen.take(&rows(10, &[3, 5])), logins(&[3, 5]));
        assert_eq!(seen.take(&rows(10, &[3, 5, 4])), logins(&[4]));
        assert_eq!(seen.take(&rows(14, &[3, 5, 4])), []);
        assert_eq!(seen.oldest, Some(14));
        assert_eq!(seen.take(&rows(15, &[6])), logins(&[6]));
        assert_eq!(seen.known.len(), 1, "it does not grow");
    }

    #[test]
    fn an_ending_of_a_kind_that_is_not_known_is_passed_over() {
        let mut seen = Seen::default();
        let mut rows = rows(10, &[1, 2]);
        rows[0].kind = Some("other".to_owned());
        assert_eq!(seen.take(&rows), logins(&[2]));
    }
}
