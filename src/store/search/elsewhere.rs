//! Adding to the index what was changed in another lane than where it was said, because its tenant has moved meanwhile.
//!
//! # Why
//! Each lane has its own progress. Messages are added by the lane that they were said in, and their edits by the lane that
//! these are in: so several servers may be about to add one message, some of them as it was before. Who adds a message that was changed
//! holds the progress of the lane where it was said, and adds it as it is then: who comes last knows of the last change.

use super::{IndexEntry, IndexRow, entries};
use crate::{
    error::{Error, Result},
    store::{EngineSql, Tx, failure::failed},
};

/// Messages of other lanes that are not in these lanes' indexes, and whether they are too new for that. These indexes go no
/// further meanwhile, and nobody else adds messages of theirs; everybody locks several from the last to the first. There are several lanes on PostgreSQL alone.
const OF_OTHER_LANES: EngineSql = EngineSql {
    sqlite: "select value, 0 from json_each($1) where 1 = 0",
    postgres: "with p as (select id, indexed_to, indexed_from from search_progress \
                 where id in (select n.id / 35184372088832 + 1 from unnest($1::bigint[]) as n (id)) order by id desc for update) \
               select n.id, cast(case when n.id > p.indexed_to then 1 else 0 end as bigint) \
               from unnest($1::bigint[]) as n (id) join p on p.id = n.id / 35184372088832 + 1 \
               where n.id > p.indexed_to or n.id < p.indexed_from",
};

/// Messages as they are now.
const AS_THEY_ARE: &str = "select m.id as place, cast('message' as text) as kind, m.id, m.chat_id, m.sender_id, m.content, m.deleted_at \
     from messages m where m.id = any($1)";

impl Tx {
    /// What the index is to hold of messages as they are now.
    pub(super) async fn as_they_are(&mut self, messages: Vec<i64>) -> Result<Vec<IndexEntry>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<IndexRow> = self
            .query(AS_THEY_ARE)
            .bind(messages)
            .fetch_all()
            .await
            .map_err(failed)?;
        Ok(entries(rows))
    }

    /// Of messages of other lanes, which were changed since their tenant moved, those that their lanes' indexes will add
    /// as they are then. Refuses while one of these has yet to come so far: it might add one as it was.
    pub(super) async fn left_to_their_lanes(&mut self, messages: Vec<i64>) -> Result<Vec<i64>> {
        if messages.is_empty() {
            return Ok(messages);
        }
        let rows: Vec<(i64, i64)> = self
            .query(OF_OTHER_LANES)
            .bind(messages)
            .fetch_all()
            .await
            .map_err(failed)?;
        if rows.iter().any(|(_, is_missing)| *is_missing == 1) {
            return Err(Error::conflict(
                "another lane's index has yet to come to a message that was changed",
            ));
        }
        Ok(rows.into_iter().map(|(message, _)| message).collect())
    }
}
