//! Opening a SQLite file, and writing to it.
//!
//! # Why
//! The file is inspected before anything in it is changed: it may be another program's, damaged, read-only,
//! or made by a newer version, and each of these has a sentence that says what to do. The schema is set up
//! through the driver that reads; then the thread that writes ([`Writer`]) opens the one connection that does.

mod job;
mod writer;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::store::{
    failure::{Cause, DbError, displaced, sqlite_code},
    file::{DatabaseFile, Lock, identity},
    migrations::SQLITE,
    mover,
    open::{
        Options, PROTOCOL_OF_LOG, PROTOCOL_SINCE, SET_URL, foreign, migrated, newer, unfinished,
        unusable,
    },
};
use crate::{
    error::{Error, Kind, Result},
    store::writes::Writes,
};

pub(super) use writer::{Priority, Writer};

/// How long a statement waits for another process that writes to the same SQLite file.
const BUSY: Duration = Duration::from_secs(3);
/// Up to this size a file is checked whole at start, which is fast.
const CHECKED_BYTES: u64 = 64 << 20;

/// The open file.
pub(super) struct Opened {
    pub(super) read: SqlitePool,
    /// What writes until [`Opened::writer`] does.
    pub(super) setup: SqlitePool,
    file: DatabaseFile,
    path: PathBuf,
}

/// The open file, when it is written to.
pub(super) struct Started {
    pub(super) read: SqlitePool,
    pub(super) write: Writer,
    pub(super) writes: Arc<Writes>,
}

impl Opened {
    /// Starts the thread that writes, in place of the connection that set everything up.
    pub(super) async fn start(self) -> Result<Started> {
        let writes = Arc::new(Writes::new(Some(self.file)));
        // The last connection to close deletes the write-ahead log, and a full disk has no room for
        // a new one: so the next one is open before.
        let write = Writer::start(&self.path, Arc::clone(&writes))?;
        self.setup.close().await;
        Ok(Started {
            read: self.read,
            write,
            writes,
        })
    }
}

/// Opens the file and brings its schema up to date; with `alone`, refuses when a server has it.
pub(super) async fn open(options: &Options, alone: bool) -> Result<Opened> {
    let connect =
        SqliteConnectOptions::from_str(&options.url).map_err(|error| unusable(options, error))?;
    if options.url.contains(":memory:") || options.url.contains("mode=memory") {
        return Err(Error::invalid(
            "databases.chat.url names a database in memory, which would lose what it is given: name a file",
        ));
    }
    let path = connect.get_filename().to_owned();
    make_folder(&path)?;
    let lock = if alone { Lock::take(&path)? } else { None };
    inspect(connect.clone().create_if_missing(true), &path).await?;
    // By now it is there, and no connection to it is open.
    let lock = lock.map(|lock| lock.with_identity(&path)).transpose()?;
    let (setup, read) = open_pools(options, connect, &path).await?;
    let file = DatabaseFile::opened(&path, lock).map_err(Error::internal)?;
    Ok(Opened {
        read,
        setup,
        file,
        path,
    })
}

/// How each connection works.
fn configured(connect: SqliteConnectOptions) -> SqliteConnectOptions {
    connect
        // A file that is gone must not be taken for a new one.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("temp_store", "memory")
        .optimize_on_close(true, None)
}

async fn open_pools(
    options: &Options,
    connect: SqliteConnectOptions,
    path: &Path,
) -> Result<(SqlitePool, SqlitePool)> {
    let explain = |error| explained(path, error);
    let connect = configured(connect);
    let pool = |most: u32| {
        let expected = identity(path).ok().map(|known| (path.to_owned(), known));
        SqlitePoolOptions::new()
            .max_connections(most)
            .acquire_timeout(options.connect_timeout)
            .idle_timeout(options.idle_timeout)
            .after_connect(move |_, _| {
                let replaced = expected
                    .as_ref()
                    .is_some_and(|(path, known)| identity(path).ok() != Some(*known));
                Box::pin(async move {
                    if replaced {
                        let cause = displaced(Cause("another file is in its place".to_owned()));
                        return Err(sqlx::Error::Configuration(Box::new(cause)));
                    }
                    Ok(())
                })
            })
    };
    let setup = pool(1)
        .connect_with(connect.clone())
        .await
        .map_err(explain)?;
    let done = SQLITE.run(&setup).await;
    done.map_err(|error| not_migrated(options, path, error))?;
    let read = pool(options.max_connections)
        .connect_with(connect)
        .await
        .map_err(explain)?;
    Ok((setup, read))
}

/// Says why the schema cannot be migrated.
fn not_migrated(options: &Options, path: &Path, error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
            if sqlite_code(&error).is_some_and(|code| code > 1) =>
        {
            explained(path, error)
        }
        error => migrated(&options.place(), error),
    }
}

/// Makes the tables in a file that is there.
pub(super) async fn migrate(options: &Options) -> Result<()> {
    let connect = SqliteConnectOptions::from_str(&options.url);
    let connect = configured(connect.map_err(|error| unusable(options, error))?);
    let path = connect.get_filename().to_owned();
    let mut connection = connect
        .connect()
        .await
        .map_err(|error| explained(&path, error))?;
    let done = SQLITE.run(&mut connection).await;
    let closed = connection.close().await;
    done.map_err(|error| not_migrated(options, &path, error))?;
    closed.map_err(|error| explained(&path, error))
}

