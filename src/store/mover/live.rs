//! A live copy: the source is served and written to meanwhile, but for the last moments.
//!
//! The rows of each table are copied page by page; what is written meanwhile leaves traces (`traces`), with which each
//! step catches up (`catch_up`). When everything is there and compared, writing is stopped, what is left is copied, and
//! the source is handed over: from then on it refuses what is written, for good. That is one transaction, which fails if
//! there is a trace: so nothing that was written before can be missing, however long the copy was held up, and nothing
//! is written afterwards.

use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString as _};

use super::{
    Copied, Job, Step, Watch,
    catch_up::Then,
    copying::Copying,
    index, lanes, make_ready, migrate,
    progress::{self, Fingerprint},
    refuse_same,
    side::{Company, Side, trouble},
    sound, source,
    tables::{self, Kind, Table, quoted},
    traces::{self, LiveCopy},
    triggers,
    value::Value,
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{Either, Options, check, failure::DbError, open::moved},
};

/// Letters and digits in the word of a copy.
const WORD: usize = 16;
/// With so few rows left, or in so short a time, the copy has caught up.
const FEW: u64 = 1_000;
const SHORT: Duration = Duration::from_millis(300);
/// How often it tries to catch up before it stops writing nevertheless.
const ROUNDS: usize = 20;
/// How often writing is stopped.
const ATTEMPTS: usize = 5;

/// Where a database is by now that was the source of a live copy.
pub(in crate::store) const MOVED_TO: &str = "select max(moved_to) from copy_source";

/// What a live copy has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What was copied.
    pub copied: Copied,
    /// For how long writing was stopped until the source was handed over, if that was done by this process.
    pub stopped: Option<Duration>,
}

/// What a live copy copies.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) word: String,
    epoch: String,
    pub(super) tables: Vec<Table>,
}

impl Live {
    /// Refuses when the copy was given up meanwhile, the source was replaced or migrated, or the log goes on in another
    /// epoch, for then the source may have lost what the copy has.
    pub(super) async fn goes_on(&self, source: &mut Side) -> Result<()> {
        source.is_in_place()?;
        source::still_up_to_date(source).await?;
        let live = match traces::read_live_copy(source).await {
            Err(error) if traces::is_gone(&error) => None,
            live => live.map_err(|error| source.trouble(error))?,
        };
        if live.is_none_or(|live| live.word != self.word) {
            return Err(given_up(source.place()));
        }
        let epoch = epoch(source).await?;
        if epoch == self.epoch {
            return Ok(());
        }
        let place = source.place();
        Err(trouble(format!(
            "the log of the database {place} goes on in another epoch: give the copy up (parlance copy --abandon), \
             empty the target, and begin again"
        )))
    }
}

/// Copies a database while servers write to it, or goes on with that; at the end nobody can write to it any more.
pub async fn copy_live(job: &Job<'_>, watch: Watch<'_>) -> Result<Moved> {
    refuse_same(job)?;
    let mut source = Side::source(job.from, Company::Servers).await?;
    source::up_to_date(&mut source).await?;
    source::refuse_isolation(&mut source).await?;
    lanes::refuse(&mut source, job.to).await?;
    let mut target = Side::target(job.to).await?;
    let (word, standing) = identify(&mut source, &mut target).await?;
    let is_moved = standing.is_some_and(|live| live.moved_to.is_some());
    if !is_moved {
        watch(Step::Checking)?;
        sound(&source, &check::check_all(job.from).await?)?;
    }
    let (live, made) = begin(job, word, (&mut source, &mut target)).await?;
    let mut copying = Copying {
        source,
        target,
        page: job.page.max(1),
        watch,
    };
    let mut stopped = None;
    if !is_moved {
        copying.copy_all(&live).await?;
        copying.verify(&live, job.to).await?;
        stopped = Some(copying.switch(&live, (&made, job.to)).await?);
        (copying.watch)(Step::Switched)?;
    }
    let mut rows = 0;
    for table in &live.tables {
        rows += copying.count(table).await?;
    }
    let Copying {
        source, mut target, ..
    } = copying;
    let finished = whole(&mut target).await;
    finished.map_err(|error| target.trouble(error))?;
    target.close().await?;
    source.close().await?;
    let tables = live.tables.len();
    Ok(Moved {
        copied: Copied { tables, rows },
        stopped,
    })
}

