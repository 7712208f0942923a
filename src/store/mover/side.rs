//! One of the two databases of a copy, on either engine: a connection, and what keeps others away from it meanwhile.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use futures_util::TryStreamExt as _;
use rusqlite::{OpenFlags, types::ValueRef};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions, PgConnection, Row as _,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};

use super::{
    guard::{self, Guard},
    tables::Kind,
    value::{Row, Value},
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{
        Either, EngineSql, Options,
        failure::{Cause, DbError},
        file::{Identity, Lock, identity},
        open::unusable,
        postgres, sqlite,
    },
};

/// The most that a page of rows takes in memory, but for its last row.
const PAGE_BYTES: usize = 4 << 20;
/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(3);
/// The same beside a server, which may have much to write, and comes first.
const BUSY_BESIDE_SERVERS: Duration = Duration::from_mins(1);

/// Who else may have the database meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// Nobody.
    Alone,
    /// Servers, but no other copy.
    Servers,
}

/// See the module.
pub(super) struct Side {
    pub(super) connection: Either<rusqlite::Connection, PgConnection>,
    place: String,
    /// Where the file of a SQLite database is, and which one that is.
    file: Option<(PathBuf, Identity)>,
    /// Given back after the connection is closed: closing the file lets go of SQLite's own locks.
    guard: Guard,
}

impl Side {
    /// The database that is read.
    pub(super) async fn source(options: &Options, company: Company) -> Result<Self> {
        match options.sqlite_file()? {
            Some(file) if !file.exists() => {
                let file = file.display();
                Err(trouble(format!("there is no database {file}")))
            }
            Some(file) => Self::open_sqlite(options, &file, company),
            None => Self::open_postgres(options, company).await,
        }
    }

    /// The database that is written to, which is made where it is a file. No server may have it.
    pub(super) async fn target(options: &Options) -> Result<Self> {
        let Some(file) = options.sqlite_file()? else {
            return Self::open_postgres(options, Company::Alone).await;
        };
        sqlite::make_folder(&file)?;
        if !file.exists() {
            let made = crate::store::backup::make_private(&file);
            made.map_err(|error| trouble(format!("{}: {error}", file.display())))?;
        }
        Self::open_sqlite(options, &file, Company::Alone)
    }

    /// Has the connection write as a server's does, once it is known that the database is ours.
    pub(super) async fn configure(&mut self) -> Result<()> {
        if let Either::Postgres(_) = &self.connection {
            return Ok(());
        }
        let pragmas = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                       pragma temp_store = memory";
        let set = self.run(pragmas).await;
        set.map_err(|error| self.trouble(error))
    }

    fn open_sqlite(options: &Options, file: &Path, company: Company) -> Result<Self> {
        let (lock, busy) = match company {
            Company::Alone => (Lock::take(file)?, BUSY),
            Company::Servers => (None, BUSY_BESIDE_SERVERS),
        };
        let lock = lock.map(|lock| lock.with_identity(file)).transpose()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = rusqlite::Connection::open_with_flags(file, flags);
        let opened = opened.and_then(|connection| {
            connection.busy_timeout(busy)?;
            if company == Company::Servers {
                // What is handed over stays so though the machine loses its power.
                connection.pragma_update(None, "synchronous", "full")?;
            }
            Ok(connection)
        });
        let connection = opened.map_err(|error| sqlite::explained(file, error))?;
        let own = identity(file);
        let own = own.map_err(|error| trouble(format!("{}: {error}", file.display())))?;
        Ok(Self {
            connection: Either::Sqlite(connection),
            place: options.place(),
            file: Some((file.to_owned(), own)),
            guard: Guard::Sqlite(lock),
        })
    }

