//! The index of full-text search: what is in it, and adding to it.
//!
//! The index is filled behind the log, in transactions of its own: it may hold a message's earlier text until it has
//! come to its edit.

mod elsewhere;

use crate::{
    error::{Error, Result},
    model::{
        Change, ChangeKind, ChatId, Lane, Message, MessageId, PersonId, Position,
        search::{TERMS_VERSION, of_message},
    },
    store::{EngineSql, Store, Tx, failure::failed},
};

/// What changed about messages after a position; other changes have no text.
const NEWER: &str = "select * from ( \
       select n.position as place, n.kind, m.id, m.chat_id, m.sender_id, m.content, m.deleted_at \
       from changes n left join messages m on m.id = n.target_id and n.kind in ('edited', 'deleted') \
       where n.position > $1 and n.position <= $3 order by n.position limit $2) others \
     union all select * from ( \
       select m.id as place, cast('message' as text) as kind, m.id, m.chat_id, m.sender_id, m.content, \
       m.deleted_at from messages m where m.id > $1 and m.id <= $3 order by m.id limit $2) sent \
     order by place limit $2";

/// Messages that were sent before the index was.
const OLDER: &str = "select m.id as place, 'message' as kind, m.id, m.chat_id, m.sender_id, m.content, \
     m.deleted_at from messages m where m.id < $1 and m.id >= $3 order by m.id desc limit $2";

const FORGET: EngineSql = EngineSql {
    sqlite: "delete from message_terms where rowid in (select value from json_each($1))",
    postgres: "delete from message_terms where message_id = any($1)",
};

pub(super) const ADD_SQLITE: &str = "insert into message_terms (rowid, terms) values ($1, $2)";

pub(super) const ADD_POSTGRES: &str = "insert into message_terms (message_id, terms) \
     select n.id, array_to_tsvector(string_to_array(n.terms, ' ')) \
     from unnest($1::bigint[], $2::text[]) as n (id, terms)";

/// What is in the memory of a server may be lost to the log that has taken over.
const PROGRESS: &str = "update search_progress set indexed_to = $1, indexed_from = $2 \
     where id = $5 and indexed_to = $3 and indexed_from = $4 and $1 <= (select head from log where id = 1)";
/// The same for a lane that is not the first.
const PROGRESS_OTHER: &str = "update search_progress set indexed_to = $1, indexed_from = $2 \
     where id = $5 and indexed_to = $3 and indexed_from = $4 and $1 <= (select head from lanes where lane = $5)";

/// The most bytes of text that are added at a time, so that no other write waits for long.
const BATCH_BYTES: usize = 64 << 10;

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// What happened up to here is in it.
    pub to: Position,
    /// It has the messages from this one on; those before are added afterwards.
    pub from: MessageId,
}

/// What the index is to hold of a message.
#[derive(Debug)]
pub struct IndexEntry {
    message: MessageId,
    /// None once it is deleted.
    terms: Option<String>,
    /// Whether the index may hold it already.
    again: bool,
}

/// What is to be added to the index, and how far it has come then.
#[derive(Debug)]
pub struct IndexBatch {
    /// What is added.
    pub entries: Vec<IndexEntry>,
    /// How far the index had come before.
    pub since: IndexProgress,
    /// How far the index has come then.
    pub progress: IndexProgress,
}

impl IndexProgress {
    /// The lane that it is about.
    pub fn lane(&self) -> Lane {
        Lane::of(self.to)
    }

    /// Whether no older message is missing.
    pub fn has_all(&self) -> bool {
        self.from.get() <= self.first()
    }

    /// The first message that the lane may have.
    fn first(&self) -> i64 {
        self.lane().start().get().max(1)
    }
}