/// Gives up the live copy of a database, which is then as it was before; whether there was one.
pub async fn abandon(options: &Options) -> Result<bool> {
    let mut source = Side::source(options, Company::Servers).await?;
    let live = traces::live_copy(&mut source).await;
    let live = live.map_err(|error| source.trouble(error))?;
    if live.is_some() {
        let removed = triggers::remove(&mut source).await;
        if let Some(to) = removed.map_err(|error| source.trouble(error))? {
            return Err(moved(source.place(), &to));
        }
    }
    source.close().await?;
    Ok(live.is_some())
}

/// Refuses a database that was moved; one that is being moved is served.
pub(in crate::store) fn begun_or_moved(place: &str, moved_to: Option<&str>) -> Result<()> {
    if let Some(to) = moved_to {
        return Err(moved(place, to));
    }
    tracing::info!(
        "A live copy of the database {place} was begun. Until it has ended, or is given up (parlance copy --abandon), \
         each row that is written leaves a trace there."
    );
    Ok(())
}

fn given_up(place: &str) -> Error {
    trouble(format!(
        "the live copy of the database {place} was given up: empty the target, and begin again"
    ))
}

async fn epoch(source: &mut Side) -> Result<String> {
    let sql = "select epoch from log where id = 1";
    let rows = source.select(sql, &[], &[Kind::Text]).await;
    let rows = rows.map_err(|error| source.trouble(error))?;
    let epoch = rows.into_iter().flatten().find_map(Value::text);
    epoch.ok_or_else(|| trouble(format!("the database {} was never served", source.place())))
}

/// The word of the copy that the target holds part of, or is to hold, and what the source says of it.
async fn identify(source: &mut Side, target: &mut Side) -> Result<(String, Option<LiveCopy>)> {
    let live = traces::live_copy(source).await;
    let live = live.map_err(|error| source.trouble(error))?;
    let noted = progress::begun(target).await;
    let noted = noted.map_err(|error| target.trouble(error))?;
    let word = match (&live, noted) {
        (Some(live), _) => live.word.clone(),
        (None, Some(word)) => word,
        (None, None) => Alphanumeric.sample_string(&mut rand::rng(), WORD),
    };
    let epoch = epoch(source).await?;
    let fingerprint = Fingerprint::of(source).await?.live(&word, &epoch);
    let examined = progress::examine(target, &fingerprint).await;
    match (examined, &live) {
        (Ok(false), _) => {}
        (Ok(true), None) => {
            let begun = progress::begin(target, &fingerprint).await;
            begun.map_err(|error| target.trouble(error))?;
        }
        (Err(error), None) => return Err(error),
        (Ok(true), Some(live)) => {
            let place = source.place();
            let Some(to) = &live.moved_to else {
                let sentence = format!(
                    "a live copy of the database {place} was begun, and not to {}: go on with that, or give it up \
                     (parlance copy --abandon)",
                    target.place()
                );
                return Err(Error::new(ErrorKind::Conflict, sentence));
            };
            return Err(moved(place, to));
        }
        (Err(error), Some(live)) => {
            return Err(match &live.moved_to {
                Some(to) => moved(source.place(), to),
                None => error,
            });
        }
    }
    Ok((word, live))
}

/// Has the source note what is written, and makes the tables of the target; what is there already stays.
async fn begin(
    job: &Job<'_>,
    word: String,
    (source, target): (&mut Side, &mut Side),
) -> Result<(Live, Vec<Table>)> {
    let tables = tables::read(source).await?;
    target.configure().await?;
    migrate(job.to, target).await?;
    let begun = triggers::begin(source, &word, &tables).await;
    begun.map_err(|error| source.trouble(error))?;
    let prepared = progress::prepare(target).await;
    prepared.map_err(|error| target.trouble(error))?;
    let made = tables::read(target).await?;
    tables::compare(&tables, &made)?;
    let deferred = defer(target, "deferrable").await;
    deferred.map_err(|error| target.trouble(error))?;
    let epoch = epoch(source).await?;
    let live = Live {
        word,
        epoch,
        tables,
    };
    Ok((live, made))
}

/// Lets a row be away for the time of a transaction though others refer to it, or lets it no more. SQLite would look
/// through whole tables for those others when such a row is deleted, so there nothing is compared before the end.
async fn defer(target: &mut Side, how: &str) -> Result<(), DbError> {
    if let Either::Sqlite(_) = target.connection {
        return target.run("pragma foreign_keys = off").await;
    }
    let sql = "select conrelid::regclass::text, conname::text from pg_constraint where contype = 'f' \
               and connamespace = (select oid from pg_namespace where nspname = current_schema())";
    let rows = target.select(sql, &[], &[Kind::Text, Kind::Text]).await?;
    for row in rows {
        let Ok([Value::Text(table), Value::Text(name)]) = <[Value; 2]>::try_from(row) else {
            continue;
        };
        let sql = format!(
            "alter table {table} alter constraint {} {how}",
            quoted(&name)
        );
        target.run(&sql).await?;
    }
    Ok(())
}