    async fn open_postgres(options: &Options, company: Company) -> Result<Self> {
        let connect = PgConnectOptions::from_str(&options.url);
        let connect = connect.map_err(|error| unusable(options, error))?;
        let guard = Guard::postgres(&connect, options, company).await?;
        // One statement may read all there is, and the source waits while the target is written to.
        let patient = connect.options([
            ("statement_timeout", "0"),
            ("synchronous_commit", "on"),
            ("idle_in_transaction_session_timeout", "0"),
            ("lock_timeout", "3s"),
            // Rows are sought by their keys in tables of which there are no statistics yet.
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ]);
        let connection = patient.connect().await;
        let mut connection = connection.map_err(|error| postgres::explained(options, error))?;
        guard::work(&mut connection, options).await?;
        Ok(Self {
            connection: Either::Postgres(connection),
            place: options.place(),
            file: None,
            guard,
        })
    }

    /// The database's address.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Refuses a SQLite file that is not at its path any more, as when a backup was restored: servers have another one.
    pub(super) fn is_in_place(&self) -> Result<()> {
        match &self.file {
            Some((path, own)) if identity(path).ok() != Some(*own) => {
                let path = path.display();
                Err(trouble(format!(
                    "the file {path} was replaced while it was copied: give the copy up (parlance copy --abandon), \
                     empty the target, and begin again"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Says that the database failed.
    pub(super) fn trouble(&self, error: DbError) -> Error {
        trouble(format!("the database {} failed ({error})", self.place)).because(error)
    }

    /// Begins a transaction that reads the database as it is at one moment.
    pub(super) async fn begin_reading(&mut self) -> Result<(), DbError> {
        let sql = EngineSql {
            sqlite: "begin",
            postgres: "begin isolation level repeatable read",
        };
        self.run(sql.of(&self.connection)).await
    }

    /// Begins a transaction in which a row may be deleted to which others refer, if it is there again at the end.
    pub(super) async fn begin_replacing(&mut self) -> Result<(), DbError> {
        let sql = EngineSql {
            sqlite: "begin",
            postgres: "begin; set constraints all deferred",
        };
        self.run(sql.of(&self.connection)).await
    }

    /// Gives up the transaction that is open, if one is.
    pub(super) async fn roll_back(&mut self) {
        // Where none is open that is an error on SQLite.
        drop(self.run("rollback").await);
    }

    /// Runs statements without arguments.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        match &mut self.connection {
            Either::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Either::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                Ok(sqlx::raw_sql(sql).execute(connection).await.map(drop)?)
            }
        }
    }

    /// Runs a statement whose arguments, `$1` and so on, stand in that order and once each.
    pub(super) async fn execute(&mut self, sql: &str, arguments: &[Value]) -> Result<(), DbError> {
        match &mut self.connection {
            Either::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, arguments)?;
                statement.raw_execute()?;
            }
            Either::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                let query = sqlx::query_with(sql, encoded(arguments)?);
                query.execute(connection).await?;
            }
        }
        Ok(())
    }

