//! The mover: a copy of a whole database in an empty one, on the same engine or the other.
//!
//! # Why
//! A copy is the same log: it has the same epoch, positions, ids and secrets, so cursors, logins and lost connections
//! of clients are good on the other side. So nothing is interpreted: rows go over as they are, read from the catalogs of
//! both databases, in pages by primary key. Only the search index is made anew, since each engine has its own.
//!
//! The source is one snapshot, which nobody may write to meanwhile: what was written to it then would be lost. Each page
//! is committed together with how far it goes (`progress`), so that a copy which was interrupted goes on from there. No
//! server takes up a database that has that table, and it is removed only when both sides were read once more, and
//! have the same rows.

mod guard;
mod index;
mod lanes;
mod progress;
mod side;
mod tables;
mod value;

use std::fmt;

use self::{
    progress::Fingerprint,
    side::{Side, trouble},
    tables::{Table, quoted},
    value::{Content, Value},
};
use super::{
    Either, Options,
    check::{self, Checked},
    failure::DbError,
    migrations::{POSTGRES, SQLITE},
    open::migrated,
};
use crate::error::{Error, Result};

pub(super) use self::progress::TABLE as PROGRESS;

/// Rows of a page.
pub const PAGE: usize = 500;

/// What is to be copied where.
#[derive(Debug)]
pub struct Job<'a> {
    /// The database that is read.
    pub from: &'a Options,
    /// The one that becomes its copy.
    pub to: &'a Options,
    /// The most rows that are copied in one transaction.
    pub page: usize,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The source is checked.
    Checking,
    /// So many rows of a table are copied, of so many.
    Copying(&'a str, u64, u64),
    /// All rows of a table are copied.
    Copied(&'a str, u64),
    /// Both sides of a table are compared.
    Comparing(&'a str),
    /// The copy is checked.
    CheckingCopy,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checking => f.write_str("checking the source"),
            Self::Copying(table, rows, all) => write!(f, "{table}: {rows} of {all} rows"),
            Self::Copied(table, rows) => write!(f, "{table}: {rows} rows"),
            Self::Comparing(table) => write!(f, "comparing {table}"),
            Self::CheckingCopy => f.write_str("checking the copy"),
        }
    }
}

/// Is told of each step; an error ends the copy there, as a crash would.
pub type Watch<'a> = &'a mut (dyn FnMut(Step<'_>) -> Result<()> + Send);

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many tables.
    pub tables: usize,
    /// How many rows they have.
    pub rows: u64,
}

/// The tables of a database that a copy has, in the order in which they are copied.
#[must_use]
pub fn copied_tables() -> &'static [&'static str] {
    tables::COPIED
}

/// Copies a database, or goes on with it.
pub async fn copy(job: &Job<'_>, watch: Watch<'_>) -> Result<Copied> {
    refuse_same(job)?;
    let mut source = Side::source(job.from).await?;
    up_to_date(&mut source).await?;
    take_snapshot(&mut source).await?;
    let fingerprint = Fingerprint::of(&mut source).await?;
    lanes::refuse(job, &mut source).await?;
    let mut target = Side::target(job.to).await?;
    let is_empty = progress::examine(&mut target, &fingerprint).await?;
    watch(Step::Checking)?;
    sound(&source, &check::check_all(job.from).await?)?;
    let tables = tables::read(&mut source).await?;
    target.configure().await?;
    if is_empty {
        let begun = progress::begin(&mut target, &fingerprint).await;
        begun.map_err(|error| target.trouble(error))?;
    }
    migrate(job.to, &mut target).await?;
    let prepared = progress::prepare(&mut target).await;
    prepared.map_err(|error| target.trouble(error))?;
    let made = tables::read(&mut target).await?;
    tables::compare(&tables, &made)?;
    let mut copying = Copying {
        source,
        target,
        page: job.page.max(1),
        watch,
    };
    for table in &tables {
        copying.copy_table(table).await?;
    }
    index::copy(&mut copying).await?;
    for (table, made) in tables.iter().zip(&made) {
        copying.go_on_numbering(table, made).await?;
    }
    let mut rows = 0;
    for table in &tables {
        rows += copying.compare(table).await?;
    }
    (copying.watch)(Step::CheckingCopy)?;
    let Copying {
        source, mut target, ..
    } = copying;
    sound(&target, &check::check_copy(job.to).await?)?;
    let finished = finish(&mut target).await;
    finished.map_err(|error| target.trouble(error))?;
    target.close().await?;
    source.close().await?;
    Ok(Copied {
        tables: tables.len(),
        rows,
    })
}

