//! Fencing: whether PostgreSQL is the server that this process wrote to, and its log the same log.
//!
//! # Why
//! A standby that takes over may lack commits that were answered, and a server that was left behind may come
//! back. Neither says so: its log is merely shorter, or another one. So every batch compares the log's epoch
//! and head and the server's timeline with what this process knows, in the statement that locks the log, and
//! every new connection compares which server it leads to.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;

use super::failure::{Cause, bounded, failed, outrun};
use crate::{
    error::{Error, Result},
    model::{Epoch, Position, Positions},
    store::batch::Locked,
};

pub(super) use lock::LOCK_WITHOUT_TIMELINE;

/// When to try again while the database's server is being taken up.
const SOON: Duration = Duration::from_secs(1);
/// The same while it is the wrong one.
const LATER: Duration = Duration::from_secs(5);

pub(super) const SERVER: &str = "select pg_is_in_recovery() as is_standby, \
     (select system_identifier::text from pg_control_system()) as system, \
     case when pg_is_in_recovery() then null \
       else left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end as timeline";

/// What it means that another server has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failover {
    /// It may lack the last commits.
    #[default]
    Lossy,
    /// It has every commit that was answered: its standby is synchronous.
    Lossless,
}

/// Which server it is, and how often it was promoted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Server {
    pub(super) system: Option<String>,
    pub(super) timeline: Option<i64>,
}

/// A server, and its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) server: Server,
    pub(super) epoch: Epoch,
    /// Where each lane ends that is known.
    pub(super) heads: Positions,
}

/// How a place compares with the one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the same.
    Same,
    /// Another server goes on with the same log.
    Moved,
    /// Another process has begun another epoch.
    Renewed,
    /// It may not be the continuation of what is known.
    Ended(&'static str),
    /// It is not to be written to, nor read.
    Refused(&'static str),
}

const ANOTHER_SYSTEM: &str = "it is another PostgreSQL than the one that this server wrote to";
const OLDER_TIMELINE: &str = "it was left behind: a standby has taken its place";
const STANDBY: &str = "it is a standby that has not taken over";
const SHORTER: &str = "its log lacks changes that this server had written";
const PROMOTED: &str = "another server has taken over, which may lack the last changes";

/// Compares what is seen with what is known.
fn judge(known: &Place, seen: &Place, failover: Failover) -> Verdict {
    let later = match compare(&known.server, &seen.server) {
        Ok(later) => later,
        Err(why) => return Verdict::Refused(why),
    };
    if seen.heads.is_before(&known.heads) {
        Verdict::Ended(SHORTER)
    } else if seen.epoch != known.epoch {
        Verdict::Renewed
    } else if !later {
        Verdict::Same
    } else if failover == Failover::Lossless {
        Verdict::Moved
    } else {
        Verdict::Ended(PROMOTED)
    }
}

/// Whether another server has taken over since; an error when it is the wrong one.
fn compare(known: &Server, seen: &Server) -> Result<bool, &'static str> {
    if let (Some(known), Some(seen)) = (&known.system, &seen.system)
        && known != seen
    {
        return Err(ANOTHER_SYSTEM);
    }
    match (known.timeline, seen.timeline) {
        (Some(known), Some(seen)) if seen < known => Err(OLDER_TIMELINE),
        (Some(known), Some(seen)) => Ok(seen > known),
        (None, _) | (_, None) => Ok(false),
    }
}

/// What this process knows of its database, see the module.
pub(super) struct Fence {
    failover: Failover,
    state: Mutex<State>,
    /// Whether the database has to be taken up, before anything else is written.
    due: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Place>,
    /// Whether the known server is the one of the last start, and not one that this process has written to.
    is_opening: bool,
    has_timeline: bool,
    /// Connections from before are closed.
    since: Option<Instant>,
    /// What was said of the server last.
    said: Option<&'static str>,
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fence").finish_non_exhaustive()
    }
}

row! {
    pub(super) struct ServerRow {
        is_standby: bool,
        system: Option<String>,
        timeline: Option<String>,
    }
}

row! {
    pub(super) struct LockRow {
        pub(super) head: i64,
        pub(super) epoch: String,
        moves: i64,
        timeline: Option<String>,
    }
}

impl Fence {
    pub(super) fn new(failover: Failover) -> Self {
        Self {
            failover,
            state: Mutex::default(),
            due: watch::Sender::new(false),
        }
    }

    /// Begins to compare, with what the database says of the last start.
    pub(super) async fn begin(&self, pool: &PgPool, stored: Place) -> Result<()> {
        let row = bounded(sqlx::query_as::<_, ServerRow>(SERVER).fetch_one(pool)).await;
        let server = match row {
            Ok(row) => Some(row.server()),
            Err(sqlx::Error::Database(error)) => {
                tracing::warn!(
                    %error,
                    "It cannot be asked which server this PostgreSQL is: a failover is noticed by the log alone."
                );
                None
            }
            Err(error) => return Err(failed(error)),
        };
        let is_due = server
            .as_ref()
            .is_some_and(|server| *server != stored.server);
        let mut state = self.state();
        state.has_timeline = server.is_some();
        state.known = Some(stored);
        state.is_opening = is_due;
        drop(state);
        self.due.send_replace(is_due);
        Ok(())
    }

    /// Whether the database has to be taken up.
    pub(super) fn is_due(&self) -> bool {
        *self.due.borrow()
    }

