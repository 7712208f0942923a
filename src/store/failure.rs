//! Database errors, classified: an outage or an internal error.
//!
//! An outage (no room, no answer, a damaged file) is `Unavailable`: the same request may succeed
//! later, so the error says when to retry. Everything else is a bug of this program.

use std::{fmt, future::Future, time::Duration};

use rusqlite::ffi;
use sqlx::{error::DatabaseError, sqlite::SqliteError};

use crate::error::{Error, Result};

/// The longest that one statement, and the wait for a connection to run it on, may take. The
/// database's own limits do not help when it has stopped, or when the network swallows what is sent.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(6);
/// When to retry after a failure that usually ends by itself.
const SOON: Duration = Duration::from_secs(1);
/// When to retry after a failure that an operator has to repair.
const LATER: Duration = Duration::from_secs(5);

/// The sentence for a caller, and when to retry.
type Outage = (&'static str, Duration);

const BUSY: Outage = ("the database is busy, please try again", SOON);
const FULL: Outage = (
    "the server's disk is full and nothing can be written, please try again later",
    LATER,
);
const READ_ONLY: Outage = (
    "the database cannot be written to just now, please try again later",
    LATER,
);
const DISK: Outage = (
    "the server's disk reports an error, please try again later",
    LATER,
);
const DAMAGED: Outage = ("the database is damaged, please try again later", LATER);

const MOVING: Outage = (
    "the database is being moved to another place, please try again in a moment",
    SOON,
);

/// What a database reports, by either driver.
#[derive(Debug)]
pub(super) enum DbError {
    Sqlx(sqlx::Error),
    Sqlite(rusqlite::Error),
}

impl DbError {
    /// SQLite's primary result code, where it was SQLite that failed.
    pub(super) fn sqlite_code(&self) -> Option<i64> {
        match self {
            Self::Sqlx(error) => sqlite_code(error),
            // The low byte of an extended code is the primary one.
            Self::Sqlite(error) => error
                .sqlite_error()
                .map(|told| i64::from(told.extended_code & 0xff)),
        }
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlx(error) => error.fmt(f),
            Self::Sqlite(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DbError {}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Translates what a database reports.
pub(super) fn failed(error: impl Into<DbError>) -> Error {
    let error = error.into();
    let outage = match &error {
        DbError::Sqlx(error) => outage(error),
        // No trigger refuses anything but those of a live copy.
        DbError::Sqlite(told)
            if told
                .sqlite_error()
                .is_some_and(|told| told.extended_code == ffi::SQLITE_CONSTRAINT_TRIGGER) =>
        {
            Some(MOVING)
        }
        DbError::Sqlite(_) => error.sqlite_code().and_then(sqlite_outage),
    };
    match outage {
        Some((sentence, wait)) if has_idled(&error) => {
            Error::unavailable(sentence, wait).because(HasIdled(error.to_string()))
        }
        Some((sentence, wait)) => Error::unavailable(sentence, wait).because(error),
        None => Error::internal(error),
    }
}

/// The error while the path no longer leads to the file that the server has open.
pub(super) fn displaced(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let sentence = "the database file was moved, replaced or deleted, please try again later";
    Error::unavailable(sentence, LATER).because(cause)
}

/// The error when the row of one of several lanes could not be locked: only this one waits for the transaction that has it.
pub(super) fn lane_not_locked(error: sqlx::Error) -> Error {
    if is_lock_timeout(&error) {
        Error::unavailable(BUSY.0, BUSY.1).because(LaneHeld(error))
    } else {
        failed(error)
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let told = error.as_database_error();
    told.and_then(DatabaseError::code)
        .is_some_and(|code| code == "55P03")
}

/// Whether an error says that one lane is held by another transaction, and nothing of the database.
pub(super) fn is_held_lane(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LaneHeld>)
}

/// The cause of a refusal for one lane alone.
#[derive(Debug)]
struct LaneHeld(sqlx::Error);

impl fmt::Display for LaneHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lane is held by another transaction: {}", self.0)
    }
}

impl std::error::Error for LaneHeld {}

/// Whether PostgreSQL ended a transaction, of which nothing is committed, because this process did nothing in it for too long.
fn has_idled(error: &DbError) -> bool {
    let DbError::Sqlx(sqlx::Error::Database(told)) = error else {
        return false;
    };
    told.code().is_some_and(|code| code == "25P03")
}

/// Whether an error says that a transaction was ended because this process was stopped meanwhile, and nothing of the database.
pub(super) fn is_idled(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<HasIdled>)
}

/// The error when what a transaction has read under its lock is older than what is known by now: that lock is gone.
pub(super) fn outrun() -> Error {
    let cause = "others have written to the lane that it has locked";
    Error::unavailable(BUSY.0, BUSY.1).because(HasIdled(cause.to_owned()))
}

/// The cause of the end of one transaction.
#[derive(Debug)]
struct HasIdled(String);

impl fmt::Display for HasIdled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this process was stopped within a transaction: {}",
            self.0
        )
    }
}

