//! Opening the database: where it is, what it is, and what to do when it cannot be used.

use std::{
    path::Path,
    str::FromStr as _,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use rand::distr::{Alphanumeric, SampleString};
use rocket::figment::Figment;
use rocket_db_pools::{Database, Pool};
use sqlx::{
    PgPool, SqlitePool,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use super::{
    epochs, fence, fence::Failover, health::Seen, nodes::Carrier, postgres, sqlite, writes::Writes,
};
use crate::{
    error::{Error, Kind, Result},
    model::{Clock, Epoch, Position, TenantKind},
    store::{Either, Inner, LogIdentity, ReadPool, Store, Turns},
};

/// Which databases this version can work on, as their log says. A migration that an older version could not live with
/// raises the number in the database, and so does this.
pub(super) const PROTOCOL: i64 = 2;
/// The migration since which the log says so.
pub(super) const PROTOCOL_SINCE: i64 = 16;
pub(super) const PROTOCOL_OF_LOG: &str = "select max(protocol) from log";

/// Letters and digits in a secret.
const SECRET_LENGTH: usize = 43;

/// How many writes other than batches wait for SQLite's writer at once: they are one transaction.
const SQLITE_AT_ONCE: usize = 256;

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
    /// After how long an unused connection is closed; none: never.
    pub idle_timeout: Option<Duration>,
    /// What it means that another PostgreSQL has taken over.
    pub failover: Failover,
}

/// Who opens a database.
pub(super) enum By {
    /// A command, beside servers or without one.
    Command,
    /// A server, and what carries what it says to others, where that is not PostgreSQL.
    Server(Option<Arc<dyn Carrier>>),
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
        Self::serve(&Options {
            url: config.url,
            max_connections: most,
            connect_timeout: Duration::from_secs(config.connect_timeout.max(1)),
            idle_timeout: config.idle_timeout.map(Duration::from_secs),
            failover: match figment.extract_inner::<String>("failover").as_deref() {
                Ok("lossless") => Failover::Lossless,
                Ok(_) | Err(_) => Failover::Lossy,
            },
        })
        .await
    }

    async fn get(&self) -> Result<Self> {
        Ok(self.clone())
    }

    /// Does nothing: the server closes the store itself, last of all, when no request runs any more
    /// and the writer has no drafts.
    async fn close(&self) {}
}

impl Store {
    /// Connects, runs the migrations and takes up the log.
    pub async fn open(options: &Options) -> Result<Self> {
        Self::open_by(options, &By::Command).await
    }

    /// The same for a server. On SQLite there is one, and a second one is refused; on PostgreSQL there may be several,
    /// which tell each other what is new by PostgreSQL's notifications.
    pub async fn serve(options: &Options) -> Result<Self> {
        Self::open_by(options, &By::Server(None)).await
    }

    /// The same, where something else may carry what servers tell each other.
    pub async fn serve_with(options: &Options, carrier: Option<Arc<dyn Carrier>>) -> Result<Self> {
        Self::open_by(options, &By::Server(carrier)).await
    }

    async fn open_by(options: &Options, by: &By) -> Result<Self> {
        let url = options.url.as_str();
        let store = if url.starts_with("sqlite:") {
            Self::open_sqlite(options, by).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(options, by).await?
        } else {
            return Err(Error::invalid(
                "databases.chat.url must begin with sqlite:// or postgres://: \
                 set it in Rocket.toml or in ROCKET_DATABASES",
            ));
        };
        store.take_up(|_, _| {}).await?;
        store.refold().await?;
        store.renew_index().await?;
        Ok(store)
    }

    async fn open_sqlite(options: &Options, by: &By) -> Result<Self> {
        let is_server = matches!(by, By::Server(_));
        let opened = sqlite::open(options, is_server).await?;
        let settled = settle(&Either::Sqlite(opened.setup.clone())).await;
        let (identity, _) =
            settled.map_err(|error| sqlite::explained(Path::new(&options.place()), error))?;
        let started = opened.start().await?;
        Ok(Self {
            inner: Arc::new(Inner {
                read: ReadPool::new(Either::Sqlite(started.read)),
                write: Either::Sqlite(started.write),
                writes: started.writes,
                seen: Seen::new(),
                identity,
                turns: Turns::new(SQLITE_AT_ONCE, options.connect_timeout),
                foreground: AtomicU64::default(),
            }),
        })
    }

    async fn open_postgres(options: &Options, by: &By) -> Result<Self> {
        let postgres::Opened { read, write } = postgres::open(options, by).await?;
        let settled = settle(&Either::Postgres(write.pool.clone())).await;
        let (identity, stored) = settled.map_err(|error| postgres::explained(options, error))?;
        write.fence.begin(&write.pool, stored).await?;
        // One connection stays free for the writer.
        let at_once = (postgres::WRITERS - 1) as usize;
        Ok(Self {
            inner: Arc::new(Inner {
                read: ReadPool::new(Either::Postgres(read)),
                write: Either::Postgres(write),
                writes: Arc::new(Writes::new(None)),
                seen: Seen::new(),
                identity,
                turns: Turns::new(at_once, options.connect_timeout),
                foreground: AtomicU64::default(),
            }),
        })
    }
}

impl Options {
    /// The database's address without what it may hold of names and passwords, before the host or among the parameters.
    pub(super) fn place(&self) -> String {
        let url = self.url.as_str();
        if url.starts_with("sqlite:") {
            return url.strip_prefix("sqlite://").unwrap_or(url).to_owned();
        }
        let Ok(url) = PgConnectOptions::from_str(url) else {
            return "of databases.chat.url".to_owned();
        };
        let (host, port) = (url.get_host(), url.get_port());
        format!("{host}:{port}/{}", url.get_database().unwrap_or_default())
    }
}

