//! Opening the database: where it is, its pools, its migrations.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use rand::distr::{Alphanumeric, SampleString};
use rocket::figment::Figment;
use rocket_db_pools::{Database, Pool};
use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    error::{Error, Result},
    model::{Clock, Epoch, Position, TenantKind},
    store::{Either, Inner, Store},
};

/// How long a statement waits for another process that writes to the same SQLite file.
const BUSY: Duration = Duration::from_secs(5);
/// Connections for writing transactions on PostgreSQL; they queue at the log's lock anyway.
const POSTGRES_WRITERS: u32 = 4;
/// Letters and digits in an epoch.
const EPOCH_LENGTH: usize = 8;

/// The store as Rocket manages it: `databases.chat` in the settings.
#[derive(Debug, Database)]
#[database("chat")]
pub struct Db(Store);

/// What opening takes.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// The most connections for reading.
    pub max_connections: u32,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
}

#[rocket::async_trait]
impl Pool for Store {
    type Connection = Self;
    type Error = Error;

    async fn init(figment: &Figment) -> Result<Self> {
        let config: rocket_db_pools::Config = figment.extract().map_err(|error| {
            Error::invalid(format!(
                "databases.chat cannot be read: {error}; see Rocket.toml"
            ))
        })?;
        let most = u32::try_from(config.max_connections)
            .unwrap_or(u32::MAX)
            .max(1);
        Self::open(&Options {
            url: config.url,
            max_connections: most,
            connect_timeout: Duration::from_secs(config.connect_timeout.max(1)),
        })
        .await
    }

    async fn get(&self) -> Result<Self> {
        Ok(self.clone())
    }

    /// Does nothing: Rocket calls it at the *start* of shutdown, while requests still run and the
    /// writer still has drafts. The server closes the store itself, last of all.
    async fn close(&self) {}
}

impl Store {
    /// Connects, brings the schema up to date and reads which life of the log this is.
    pub async fn open(options: &Options) -> Result<Self> {
        let (read, write) = if options.url.starts_with("sqlite:") {
            let (read, write) = open_sqlite(options).await?;
            sqlx::migrate!("migrations/sqlite")
                .run(&write)
                .await
                .map_err(migration_failed)?;
            (Either::Sqlite(read), Either::Sqlite(write))
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            let (read, write) = open_postgres(options).await?;
            sqlx::migrate!("migrations/postgres")
                .run(&write)
                .await
                .map_err(migration_failed)?;
            (Either::Postgres(read), Either::Postgres(write))
        } else {
            return Err(Error::invalid(
                "databases.chat.url must begin with sqlite:// or postgres://: \
                 set it in Rocket.toml or in ROCKET_DATABASES",
            ));
        };
        let (epoch, floor) = settle(&write).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                read,
                write,
                epoch,
                floor,
            }),
        })
    }
}

async fn open_sqlite(options: &Options) -> Result<(SqlitePool, SqlitePool)> {
    let connect = SqliteConnectOptions::from_str(&options.url)
        .map_err(|error| unusable(options, error))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("temp_store", "memory")
        .optimize_on_close(true, None);
    make_folder(connect.get_filename())?;
    let pool = |most: u32| {
        SqlitePoolOptions::new()
            .max_connections(most)
            .acquire_timeout(options.connect_timeout)
    };
    let write = pool(1)
        .connect_with(connect.clone())
        .await
        .map_err(|error| unusable(options, error))?;
    let read = pool(options.max_connections)
        .connect_with(connect)
        .await
        .map_err(|error| unusable(options, error))?;
    Ok((read, write))
}

async fn open_postgres(options: &Options) -> Result<(PgPool, PgPool)> {
    let connect =
        PgConnectOptions::from_str(&options.url).map_err(|error| unusable(options, error))?;
    let pool = |most: u32| {
        PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(options.connect_timeout)
    };
    let read = pool(options.max_connections)
        .connect_with(connect.clone())
        .await
        .map_err(|error| unusable(options, error))?;
    // Statistics taken on empty tables make the planner scan them whole when they have grown.
    let write = pool(POSTGRES_WRITERS)
        .connect_with(connect.options([("enable_seqscan", "off"), ("synchronous_commit", "on")]))
        .await
        .map_err(|error| unusable(options, error))?;
    Ok((read, write))
}

fn make_folder(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| {
                let sentence = format!("the folder {} cannot be made", folder.display());
                Error::new(crate::error::Kind::Internal, sentence).because(error)
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Says what cannot be opened without printing a password that the address may hold.
fn unusable(options: &Options, error: sqlx::Error) -> Error {
    let place = match options.url.rsplit_once('@') {
        Some((_, host)) => host,
        None => options.url.as_str(),
    };
    let sentence = format!(
        "the database {place} cannot be opened ({error}): \
         set databases.chat.url in Rocket.toml or in ROCKET_DATABASES"
    );
    Error::new(crate::error::Kind::Internal, sentence).because(error)
}

fn migration_failed(error: sqlx::migrate::MigrateError) -> Error {
    let sentence = format!("the database's schema cannot be brought up to date ({error})");
    Error::new(crate::error::Kind::Internal, sentence).because(error)
}

/// Writes what every database has from its first day: the log's one row and the standing tenants.
async fn settle(write: &Either<SqlitePool, PgPool>) -> Result<(Epoch, Position)> {
    let now = Clock.now().get();
    on!(write, pool => {
        let epoch = Alphanumeric.sample_string(&mut rand::rng(), EPOCH_LENGTH).to_lowercase();
        sqlx::query("insert into log (id, head, floor, epoch) values (1, 0, 0, $1) on conflict do nothing")
            .bind(epoch)
            .execute(pool)
            .await
            .map_err(unsettled)?;
        for (id, kind) in [(1_i64, TenantKind::Home), (2, TenantKind::Open)] {
            let secret = Alphanumeric.sample_string(&mut rand::rng(), 32);
            sqlx::query(
                "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
                 values ($1, $2, $2, $3, $4, $4) on conflict do nothing",
            )
            .bind(id)
            .bind(kind.as_str())
            .bind(secret)
            .bind(now)
            .execute(pool)
            .await
            .map_err(unsettled)?;
        }
        let (epoch, floor): (String, i64) =
            sqlx::query_as("select epoch, floor from log where id = 1")
                .fetch_one(pool)
                .await
                .map_err(unsettled)?;
        Ok((Epoch::new(epoch), Position::new(floor)))
    })
}

fn unsettled(error: sqlx::Error) -> Error {
    let sentence = format!("the database cannot be prepared ({error})");
    Error::new(crate::error::Kind::Internal, sentence).because(error)
}
