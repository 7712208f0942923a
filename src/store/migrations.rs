//! The migrations of each database, from the files that the binary carries.

use std::sync::LazyLock;

use rust_embed::RustEmbed;
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

#[derive(RustEmbed)]
#[folder = "migrations/sqlite"]
struct SqliteFiles;

#[derive(RustEmbed)]
#[folder = "migrations/postgres"]
struct PostgresFiles;

/// Those of SQLite.
pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(migrator::<SqliteFiles>);

/// Those of PostgreSQL.
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(migrator::<PostgresFiles>);

fn migrator<Files: RustEmbed>() -> Migrator {
    let migrations = Files::iter().filter_map(|name| {
        let sql = String::from_utf8(Files::get(&name)?.data.into_owned()).ok()?;
        migration(&name, sql)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // Those of newer versions: whether this one can live with them is said by the protocol, see `open`.
    migrator.set_ignore_missing(true);
    migrator
}

/// The migration in a file such as `0002_domains.sql`.
fn migration(name: &str, sql: String) -> Option<Migration> {
    let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
    Some(Migration::new(
        version.parse().ok()?,
        description.replace('_', " ").into(),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file is a migration, each has a number of its own, and both databases have the same.
    #[test]
    fn every_file_is_a_migration_of_both_databases() {
        let names = |migrator: &Migrator| -> Vec<_> {
            let each = migrator.iter();
            each.map(|migration| (migration.version, migration.description.to_string()))
                .collect()
        };
        let sqlite = names(&SQLITE);
        assert_eq!(sqlite.len(), SqliteFiles::iter().count());
        assert_eq!(sqlite, names(&POSTGRES));
        let numbers = sqlite.iter().map(|(number, _)| *number);
        assert!(numbers.is_sorted_by(|one, next| one < next), "{sqlite:?}");
    }
}