    /// The rows of a statement, as far as they are to be in memory at once; its arguments stand as for
    /// [`Self::execute`].
    pub(super) async fn select(
        &mut self,
        sql: &str,
        arguments: &[Value],
        kinds: &[Kind],
    ) -> Result<Vec<Row>, DbError> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut add = |row: Row| {
            bytes += row.iter().map(Value::size).sum::<usize>();
            found.push(row);
            bytes < PAGE_BYTES
        };
        match &mut self.connection {
            Either::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, arguments)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if !add(of_sqlite(row, kinds)?) {
                        break;
                    }
                }
            }
            Either::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                let query = sqlx::query_with(sql, encoded(arguments)?);
                let mut rows = query.fetch(connection);
                while let Some(row) = rows.try_next().await? {
                    if !add(of_postgres(&row, kinds)?) {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// The number that a statement asks for.
    pub(super) async fn number(&mut self, sql: &str) -> Result<i64, DbError> {
        let rows = self.select(sql, &[], &[Kind::Int]).await?;
        let value = rows.into_iter().flatten().next().and_then(Value::int);
        value.ok_or(DbError::Sqlx(sqlx::Error::RowNotFound))
    }

    /// Closes the connection, with everything that was written in its place.
    pub(super) async fn close(self) -> Result<()> {
        let Self {
            connection,
            place,
            guard,
            ..
        } = self;
        let closed = match connection {
            Either::Sqlite(connection) => {
                let closed = connection.close();
                closed.map_err(|(_, error)| DbError::from(error))
            }
            Either::Postgres(connection) => sqlx::Connection::close(connection)
                .await
                .map_err(DbError::from),
        };
        drop(guard);
        closed.map_err(|error| trouble(format!("the database {place} failed ({error})")))
    }
}

pub(super) fn bind(
    statement: &mut rusqlite::Statement<'_>,
    arguments: &[Value],
) -> rusqlite::Result<()> {
    for (place, argument) in arguments.iter().enumerate() {
        let place = place + 1;
        match argument {
            Value::Null => statement.raw_bind_parameter(place, rusqlite::types::Null)?,
            Value::Int(value) => statement.raw_bind_parameter(place, value)?,
            Value::Bool(value) => statement.raw_bind_parameter(place, value)?,
            Value::Text(value) => statement.raw_bind_parameter(place, value)?,
            Value::Bytes(value) => statement.raw_bind_parameter(place, value)?,
        }
    }
    Ok(())
}

fn encoded(arguments: &[Value]) -> Result<PgArguments, DbError> {
    let mut encoded = PgArguments::default();
    for argument in arguments {
        let added = match argument {
            Value::Null => encoded.add(None::<String>),
            Value::Int(value) => encoded.add(value),
            Value::Bool(value) => encoded.add(value),
            Value::Text(value) => encoded.add(value),
            Value::Bytes(value) => encoded.add(value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(encoded)
}

pub(super) fn of_postgres(row: &PgRow, kinds: &[Kind]) -> Result<Row, sqlx::Error> {
    let each = kinds.iter().enumerate();
    each.map(|(place, kind)| {
        let value = match kind {
            Kind::Int => row.try_get::<Option<i64>, _>(place)?.map(Value::Int),
            Kind::Bool => row.try_get::<Option<bool>, _>(place)?.map(Value::Bool),
            Kind::Text => row.try_get::<Option<String>, _>(place)?.map(Value::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(place)?.map(Value::Bytes),
        };
        Ok(value.unwrap_or(Value::Null))
    })
    .collect()
}

/// SQLite keeps in any column what it was given: what the column is not for is refused.
pub(super) fn of_sqlite(row: &rusqlite::Row<'_>, kinds: &[Kind]) -> Result<Row, DbError> {
    let each = kinds.iter().enumerate();
    each.map(|(place, kind)| {
        let strange = |found: ValueRef<'_>| {
            let name = row.as_ref().column_name(place).unwrap_or_default();
            let sentence = format!(
                "the column {name} holds a value of the type {}",
                found.data_type()
            );
            DbError::Sqlx(sqlx::Error::Decode(Box::new(Cause(sentence))))
        };
        match (row.get_ref(place)?, kind) {
            (ValueRef::Null, _) => Ok(Value::Null),
            (ValueRef::Integer(value), Kind::Int) => Ok(Value::Int(value)),
            (ValueRef::Integer(value @ (0 | 1)), Kind::Bool) => Ok(Value::Bool(value == 1)),
            (ValueRef::Text(text), Kind::Text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(error) => Err(DbError::Sqlx(sqlx::Error::Decode(Box::new(error)))),
            },
            (ValueRef::Blob(bytes), Kind::Bytes) => Ok(Value::Bytes(bytes.to_vec())),
            (found, _) => Err(strange(found)),
        }
    })
    .collect()
}

pub(super) fn trouble(sentence: String) -> Error {
    Error::new(ErrorKind::Internal, sentence)
}
