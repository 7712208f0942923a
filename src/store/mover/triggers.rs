//! The triggers by which a source notes what is written to it, and refuses that.

use super::{
    side::Side,
    tables::{Kind, Table, quoted},
    traces::{live_copy, run_once_unlocked},
    value::Value,
};
use crate::store::{Either, EngineSql, failure::DbError};

/// A table that is not copied and says whether writing works: while nothing can be written, it cannot be either.
const PROBED: &str = "write_probes";

/// When writing is refused, by the clock of the database.
const IS_STOPPED: EngineSql = EngineSql {
    sqlite: "exists (select 1 from copy_source where id = 1 \
             and (moved_to is not null or stopped_until > unixepoch()))",
    postgres: "exists (select 1 from copy_source where id = 1 \
               and (moved_to is not null or stopped_until > extract(epoch from clock_timestamp())))",
};

const REFUSAL: &str = "the database is being moved";

/// Whether a transaction of PostgreSQL's sees the database as it was when it began: it could write on when writing was
/// stopped since.
const OLDER: &str =
    "current_setting('transaction_isolation') in ('repeatable read', 'serializable')";
const TOO_OLD: &str =
    "while the database is being moved, who writes does so at the level read committed";

/// Has all that is written leave traces from here on; what is there already of this copy stays.
pub(super) async fn begin(source: &mut Side, word: &str, tables: &[Table]) -> Result<(), DbError> {
    if let Either::Sqlite(_) = source.connection {
        if live_copy(source).await?.is_none() {
            source.run(&all_for_sqlite(word, tables)).await?;
        }
        return Ok(());
    }
    let mut sql = format!(
        "begin; create table if not exists copy_source (id bigint primary key check (id = 1), word text not null, \
         stopped_until bigint not null, moved_to text); \
         create table if not exists copy_traces (name text not null, key text not null); \
         create index if not exists copy_traces_by_key on copy_traces (name, key collate \"C\"); \
         grant select on copy_source to public; grant insert on copy_traces to public; \
         insert into copy_source (id, word, stopped_until) values (1, '{word}', 0) on conflict do nothing; "
    );
    for table in tables {
        sql.push_str(&function(table.name, &noting(table)));
    }
    sql.push_str(&function(PROBED, ""));
    sql.push_str("commit");
    source.run(&sql).await?;
    for name in tables.iter().map(|table| table.name).chain([PROBED]) {
        let sql = format!(
            "select count(*) from pg_trigger where tgrelid = '{name}'::regclass and tgname like 'copy\\_trace\\_%'"
        );
        // One table at a time: a lock of several might wait for a server that waits for this one.
        if source.number(&sql).await? == 0 {
            run_once_unlocked(source, &format!("begin; {} commit", triggers(name))).await?;
        }
    }
    Ok(())
}

/// The statements that note the keys of rows, on PostgreSQL.
fn noting(table: &Table) -> String {
    let (name, key) = (table.name, table.key_names().join(", "));
    let keys = |rows: &str| format!("select '{name}', json_build_array({key})::text from {rows}");
    format!(
        "if tg_op = 'INSERT' then insert into copy_traces (name, key) {}; \
         elsif tg_op = 'DELETE' then insert into copy_traces (name, key) {}; \
         else insert into copy_traces (name, key) {} union {}; end if; \
         if not found then return null; end if;",
        keys("new_rows"),
        keys("old_rows"),
        keys("new_rows"),
        keys("old_rows"),
    )
}

/// What the triggers of a table do on PostgreSQL. A statement that writes no row is not refused.
fn function(name: &str, noting: &str) -> String {
    format!(
        "create or replace function copy_trace_{name}() returns trigger language plpgsql as $$ begin {noting} \
         if {} then raise exception '{REFUSAL}' using errcode = 'PM001'; end if; \
         if {OLDER} then raise exception '{TOO_OLD}' using errcode = 'PM002'; end if; \
         return null; end $$; ",
        IS_STOPPED.postgres
    )
}

/// The triggers of a table on PostgreSQL.
fn triggers(name: &str) -> String {
    let (new, old) = ("new table as new_rows", "old table as old_rows");
    let both = format!("{new} {old}");
    let each = [("insert", new), ("update", &both), ("delete", old)];
    let each = each.map(|(event, rows)| {
        format!(
            "create trigger copy_trace_{event} after {event} on {} referencing {rows} for each statement \
             execute function copy_trace_{name}();",
            quoted(name)
        )
    });
    each.join(" ")
}

