//! Traces: what tells a live copy which rows of the source were written meanwhile, and stops writing at its end.
//!
//! Triggers of the source note the key of each row that is added, changed or deleted, in the transaction that does it,
//! whichever process that is of. The same triggers refuse all that is written while the copy has said so, so no process
//! has to be told of it, and none can be forgotten. For how long is limited: if the copy is killed meanwhile, writing
//! goes on.

use std::time::Duration;

use super::{
    rows::Key,
    side::Side,
    tables::{self, COPIED, Kind, quoted},
    value::{Value, decode_key},
};
use crate::store::{Either, EngineSql, failure::DbError};

/// The row of the source that says of what copy it is the source.
pub(in crate::store) const SOURCE: &str = "copy_source";
/// What was written to the source and is not in the copy yet.
pub(super) const TRACES: &str = "copy_traces";

/// For how long writing is stopped at a time. It is told again before the time is over.
pub(super) const STOPPED_FOR: Duration = Duration::from_secs(10);
/// How often a lock of a table is tried that servers keep meanwhile.
const TRIES: usize = 20;

const STOP: EngineSql = EngineSql {
    sqlite: "update copy_source set stopped_until = unixepoch() + $1 where word = $2",
    postgres: "update copy_source set stopped_until = extract(epoch from clock_timestamp())::bigint + $1 where word = $2",
};

const NEXT: EngineSql = EngineSql {
    sqlite: "select distinct key from copy_traces where name = $1 and key > $2 order by key limit ",
    postgres: "select distinct key collate \"C\" from copy_traces where name = $1 \
               and key collate \"C\" > $2 order by 1 limit ",
};

/// What a database says of the live copy that it is the source of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveCopy {
    /// Which copy it is: a random word.
    pub(super) word: String,
    /// Where the database is now, once nothing is written here any more.
    pub(super) moved_to: Option<String>,
}

/// The traces that one reading transaction sees.
#[derive(Debug)]
pub(super) struct Seen {
    /// The tables that were written to.
    tables: Vec<String>,
    /// The last of them on SQLite, where they are numbered in the order of their commits.
    last: i64,
}

impl Seen {
    /// Whether there are traces of a table.
    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|name| name == table)
    }
}

/// Whether a database is the source of a live copy, and of which.
pub(super) async fn live_copy(side: &mut Side) -> Result<Option<LiveCopy>, DbError> {
    if !tables::names(side).await?.iter().any(|name| name == SOURCE) {
        return Ok(None);
    }
    read_live_copy(side).await
}

/// The same where the table is known to be there.
pub(super) async fn read_live_copy(side: &mut Side) -> Result<Option<LiveCopy>, DbError> {
    let sql = "select word, moved_to from copy_source where id = 1";
    let rows = side.select(sql, &[], &[Kind::Text, Kind::Text]).await?;
    let row = rows.into_iter().next().and_then(|row| row.try_into().ok());
    Ok(row.and_then(|[word, moved_to]: [Value; 2]| {
        Some(LiveCopy {
            word: word.text()?,
            moved_to: moved_to.text(),
        })
    }))
}

/// The traces that there are.
pub(super) async fn seen(source: &mut Side) -> Result<Seen, DbError> {
    let sql = "select distinct name from copy_traces";
    let rows = source.select(sql, &[], &[Kind::Text]).await?;
    let tables = rows.into_iter().flatten().filter_map(Value::text);
    let tables = tables.collect();
    let last = match source.connection {
        Either::Sqlite(_) => {
            let sql = "select coalesce(max(number), 0) from copy_traces";
            source.number(sql).await?
        }
        Either::Postgres(_) => 0,
    };
    Ok(Seen { tables, last })
}

/// The next keys of which a table has traces, with the last of them as it is written; each is there once.
pub(super) async fn next(
    source: &mut Side,
    name: &str,
    (after, limit): (&str, usize),
) -> Result<Option<(Vec<Key>, String)>, DbError> {
    let sql = format!("{}{limit}", NEXT.of(&source.connection));
    let range = [Value::Text(name.to_owned()), Value::Text(after.to_owned())];
    let rows = source.select(&sql, &range, &[Kind::Text]).await?;
    let texts: Vec<_> = rows.into_iter().flatten().filter_map(Value::text).collect();
    let Some(last) = texts.last().cloned() else {
        return Ok(None);
    };
    let keys = texts.iter().map(|text| decode_key(text));
    let keys: Option<Vec<_>> = keys.collect();
    let keys = keys.ok_or(DbError::Sqlx(sqlx::Error::RowNotFound))?;
    Ok(Some((keys, last)))
}

