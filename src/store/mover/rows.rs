//! The rows of a table on one side: read in the order of their keys, found by them, added and deleted.

use sqlx::{Arguments as _, AssertSqlSafe, postgres::PgArguments};

use super::{
    side::{Side, bind, of_postgres, of_sqlite},
    tables::{Kind, Table, quoted},
    value::{Row, Value},
};
use crate::store::{Either, failure::DbError};

/// The key of a row.
pub(super) type Key = Vec<Value>;

impl Table {
    /// The key of one of its rows.
    pub(super) fn key_of(&self, row: &[Value]) -> Key {
        self.key.iter().map(|place| row[*place].clone()).collect()
    }

    /// The names of the columns of its key.
    pub(super) fn key_names(&self) -> Vec<String> {
        let names = self.key.iter();
        names
            .map(|place| quoted(&self.columns[*place].name))
            .collect()
    }

    fn key_kinds(&self) -> Vec<Kind> {
        let kinds = self.key.iter();
        kinds.map(|place| self.columns[*place].kind).collect()
    }

    /// What finds a row of SQLite's by its key.
    fn by_key(&self) -> String {
        let names = self.key_names().into_iter().enumerate();
        let each = names.map(|(place, name)| format!("{name} = ${}", place + 1));
        each.collect::<Vec<_>>().join(" and ")
    }

    /// A set of keys as PostgreSQL takes it, and what compares it with the rows of `t`.
    fn among_keys(&self) -> (String, String) {
        let kinds = self.key_kinds().into_iter().enumerate();
        let lists = kinds.map(|(place, kind)| format!("${}::{}", place + 1, kind.list()));
        let lists = lists.collect::<Vec<_>>().join(", ");
        let names = self.key_names().into_iter().enumerate();
        let (columns, same): (Vec<_>, Vec<_>) = names
            .map(|(place, name)| (format!("c{place}"), format!("t.{name} = k.c{place}")))
            .unzip();
        let set = format!("unnest({lists}) as k ({})", columns.join(", "));
        (set, same.join(" and "))
    }
}

impl Side {
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

    /// The rows that have one of these keys, in no order.
    pub(super) async fn find(&mut self, table: &Table, keys: &[Key]) -> Result<Vec<Row>, DbError> {
        let (name, kinds) = (quoted(table.name), table.kinds());
        match &mut self.connection {
            Either::Sqlite(connection) => {
                let sql = format!(
                    "select {} from {name} where {}",
                    table.list(),
                    table.by_key()
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let mut found = Vec::new();
                for key in keys {
                    bind(&mut statement, key)?;
                    let mut rows = statement.raw_query();
                    while let Some(row) = rows.next()? {
                        found.push(of_sqlite(row, &kinds)?);
                    }
                }
                Ok(found)
            }
            Either::Postgres(connection) => {
                let names = table.columns.iter();
                let names = names.map(|column| format!("t.{}", quoted(&column.name)));
                let names = names.collect::<Vec<_>>().join(", ");
                let (set, same) = table.among_keys();
                let sql = format!("select {names} from {set} join {name} t on {same}");
                let arguments = columns(&table.key_kinds(), keys.to_vec())?;
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
                let rows = query.fetch_all(connection).await?;
                let rows = rows.iter().map(|row| of_postgres(row, &kinds));
                Ok(rows.collect::<Result<_, _>>()?)
            }
        }
    }

    /// Deletes the rows that have one of these keys.
    pub(super) async fn delete(&mut self, table: &Table, keys: &[Key]) -> Result<(), DbError> {
        let name = quoted(table.name);
        match &mut self.connection {
            Either::Sqlite(connection) => {
                let sql = format!("delete from {name} where {}", table.by_key());
                let mut statement = connection.prepare_cached(&sql)?;
                for key in keys {
                    bind(&mut statement, key)?;
                    statement.raw_execute()?;
                }
            }
            Either::Postgres(connection) => {
                let (set, same) = table.among_keys();
                let sql = format!("delete from {name} t using {set} where {same}");
                let arguments = columns(&table.key_kinds(), keys.to_vec())?;
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
                query.execute(connection).await?;
            }
        }
        Ok(())
    }
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