/// Says that the copy is whole.
async fn whole(target: &mut Side) -> Result<(), DbError> {
    defer(target, "not deferrable").await?;
    progress::finish(target).await
}

impl Copying<'_> {
    /// Copies all tables that are not there yet, and the index.
    async fn copy_all(&mut self, live: &Live) -> Result<()> {
        for table in &live.tables {
            if self.progress(table.name).await?.ended {
                continue;
            }
            let all = self.count(table).await?;
            while !self.progress(table.name).await?.ended {
                self.step(live, Then::Copy(table, all)).await?;
            }
        }
        self.settle(live, Then::End).await?;
        index::copy(self).await
    }

    /// Catches up until little is left.
    async fn settle(&mut self, live: &Live, then: Then<'_>) -> Result<()> {
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let rows = self.step(live, then).await?;
            (self.watch)(Step::CaughtUp(rows))?;
            if rows <= FEW || begun.elapsed() < SHORT {
                break;
            }
        }
        Ok(())
    }

    /// Compares everything, and has the target prepared for being asked, before writing is stopped.
    async fn verify(&mut self, live: &Live, to: &Options) -> Result<()> {
        self.settle(live, Then::End).await?;
        self.step(live, Then::CompareAll).await?;
        (self.watch)(Step::CheckingCopy)?;
        sound(&self.target, &check::check_copy(to).await?)?;
        let ready = make_ready(&mut self.target).await;
        ready.map_err(|error| self.write_failed(error))
    }

    /// Stops writing, copies what is left, and hands the source over; returns for how long writing was stopped.
    async fn switch(&mut self, live: &Live, (made, to): (&[Table], &Options)) -> Result<Duration> {
        for _ in 0..ATTEMPTS {
            self.settle(live, Then::CompareWritten).await?;
            (self.watch)(Step::Stopping)?;
            let begun = Instant::now();
            match self.hand_over(live, (made, to)).await {
                Ok(true) => return Ok(begun.elapsed()),
                // Somebody wrote after all: this process was held up for longer than writing is stopped.
                Ok(false) => {}
                Err(error) => {
                    self.source.roll_back().await;
                    // Else writing goes on by itself, a little later.
                    drop(traces::go_on(&mut self.source, &live.word).await);
                    return Err(error);
                }
            }
        }
        let place = self.source.place();
        Err(trouble(format!(
            "the last of the database {place} could not be copied within the time for which writing is stopped \
             ({} s), {ATTEMPTS} times: try again when less is written",
            traces::STOPPED_FOR.as_secs()
        )))
    }

    /// Tries to.
    async fn hand_over(&mut self, live: &Live, (made, to): (&[Table], &Options)) -> Result<bool> {
        let stopped = traces::stop(&mut self.source, &live.word).await;
        stopped.map_err(|error| self.gone(error))?;
        (self.watch)(Step::CopyingLast)?;
        self.step(live, Then::CompareWritten).await?;
        self.stay_stopped(live).await?;
        self.step(live, Then::CompareQuickly).await?;
        for (table, made) in live.tables.iter().zip(made) {
            self.go_on_numbering(table, made).await?;
        }
        self.stay_stopped(live).await?;
        let locked = traces::lock(&mut self.source).await;
        if !locked.map_err(|error| self.read_failed(error))? {
            return Ok(false);
        }
        // It may have been given up since the last step, and another one begun.
        live.goes_on(&mut self.source).await?;
        let handed_over = traces::hand_over(&mut self.source, &to.place()).await;
        handed_over.map_err(|error| self.read_failed(error))
    }

    async fn stay_stopped(&mut self, live: &Live) -> Result<()> {
        let stopped = traces::stay_stopped(&mut self.source, &live.word).await;
        stopped.map_err(|error| self.gone(error))
    }

    /// Why a table of the copy's own could not be written in the source: mostly, the copy was given up meanwhile.
    pub(super) fn gone(&self, error: DbError) -> Error {
        if traces::is_gone(&error) {
            return given_up(self.source.place());
        }
        self.read_failed(error)
    }
}
