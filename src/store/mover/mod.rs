//! The mover: a copy of a whole database in an empty one, on the same engine or the other.
//!
//! # Why
//! A copy is the same log: it has the same epoch, positions, ids and secrets, so cursors, logins and lost connections
//! of clients are good on the other side. So nothing is interpreted: rows go over as they are, read from the catalogs of
//! both databases, in pages by primary key. Only the search index is made anew, since each engine has its own.
//!
//! The source is one snapshot, which nobody may write to meanwhile: what was written to it then would be lost. Only a
//! live copy (`live`) is made while servers write: triggers note which rows they write (`traces`), and those are
//! copied again until few are left, for which writing is stopped. Each page is committed together with how far it goes
//! (`progress`), so that a copy which was interrupted goes on from there. No server takes up a database that has that
//! table, and it is removed only when both sides were read once more, and have the same rows.

mod catch_up;
mod copying;
mod guard;
mod index;
mod lanes;
mod live;
mod progress;
mod rows;
mod side;
mod source;
mod tables;
mod traces;
mod triggers;
mod value;

use std::fmt;

use self::{
    copying::Copying,
    progress::Fingerprint,
    side::{Company, Side, trouble},
};
use super::{
    Either, Options,
    check::{self, Checked},
    failure::DbError,
    migrations::POSTGRES,
    open::migrated,
};
use crate::error::{Error, Result};

pub use self::{
    guard::WORKING,
    live::{Moved, abandon, copy_live},
};

pub(super) use self::{
    live::{MOVED_TO, begun_or_moved},
    progress::TABLE as PROGRESS,
    traces::SOURCE,
    triggers::removal_from_sqlite,
};

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
    /// A live copy has caught up with so many rows that were written meanwhile.
    CaughtUp(u64),
    /// Writing to the source of a live copy is about to be stopped.
    Stopping,
    /// It is stopped, and what is left is copied.
    CopyingLast,
    /// The source of a live copy is never written to again.
    Switched,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checking => f.write_str("checking the source"),
            Self::Copying(table, rows, all) => write!(f, "{table}: {rows} of {all} rows"),
            Self::Copied(table, rows) => write!(f, "{table}: {rows} rows"),
            Self::Comparing(table) => write!(f, "comparing {table}"),
            Self::CheckingCopy => f.write_str("checking the copy"),
            Self::CaughtUp(rows) => write!(f, "caught up: {rows} rows"),
            Self::Stopping => f.write_str("stopping writes to the source"),
            Self::CopyingLast => f.write_str("copying the last of it"),
            Self::Switched => f.write_str("the source takes no more writes"),
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
    let mut source = Side::source(job.from, Company::Alone).await?;
    source::up_to_date(&mut source).await?;
    source::refuse_live(&mut source).await?;
    take_snapshot(&mut source).await?;
    let fingerprint = Fingerprint::of(&mut source).await?;
    lanes::refuse(&mut source, job.to).await?;
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
    let finished = progress::finish(&mut target).await;
    finished.map_err(|error| target.trouble(error))?;
    let ready = make_ready(&mut target).await;
    ready.map_err(|error| target.trouble(error))?;
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

/// Begins to read the source as it is now, and keeps everybody from writing to it.
async fn take_snapshot(source: &mut Side) -> Result<()> {
    let begun = match &source.connection {
        Either::Sqlite(_) => source.run("begin immediate").await,
        Either::Postgres(_) => {
            let tables = tables::list();
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

/// Prepares a copy for being asked.
async fn make_ready(target: &mut Side) -> Result<(), DbError> {
    match &target.connection {
        Either::Sqlite(_) => {
            target
                .run("pragma optimize = 0x10002; pragma wal_checkpoint(truncate)")
                .await
        }
        Either::Postgres(_) => target.run("analyze").await,
    }
}