    /// Returns when it has to be.
    pub(super) async fn becomes_due(&self) {
        // The sender lives as long as this.
        drop(self.due.subscribe().wait_for(|due| *due).await);
    }

    /// The refusal while it has to be taken up.
    pub(super) fn refuse_due(&self) -> Result<()> {
        if self.is_due() {
            let sentence = "another database server has taken over, please try again";
            Err(Error::unavailable(sentence, SOON))
        } else {
            Ok(())
        }
    }

    /// Whether the server says of itself which one it is.
    pub(super) fn has_timeline(&self) -> bool {
        self.state().has_timeline
    }

    /// Notes how far a lane is known to go.
    pub(super) fn note_head(&self, head: Position) {
        if let Some(known) = &mut self.state().known {
            known.heads.raise(head);
        }
    }

    /// How far each lane is known to go.
    pub(super) fn heads(&self) -> Positions {
        let state = self.state();
        let known = state.known.as_ref();
        known.map_or(Position::START.into(), |known| known.heads.clone())
    }

    /// Whether a connection of this age leads to the present server.
    pub(super) fn is_recent(&self, age: Duration) -> bool {
        let since = self.state().since;
        since.is_none_or(|since| since.elapsed() >= age)
    }

    /// Compares the server to which a new connection leads.
    pub(super) async fn admit_connection(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        {
            let state = self.state();
            if state.known.is_none() || state.is_opening || !state.has_timeline {
                return Ok(());
            }
        }
        let row: ServerRow = sqlx::query_as(SERVER).fetch_one(connection).await?;
        let is_standby = row.is_standby;
        let server = row.server();
        let mut state = self.state();
        let known = state.known.as_ref().map(|known| known.server.clone());
        let compared = compare(&known.unwrap_or_default(), &server);
        match compared {
            Ok(_) if is_standby => Err(state.refuse(STANDBY)),
            Ok(false) => Ok(()),
            Ok(true) => {
                state.since = Some(Instant::now());
                drop(state);
                self.due.send_replace(true);
                Ok(())
            }
            Err(why) => Err(state.refuse(why)),
        }
        .map_err(|cause| sqlx::Error::Configuration(Box::new(cause)))
    }

    /// Compares the lane that a transaction has locked, with what was known before it asked for that: where this process was
    /// stopped meanwhile it may have lost the lock, and know already what others wrote since.
    fn admit(&self, row: LockRow, before: &Positions) -> Result<Locked> {
        let head = Position::new(row.head);
        let moves = row.moves;
        let locked = Locked { head, moves };
        let mut state = self.state();
        let Some(known) = &mut state.known else {
            return Ok(locked);
        };
        let seen = Place {
            server: Server {
                system: known.server.system.clone(),
                timeline: timeline(row.timeline.as_deref()),
            },
            epoch: Epoch::new(row.epoch),
            heads: head.into(),
        };
        if seen.heads.is_before(&known.heads) && !seen.heads.is_before(before) {
            return Err(outrun());
        }
        match judge(known, &seen, self.failover) {
            Verdict::Same => Ok(locked),
            Verdict::Moved => {
                known.server = seen.server;
                known.heads.raise(head);
                state.since = Some(Instant::now());
                Ok(locked)
            }
            Verdict::Renewed | Verdict::Ended(_) => {
                state.since = Some(Instant::now());
                drop(state);
                self.due.send_replace(true);
                self.refuse_due().map(|()| locked)
            }
            Verdict::Refused(why) => Err(wrong_server(state.refuse(why))),
        }
    }

    /// Compares the whole of a place that is being taken up.
    pub(super) fn verdict(&self, seen: &Place) -> Verdict {
        let state = self.state();
        let Some(known) = &state.known else {
            return Verdict::Same;
        };
        match judge(known, seen, self.failover) {
            // A copy of the database, as by a dump, is used by whom nobody was connected to.
            Verdict::Refused(_) if state.is_opening => {
                Verdict::Ended("the database was moved to another PostgreSQL")
            }
            verdict => verdict,
        }
    }

    /// The error for the wrong server.
    pub(super) fn refused(&self, why: &'static str) -> Error {
        wrong_server(self.state().refuse(why))
    }

    /// Goes on with a place.
    pub(super) fn adopt(&self, place: Place) {
        let mut state = self.state();
        state.known = Some(place);
        state.is_opening = false;
        state.said = None;
        drop(state);
        self.due.send_replace(false);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The cause of a refusal, which is logged once.
    fn refuse(&mut self, why: &'static str) -> Cause {
        if self.said.replace(why) != Some(why) {
            tracing::error!("The database is refused: {why}.");
        }
        Cause(why.to_owned())
    }
}

impl ServerRow {
    pub(super) fn server(self) -> Server {
        Server {
            system: self.system,
            timeline: timeline(self.timeline.as_deref()),
        }
    }
}

/// A timeline as the names of files of the write-ahead log begin with it.
fn timeline(digits: Option<&str>) -> Option<i64> {
    i64::from_str_radix(digits?, 16).ok()
}

fn wrong_server(cause: Cause) -> Error {
    let sentence = "the database server is not the right one just now, please try again later";
    Error::unavailable(sentence, LATER).because(cause)
}

mod lock;
mod observed;
#[cfg(test)]
mod tests;