/// Refuses to copy a database to itself, or one that is in memory.
fn refuse_same(job: &Job<'_>) -> Result<()> {
    let file = |options: &Options| {
        if options.url.contains(":memory:") || options.url.contains("mode=memory") {
            return Err(Error::invalid(
                "a database in memory cannot be copied: name a file",
            ));
        }
        Ok(options
            .sqlite_file()?
            .and_then(|file| file.canonicalize().ok()))
    };
    let (from, to) = (file(job.from)?, file(job.to)?);
    if job.from.url == job.to.url || from.is_some() && from == to {
        let sentence = "a database cannot be copied to itself: name another one after --to";
        return Err(Error::invalid(sentence));
    }
    Ok(())
}

/// Refuses a source that another version of Parlance serves: it may have what this one does not know, or lack what it
/// expects.
async fn up_to_date(source: &mut Side) -> Result<()> {
    let migrations = match &source.connection {
        Either::Sqlite(_) => &*SQLITE,
        Either::Postgres(_) => &*POSTGRES,
    };
    let known = migrations.iter().map(|migration| migration.version);
    let known = known.max().unwrap_or_default();
    let names = tables::names(source).await;
    let names = names.map_err(|error| source.trouble(error))?;
    let has = |name: &str| names.iter().any(|own| own == name);
    let place = source.place();
    if has(PROGRESS) {
        return Err(trouble(format!(
            "the database {place} is not whole: a copy to it was begun, and did not end"
        )));
    }
    if !has("_sqlx_migrations") || !has("log") {
        return Err(trouble(format!("{place} is not a database of Parlance's")));
    }
    let version = source
        .number("select coalesce(max(version), 0) from _sqlx_migrations")
        .await;
    let version = version.map_err(|error| source.trouble(error))?;
    let place = source.place();
    if version < known {
        return Err(trouble(format!(
            "the database {place} was not yet served by this version of Parlance: start the server on it once, stop \
             it, and copy then"
        )));
    }
    if version > known {
        return Err(trouble(format!(
            "the database {place} was served by a newer version of Parlance: copy with that one"
        )));
    }
    Ok(())
}

/// Begins to read the source as it is now, and keeps everybody from writing to it.
async fn take_snapshot(source: &mut Side) -> Result<()> {
    let begun = match &source.connection {
        Either::Sqlite(_) => source.run("begin immediate").await,
        Either::Postgres(_) => {
            let tables = tables::COPIED.iter().map(|table| quoted(table));
            let tables = tables.collect::<Vec<_>>().join(", ");
            let sql =
                format!("begin isolation level repeatable read; lock table {tables} in share mode");
            source.run(&sql).await
        }
    };
    begun.map_err(|error| {
        let place = source.place();
        let sentence = format!(
            "the database {place} cannot be kept as it is while it is copied ({error}): stop what writes to it"
        );
        trouble(sentence).because(error)
    })
}

/// Refuses what `parlance check` finds fault with.
fn sound(side: &Side, checked: &[Checked]) -> Result<()> {
    let wrong = checked.iter().filter(|checked| !checked.wrong.is_empty());
    let wrong: Vec<_> = wrong.map(|checked| checked.what).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let place = side.place();
    Err(trouble(format!(
        "of the database {place} this does not hold: {}; see parlance check",
        wrong.join("; ")
    )))
}

/// Makes the tables of the target.
async fn migrate(options: &Options, target: &mut Side) -> Result<()> {
    let place = options.place();
    match &mut target.connection {
        Either::Sqlite(_) => super::sqlite::migrate(options).await,
        Either::Postgres(connection) => {
            let done = POSTGRES.run(connection).await;
            done.map_err(|error| migrated(&place, error))
        }
    }
}

/// Says that the copy is whole, and prepares it for being asked.
async fn finish(target: &mut Side) -> Result<(), DbError> {
    progress::finish(target).await?;
    match &target.connection {
        Either::Sqlite(_) => {
            target
                .run("pragma optimize = 0x10002; pragma wal_checkpoint(truncate)")
                .await
        }
        Either::Postgres(_) => target.run("analyze").await,
    }
}

/// A copy under way.
struct Copying<'a> {
    source: Side,
    target: Side,
    page: usize,
    watch: Watch<'a>,
}

