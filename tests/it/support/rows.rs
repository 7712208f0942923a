//! All rows of a database, alike for both engines.

use std::collections::BTreeMap;

use parlance::store::mover;
use serde_json::Value;

use crate::support::place::{Beside, Place};

/// Of each table that is copied its rows, in the order of what they say.
pub(crate) async fn all_rows(place: &Place) -> BTreeMap<&'static str, Vec<String>> {
    let mut beside = place.beside().await;
    let mut all = BTreeMap::new();
    for table in mover::copied_tables() {
        let columns = columns(&mut beside, table).await;
        let list: Vec<_> = columns
            .iter()
            .map(|column| format!("\"{column}\""))
            .collect();
        let list = list.join(", ");
        let sql = match beside {
            Beside::Sqlite(_) => format!("select json_array({list}) from {table}"),
            Beside::Postgres(_) => format!("select json_build_array({list})::text from {table}"),
        };
        let rows = texts(&mut beside, sql).await;
        let mut rows: Vec<_> = rows.iter().map(|row| plain(row)).collect();
        rows.sort();
        all.insert(*table, rows);
    }
    all
}

/// A row with truth as numbers, as SQLite has it.
fn plain(row: &str) -> String {
    let mut row: Vec<Value> = serde_json::from_str(row).expect("a row is a list");
    for value in &mut row {
        if let Value::Bool(truth) = value {
            *value = Value::from(i64::from(*truth));
        }
    }
    Value::Array(row).to_string()
}

/// The columns of a table by name, but for those that say on which server it is.
async fn columns(beside: &mut Beside, table: &str) -> Vec<String> {
    let sql = match beside {
        Beside::Sqlite(_) => format!("select name from pragma_table_info('{table}')"),
        Beside::Postgres(_) => format!(
            "select attname::text from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 \
             and not attisdropped"
        ),
    };
    let mut columns = texts(beside, sql).await;
    columns.retain(|column| table != "log" || column != "system" && column != "timeline");
    columns.sort();
    columns
}

async fn texts(beside: &mut Beside, sql: String) -> Vec<String> {
    let sql = sqlx::AssertSqlSafe(sql);
    let texts = match beside {
        Beside::Sqlite(one) => sqlx::query_scalar(sql).fetch_all(one).await,
        Beside::Postgres(one) => sqlx::query_scalar(sql).fetch_all(one).await,
    };
    texts.expect("the question is right")
}
