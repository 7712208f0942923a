//! The tables that are copied, in an order in which none comes before one that it refers to, and their columns.

use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{EngineSql, failure::DbError},
};

use super::{side::Side, traces};

/// Every table that is copied row by row. The log comes last: it says that the rest is there.
pub(super) const COPIED: &[&str] = &[
    "tenants",
    "domains",
    "people",
    "logins",
    "chats",
    "members",
    "messages",
    "changes",
    "connections",
    "closings",
    "name_looks",
    "upkeep",
    "creations",
    "guest_keys",
    "secrets",
    "invites",
    "mentions",
    "reactions",
    "search_progress",
    "second_factors",
    "recovery_codes",
    "sign_ins",
    "audit",
    "one_time_links",
    "runtime_settings",
    "revocations",
    "epochs",
    "webhooks",
    "webhook_deliveries",
    "incoming_hooks",
    "moves",
    "lanes",
    "log",
];

/// The tables that are not, each with the reason.
pub(super) const LEFT: &[(&str, &str)] = &[
    (
        INDEX,
        "each engine has its own, which is made of the messages",
    ),
    ("write_probes", "it is written and never read"),
    (
        "nodes",
        "the servers of the database that they run on, which is PostgreSQL",
    ),
    (
        "endings",
        "it is for caches of servers that run, on PostgreSQL",
    ),
    ("_sqlx_migrations", "the migrations of the target write it"),
    (super::progress::TABLE, "it is the copy's own"),
    (traces::SOURCE, "it is the copy's own"),
    (traces::TRACES, "it is the copy's own"),
];

/// The index of full-text search.
pub(super) const INDEX: &str = "message_terms";

/// Columns that say on which server the database is.
const OF_THE_SERVER: &[(&str, &str)] = &[("log", "system"), ("log", "timeline")];

