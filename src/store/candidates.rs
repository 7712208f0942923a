//! Asking the index of full-text search.
//!
//! What it answers are candidates, whose texts decide.

use sqlx::types::Json;

use crate::{
    error::Result,
    model::{
        ChatId, Lane, MessageId, Person, Position, Timestamp,
        search::{IndexRange, TermSets},
    },
    store::{
        Either, EngineSql, Store,
        failure::{bounded, failed},
    },
};

/// The most that PostgreSQL is to sort: of the smallest range more than it can have, of larger ones as much as is looked up
/// in no long time.
const MOST_SORTED: i64 = IndexRange::SMALLEST + 1;
const MOST_SORTED_OF_LARGER: i64 = 513;

const CANDIDATES: EngineSql = EngineSql {
    sqlite: "select rowid, 0 from message_terms where message_terms match $1 \
             and rowid < $2 and rowid >= $3 order by rowid desc limit $4",
    // By its terms alone, and not by reading everything in the order of ids. The range and the sets are conditions of
    // their own: between those the index leaps from what one has to what the next one has, and within one it does so
    // only by how common a term is on the whole. What is asked for comes from subqueries, so that the plan is never one for what
    // statistics say of it.
    postgres: "select message_id, count(*) over () from (select message_id from \
               (select message_id from message_terms \
               where terms @@ cast((select cast($1 as text)) as tsquery) \
               and terms @@ cast((select cast($2 as text)) as tsquery) \
               and terms @@ cast((select cast($3 as text)) as tsquery) offset 0) found \
               where message_id < $4 and message_id >= $5 limit $6) found \
               order by message_id desc limit $7",
};

/// How many of each of several questions the index has, up to a limit. SQLite then looks no further; PostgreSQL has found
/// all of them by then.
const COUNTS: EngineSql = EngineSql {
    sqlite: "select (select count(*) from (select 1 from message_terms \
             where message_terms match asked.value limit $2)) \
             from json_each($1) asked order by asked.key",
    postgres: "select (select count(*) from (select 1 from message_terms \
               where terms @@ cast((select cast($2 as text)) as tsquery) \
               and terms @@ cast(asked.terms as tsquery) limit $3) counted) \
               from unnest(cast($1 as text[])) with ordinality as asked (terms, number) order by asked.number",
};

/// When the first message from an id on was sent.
const SENT: &str = "select created_at from messages where id >= $1 order by id limit 1";

const EDITED: &str = "select distinct target_id from changes \
     where position > $1 and position <= $4 and kind = 'edited' and target_id <= $1 and target_id < $3 \
     order by target_id desc limit $2";

/// The chats that somebody is in, in no order.
const CHATS: &str = "select m.chat_id from members m join chats c on c.id = m.chat_id \
     where m.person_id = $1 and m.standing = 'in' and c.tenant_id = $2 and c.deleted_at is null limit $3";

impl Store {
    /// The messages that the index has under these terms, of a range those from `from` to before `before`, newest first:
    /// at most `limit`. None if it has too many in that range.
    pub async fn indexed_under(
        &self,
        sets: &TermSets,
        range: IndexRange,
        (from, before): (i64, i64),
        limit: i64,
    ) -> Result<Option<Vec<MessageId>>> {
        let most_sorted = if range.size() == 0 {
            MOST_SORTED
        } else {
            MOST_SORTED_OF_LARGER
        };
        let range = vec![vec![range.term()]];
        let rows: Vec<(i64, i64)> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlite_text(range.iter().chain(sets));
                    let query = sqlx::query_as(CANDIDATES.sqlite).bind(asked);
                    let query = query.bind(before).bind(from).bind(limit);
                    query.fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let (first, others) = sets.split_at(sets.len().min(1));
                    let others = if others.is_empty() {
                        &range[..]
                    } else {
                        others
                    };
                    let query = sqlx::query_as(CANDIDATES.postgres)
                        .bind(postgres_text(&range))
                        .bind(postgres_text(first))
                        .bind(postgres_text(others));
                    let query = query.bind(before).bind(from);
                    query.bind(most_sorted).bind(limit).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        let too_many = rows.first().is_some_and(|(_, count)| *count >= most_sorted);
        let ids = rows.into_iter().map(|(id, _)| MessageId::new(id));
        Ok((!too_many).then(|| ids.collect()))
    }

    /// How many messages of a sample the index has under each of these sets, at most `most`.
    pub async fn counted_in(
        &self,
        sample: &str,
        sets: &[Vec<String>],
        most: i64,
    ) -> Result<Vec<i64>> {
        let sample = vec![sample.to_owned()];
        let counts = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sets.iter().map(|set| sqlite_text([&sample, set]));
                    let query = sqlx::query_scalar(COUNTS.sqlite);
                    let query = query.bind(Json(asked.collect::<Vec<_>>())).bind(most);
                    query.fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sets.iter().map(|set| postgres_text([set]));
                    let query = sqlx::query_scalar(COUNTS.postgres);
                    let query = query.bind(asked.collect::<Vec<_>>());
                    let query = query.bind(postgres_text([&sample])).bind(most);
                    query.fetch_all(pool).await
                }
            }
        });
        counts.await.map_err(failed)
    }

    /// When the first message from an id on was sent, if there is one.
    pub async fn sent_from(&self, id: i64) -> Result<Option<Timestamp>> {
        let at: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(SENT).bind(id).fetch_optional(pool).await
        })
        .map_err(failed)?;
        Ok(at.map(Timestamp::new))
    }

    /// The messages among those in the index that were edited since in its lane, newest first: those before `before`, at most
    /// `limit`.
    pub async fn edited_since(
        &self,
        position: Position,
        before: i64,
        limit: i64,
    ) -> Result<Vec<MessageId>> {
        let ids: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(EDITED)
                .bind(position.get())
                .bind(limit)
                .bind(before)
                .bind(Lane::of(position).end().get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        Ok(ids.into_iter().map(MessageId::new).collect())
    }

    /// Some of the chats that somebody is in, at most `limit`.
    pub async fn some_chats_of(&self, person: &Person, limit: i64) -> Result<Vec<ChatId>> {
        let ids: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(CHATS)
                .bind(person.id.get())
                .bind(person.tenant.get())
                .bind(limit)
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        Ok(ids.into_iter().map(ChatId::new).collect())
    }
}

fn sqlite_text<'a>(sets: impl IntoIterator<Item = &'a Vec<String>>) -> String {
    match_text(sets, '"', (" AND ", " OR "))
}

fn postgres_text<'a>(sets: impl IntoIterator<Item = &'a Vec<String>>) -> String {
    match_text(sets, '\'', (" & ", " | "))
}

/// All sets, of each one of its terms, as an engine writes it.
fn match_text<'a>(
    sets: impl IntoIterator<Item = &'a Vec<String>>,
    quote: char,
    (and, or): (&str, &str),
) -> String {
    let set = |set: &Vec<String>| {
        let terms: Vec<_> = set
            .iter()
            .map(|term| format!("{quote}{term}{quote}"))
            .collect();
        format!("({})", terms.join(or))
    };
    sets.into_iter().map(set).collect::<Vec<_>>().join(and)
}
