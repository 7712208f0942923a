//! The search index of a copy, which is made of the messages: each engine has an index of its own.
//!
//! How far it goes is noted, for each lane, as the first and the last message that it may have. It is made of what the
//! target has, so that of every message it has what that says now, which is at least as new as what the index of the
//! source has.

use std::collections::BTreeMap;

use super::{
    Step,
    copying::Copying,
    progress::{self, Progress},
    side::Side,
    tables::{INDEX, Kind},
    value::{Row, Value},
};
use crate::{
    error::Result,
    model::{
        ChatId, MessageId, PersonId,
        search::{TERMS_VERSION, of_message},
    },
    store::{
        Either,
        failure::DbError,
        search::{ADD_POSTGRES, ADD_SQLITE},
    },
};

/// How far the source's index goes, if it is one of the present terms: else the server makes another one.
const RANGES: &str = "select id, indexed_from, indexed_to from search_progress where version = $1";

const MESSAGES: &str = "select id, chat_id, sender_id, content from messages where id >= $1 and id <= $2 \
     and deleted_at is null order by id limit ";

const COUNT: &str = "select count(*) from messages where id >= ";

/// The first and the last of a range of messages.
type Range = (i64, i64);

/// The range of each lane, by its number. So they are in the order of the ids too.
type Ranges = BTreeMap<i64, Range>;

/// Adds what the index of the source has.
pub(super) async fn copy(copying: &mut Copying<'_>) -> Result<()> {
    let mut progress = copying.progress(INDEX).await?;
    if progress.ended {
        return Ok(());
    }
    let ranges = ranges(&mut copying.target).await;
    let ranges = ranges.map_err(|error| copying.write_failed(error))?;
    let mut there = indexed(&progress);
    for (lane, (from, to)) in ranges {
        let count = format!("{COUNT}{from} and id <= {to} and deleted_at is null");
        let all = copying.target.number(&count).await;
        let all = all.map_err(|error| copying.write_failed(error))?;
        let all = progress.rows + u64::try_from(all).unwrap_or_default();
        // What was begun goes on where it ended; what is before it is added at the end.
        while next(&there, lane, from) <= to {
            let page = copying.page;
            let added = add_page(&mut copying.target, &mut there, (lane, (from, to)), page).await;
            let Some(rows) = added.map_err(|error| copying.write_failed(error))? else {
                break;
            };
            progress.rows += rows;
            (copying.watch)(Step::Copying(INDEX, progress.rows, all))?;
        }
    }
    let ended = progress::end(&mut copying.target, INDEX).await;
    ended.map_err(|error| copying.write_failed(error))?;
    (copying.watch)(Step::Copied(INDEX, progress.rows))
}

/// Brings what the index has of these messages to what they say now, in the transaction that is open.
pub(super) async fn renew(target: &mut Side, messages: &[i64]) -> Result<(), DbError> {
    let indexed = indexed(&progress::of(target, INDEX).await?);
    if indexed.is_empty() {
        return Ok(());
    }
    let has = |id: &i64| indexed.values().any(|(from, to)| (from..=to).contains(&id));
    let there: Vec<_> = messages.iter().copied().filter(has).collect();
    forget(target, &there).await?;
    for id in there {
        let rows = self::messages(target, (id, id), 1).await?;
        add(target, rows).await?;
    }
    Ok(())
}

/// Adds what the index of the source has by now, in the transaction that is open.
pub(super) async fn extend(target: &mut Side, page: usize) -> Result<(), DbError> {
    let progress = progress::of(target, INDEX).await?;
    if !progress.ended {
        return Ok(());
    }
    let before = indexed(&progress);
    let (mut there, mut count) = (before.clone(), 0);
    for (lane, (from, to)) in ranges(target).await? {
        let (first, last) = there.get(&lane).copied().unwrap_or((from, from - 1));
        for (mut next, to) in [(from, first - 1), (last + 1, to)] {
            while next <= to {
                let rows = messages(target, (next, to), page).await?;
                let Some(last) = last_of(&rows) else {
                    break;
                };
                count += rows.len();
                add(target, rows).await?;
                next = last + 1;
            }
        }
        there.insert(lane, (from.min(first), to.max(last)));
    }
    if there == before {
        return Ok(());
    }
    note(target, &there, count).await
}