/// What to do about a database that cannot be used.
pub(super) const SET_URL: &str =
    "set databases.chat.url to another in Rocket.toml or in ROCKET_DATABASES";

/// Says what cannot be opened.
pub(super) fn unusable(options: &Options, error: sqlx::Error) -> Error {
    let place = options.place();
    let sentence = format!("the database {place} cannot be opened ({error}): {SET_URL}");
    Error::new(Kind::Internal, sentence).because(error)
}

/// Says that a database is another program's.
pub(super) fn foreign(place: &str, tables: &[String]) -> Error {
    let shown: Vec<_> = tables.iter().take(3).map(String::as_str).collect();
    let shown = shown.join(", ");
    let sentence =
        format!("the database {place} holds tables of another program ({shown}): {SET_URL}");
    Error::new(Kind::Internal, sentence)
}

/// Says that a copy to a database was begun, and did not end.
pub(super) fn unfinished(place: &str) -> Error {
    let sentence = format!(
        "the database {place} is not whole, a copy to it did not end: run parlance copy again, or {SET_URL}"
    );
    Error::new(Kind::Internal, sentence)
}

/// Says that a live copy has taken a database's place.
pub(super) fn moved(place: &str, to: &str) -> Error {
    let sentence = format!(
        "the database {place} was moved to {to}, and takes no more writes: set databases.chat.url to that one in \
         Rocket.toml or in ROCKET_DATABASES"
    );
    Error::new(Kind::Conflict, sentence)
}

/// Refuses a database that this version cannot work on any more; one that a newer version has merely migrated further
/// will do.
pub(super) fn newer(
    place: &str,
    migrations: &Migrator,
    (version, protocol): (i64, i64),
) -> Result<()> {
    let known = migrations.iter().map(|migration| migration.version).max();
    let known = known.unwrap_or_default();
    let ours = env!("CARGO_PKG_VERSION");
    if protocol > PROTOCOL {
        let sentence = format!(
            "the database {place} was made over by a newer Parlance (protocol {protocol}, schema {version}), and \
             this one ({ours}) knows protocol {PROTOCOL}: start the newer version, or go back to a backup from before"
        );
        return Err(Error::new(Kind::Internal, sentence));
    }
    if version > known {
        tracing::info!(
            "The database {place} was migrated to schema {version} by a newer Parlance: this one ({ours}), which \
             knows schema {known}, works on it nevertheless."
        );
    }
    Ok(())
}

/// The error for a schema that cannot be migrated.
pub(super) fn migrated(place: &str, error: MigrateError) -> Error {
    let sentence = match &error {
        MigrateError::VersionMismatch(version) => format!(
            "step {version} of the schema of the database {place} was made by another build of \
             Parlance: start that one, or {SET_URL}"
        ),
        _ => format!(
            "the schema of the database {place} cannot be migrated ({error}): see that the \
             disk has room and that this user may make tables"
        ),
    };
    Error::new(Kind::Internal, sentence).because(error)
}

/// Writes what every database has from its first day: the log's one row, the standing tenants and the secret. Returns
/// also what the log says of the server that it was on.
async fn settle(
    write: &Either<SqlitePool, PgPool>,
) -> Result<(LogIdentity, fence::Place), sqlx::Error> {
    let now = Clock.now().get();
    on!(write, pool => {
        sqlx::query("insert into log (id, head, floor, epoch) values (1, 0, 0, $1) on conflict do nothing")
            .bind(epochs::random())
            .execute(pool)
            .await?;
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
            .await?;
        }
        let (epoch, floor, system, timeline): (String, i64, Option<String>, Option<i64>) =
            sqlx::query_as("select epoch, floor, system, timeline from log where id = 1")
                .fetch_one(pool)
                .await?;
        let secret = Alphanumeric.sample_string(&mut rand::rng(), SECRET_LENGTH);
        sqlx::query("insert into secrets (name, secret) values ('server', $1) on conflict do nothing")
            .bind(secret)
            .execute(pool)
            .await?;
        let secret: String = sqlx::query_scalar("select secret from secrets where name = 'server'")
            .fetch_one(pool)
            .await?;
        let identity = LogIdentity {
            floor: Position::new(floor),
            secret,
        };
        let stored = fence::Place {
            server: fence::Server { system, timeline },
            epoch: Epoch::new(epoch),
            heads: Position::START.into(),
        };
        Ok((identity, stored))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_database_is_tells_nothing_of_who_may_use_it() {
        for (url, place) in [
            ("sqlite://data/chat.db", "data/chat.db"),
            ("postgres://db.example/chat", "db.example:5432/chat"),
            (
                "postgres://ann:p%40ss@db.example:5433/chat",
                "db.example:5433/chat",
            ),
            (
                "postgresql://[::1]/chat?user=ann&password=s@cret",
                "[::1]:5432/chat",
            ),
            (
                "postgres://x/chat?host=db&port=7&password=secret",
                "db:7/chat",
            ),
            ("postgres://ann:se cret", "of databases.chat.url"),
        ] {
            let options = Options {
                url: url.to_owned(),
                max_connections: 1,
                connect_timeout: Duration::ZERO,
                idle_timeout: None,
                failover: Failover::default(),
            };
            assert_eq!(options.place(), place, "{url}");
        }
    }
}