/// Forgets what a reading transaction has seen, and ends that transaction. What was committed since stays: PostgreSQL
/// deletes what the transaction sees, and keeps everybody from taking the table away before that; SQLite what has no
/// higher number, and nothing of another copy, whose traces are numbered anew.
pub(super) async fn forget(source: &mut Side, seen: &Seen, word: &str) -> Result<(), DbError> {
    if seen.tables.is_empty() {
        return source.run("commit").await;
    }
    if let Either::Postgres(_) = source.connection {
        return source.run("delete from copy_traces; commit").await;
    }
    source.run("commit").await?;
    let last = [Value::Int(seen.last), Value::Text(word.to_owned())];
    let sql = "delete from copy_traces where number <= $1 and exists \
               (select 1 from copy_source where id = 1 and word = $2)";
    source.execute(sql, &last).await
}

/// Has all that is written from here on refused for a while, and returns when what was under way has ended.
pub(super) async fn stop(source: &mut Side, word: &str) -> Result<(), DbError> {
    stay_stopped(source, word).await?;
    if let Either::Sqlite(_) = source.connection {
        return Ok(());
    }
    for name in COPIED {
        let sql = format!("begin; lock table {} in share mode; commit", quoted(name));
        run_once_unlocked(source, &sql).await?;
    }
    Ok(())
}

/// The same again, when nothing is under way.
pub(super) async fn stay_stopped(source: &mut Side, word: &str) -> Result<(), DbError> {
    let seconds = i64::try_from(STOPPED_FOR.as_secs()).unwrap_or(i64::MAX);
    let sql = STOP.of(&source.connection);
    let stopped = [Value::Int(seconds), Value::Text(word.to_owned())];
    source.execute(sql, &stopped).await
}

/// Lets everybody write again.
pub(super) async fn go_on(source: &mut Side, word: &str) -> Result<(), DbError> {
    let sql = "update copy_source set stopped_until = 0 where word = $1";
    source.execute(sql, &[Value::Text(word.to_owned())]).await
}

/// Begins a transaction in which nobody else writes; false where others did not let go of the tables in time.
pub(super) async fn lock(source: &mut Side) -> Result<bool, DbError> {
    let begin = match source.connection {
        Either::Sqlite(_) => "begin immediate".to_owned(),
        // Who was late to notice that writing is stopped has ended when all tables are locked, and left traces.
        // Nor does anybody migrate the database. If this process stops working in here, its transaction is ended.
        Either::Postgres(_) => format!(
            "begin; set local idle_in_transaction_session_timeout = '{}s'; \
             lock table {}, _sqlx_migrations in share mode",
            STOPPED_FOR.as_secs(),
            tables::list()
        ),
    };
    match source.run(&begin).await {
        Err(error) if is_locked(&error) => {
            source.roll_back().await;
            Ok(false)
        }
        begun => begun.map(|()| true),
    }
}

/// Says in that transaction, unless there are traces, that the database is in another place now, and ends it. Nothing is
/// ever written to the database again.
pub(super) async fn hand_over(source: &mut Side, place: &str) -> Result<bool, DbError> {
    if source.number("select count(*) from copy_traces").await? > 0 {
        source.run("rollback").await?;
        return Ok(false);
    }
    let place = [Value::Text(place.to_owned())];
    let sql = "update copy_source set moved_to = $1";
    source.execute(sql, &place).await?;
    source.run("commit").await?;
    Ok(true)
}

/// Runs statements that wait for a lock of a table, again where it was not to be had.
pub(super) async fn run_once_unlocked(source: &mut Side, sql: &str) -> Result<(), DbError> {
    for _ in 1..TRIES {
        match source.run(sql).await {
            Err(error) if is_locked(&error) => source.roll_back().await,
            done => return done,
        }
    }
    source.run(sql).await
}

/// Whether there is no such table any more.
pub(super) fn is_gone(error: &DbError) -> bool {
    match error {
        DbError::Sqlite(_) => error.sqlite_code() == Some(1),
        DbError::Sqlx(sqlx::Error::Database(told)) => told.code().as_deref() == Some("42P01"),
        DbError::Sqlx(_) => false,
    }
}

/// Whether PostgreSQL did not give a lock in time, or broke a deadlock.
fn is_locked(error: &DbError) -> bool {
    let DbError::Sqlx(sqlx::Error::Database(told)) = error else {
        return false;
    };
    matches!(told.code().as_deref(), Some("55P03" | "40P01"))
}