/// The ranges of messages that the copy's index may have.
fn indexed(progress: &Progress) -> Ranges {
    let noted = progress.after.as_deref().unwrap_or_default();
    let ranges = noted.chunks_exact(3).filter_map(|range| match range {
        [Value::Int(lane), Value::Int(from), Value::Int(to)] => Some((*lane, (*from, *to))),
        _ => None,
    });
    ranges.collect()
}

/// Where the index of a lane goes on that begins there.
fn next(there: &Ranges, lane: i64, from: i64) -> i64 {
    there.get(&lane).map_or(from, |(_, last)| last + 1)
}

/// The last of some messages.
fn last_of(rows: &[Row]) -> Option<i64> {
    match rows.last()?.first()? {
        Value::Int(last) => Some(*last),
        _ => None,
    }
}

/// The first and the last message that the source's index may have, of each lane, as their copy says.
async fn ranges(target: &mut Side) -> Result<Ranges, DbError> {
    let version = [Value::Int(TERMS_VERSION)];
    let kinds = [Kind::Int, Kind::Int, Kind::Int];
    let rows = target.select(RANGES, &version, &kinds).await?.into_iter();
    let rows = rows.filter_map(|row| row.try_into().ok());
    let ranges = rows
        .filter_map(|[lane, from, to]: [Value; 3]| Some((lane.int()?, (from.int()?, to.int()?))));
    Ok(ranges.collect())
}

async fn messages(target: &mut Side, (from, to): Range, limit: usize) -> Result<Vec<Row>, DbError> {
    let sql = format!("{MESSAGES}{limit}");
    let kinds = [Kind::Int, Kind::Int, Kind::Int, Kind::Text];
    target
        .select(&sql, &[Value::Int(from), Value::Int(to)], &kinds)
        .await
}

/// Adds the next messages of a lane's range, and notes that they are there; how many, or that none are left.
async fn add_page(
    target: &mut Side,
    there: &mut Ranges,
    (lane, (from, to)): (i64, Range),
    page: usize,
) -> Result<Option<u64>, DbError> {
    let rows = messages(target, (next(there, lane, from), to), page).await?;
    let Some(last) = last_of(&rows) else {
        return Ok(None);
    };
    let count = rows.len();
    there.entry(lane).or_insert((from, last)).1 = last;
    target.run("begin").await?;
    add(target, rows).await?;
    note(target, there, count).await?;
    target.run("commit").await?;
    Ok(Some(count as u64))
}

async fn note(target: &mut Side, there: &Ranges, count: usize) -> Result<(), DbError> {
    let ranges = there.iter().map(|(lane, (from, to))| [*lane, *from, *to]);
    let ranges: Vec<_> = ranges.flatten().map(Value::Int).collect();
    progress::note(target, INDEX, (&ranges, count)).await
}

/// Adds the terms of messages.
async fn add(target: &mut Side, rows: Vec<Row>) -> Result<(), DbError> {
    let terms = rows.into_iter().filter_map(|row| {
        let [id, chat, sender, content] = row.try_into().ok()?;
        let id = MessageId::new(id.int()?);
        let (chat, sender) = (ChatId::new(chat.int()?), PersonId::new(sender.int()?));
        Some((id, of_message(id, (chat, sender), &content.text()?)))
    });
    let (ids, texts): (Vec<_>, Vec<_>) = terms.map(|(id, terms)| (id.get(), terms)).unzip();
    match &mut target.connection {
        Either::Sqlite(connection) => {
            let mut statement = connection.prepare_cached(ADD_SQLITE)?;
            for (id, terms) in ids.iter().zip(&texts) {
                statement.execute((id, terms))?;
            }
        }
        Either::Postgres(connection) => {
            let query = sqlx::query(ADD_POSTGRES).bind(ids).bind(texts);
            query.execute(connection).await?;
        }
    }
    Ok(())
}

/// Removes what the index has of messages.
async fn forget(target: &mut Side, ids: &[i64]) -> Result<(), DbError> {
    match &mut target.connection {
        Either::Sqlite(connection) => {
            let sql = "delete from message_terms where rowid = $1";
            let mut statement = connection.prepare_cached(sql)?;
            for id in ids {
                statement.execute([id])?;
            }
        }
        Either::Postgres(connection) => {
            let sql = "delete from message_terms where message_id = any($1)";
            sqlx::query(sql).bind(ids).execute(connection).await?;
        }
    }
    Ok(())
}