/// Inspects the file before a pragma or a migration changes it.
async fn inspect(connect: SqliteConnectOptions, path: &Path) -> Result<()> {
    let mut connection = connect
        .busy_timeout(BUSY)
        .connect()
        .await
        .map_err(|error| explained(path, error))?;
    let found = look(&mut connection, path).await;
    let closed = connection.close().await;
    found?;
    closed.map_err(|error| explained(path, error))
}

async fn look(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let fail = |error| explained(path, error);
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fail)?;
    let shown = path.display().to_string();
    if tables.iter().any(|table| table == mover::PROGRESS) {
        return Err(unfinished(&shown));
    }
    if tables.iter().any(|table| table == mover::SOURCE) {
        let to: Option<String> = sqlx::query_scalar(mover::MOVED_TO)
            .fetch_one(&mut *connection)
            .await
            .map_err(fail)?;
        mover::begun_or_moved(&shown, to.as_deref())?;
    }
    if tables.iter().any(|table| table == "_sqlx_migrations") {
        let version: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await
            .map_err(fail)?;
        let has = |name: &&str| tables.iter().any(|table| table == name);
        if let Some(version) = version {
            if !["changes", "log"].iter().all(has) {
                return Err(foreign(&shown, &tables));
            }
            let mut protocol: Option<i64> = None;
            if version >= PROTOCOL_SINCE {
                let asked = sqlx::query_scalar(PROTOCOL_OF_LOG).fetch_one(&mut *connection);
                protocol = asked.await.map_err(fail)?;
            }
            newer(&shown, &SQLITE, (version, protocol.unwrap_or_default()))?;
        }
    } else if !tables.is_empty() {
        return Err(foreign(&shown, &tables));
    }
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if size <= CHECKED_BYTES {
        let verdict: String = sqlx::query_scalar("pragma quick_check(1)")
            .fetch_one(&mut *connection)
            .await
            .map_err(fail)?;
        if verdict != "ok" {
            return Err(damaged(path, &verdict));
        }
    }
    // Only a write shows whether the file is writable.
    for word in ["begin immediate", "rollback"] {
        match sqlx::raw_sql(word).execute(&mut *connection).await {
            Ok(_) => {}
            // Another process writes to it, so it is writable.
            Err(error) if sqlite_code(&error) == Some(5) => break,
            Err(error) => return Err(fail(error)),
        }
    }
    Ok(())
}

pub(super) fn make_folder(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| {
                let sentence = format!(
                    "the folder {} cannot be made ({error}): {SET_URL}",
                    folder.display()
                );
                Error::new(Kind::Internal, sentence).because(error)
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Says what is wrong with the file and what to do about it.
pub(super) fn explained(path: &Path, error: impl Into<DbError>) -> Error {
    let error = error.into();
    let path_shown = path.display();
    let sentence = match error.sqlite_code() {
        // SQLITE_READONLY, PERM, CANTOPEN.
        Some(8 | 3 | 14) => format!(
            "the database {path_shown} cannot be written to ({error}): give this user the right to \
             write to the file and to its folder, see that the disk is not mounted read-only, or \
             {SET_URL}"
        ),
        // SQLITE_NOTADB.
        Some(26) => format!(
            "{path_shown} is not a SQLite database: move it away, put a backup in its place, or {SET_URL}"
        ),
        // SQLITE_CORRUPT.
        Some(11) => return damaged(path, &error.to_string()),
        // SQLITE_FULL.
        Some(13) => {
            format!("there is no room on the disk for the database {path_shown}: make some")
        }
        // SQLITE_BUSY.
        Some(5) => format!(
            "another program keeps the database {path_shown} locked: find out which (fuser {path_shown}) \
             and end it"
        ),
        _ => format!("the database {path_shown} cannot be opened ({error}): {SET_URL}"),
    };
    Error::new(Kind::Internal, sentence).because(error)
}

fn damaged(path: &Path, verdict: &str) -> Error {
    let path = path.display();
    let verdict = verdict.lines().next_back().unwrap_or(verdict);
    Error::new(
        Kind::Internal,
        format!(
            "the database {path} is damaged ({verdict}): put a backup in its place, or save what can be \
             read with sqlite3 {path} .recover"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_reads_is_closed_when_idle() {
        let folder = tempfile::tempdir().expect("a folder");
        let idle_timeout = Some(Duration::from_secs(7));
        let options = Options {
            url: format!("sqlite://{}/chat.db", folder.path().display()),
            max_connections: 2,
            connect_timeout: Duration::from_secs(30),
            idle_timeout,
            failover: crate::store::Failover::default(),
        };
        let Opened { read, setup, .. } = open(&options, true).await.expect("it opens");
        assert_eq!(read.options().get_idle_timeout(), idle_timeout);
        read.close().await;
        setup.close().await;
    }
}