/// Everything at once on SQLite.
fn all_for_sqlite(word: &str, tables: &[Table]) -> String {
    let mut sql = format!(
        "begin immediate; create table copy_source (id integer primary key check (id = 1), word text not null, \
         stopped_until bigint not null, moved_to text); \
         create table copy_traces (number integer primary key autoincrement, name text not null, key text not null); \
         create index copy_traces_by_key on copy_traces (name, key); \
         insert into copy_source (id, word, stopped_until) values (1, '{word}', 0); "
    );
    for table in tables {
        let name = table.name;
        let row = |which: &str| {
            let names = table.key_names().into_iter();
            let names = names.map(|key| format!("{which}.{key}"));
            names.collect::<Vec<_>>().join(", ")
        };
        let (new, old) = (row("new"), row("old"));
        let note = |key: &str| {
            format!("insert into copy_traces (name, key) select '{name}', json_array({key})")
        };
        let updated = format!(
            "{}; {} where ({new}) is not ({old})",
            note(&new),
            note(&old)
        );
        sql.push_str(&trigger(name, "insert", &note(&new)));
        sql.push_str(&trigger(name, "update", &updated));
        sql.push_str(&trigger(name, "delete", &note(&old)));
    }
    for event in ["insert", "update"] {
        sql.push_str(&trigger(PROBED, event, "select 1"));
    }
    sql.push_str("commit");
    sql
}

fn trigger(name: &str, event: &str, note: &str) -> String {
    format!(
        "create trigger copy_trace_{name}_{event} after {event} on {} begin \
         select raise(abort, '{REFUSAL}') where {}; {note}; end; ",
        quoted(name),
        IS_STOPPED.sqlite
    )
}

/// The statements that take all of it from a SQLite file again, whichever version has put it there.
pub(in crate::store) fn removal_from_sqlite(
    connection: &rusqlite::Connection,
) -> rusqlite::Result<String> {
    let triggers = "select name from sqlite_schema where type = 'trigger' and name like 'copy\\_trace\\_%' escape '\\'";
    let mut triggers = connection.prepare(triggers)?;
    let mut rows = triggers.query([])?;
    let mut sql = String::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        sql.push_str("drop trigger ");
        sql.push_str(&quoted(&name));
        sql.push_str("; ");
    }
    sql.push_str("drop table if exists copy_traces; drop table if exists copy_source");
    Ok(sql)
}

/// Leaves the source as it was before, unless its end has come meanwhile: then nothing is changed, and this is where
/// the database is now.
pub(super) async fn remove(source: &mut Side) -> Result<Option<String>, DbError> {
    if let Either::Sqlite(_) = source.connection {
        // No lock keeps the copy away, so nothing may come between the look and the removal.
        source.run("begin immediate").await?;
    }
    if let Some(to) = live_copy(source).await?.and_then(|live| live.moved_to) {
        source.roll_back().await;
        return Ok(Some(to));
    }
    if let Either::Sqlite(connection) = &source.connection {
        let removal = removal_from_sqlite(connection)?;
        source.run(&format!("{removal}; commit")).await?;
        return Ok(None);
    }
    let sql = "select proname::text from pg_proc where proname like 'copy\\_trace\\_%' \
               and pronamespace = (select oid from pg_namespace where nspname = current_schema())";
    let functions = source.select(sql, &[], &[Kind::Text]).await?;
    for name in functions.into_iter().flatten().filter_map(Value::text) {
        // The triggers go with it.
        let sql = format!("drop function if exists {}() cascade", quoted(&name));
        run_once_unlocked(source, &sql).await?;
    }
    run_once_unlocked(source, "drop table if exists copy_traces").await?;
    run_once_unlocked(source, "drop table if exists copy_source").await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::{Failover, Options, mover::side::Company};

    /// The copy may come to its end between the question of who gives it up and the removal.
    #[tokio::test]
    async fn what_is_handed_over_is_not_given_up_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("chat.db");
        let made = rusqlite::Connection::open(&file).and_then(|made| {
            made.execute_batch(
                "create table copy_source (id integer primary key, word text, stopped_until bigint, moved_to text); \
                 insert into copy_source values (1, 'word', 0, 'there')",
            )
        });
        made.expect("it is made");
        let options = Options {
            url: format!("sqlite://{}", file.display()),
            max_connections: 1,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: None,
            failover: Failover::default(),
        };
        let mut source = Side::source(&options, Company::Servers)
            .await
            .expect("it opens");
        let moved_to = remove(&mut source).await.expect("it is looked at");
        assert_eq!(moved_to.as_deref(), Some("there"));
        assert!(live_copy(&mut source).await.expect("it is read").is_some());
    }
}
