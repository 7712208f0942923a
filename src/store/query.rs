//! A statement of a writing transaction: one text and one list of arguments for both engines.

use std::borrow::Cow;

use sqlx::{
    Arguments as _,
    postgres::{PgArguments, PgRow},
    types::JsonValue,
};

use super::{
    Either, EngineSql, Tx,
    failure::{DbError, bounded},
};

/// An argument of a statement.
#[derive(Debug)]
pub(super) enum Argument<'q> {
    Int(Option<i64>),
    Bool(bool),
    Text(Option<Cow<'q, str>>),
    Bytes(&'q [u8]),
    /// A set of numbers: a JSON array on SQLite, an array on PostgreSQL.
    Ints(Vec<i64>),
    /// A set of texts, in the same way.
    Texts(Vec<String>),
}

impl From<i64> for Argument<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Argument<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Argument<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'q> From<&'q str> for Argument<'q> {
    fn from(value: &'q str) -> Self {
        Self::Text(Some(value.into()))
    }
}

impl<'q> From<Option<&'q str>> for Argument<'q> {
    fn from(value: Option<&'q str>) -> Self {
        Self::Text(value.map(Cow::Borrowed))
    }
}

impl From<String> for Argument<'_> {
    fn from(value: String) -> Self {
        Self::Text(Some(value.into()))
    }
}

impl From<Option<String>> for Argument<'_> {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(Cow::Owned))
    }
}

impl<'q> From<&'q [u8]> for Argument<'q> {
    fn from(value: &'q [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl From<Vec<i64>> for Argument<'_> {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}

impl From<Vec<String>> for Argument<'_> {
    fn from(value: Vec<String>) -> Self {
        Self::Texts(value)
    }
}

impl From<&'static str> for EngineSql {
    fn from(sql: &'static str) -> Self {
        Self {
            sqlite: sql,
            postgres: sql,
        }
    }
}

/// What a row of SQLite's is read into; `row!` implements it.
pub(super) trait FromSqlite: Sized {
    fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
}

impl<A: rusqlite::types::FromSql> FromSqlite for (A,) {
    fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok((row.get(0)?,))
    }
}

impl<A, B> FromSqlite for (A, B)
where
    A: rusqlite::types::FromSql,
    B: rusqlite::types::FromSql,
{
    fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok((row.get(0)?, row.get(1)?))
    }
}

/// What a row of either engine is read into.
pub(super) trait FromRow:
    FromSqlite + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T: FromSqlite + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin> FromRow for T {}

/// An insertion into a table whose ids the database gives out. SQLite tells the last one by itself: for `returning` it
/// makes a table of its own for each statement, which costs more than the row.
macro_rules! inserting {
    ($sql:literal) => {
        $crate::store::EngineSql {
            sqlite: $sql,
            postgres: concat!($sql, " returning id"),
        }
    };
}

pub(super) use inserting;

/// A statement that is about to run in a transaction.
#[derive(Debug)]
#[must_use]
pub(super) struct Query<'q> {
    tx: &'q mut Tx,
    sql: EngineSql,
    arguments: Vec<Argument<'q>>,
}

impl Tx {
    /// Whether a statement costs no round trip.
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self.0, Either::Sqlite(_))
    }

    /// A statement, whose arguments are `$1` and so on.
    pub(super) fn query(&mut self, sql: impl Into<EngineSql>) -> Query<'_> {
        Query {
            tx: self,
            sql: sql.into(),
            arguments: Vec::new(),
        }
    }
}

