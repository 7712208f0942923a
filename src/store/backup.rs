//! Copies of a SQLite database: one that is made while a server writes, and one that takes the database's place.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use rusqlite::{Connection, OpenFlags};
use sqlx::sqlite::SqliteConnectOptions;

use super::{
    Options, Store,
    file::{Lock, beside},
    mover,
    open::unusable,
};
use crate::{
    error::{Error, Kind, Result},
    model::{Clock, Position},
};

/// Why the log goes on in another epoch.
const RESTORED: &str = "a backup was restored";

/// What a restore has done.
#[derive(Debug)]
pub struct Restored {
    /// The database that is a copy of the backup now.
    pub database: PathBuf,
    /// Where the database is that was in its place.
    pub aside: Option<PathBuf>,
}

impl Options {
    /// The file, where the database is one.
    pub fn sqlite_file(&self) -> Result<Option<PathBuf>> {
        if !self.url.starts_with("sqlite:") {
            return Ok(None);
        }
        let connect = SqliteConnectOptions::from_str(&self.url);
        let connect = connect.map_err(|error| unusable(self, error))?;
        Ok(Some(connect.get_filename().to_owned()))
    }

    /// The same for a file beside it, whose name goes on.
    fn beside(&self, end: &str) -> Self {
        let (file, rest) = match self.url.split_once('?') {
            Some((file, rest)) => (file, format!("?{rest}")),
            None => (self.url.as_str(), String::new()),
        };
        Self {
            url: format!("{file}{end}{rest}"),
            ..self.clone()
        }
    }
}

/// Copies the database as it is at one moment to a new file. A server may write to it meanwhile.
pub fn back_up(options: &Options, target: &Path) -> Result<()> {
    let Some(source) = options.sqlite_file()? else {
        return Err(not_for_postgres("back it up", "pg_dump"));
    };
    if target.exists() {
        return Err(trouble(format!(
            "{} is there already: a backup is made to a new file",
            target.display()
        )));
    }
    let partial = beside(target, ".partial");
    copy(&source, &partial)?;
    move_to(&partial, target)
}

/// Puts a copy of a backup in the database's place, which no server may have, in a new epoch of the log. The database that was
/// there is kept beside it.
pub async fn restore(options: &Options, backup: &Path) -> Result<Restored> {
    let Some(database) = options.sqlite_file()? else {
        return Err(not_for_postgres("restore it", "pg_restore"));
    };
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    }
    let mut lock = Lock::take(&database)?;
    if database.exists() {
        lock = lock.map(|lock| lock.with_identity(&database)).transpose()?;
    }
    let staged = options.beside(".restoring");
    let staging = beside(&database, ".restoring");
    forget(&staging)?;
    copy(backup, &staging)?;
    let above = if database.exists() {
        close_log(&database)
    } else {
        Position::START
    };
    begin_epoch(&staged, above).await?;
    let aside = keep(&database)?;
    if aside.is_some() {
        give_alike(&database, &staging)?;
    }
    move_to(&staging, &database)?;
    drop(lock);
    Ok(Restored { database, aside })
}

/// Begins another epoch of the log, as after going back to an older state by other means. On SQLite no server may have it.
pub async fn renew_epoch(options: &Options) -> Result<()> {
    let store = if options.sqlite_file()?.is_some() {
        Store::serve(options).await?
    } else {
        Store::open(options).await?
    };
    let begun = store.write_anyway(|tx| {
        Box::pin(async move {
            tx.begin_epoch(&Position::START.into(), "an operator said so")
                .await
        })
    });
    let begun = begun.await;
    store.close().await;
    begun.map(drop)
}

async fn begin_epoch(staged: &Options, above: Position) -> Result<()> {
    let store = Store::open(staged).await?;
    let begun = store.write_anyway(move |tx| {
        Box::pin(async move { tx.begin_epoch(&above.into(), RESTORED).await })
    });
    let begun = begun.await;
    store.close().await;
    begun.map(drop)
}