/// The tables of a virtual table's own are no tables of ours; nor are those of SQLite and of PostgreSQL's extensions.
const COLUMNS: EngineSql = EngineSql {
    sqlite: "select m.name, p.name, lower(p.type), p.pk, 0 from sqlite_schema m \
             join pragma_table_info(m.name) p where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\' \
             and m.name not like 'message\\_terms\\_%' escape '\\' order by m.name, p.cid",
    postgres: "select c.relname::text, a.attname::text, format_type(a.atttypid, null), \
               cast(coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) as bigint), \
               cast(case when a.attidentity <> '' then 1 else 0 end as bigint) \
               from pg_class c join pg_namespace n on n.oid = c.relnamespace \
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
               left join pg_index i on i.indrelid = c.oid and i.indisprimary \
               where n.nspname = current_schema() and c.relkind in ('r', 'p') and not exists \
               (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e') \
               order by c.relname, a.attnum",
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Bool,
    Text,
    Bytes,
}

impl Kind {
    /// The kind of a column of that type of either engine.
    fn of(declared: &str) -> Option<Self> {
        match declared {
            "integer" | "bigint" => Some(Self::Int),
            "boolean" => Some(Self::Bool),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// PostgreSQL's type for a list of such values.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Int => "bigint[]",
            Self::Bool => "boolean[]",
            Self::Text => "text[]",
            Self::Bytes => "bytea[]",
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table that is copied.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// In the order of their names, which is the same on both engines.
    pub(super) columns: Vec<Column>,
    /// Which of the columns are the primary key.
    pub(super) key: Vec<usize>,
    /// The column that PostgreSQL numbers by a sequence.
    pub(super) identity: Option<String>,
}

impl Table {
    /// The kinds of its columns.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(|column| column.kind).collect()
    }

    /// The columns as SQL lists them.
    pub(super) fn list(&self) -> String {
        let names = self.columns.iter().map(|column| quoted(&column.name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Whether another database's table holds the same.
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.columns == other.columns && self.key == other.key
    }
}

/// The tables that are copied, as SQL lists them.
pub(super) fn list() -> String {
    let names = COPIED.iter().map(|name| quoted(name));
    names.collect::<Vec<_>>().join(", ")
}

/// A name as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// A column as the catalog of a database describes it.
struct Described {
    table: String,
    name: String,
    declared: String,
    key: i64,
    is_identity: bool,
}

/// The tables of a database that are copied, in the order in which they are; an error names one of which nobody knows
/// whether it is to be copied.
pub(super) async fn read(side: &mut Side) -> Result<Vec<Table>> {
    let described = describe(side).await;
    let described = described.map_err(|error| side.trouble(error))?;
    let is_known =
        |name: &str| COPIED.contains(&name) || LEFT.iter().any(|(left, _)| *left == name);
    if let Some(column) = described.iter().find(|column| !is_known(&column.table)) {
        return Err(unknown(side, &column.table));
    }
    COPIED
        .iter()
        .copied()
        .map(|name| {
            let columns = described.iter().filter(|column| column.table == name);
            table(name, columns.collect()).ok_or_else(|| unknown(side, name))
        })
        .collect()
}

/// The names of all tables of a database that are not another table's.
pub(super) async fn names(side: &mut Side) -> Result<Vec<String>, DbError> {
    let mut names: Vec<_> = describe(side).await?;
    names.dedup_by(|next, kept| next.table == kept.table);
    Ok(names.into_iter().map(|column| column.table).collect())
}

async fn describe(side: &mut Side) -> Result<Vec<Described>, DbError> {
    let kinds = [Kind::Text, Kind::Text, Kind::Text, Kind::Int, Kind::Int];
    let sql = COLUMNS.of(&side.connection);
    let rows = side.select(sql, &[], &kinds).await?;
    let described = rows.into_iter().filter_map(|row| {
        let [table, name, declared, key, identity] = row.try_into().ok()?;
        Some(Described {
            table: table.text()?,
            name: name.text()?,
            declared: declared.text()?,
            key: key.int()?,
            is_identity: identity.int()? == 1,
        })
    });
    Ok(described.collect())
}

/// A table of these columns; none when one of them has a type that no table of ours has.
fn table(name: &'static str, mut described: Vec<&Described>) -> Option<Table> {
    described.retain(|column| !OF_THE_SERVER.contains(&(name, column.name.as_str())));
    described.sort_by(|one, other| one.name.cmp(&other.name));
    let columns = described.iter().map(|column| {
        Some(Column {
            name: column.name.clone(),
            kind: Kind::of(&column.declared)?,
        })
    });
    let mut key: Vec<_> = described.iter().enumerate().collect();
    key.retain(|(_, column)| column.key > 0);
    key.sort_by_key(|(_, column)| column.key);
    let identity = described.iter().find(|column| column.is_identity);
    let table = Table {
        name,
        columns: columns.collect::<Option<_>>()?,
        key: key.into_iter().map(|(place, _)| place).collect(),
        identity: identity.map(|column| column.name.clone()),
    };
    (!table.key.is_empty()).then_some(table)
}

/// Refuses two databases whose tables differ.
pub(super) fn compare(source: &[Table], target: &[Table]) -> Result<()> {
    let different = source
        .iter()
        .zip(target)
        .find(|(one, other)| !one.is_like(other));
    match different {
        Some((table, _)) => Err(Error::new(
            ErrorKind::Internal,
            format!(
                "the two databases disagree about the columns of the table {}",
                table.name
            ),
        )),
        None => Ok(()),
    }
}

fn unknown(side: &Side, table: &str) -> Error {
    let place = side.place();
    let sentence = format!(
        "the table {table} of the database {place} is not one that this version of Parlance can copy: \
         copy with the version that serves it"
    );
    Error::new(ErrorKind::Internal, sentence)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::migrations::{POSTGRES, SQLITE};

    /// The tables that migrations leave behind.
    fn tables(migrations: &sqlx::migrate::Migrator) -> BTreeSet<String> {
        let mut tables = BTreeSet::new();
        let sql = migrations.iter().map(|migration| migration.sql.as_str());
        for line in sql.flat_map(str::lines) {
            let words = line.split([' ', '(', ';']).filter(|word| !word.is_empty());
            match words.collect::<Vec<_>>()[..] {
                ["create", "table", name, ..] | ["create", "virtual", "table", name, ..] => {
                    tables.insert(name.to_owned());
                }
                ["drop", "table", name, ..] => {
                    tables.remove(name);
                }
                ["alter", "table", old, "rename", "to", new, ..] => {
                    tables.remove(old);
                    tables.insert(new.to_owned());
                }
                _ => {}
            }
        }
        tables
    }

    /// A table that is added is copied, or there is a reason why not.
    #[test]
    fn every_table_of_both_schemas_is_named() {
        let named = COPIED.iter().copied();
        let named = named.chain(LEFT.iter().map(|(name, _)| *name));
        let mut named: BTreeSet<_> = named.map(str::to_owned).collect();
        assert_eq!(named.len(), COPIED.len() + LEFT.len());
        let own = super::super::progress::TABLE;
        for own in ["_sqlx_migrations", own, traces::SOURCE, traces::TRACES] {
            named.remove(own);
        }
        assert_eq!(tables(&POSTGRES), named);
        for shared in ["nodes", "endings"] {
            named.remove(shared);
        }
        assert_eq!(tables(&SQLITE), named);
        assert_eq!(COPIED.last(), Some(&"log"));
    }
}
