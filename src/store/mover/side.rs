//! One of the two databases of a copy, on either engine: a connection, and what keeps others away from it meanwhile.

use std::{path::Path, str::FromStr};

use futures_util::TryStreamExt as _;
use rusqlite::{OpenFlags, types::ValueRef};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions, PgConnection, Row as _,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};

use super::{
    guard::Guard,
    tables::{Kind, Table, quoted},
    value::{Row, Value},
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{
        Either, Options,
        failure::{Cause, DbError},
        file::Lock,
        open::unusable,
        postgres, sqlite,
    },
};

/// The most that a page of rows takes in memory, but for its last row.
const PAGE_BYTES: usize = 4 << 20;
/// How long a statement waits for another process that writes.
const BUSY: std::time::Duration = std::time::Duration::from_secs(3);

/// See the module.
pub(super) struct Side {
    pub(super) connection: Either<rusqlite::Connection, PgConnection>,
    place: String,
    /// Given back after the connection is closed: closing the file lets go of SQLite's own locks.
    guard: Guard,
}

impl Side {
    /// The database that is read. No server may have it.
    pub(super) async fn source(options: &Options) -> Result<Self> {
        match options.sqlite_file()? {
            Some(file) if !file.exists() => {
                let file = file.display();
                Err(trouble(format!("there is no database {file}")))
            }
            Some(file) => Self::open_sqlite(options, &file),
            None => Self::open_postgres(options).await,
        }
    }

    /// The database that is written to, which is made where it is a file. No server may have it.
    pub(super) async fn target(options: &Options) -> Result<Self> {
        let Some(file) = options.sqlite_file()? else {
            return Self::open_postgres(options).await;
        };
        sqlite::make_folder(&file)?;
        if !file.exists() {
            let made = crate::store::backup::make_private(&file);
            made.map_err(|error| trouble(format!("{}: {error}", file.display())))?;
        }
        Self::open_sqlite(options, &file)
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

    fn open_sqlite(options: &Options, file: &Path) -> Result<Self> {
        let lock = Lock::take(file)?;
        let lock = lock.map(|lock| lock.with_identity(file)).transpose()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = rusqlite::Connection::open_with_flags(file, flags);
        let opened = opened.and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| sqlite::explained(file, error))?;
        Ok(Self {
            connection: Either::Sqlite(connection),
            place: options.place(),
            guard: Guard::Sqlite(lock),
        })
    }

    async fn open_postgres(options: &Options) -> Result<Self> {
        let connect = PgConnectOptions::from_str(&options.url);
        let connect = connect.map_err(|error| unusable(options, error))?;
        let guard = Guard::postgres(&connect, options).await?;
        // One statement may read all there is, and the source waits while the target is written to.
        let patient = connect.options([
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("lock_timeout", "3s"),
        ]);
        let connection = patient.connect().await;
        Ok(Self {
            connection: Either::Postgres(
                connection.map_err(|error| postgres::explained(options, error))?,
            ),
            place: options.place(),
            guard,
        })
    }

    /// The database's address.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Says that the database failed.
    pub(super) fn trouble(&self, error: DbError) -> Error {
        trouble(format!("the database {} failed ({error})", self.place)).because(error)
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

    /// The next rows of a table after those up to a key, in the order of the keys, which is that of their bytes on
    /// both engines.
    pub(super) async fn page(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Row>, DbError> {
        let is_sqlite = matches!(self.connection, Either::Sqlite(_));
        let key = table.key.iter().map(|place| {
            let column = &table.columns[*place];
            let name = quoted(&column.name);
            match column.kind {
                Kind::Text if !is_sqlite => format!("{name} collate \"C\""),
                Kind::Int | Kind::Bool | Kind::Text | Kind::Bytes => name,
            }
        });
        let key = key.collect::<Vec<_>>().join(", ");
        let places = (1..=table.key.len()).map(|number| format!("${number}"));
        let places = places.collect::<Vec<_>>().join(", ");
        let range = match after {
            Some(_) => format!("where ({key}) > ({places})"),
            None => String::new(),
        };
        let sql = format!(
            "select {} from {} {range} order by {key} limit {limit}",
            table.list(),
            quoted(table.name)
        );
        self.select(&sql, after.unwrap_or_default(), &table.kinds())
            .await
    }

    /// Adds rows to a table.
    pub(super) async fn insert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DbError> {
        let (name, list) = (quoted(table.name), table.list());
        let numbers = 1..=table.columns.len();
        match &mut self.connection {
            Either::Sqlite(connection) => {
                let places = numbers.map(|number| format!("${number}"));
                let places = places.collect::<Vec<_>>().join(", ");
                let sql = format!("insert into {name} ({list}) values ({places})");
                let mut statement = connection.prepare_cached(&sql)?;
                for row in rows {
                    bind(&mut statement, &row)?;
                    statement.raw_execute()?;
                }
            }
            Either::Postgres(connection) => {
                let lists = table.columns.iter().zip(numbers);
                let lists =
                    lists.map(|(column, number)| format!("${number}::{}", column.kind.list()));
                let lists = lists.collect::<Vec<_>>().join(", ");
                let sql = format!("insert into {name} ({list}) select * from unnest({lists})");
                let arguments = columns(&table.kinds(), rows)?;
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
                query.execute(connection).await?;
            }
        }
        Ok(())
    }

    /// Closes the connection, with everything that was written in its place.
    pub(super) async fn close(self) -> Result<()> {
        let Self {
            connection,
            place,
            guard,
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

fn bind(statement: &mut rusqlite::Statement<'_>, arguments: &[Value]) -> rusqlite::Result<()> {
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

/// Rows as one list for each column.
fn columns(kinds: &[Kind], rows: Vec<Row>) -> Result<PgArguments, DbError> {
    let mut columns: Vec<Vec<Value>> = kinds
        .iter()
        .map(|_| Vec::with_capacity(rows.len()))
        .collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let mut encoded = PgArguments::default();
    for (kind, column) in kinds.iter().zip(columns) {
        let column = column.into_iter();
        let added = match kind {
            Kind::Int => encoded.add(column.map(Value::int).collect::<Vec<_>>()),
            Kind::Bool => encoded.add(column.map(Value::bool).collect::<Vec<_>>()),
            Kind::Text => encoded.add(column.map(Value::text).collect::<Vec<_>>()),
            Kind::Bytes => encoded.add(column.map(Value::bytes).collect::<Vec<_>>()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(encoded)
}

fn of_postgres(row: &PgRow, kinds: &[Kind]) -> Result<Row, sqlx::Error> {
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
fn of_sqlite(row: &rusqlite::Row<'_>, kinds: &[Kind]) -> Result<Row, DbError> {
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