/// Writes a copy of a database to a file that only its owner may read.
fn copy(source: &Path, target: &Path) -> Result<()> {
    let fail = |error: rusqlite::Error| {
        trouble(format!(
            "{} cannot be copied to {} ({error})",
            source.display(),
            target.display()
        ))
        .because(error)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(source, flags).map_err(fail)?;
    let own: i64 = connection
        .query_row(
            "select count(*) from sqlite_schema where name in ('log', 'changes', '_sqlx_migrations')",
            [],
            |row| row.get(0),
        )
        .map_err(fail)?;
    if own != 3 {
        let source = source.display();
        return Err(trouble(format!("{source} is not a database of Parlance's")));
    }
    forget(target)?;
    make_private(target).map_err(|error| at(target, &error))?;
    let copied = connection.execute("vacuum into ?1", [target.to_string_lossy()]);
    copied.map_err(fail)?;
    let copy = Connection::open_with_flags(target, flags).map_err(fail)?;
    // It is the source of no copy.
    let freed = mover::removal_from_sqlite(&copy).and_then(|removal| {
        let sql = format!("begin immediate; {removal}; commit");
        copy.execute_batch(&sql)
    });
    freed.map_err(fail)?;
    let verdict: String = copy
        .query_row("pragma quick_check(1)", [], |row| row.get(0))
        .map_err(fail)?;
    if verdict != "ok" {
        let source = source.display();
        return Err(trouble(format!("{source} is damaged ({verdict})")));
    }
    copy.close().map_err(|(_, error)| fail(error))?;
    let synced = File::open(target).and_then(|file| file.sync_all());
    synced.map_err(|error| at(target, &error))
}

/// An empty file that only its owner may read: a database has everybody's messages.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let mut open = OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        open.mode(0o600);
    }
    open.open(path).map(drop)
}

/// Brings the write-ahead log of a database that is about to be replaced into it, and returns where the log ends. One
/// that is damaged is left as it is.
fn close_log(database: &Path) -> Position {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || {
        let connection = Connection::open_with_flags(database, flags)?;
        connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        connection.query_row("select head from log where id = 1", [], |row| row.get(0))
    };
    match read() {
        Ok(head) => Position::new(head),
        Err(error) => {
            tracing::warn!(
                %error,
                "{} cannot be read: it is kept as it is.",
                database.display()
            );
            Position::START
        }
    }
}

/// Keeps the database that is about to be replaced, with a write-ahead log that could not be taken into it, under
/// another name. The database keeps its own name until it is replaced: a crash meanwhile leaves one of the two.
fn keep(database: &Path) -> Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let aside = beside(database, &format!(".before-restore-{}", Clock.now().get()));
    fs::hard_link(database, &aside)
        .or_else(|_| fs::copy(database, &aside).map(drop))
        .map_err(|error| at(&aside, &error))?;
    let log = beside(database, "-wal");
    if log.exists() {
        fs::rename(&log, beside(&aside, "-wal")).map_err(|error| at(&log, &error))?;
    }
    remove(&beside(database, "-shm"))?;
    Ok(Some(aside))
}

/// Lets those read and write a file who may do so with another: the server may be run by somebody else.
fn give_alike(like: &Path, path: &Path) -> Result<()> {
    let metadata = fs::metadata(like).map_err(|error| at(like, &error))?;
    let allowed = fs::set_permissions(path, metadata.permissions());
    allowed.map_err(|error| at(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, chown};
        // Who may not give files away is their owner.
        if let Err(error) = chown(path, Some(metadata.uid()), Some(metadata.gid())) {
            tracing::debug!(%error, "The database stays with who restores it.");
        }
    }
    Ok(())
}

/// Gives a file the name of another, which it replaces, for good.
fn move_to(from: &Path, to: &Path) -> Result<()> {
    for end in ["-wal", "-shm"] {
        let left = beside(from, end);
        if left.exists() {
            let left = left.display();
            return Err(trouble(format!(
                "{left} is left: another program has the copy open"
            )));
        }
    }
    fs::rename(from, to).map_err(|error| at(to, &error))?;
    #[cfg(unix)]
    {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| at(folder, &error))?;
    }
    Ok(())
}

/// Removes what an interrupted attempt has left.
fn forget(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm", "-journal"] {
        remove(&beside(path, end))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn not_for_postgres(what: &str, program: &str) -> Error {
    trouble(format!(
        "the database is in PostgreSQL: {what} with {program}, see the README"
    ))
}

fn at(path: &Path, error: &io::Error) -> Error {
    trouble(format!("{}: {error}", path.display()))
}

fn trouble(sentence: String) -> Error {
    Error::new(Kind::Internal, sentence)
}
