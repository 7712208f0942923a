//! Steps of a live copy: what was written meanwhile, and then the next rows of a table.
//!
//! Each step reads the source as it is at one moment, and is one transaction of the target. All rows of which there are
//! traces are copied as they are at that moment, and so is the next page: so at the end of a step the copy is the
//! source at that moment, as far as it goes. Rows that it has not come to yet are left: their table's pages will have them.

use std::time::{Duration, Instant};

use super::{
    Step,
    copying::Copying,
    index, lanes,
    live::Live,
    progress::Progress,
    rows::Key,
    side::trouble,
    tables::{Table, quoted},
    traces::{self, Seen},
    value::Value,
};
use crate::error::Result;

/// How long a step copies pages of a table: what is written meanwhile is what the next one has to catch up with.
const STEP: Duration = Duration::from_millis(500);
/// Tables of at most so many rows are compared once more while nothing can be written.
const SMALL: i64 = 10_000;

/// What a step does when it has caught up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then<'t> {
    /// Nothing more.
    End,
    /// It copies the next rows of a table, of so many.
    Copy(&'t Table, u64),
    /// It compares all rows of both sides.
    CompareAll,
    /// It compares the rows that were written meanwhile.
    CompareWritten,
    /// It compares what can be compared in a moment: small tables.
    CompareQuickly,
}

impl Copying<'_> {
    /// Takes a step; returns of how many rows there were traces.
    pub(super) async fn step(&mut self, live: &Live, then: Then<'_>) -> Result<u64> {
        let begun = self.source.begin_reading().await;
        begun.map_err(|error| self.read_failed(error))?;
        live.goes_on(&mut self.source).await?;
        lanes::refuse_added(&mut self.source, &self.target).await?;
        let seen = traces::seen(&mut self.source).await;
        let seen = seen.map_err(|error| self.read_failed(error))?;
        let begun = self.target.begin_replacing().await;
        begun.map_err(|error| self.write_failed(error))?;
        let rows = self.catch_up(live, &seen).await?;
        if let Then::Copy(table, all) = then {
            self.copy_rows(table, all).await?;
        }
        let committed = self.target.run("commit").await;
        committed.map_err(|error| self.write_failed(error))?;
        match then {
            Then::End | Then::Copy(..) => {}
            Then::CompareAll => {
                for table in &live.tables {
                    self.compare(table).await?;
                }
            }
            Then::CompareWritten => {
                for table in live.tables.iter().filter(|table| seen.has(table.name)) {
                    self.compare_written(table).await?;
                }
            }
            Then::CompareQuickly => {
                for table in &live.tables {
                    self.compare_quickly(table).await?;
                }
            }
        }
        let forgotten = traces::forget(&mut self.source, &seen, &live.word).await;
        forgotten.map_err(|error| self.gone(error))?;
        Ok(rows)
    }

    /// Copies the rows of which there are traces once more.
    async fn catch_up(&mut self, live: &Live, seen: &Seen) -> Result<u64> {
        let mut rows = 0;
        for table in live.tables.iter().filter(|table| seen.has(table.name)) {
            let progress = self.progress(table.name).await?;
            // A name or a key may have gone from one row to another: first all rows are taken away.
            let mut after = String::new();
            while let Some(keys) = self.traced(table, (&mut after, &progress)).await? {
                let deleted = self.target.delete(table, &keys).await;
                deleted.map_err(|error| self.write_failed(error))?;
            }
            after.clear();
            while let Some(keys) = self.traced(table, (&mut after, &progress)).await? {
                rows += keys.len() as u64;
                let found = self.source.find(table, &keys).await;
                let found = found.map_err(|error| self.read_failed(error))?;
                let added = self.target.insert(table, found).await;
                added.map_err(|error| self.write_failed(error))?;
                if table.name == "messages" {
                    let ids = keys.into_iter().flatten().filter_map(Value::int);
                    let ids: Vec<_> = ids.collect();
                    let renewed = index::renew(&mut self.target, &ids).await;
                    renewed.map_err(|error| self.write_failed(error))?;
                }
            }
        }
        let extended = index::extend(&mut self.target, self.page).await;
        extended.map_err(|error| self.write_failed(error))?;
        Ok(rows)
    }

    /// The next keys of a table of which there are traces, without those that the copy has not come to; none at the end.
    async fn traced(
        &mut self,
        table: &Table,
        (after, progress): (&mut String, &Progress),
    ) -> Result<Option<Vec<Key>>> {
        let next = traces::next(&mut self.source, table.name, (after, self.page)).await;
        let next = next.map_err(|error| self.read_failed(error))?;
        let Some((mut keys, last)) = next else {
            return Ok(None);
        };
        *after = last;
        if !progress.ended {
            let reached = progress.after.as_ref();
            keys.retain(|key| reached.is_some_and(|reached| key <= reached));
        }
        Ok(Some(keys))
    }

    /// Copies pages of a table for a while.
    async fn copy_rows(&mut self, table: &Table, all: u64) -> Result<()> {
        let begun = Instant::now();
        let mut progress = self.progress(table.name).await?;
        while begun.elapsed() < STEP {
            if self.copy_page(table, &mut progress).await? {
                return (self.watch)(Step::Copied(table.name, progress.rows));
            }
            (self.watch)(Step::Copying(table.name, progress.rows, all))?;
        }
        Ok(())
    }

    /// Compares a small table.
    async fn compare_quickly(&mut self, table: &Table) -> Result<()> {
        // To count the rows of a large one might take longer than writing may be stopped.
        let sql = format!(
            "select count(*) from (select 1 from {} limit {}) few",
            quoted(table.name),
            SMALL + 1
        );
        let rows = self.source.number(&sql).await;
        if rows.map_err(|error| self.read_failed(error))? > SMALL {
            return Ok(());
        }
        self.compare(table).await.map(drop)
    }

    /// Compares the rows of a table of which there are traces.
    async fn compare_written(&mut self, table: &Table) -> Result<()> {
        let progress = self.progress(table.name).await?;
        let mut after = String::new();
        while let Some(keys) = self.traced(table, (&mut after, &progress)).await? {
            let wanted = self.source.find(table, &keys).await;
            let mut wanted = wanted.map_err(|error| self.read_failed(error))?;
            let found = self.target.find(table, &keys).await;
            let mut found = found.map_err(|error| self.write_failed(error))?;
            wanted.sort();
            found.sort();
            if wanted != found {
                let (name, place) = (table.name, self.target.place());
                return Err(trouble(format!(
                    "rows of the table {name} are not in the database {place} as they were written: empty the target, \
                     and begin again"
                )));
            }
        }
        Ok(())
    }
}