impl std::error::Error for HasIdled {}

/// The error when the database did not answer in time.
pub(super) fn late(cause: tokio::time::error::Elapsed) -> Error {
    Error::unavailable(BUSY.0, BUSY.1).because(cause)
}

/// Whether a statement failed because a row with that key exists.
pub(super) fn is_taken(error: &DbError) -> bool {
    match error {
        DbError::Sqlx(error) => {
            matches!(error, sqlx::Error::Database(told) if told.is_unique_violation())
        }
        DbError::Sqlite(error) => error.sqlite_error().is_some_and(|told| {
            let code = told.extended_code;
            code == ffi::SQLITE_CONSTRAINT_UNIQUE || code == ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        }),
    }
}

/// Runs a statement with a timeout of our own.
pub(super) async fn bounded<T>(
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT_TIMEOUT, statement)
        .await
        .unwrap_or_else(|late| {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, late);
            Err(sqlx::Error::Io(late))
        })
}

/// SQLite's primary result code, where it was SQLite that failed.
pub(super) fn sqlite_code(error: &sqlx::Error) -> Option<i64> {
    let sqlx::Error::Database(told) = error else {
        return None;
    };
    told.try_downcast_ref::<SqliteError>()?;
    // The low byte of an extended code is the primary one.
    told.code()?.parse::<i64>().ok().map(|code| code & 0xff)
}

fn outage(error: &sqlx::Error) -> Option<Outage> {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        // What came is none of PostgreSQL's: also nothing at all, from a proxy that hangs up on a new connection.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => Some(BUSY),
        sqlx::Error::Database(told) => match sqlite_code(error) {
            // SQLITE_CONSTRAINT_TRIGGER.
            Some(19) if told.code().as_deref() == Some("1811") => Some(MOVING),
            Some(code) => sqlite_outage(code),
            None => postgres_outage(told.as_ref()),
        },
        _ => None,
    }
}

fn sqlite_outage(code: i64) -> Option<Outage> {
    match code {
        // SQLITE_BUSY, LOCKED, NOMEM, PROTOCOL.
        5 | 6 | 7 | 15 => Some(BUSY),
        // SQLITE_READONLY, CANTOPEN.
        8 | 14 => Some(READ_ONLY),
        // SQLITE_IOERR: also a quota, or a file-size limit of the process.
        10 => Some(DISK),
        // SQLITE_CORRUPT, NOTADB.
        11 | 26 => Some(DAMAGED),
        // SQLITE_FULL.
        13 => Some(FULL),
        _ => None,
    }
}

fn postgres_outage(told: &dyn DatabaseError) -> Option<Outage> {
    let code = told.code()?;
    match code.as_ref() {
        // Our own, by the triggers of a live copy.
        "PM001" | "PM002" => Some(MOVING),
        // disk_full.
        "53100" => Some(FULL),
        // read_only_sql_transaction, as on a standby.
        "25006" => Some(READ_ONLY),
        // serialization_failure, deadlock_detected, lock_not_available, and a transaction that
        // idled too long because this process was stopped.
        "40001" | "40P01" | "55P03" | "25P03" | "25P04" => Some(BUSY),
        // data_corrupted, index_corrupted.
        "XX001" | "XX002" => Some(DAMAGED),
        // Connection exceptions, out of resources, operator intervention.
        code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57") => {
            Some(BUSY)
        }
        // I/O errors and the like.
        code if code.starts_with("58") => Some(DISK),
        _ => None,
    }
}

/// A cause that is a sentence of our own.
#[derive(Debug)]
pub(super) struct Cause(pub(super) String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}