impl<'q> Query<'q> {
    /// Adds the next argument.
    pub(super) fn bind(mut self, argument: impl Into<Argument<'q>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs it; returns how many rows it changed.
    pub(super) async fn execute(self) -> Result<u64, DbError> {
        match &mut self.tx.0 {
            Either::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(self.sql.sqlite)?;
                bind_all(&mut statement, &self.arguments)?;
                Ok(statement.raw_execute()? as u64)
            }
            Either::Postgres(tx) => {
                let query = sqlx::query_with(self.sql.postgres, encoded(self.arguments)?);
                let done = bounded(query.execute(&mut **tx)).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs it as the insertion of one row, made by `inserting!`; returns the id that the row was given.
    pub(super) async fn insert(self) -> Result<i64, DbError> {
        if let Either::Sqlite(connection) = &self.tx.0 {
            let mut statement = connection.prepare_cached(self.sql.sqlite)?;
            bind_all(&mut statement, &self.arguments)?;
            statement.raw_execute()?;
            return Ok(connection.last_insert_rowid());
        }
        self.scalar().await
    }

    /// Its rows.
    pub(super) async fn fetch_all<T: FromRow>(self) -> Result<Vec<T>, DbError> {
        match &mut self.tx.0 {
            Either::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(self.sql.sqlite)?;
                bind_all(&mut statement, &self.arguments)?;
                let mut rows = statement.raw_query();
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(T::from_sqlite(row)?);
                }
                Ok(found)
            }
            Either::Postgres(tx) => {
                let query = sqlx::query_as_with(self.sql.postgres, encoded(self.arguments)?);
                Ok(bounded(query.fetch_all(&mut **tx)).await?)
            }
        }
    }

    /// Its first row, if it has one. All of its rows are taken: a statement that changes something has
    /// only then come to its end.
    pub(super) async fn fetch_optional<T: FromRow>(self) -> Result<Option<T>, DbError> {
        Ok(self.fetch_all().await?.into_iter().next())
    }

    /// The one column of its rows.
    pub(super) async fn scalars<A>(self) -> Result<Vec<A>, DbError>
    where
        (A,): FromRow,
    {
        let rows: Vec<(A,)> = self.fetch_all().await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    /// The one column of its first row, if it has one.
    pub(super) async fn scalar_optional<A>(self) -> Result<Option<A>, DbError>
    where
        (A,): FromRow,
    {
        Ok(self.scalars().await?.into_iter().next())
    }

    /// The one column of its one row.
    pub(super) async fn scalar<A>(self) -> Result<A, DbError>
    where
        (A,): FromRow,
    {
        let value = self.scalar_optional().await?;
        value.ok_or(DbError::Sqlx(sqlx::Error::RowNotFound))
    }
}

/// Binds `$n` to the n-th argument: SQLite itself numbers such names by where they stand first.
fn bind_all(
    statement: &mut rusqlite::CachedStatement<'_>,
    arguments: &[Argument<'_>],
) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let number = name.get(1..).and_then(|number| number.parse().ok());
        let argument = arguments.get(number.unwrap_or(index).wrapping_sub(1));
        let argument = argument.ok_or(rusqlite::Error::InvalidParameterCount(
            index,
            arguments.len(),
        ))?;
        match argument {
            Argument::Int(value) => statement.raw_bind_parameter(index, value)?,
            Argument::Bool(value) => statement.raw_bind_parameter(index, value)?,
            Argument::Text(value) => statement.raw_bind_parameter(index, value.as_deref())?,
            Argument::Bytes(value) => statement.raw_bind_parameter(index, value)?,
            Argument::Ints(value) => {
                statement.raw_bind_parameter(index, JsonValue::from(value.clone()).to_string())?;
            }
            Argument::Texts(value) => {
                statement.raw_bind_parameter(index, JsonValue::from(value.clone()).to_string())?;
            }
        }
    }
    Ok(())
}

/// The arguments as PostgreSQL's driver takes them.
fn encoded(arguments: Vec<Argument<'_>>) -> Result<PgArguments, DbError> {
    let mut encoded = PgArguments::default();
    for argument in arguments {
        let added = match argument {
            Argument::Int(value) => encoded.add(value),
            Argument::Bool(value) => encoded.add(value),
            Argument::Text(value) => encoded.add(value),
            Argument::Bytes(value) => encoded.add(value),
            Argument::Ints(value) => encoded.add(value),
            Argument::Texts(value) => encoded.add(value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(encoded)
}