impl IndexBatch {
    /// What is to be added of changes that came after what is in the index, without gaps; none where there are none.
    pub fn of<'c>(
        progress: IndexProgress,
        changes: impl IntoIterator<Item = &'c Change>,
    ) -> Option<Self> {
        let (mut bytes, mut to) = (0, None);
        let mut entries = Vec::new();
        for change in changes {
            if bytes >= BATCH_BYTES {
                break;
            }
            to = Some(change.position);
            if let Some(entry) = IndexEntry::of(change) {
                bytes += entry.terms.as_ref().map_or(0, String::len);
                entries.push(entry);
            }
        }
        Some(Self::newer(progress, to?, entries))
    }

    /// What is added of changes, in their order, up to a position.
    fn newer(since: IndexProgress, to: Position, mut entries: Vec<IndexEntry>) -> Self {
        // An older message is added as it is then. One of another lane was written before its tenant moved.
        let lane = since.lane();
        entries.retain(|entry| entry.message >= since.from || entry.lane() != lane);
        entries.sort_by_key(|entry| entry.message);
        // Of several changes of a message the last one has its text.
        entries.dedup_by(|next, kept| {
            let same = next.message == kept.message;
            if same {
                kept.again |= next.again;
                kept.terms = next.terms.take();
            }
            same
        });
        Self {
            entries,
            since,
            progress: IndexProgress { to, ..since },
        }
    }
}

impl IndexEntry {
    /// The lane that the message is in.
    fn lane(&self) -> Lane {
        Lane::of(self.message.into())
    }

    /// None for a change that is about no message's text.
    fn of(change: &Change) -> Option<Self> {
        let (message, again) = match &change.what {
            ChangeKind::Message(message) => (message, false),
            ChangeKind::Edited(message) | ChangeKind::Deleted(message) => (message, true),
            _ => return None,
        };
        let Message {
            id, chat, sender, ..
        } = *message;
        let is_there = message.deleted_at.is_none();
        Some(Self {
            message: id,
            terms: is_there.then(|| of_message(id, (chat, sender), &message.content)),
            again,
        })
    }
}

row! {
    struct IndexRow {
        place: i64,
        kind: String,
        id: Option<i64>,
        chat_id: Option<i64>,
        sender_id: Option<i64>,
        content: Option<String>,
        deleted_at: Option<i64>,
    }
}

impl IndexRow {
    /// None for a change that is about no message.
    fn entry(self) -> Option<IndexEntry> {
        let (id, chat) = (self.id?, ChatId::new(self.chat_id?));
        let sender = PersonId::new(self.sender_id?);
        let text = self.content.filter(|_| self.deleted_at.is_none());
        let message = MessageId::new(id);
        Some(IndexEntry {
            message,
            terms: text.map(|text| of_message(message, (chat, sender), &text)),
            again: self.kind != "message",
        })
    }
}

impl Store {
    /// How far the index of a lane has come.
    pub async fn index_progress(&self, lane: Lane) -> Result<IndexProgress> {
        let (to, from): (i64, i64) = on!(&self.inner.read, pool => {
            sqlx::query_as("select indexed_to, indexed_from from search_progress where id = $1")
                .bind(lane.number())
                .fetch_one(pool)
                .await
        })
        .map_err(failed)?;
        Ok(IndexProgress {
            to: Position::new(to),
            from: MessageId::new(from),
        })
    }

    /// Empties an index that an older version made of other terms.
    pub(super) async fn renew_index(&self) -> Result<()> {
        let version: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar("select version from search_progress where id = 1")
                .fetch_one(pool)
                .await
        })
        .map_err(failed)?;
        if version == TERMS_VERSION {
            return Ok(());
        }
        let renewed = self.write_anyway(|tx| Box::pin(async move { tx.renew_index().await }));
        renewed.await
    }

    /// What happened to messages after what is in the index, at most so many changes.
    pub async fn newer_than_index(
        &self,
        progress: IndexProgress,
        limit: i64,
    ) -> Result<Option<IndexBatch>> {
        let end = progress.lane().end().get();
        let rows = self.index_rows(NEWER, (progress.to.get(), end), limit);
        let rows = rows.await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let to = Position::new(last.place);
        Ok(Some(IndexBatch::newer(progress, to, entries(rows))))
    }

    /// The newest messages before those in the index, at most so many; none when it has all.
    pub async fn older_than_index(
        &self,
        progress: IndexProgress,
        limit: i64,
    ) -> Result<Option<IndexBatch>> {
        let first = progress.first();
        if progress.has_all() {
            return Ok(None);
        }
        let rows = self.index_rows(OLDER, (progress.from.get(), first), limit);
        let rows = rows.await?;
        let from = MessageId::new(rows.last().map_or(first, |row| row.place));
        Ok(Some(IndexBatch {
            entries: entries(rows),
            since: progress,
            progress: IndexProgress { from, ..progress },
        }))
    }

    async fn index_rows(
        &self,
        sql: &'static str,
        (place, bound): (i64, i64),
        limit: i64,
    ) -> Result<Vec<IndexRow>> {
        let mut rows: Vec<IndexRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(sql).bind(place).bind(limit).bind(bound).fetch_all(pool).await
        })
        .map_err(failed)?;
        let mut bytes = 0;
        let fitting = rows.iter().take_while(|row| {
            let fits = bytes < BATCH_BYTES;
            bytes += row.content.as_ref().map_or(0, String::len);
            fits
        });
        let fitting = fitting.count();
        rows.truncate(fitting);
        Ok(rows)
    }
}

