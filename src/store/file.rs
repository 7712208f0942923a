//! The SQLite file on its disk: it is locked by one server, and must stay at its path.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::failure::{Cause, displaced};
use crate::error::{Error, Kind, Result};

/// The device and the number of a file on it.
pub(super) type Identity = (u64, u64);

/// The identity of the file at a path.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// On other systems an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// The file that the server has open.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
    /// The write-ahead log beside it, where there is one: while a connection is open it stays, and
    /// what was committed is in it alone for a while.
    log: Option<PathBuf>,
    lock: Mutex<Option<Lock>>,
}

impl DatabaseFile {
    /// The file at this path, which is open by now.
    pub(super) fn opened(path: &Path, lock: Option<Lock>) -> io::Result<Self> {
        let identity = identity(path)?;
        let log = std::fs::canonicalize(path).map(|path| beside(&path, "-wal"));
        Ok(Self {
            path: path.to_owned(),
            identity,
            log: log.ok().filter(|log| log.exists()),
            lock: Mutex::new(lock),
        })
    }

    /// Fails when the path leads to another file, or to none: writes would still be
    /// flushed, and lost when the server ends.
    pub(super) fn look(&self) -> Result<()> {
        let path = self.path.display();
        match identity(&self.path) {
            Ok(identity) if identity == self.identity => {}
            Ok(_) => {
                return Err(displaced(Cause(format!(
                    "{path} is another file than the one this server opened: stop the server, put \
                     the right file in its place, and start again"
                ))));
            }
            Err(error) => {
                return Err(displaced(Cause(format!(
                    "{path} was moved or deleted under the running server ({error}): put it back, or \
                     stop the server, restore a backup, and start again"
                ))));
            }
        }
        match &self.log {
            Some(log) if !log.exists() => Err(displaced(Cause(format!(
                "{} was deleted under the running server: stop the server with SIGTERM, which brings \
                 what it knows into {path}, and start again",
                log.display()
            )))),
            Some(_) | None => Ok(()),
        }
    }

    /// Lets another server have it, also when connections to it are left behind.
    pub(super) fn release(&self, connections_left: bool) {
        let lock = self
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(lock) = lock {
            lock.release(connections_left);
        }
    }
}

/// That this process alone serves the file. The system gives it back however the process ends.
///
/// There are two locks. The one on a file beside the database is found by everybody who comes by the same
/// name, or by a symbolic link. The other is on the database itself, whatever it is called: a hard link to it
/// has another file beside it, and a write-ahead log of its own, which would ruin it.
#[derive(Debug)]
pub(super) struct Lock {
    #[expect(dead_code, reason = "held open, which holds the lock")]
    beside: File,
    database: Option<File>,
}

impl Lock {
    /// Takes the lock, or says who holds it. It is on a file beside the database: SQLite's
    /// own locks are on the database itself.
    pub(super) fn take(database: &Path) -> Result<Option<Self>> {
        // Resolved, because a symbolic link to the file is the same database.
        let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let path = beside(&real, ".lock");
        let (database, shown) = (database.display(), path.display());
        let mut open = OpenOptions::new();
        let file = open.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| {
            let sentence = format!(
                "the file {shown} cannot be made ({error}), and the database beside it could not be \
                 written to either: give this user the right to write in that folder, or set \
                 databases.chat.url in Rocket.toml or in ROCKET_DATABASES"
            );
            Error::new(Kind::Internal, sentence).because(error)
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                beside: file,
                database: None,
            })),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::Conflict,
                format!(
                    "another server has the database {database} (it holds {shown}): stop it first, or \
                     give this one a database of its own with databases.chat.url in Rocket.toml or in \
                     ROCKET_DATABASES"
                ),
            )),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(
                    %error,
                    "{shown} cannot be locked on this file system: a second server on the same \
                     database would go unnoticed."
                );
                Ok(None)
            }
        }
    }
}

impl Lock {
    /// Takes the lock on the database itself, before any connection to it is open: closing a file lets go
    /// of the locks that SQLite has on it, in the whole process. Elsewhere than on Linux it would stand in
    /// SQLite's own way.
    pub(super) fn with_identity(self, database: &Path) -> Result<Self> {
        if !cfg!(target_os = "linux") {
            return Ok(self);
        }
        let file = File::open(database).map_err(Error::internal)?;
        let shown = database.display();
        match file.try_lock() {
            Ok(()) => Ok(Self {
                database: Some(file),
                ..self
            }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::Conflict,
                format!(
                    "another server has the database {shown}, by another name of the same file: stop it \
                     first, or give this one a database of its own with databases.chat.url in Rocket.toml \
                     or in ROCKET_DATABASES"
                ),
            )),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(
                    %error,
                    "{shown} cannot be locked on this file system: a second server that reaches it by a \
                     hard link would go unnoticed."
                );
                Ok(self)
            }
        }
    }

    /// Gives both back. While connections are open the file stays so.
    fn release(self, connections_left: bool) {
        if let Some(file) = self.database
            && connections_left
        {
            if let Err(error) = file.unlock() {
                tracing::debug!(%error, "The database could not be unlocked.");
            }
            std::mem::forget(file);
        }
    }
}

/// A file beside another, whose name goes on.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
