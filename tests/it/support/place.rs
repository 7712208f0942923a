//! Where a test's server keeps its data: a SQLite file, or a PostgreSQL database of its own.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use parlance::store::{Failover, Options, Store};
use sqlx::{Connection, PgConnection, SqliteConnection, migrate::Migrator};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Names a PostgreSQL server, as `postgres://user@host:port/`. Unset: SQLite.
pub(crate) const SERVER: &str = "PARLANCE_TEST_DATABASE_URL";

static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database that is removed when the test is over.
#[derive(Debug)]
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

/// A plain connection beside the server's own.
pub(crate) enum Beside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Place {
    /// A new SQLite file, whatever this run of the tests is about.
    pub(crate) fn file() -> Self {
        Self::Sqlite(TempDir::new().expect("the system has a temporary folder"))
    }

    /// A new database on the engine that this run of the tests is about.
    pub(crate) async fn make() -> Self {
        let Some(server) = server() else {
            return Self::file();
        };
        let template = TEMPLATE.get_or_init(|| template(&server)).await;
        Self::postgres(server, template).await
    }

    /// The same before any migration.
    pub(crate) async fn empty() -> Self {
        match server() {
            Some(server) => Self::postgres(server, "template0").await,
            None => Self::file(),
        }
    }

    async fn postgres(server: String, template: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("parlance_test_{}_{number}", std::process::id());
        order(
            &server,
            format!("create database {name} template {template}"),
        )
        .await;
        Self::Postgres { server, name }
    }

    /// What `databases.chat.url` is set to.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite://{}/data/chat.db", folder.path().display())
            }
            Self::Postgres { server, name } => format!("{server}/{name}"),
        }
    }

    /// How the store opens this database.
    pub(crate) fn options(&self) -> Options {
        Options {
            url: self.url(),
            max_connections: 4,
            connect_timeout: std::time::Duration::from_secs(30),
            idle_timeout: None,
            failover: Failover::default(),
        }
    }

    /// The store on this database, without a server.
    pub(crate) async fn store(&self) -> Store {
        let opened = Store::open(&self.options()).await;
        opened.expect("the database opens")
    }

    /// A connection that bypasses the store.
    pub(crate) async fn beside(&self) -> Beside {
        let url = self.url();
        match self {
            Self::Sqlite(_) => Beside::Sqlite(
                SqliteConnection::connect(&url)
                    .await
                    .expect("the database file opens"),
            ),
            Self::Postgres { .. } => Beside::Postgres(
                PgConnection::connect(&url)
                    .await
                    .expect("the database answers"),
            ),
        }
    }
}

impl Beside {
    /// Runs a statement.
    pub(crate) async fn run(&mut self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Sqlite(one) => sqlx::query(sql).execute(one).await.map(drop),
            Self::Postgres(one) => sqlx::query(sql).execute(one).await.map(drop),
        };
        done.expect("the statement is right");
    }

    /// One number.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(one) => sqlx::query_scalar(sql).fetch_one(one).await,
            Self::Postgres(one) => sqlx::query_scalar(sql).fetch_one(one).await,
        }
        .expect("the question is right")
    }

    /// A column of numbers.
    pub(crate) async fn numbers(&mut self, sql: &str) -> Vec<i64> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(one) => sqlx::query_scalar(sql).fetch_all(one).await,
            Self::Postgres(one) => sqlx::query_scalar(sql).fetch_all(one).await,
        }
        .expect("the question is right")
    }

    /// The log's head. The log has no gaps.
    pub(crate) async fn head_without_gaps(&mut self) -> i64 {
        let positions = self
            .numbers("select position from changes union all select id from messages order by 1")
            .await;
        let head = self.number("select head from log").await;
        assert_eq!(positions, (1..=head).collect::<Vec<_>>());
        head
    }

    /// The engine's query plan for a statement.
    pub(crate) async fn plan(&mut self, sql: &str) -> String {
        match self {
            Self::Sqlite(one) => {
                let sql = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
                let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(sql)
                    .fetch_all(one)
                    .await
                    .expect("the question is right");
                let lines: Vec<_> = rows.into_iter().map(|row| row.3).collect();
                lines.join("\n")
            }
            Self::Postgres(one) => {
                let sql = sqlx::AssertSqlSafe(format!("explain {sql}"));
                let lines: Vec<String> = sqlx::query_scalar(sql)
                    .fetch_all(one)
                    .await
                    .expect("the question is right");
                lines.join("\n")
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else {
            return;
        };
        let (server, sql) = (
            server.clone(),
            format!("drop database if exists {name} with (force)"),
        );
        // A test may have failed, and its runtime may be ending: this uses a thread of its own.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a small runtime")
                .block_on(order(&server, sql));
        });
        drop(dropped.join());
    }
}

/// The PostgreSQL server, if this run of the tests is about one. Its address may name the database that every server has.
fn server() -> Option<String> {
    let server = std::env::var(SERVER).ok()?;
    let server = server.trim_end_matches('/').trim_end_matches("/postgres");
    (!server.is_empty()).then(|| server.to_owned())
}

/// A database with all migrations, of which the tests' databases are copies: nine hundred times twenty migrations
/// take half of the time of all tests. It stays, for the next run with the same migrations.
async fn template(server: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let migrator = Migrator::new(folder).await.expect("migrations");
    let mut hasher = DefaultHasher::new();
    for migration in migrator.iter() {
        migration.checksum.hash(&mut hasher);
    }
    let name = format!("parlance_template_{:016x}", hasher.finish());
    if exists(server, &name).await {
        return name;
    }
    // Under another name until it is whole.
    let made = format!("{name}_{}", std::process::id());
    order(server, format!("create database {made}")).await;
    let connected = PgConnection::connect(&format!("{server}/{made}")).await;
    let mut one = connected.expect("the database answers");
    migrator.run(&mut one).await.expect("they are run");
    one.close().await.expect("the connection ends");
    let rename = format!("alter database {made} rename to {name}");
    if ordered(server, rename).await.is_err() {
        // Another run was faster.
        assert!(exists(server, &name).await, "there is a template");
        order(server, format!("drop database {made}")).await;
    }
    name
}

async fn exists(server: &str, name: &str) -> bool {
    let connected = PgConnection::connect(&format!("{server}/postgres")).await;
    let mut one = connected.expect("the PostgreSQL server of the tests answers");
    let asked = sqlx::query_scalar("select exists(select from pg_database where datname = $1)");
    let answer = asked.bind(name).fetch_one(&mut one).await;
    answer.expect("the question is right")
}

/// Runs a statement on the PostgreSQL server's maintenance database.
async fn order(server: &str, sql: String) {
    let done = ordered(server, sql).await;
    done.expect("the PostgreSQL server does what it is told");
}

async fn ordered(server: &str, sql: String) -> sqlx::Result<()> {
    let connected = PgConnection::connect(&format!("{server}/postgres")).await;
    let mut one = connected.expect("the PostgreSQL server of the tests answers");
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut one)
        .await;
    done.map(drop)
}