/// What is added of changes or messages.
fn entries(rows: Vec<IndexRow>) -> Vec<IndexEntry> {
    rows.into_iter().filter_map(IndexRow::entry).collect()
}

impl Tx {
    /// Adds to the index; refuses when it has come further by now.
    pub async fn index(&mut self, batch: &IndexBatch) -> Result<()> {
        self.note_index(batch).await?;
        let lane = batch.progress.lane();
        let elsewhere = batch.entries.iter().filter(|entry| entry.lane() != lane);
        let elsewhere: Vec<i64> = elsewhere.map(|entry| entry.message.get()).collect();
        let left = self.left_to_their_lanes(elsewhere).await?;
        let is_left = |entry: &&IndexEntry| left.contains(&entry.message.get());
        let entries: Vec<_> = batch.entries.iter().filter(|it| !is_left(it)).collect();
        let again = entries.iter().filter(|entry| entry.again);
        let again: Vec<i64> = again.map(|entry| entry.message.get()).collect();
        if !again.is_empty() {
            let forgotten = self.query(FORGET).bind(again).execute().await;
            forgotten.map_err(failed)?;
        }
        // Another lane may have had later changes of these.
        let is_older = batch.progress.from != batch.since.from;
        let is_shared = !self.is_sqlite();
        let is_stale = |entry: &IndexEntry| is_shared && (entry.again || is_older);
        let stale = entries.iter().filter(|entry| is_stale(entry));
        let stale = stale.map(|entry| entry.message.get()).collect();
        let anew = self.as_they_are(stale).await?;
        let added = entries.into_iter().filter(|entry| !is_stale(entry));
        let added = added
            .chain(&anew)
            .filter_map(|entry| Some((entry.message.get(), entry.terms.as_deref()?)));
        if self.is_sqlite() {
            for (id, terms) in added {
                let added = self.query(ADD_SQLITE).bind(id).bind(terms).execute().await;
                added.map_err(failed)?;
            }
        } else {
            let (ids, texts): (Vec<i64>, Vec<String>) =
                added.map(|(id, terms)| (id, terms.to_owned())).unzip();
            let added = self
                .query(ADD_POSTGRES)
                .bind(ids)
                .bind(texts)
                .execute()
                .await;
            added.map_err(failed)?;
        }
        Ok(())
    }

    /// Notes how far the index has come with a batch, unless somebody else has. Nobody else does until that is committed.
    async fn note_index(&mut self, batch: &IndexBatch) -> Result<()> {
        let (since, progress) = (batch.since, batch.progress);
        let lane = progress.lane();
        let sql = if lane == Lane::FIRST {
            PROGRESS
        } else {
            PROGRESS_OTHER
        };
        let noted = self
            .query(sql)
            .bind(progress.to.get())
            .bind(progress.from.get())
            .bind(since.to.get())
            .bind(since.from.get())
            .bind(lane.number())
            .execute()
            .await;
        if noted.map_err(failed)? == 0 {
            return Err(Error::conflict(
                "another server adds to the index, or has taken over the log",
            ));
        }
        Ok(())
    }

    async fn renew_index(&mut self) -> Result<()> {
        let heads = self.lock_all().await?;
        let emptied = self.query(EngineSql {
            sqlite: "insert into message_terms (message_terms) values ('delete-all')",
            postgres: "truncate message_terms",
        });
        emptied.execute().await.map_err(failed)?;
        for head in heads.iter() {
            let noted = self
                .query(
                    "update search_progress set version = $1, indexed_to = $2, indexed_from = $3 \
                     where id = $4",
                )
                .bind(TERMS_VERSION)
                .bind(head.get())
                .bind(head.get() + 1)
                .bind(Lane::of(head).number())
                .execute()
                .await;
            noted.map_err(failed)?;
        }
        Ok(())
    }
}
