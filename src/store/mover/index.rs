//! The search index of a copy, which is made of the messages: each engine has an index of its own.

use super::{
    Copying, Step, progress,
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
const RANGES: &str =
    "select indexed_from, indexed_to from search_progress where version = $1 order by id";

const MESSAGES: &str = "select id, chat_id, sender_id, content from messages where id >= $1 and id <= $2 \
     and deleted_at is null order by id limit ";

const COUNT: &str = "select count(*) from messages where id >= ";

/// Adds what the index of the source has: of every message in its range what it says now, which is at least as new.
pub(super) async fn copy(copying: &mut Copying<'_>) -> Result<()> {
    let progress = progress::of(&mut copying.target, INDEX).await;
    let mut progress = progress.map_err(|error| copying.write_failed(error))?;
    if progress.ended {
        return Ok(());
    }
    let ranges = ranges(&mut copying.source).await;
    let ranges = ranges.map_err(|error| copying.read_failed(error))?;
    // In the order of the lanes, which is that of their ids.
    for (from, to) in ranges {
        let count = format!("{COUNT}{from} and id <= {to} and deleted_at is null");
        let all = copying.source.number(&count).await;
        let all = all.map_err(|error| copying.read_failed(error))?;
        let all = u64::try_from(all).unwrap_or_default();
        let mut next = match progress.after.as_deref() {
            Some([Value::Int(last)]) => from.max(last + 1),
            _ => from,
        };
        loop {
            let rows = messages(&mut copying.source, (next, to), copying.page).await;
            let rows = rows.map_err(|error| copying.read_failed(error))?;
            let Some(Value::Int(last)) = rows.last().and_then(|row| row.first()).cloned() else {
                break;
            };
            progress.rows += rows.len() as u64;
            let added = add(&mut copying.target, rows, last).await;
            added.map_err(|error| copying.write_failed(error))?;
            next = last + 1;
            (copying.watch)(Step::Copying(INDEX, progress.rows, all))?;
        }
    }
    let ended = progress::end(&mut copying.target, INDEX).await;
    ended.map_err(|error| copying.write_failed(error))?;
    (copying.watch)(Step::Copied(INDEX, progress.rows))
}

/// The first and the last message that the source's index may have, of each lane.
async fn ranges(source: &mut Side) -> Result<Vec<(i64, i64)>, DbError> {
    let version = [Value::Int(TERMS_VERSION)];
    let rows = source
        .select(RANGES, &version, &[Kind::Int, Kind::Int])
        .await?;
    let rows = rows.into_iter().filter_map(|row| row.try_into().ok());
    let ranges = rows.filter_map(|[from, to]: [Value; 2]| Some((from.int()?, to.int()?)));
    Ok(ranges.collect())
}

async fn messages(
    source: &mut Side,
    (from, to): (i64, i64),
    limit: usize,
) -> Result<Vec<Row>, DbError> {
    let sql = format!("{MESSAGES}{limit}");
    let kinds = [Kind::Int, Kind::Int, Kind::Int, Kind::Text];
    source
        .select(&sql, &[Value::Int(from), Value::Int(to)], &kinds)
        .await
}

/// Adds the terms of messages up to `last`, and notes that they are there.
async fn add(target: &mut Side, rows: Vec<Row>, last: i64) -> Result<(), DbError> {
    let count = rows.len();
    let terms = rows.into_iter().filter_map(|row| {
        let [id, chat, sender, content] = row.try_into().ok()?;
        let id = MessageId::new(id.int()?);
        let (chat, sender) = (ChatId::new(chat.int()?), PersonId::new(sender.int()?));
        Some((id, of_message(id, (chat, sender), &content.text()?)))
    });
    let (ids, texts): (Vec<_>, Vec<_>) = terms.map(|(id, terms)| (id.get(), terms)).unzip();
    target.run("begin").await?;
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
    progress::note(target, INDEX, (&[Value::Int(last)], count)).await?;
    target.run("commit").await
}
