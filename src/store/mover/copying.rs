//! A copy under way: the rows of its tables, and whether both sides have the same.

use super::{
    Step, Watch,
    progress::{self, Progress},
    side::{Side, trouble},
    tables::{Table, quoted},
    value::{Content, Row, Value},
};
use crate::{
    error::{Error, Result},
    store::failure::DbError,
};

/// A copy under way.
pub(super) struct Copying<'a> {
    pub(super) source: Side,
    pub(super) target: Side,
    pub(super) page: usize,
    pub(super) watch: Watch<'a>,
}

impl Copying<'_> {
    pub(super) fn read_failed(&self, error: DbError) -> Error {
        self.source.trouble(error)
    }

    pub(super) fn write_failed(&self, error: DbError) -> Error {
        self.target.trouble(error)
    }

    /// Copies the rows of a table that are not yet there.
    pub(super) async fn copy_table(&mut self, table: &Table) -> Result<()> {
        let name = table.name;
        let mut progress = self.progress(name).await?;
        if progress.ended {
            return Ok(());
        }
        let all = self.count(table).await?;
        loop {
            let begun = self.target.run("begin").await;
            begun.map_err(|error| self.write_failed(error))?;
            let is_over = self.copy_page(table, &mut progress).await?;
            let committed = self.target.run("commit").await;
            committed.map_err(|error| self.write_failed(error))?;
            if is_over {
                return (self.watch)(Step::Copied(name, progress.rows));
            }
            (self.watch)(Step::Copying(name, progress.rows, all))?;
        }
    }

    /// How far a table has come.
    pub(super) async fn progress(&mut self, name: &str) -> Result<Progress> {
        let progress = progress::of(&mut self.target, name).await;
        progress.map_err(|error| self.write_failed(error))
    }

    /// How many rows a table of the source has.
    pub(super) async fn count(&mut self, table: &Table) -> Result<u64> {
        let sql = format!("select count(*) from {}", quoted(table.name));
        let all = self.source.number(&sql).await;
        let all = all.map_err(|error| self.read_failed(error))?;
        Ok(u64::try_from(all).unwrap_or_default())
    }

    /// Adds the next rows of a table, with how far that is, to the transaction that is open; whether none were left,
    /// which is noted too.
    pub(super) async fn copy_page(
        &mut self,
        table: &Table,
        progress: &mut Progress,
    ) -> Result<bool> {
        let rows = self
            .source
            .page(table, progress.after.as_deref(), self.page);
        let rows = rows.await.map_err(|error| self.read_failed(error))?;
        let Some(last) = rows.last() else {
            let ended = progress::end(&mut self.target, table.name).await;
            ended.map_err(|error| self.write_failed(error))?;
            progress.ended = true;
            return Ok(true);
        };
        let key = table.key_of(last);
        progress.rows += rows.len() as u64;
        let added = add_page(&mut self.target, table, (rows, &key)).await;
        added.map_err(|error| self.write_failed(error))?;
        progress.after = Some(key);
        Ok(false)
    }

    /// Lets PostgreSQL's sequence of a table go on beyond the ids that were given in it.
    pub(super) async fn go_on_numbering(&mut self, table: &Table, made: &Table) -> Result<()> {
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
    pub(super) async fn compare(&mut self, table: &Table) -> Result<u64> {
        (self.watch)(Step::Comparing(table.name))?;
        let wanted = content(&mut self.source, table, self.page).await;
        let wanted = wanted.map_err(|error| self.read_failed(error))?;
        let found = content(&mut self.target, table, self.page).await;
        let found = found.map_err(|error| self.write_failed(error))?;
        if wanted == found {
            return Ok(wanted.0);
        }
        Err(self.differs(table, (wanted.0, found.0)))
    }

    /// Says that a table does not have the same on both sides.
    pub(super) fn differs(&self, table: &Table, (wanted, found): (u64, u64)) -> Error {
        let (place, name) = (self.target.place(), table.name);
        trouble(format!(
            "the table {name} of the database {place} is not what the source has ({found} rows instead of {wanted}), \
             which was written to since the copy began: empty the target, and begin again"
        ))
    }
}

/// Adds rows up to that key, and notes that they are there.
async fn add_page(
    target: &mut Side,
    table: &Table,
    (rows, key): (Vec<Row>, &[Value]),
) -> Result<(), DbError> {
    let count = rows.len();
    target.insert(table, rows).await?;
    progress::note(target, table.name, (key, count)).await
}

/// How many rows a table has, and the digest of what they hold.
async fn content(side: &mut Side, table: &Table, page: usize) -> Result<(u64, String), DbError> {
    let (mut content, mut after) = (Content::default(), None::<Vec<Value>>);
    loop {
        let rows = side.page(table, after.as_deref(), page).await?;
        let Some(last) = rows.last() else {
            return Ok(content.ended());
        };
        after = Some(table.key_of(last));
        for row in &rows {
            content.add(row);
        }
    }
}