impl Copying<'_> {
    fn read_failed(&self, error: DbError) -> Error {
        self.source.trouble(error)
    }

    fn write_failed(&self, error: DbError) -> Error {
        self.target.trouble(error)
    }

    /// Copies the rows of a table that are not yet there.
    async fn copy_table(&mut self, table: &Table) -> Result<()> {
        let name = table.name;
        let progress = progress::of(&mut self.target, name).await;
        let mut progress = progress.map_err(|error| self.write_failed(error))?;
        if progress.ended {
            return Ok(());
        }
        let sql = format!("select count(*) from {}", quoted(name));
        let all = self.source.number(&sql).await;
        let all = all.map_err(|error| self.read_failed(error))?;
        let all = u64::try_from(all).unwrap_or_default();
        loop {
            let rows = self
                .source
                .page(table, progress.after.as_deref(), self.page);
            let rows = rows.await.map_err(|error| self.read_failed(error))?;
            let Some(last) = rows.last() else {
                break;
            };
            let key: Vec<_> = table.key.iter().map(|place| last[*place].clone()).collect();
            progress.rows += rows.len() as u64;
            let added = add_page(&mut self.target, table, (rows, &key)).await;
            added.map_err(|error| self.write_failed(error))?;
            progress.after = Some(key);
            (self.watch)(Step::Copying(name, progress.rows, all))?;
        }
        let ended = progress::end(&mut self.target, name).await;
        ended.map_err(|error| self.write_failed(error))?;
        (self.watch)(Step::Copied(name, progress.rows))
    }

    /// Lets PostgreSQL's sequence of a table go on beyond the ids that were given in it.
    async fn go_on_numbering(&mut self, table: &Table, made: &Table) -> Result<()> {
        let Some(column) = &made.identity else {
            return Ok(());
        };
        let (name, id) = (quoted(table.name), quoted(column));
        let sequence =
            |column: &str| format!("pg_get_serial_sequence('{}', '{column}')", table.name);
        let sql = format!("select coalesce(max({id}), 0) from {name}");
        let last = self.source.number(&sql).await;
        let mut last = last.map_err(|error| self.read_failed(error))?;
        if let Some(column) = &table.identity {
            let sql = format!(
                "select coalesce(pg_sequence_last_value({}::regclass), 0)",
                sequence(column)
            );
            let given = self.source.number(&sql).await;
            last = last.max(given.map_err(|error| self.read_failed(error))?);
        }
        if last == 0 {
            return Ok(());
        }
        let sql = format!("select setval({}::regclass, {last})", sequence(column));
        let set = self.target.number(&sql).await;
        set.map(drop).map_err(|error| self.write_failed(error))
    }

    /// Refuses when a table does not have the same rows on both sides; returns how many.
    async fn compare(&mut self, table: &Table) -> Result<u64> {
        (self.watch)(Step::Comparing(table.name))?;
        let wanted = content(&mut self.source, table, self.page).await;
        let wanted = wanted.map_err(|error| self.read_failed(error))?;
        let found = content(&mut self.target, table, self.page).await;
        let found = found.map_err(|error| self.write_failed(error))?;
        if wanted == found {
            return Ok(wanted.0);
        }
        let (place, name) = (self.target.place(), table.name);
        Err(trouble(format!(
            "the table {name} of the database {place} is not what the source has ({} rows instead of {}), which was \
             written to since the copy began: empty the target, and begin again",
            found.0, wanted.0
        )))
    }
}

/// Adds rows up to that key, and notes that they are there.
async fn add_page(
    target: &mut Side,
    table: &Table,
    (rows, key): (Vec<value::Row>, &[Value]),
) -> Result<(), DbError> {
    let count = rows.len();
    target.run("begin").await?;
    target.insert(table, rows).await?;
    progress::note(target, table.name, (key, count)).await?;
    target.run("commit").await
}

/// How many rows a table has, and the digest of what they hold.
async fn content(side: &mut Side, table: &Table, page: usize) -> Result<(u64, String), DbError> {
    let (mut content, mut after) = (Content::default(), None::<Vec<Value>>);
    loop {
        let rows = side.page(table, after.as_deref(), page).await?;
        let Some(last) = rows.last() else {
            return Ok(content.ended());
        };
        after = Some(table.key.iter().map(|place| last[*place].clone()).collect());
        for row in &rows {
            content.add(row);
        }
    }
}
