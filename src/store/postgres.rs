//! Opening a PostgreSQL database.

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    failure::bounded,
    fence::Fence,
    migrations::POSTGRES,
    mover,
    nodes::{self, Nodes},
    open::{
        By, Options, PROTOCOL_OF_LOG, PROTOCOL_SINCE, SET_URL, foreign, migrated, newer,
        unfinished, unusable,
    },
};
use crate::error::{Error, Kind, Result};

/// Connections for writing transactions. More would only wait for the log's lock.
pub(super) const WRITERS: u32 = 4;
/// One more may be opened for each lane beside the first; those of more lanes than this take turns.
const OTHER_LANES: u32 = 15;
/// A connection that was idle for so long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
/// How long a returned connection may take to finish its last statement.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);
/// The tables of the schema that is ours to use, but for those that belong to extensions.
const TABLES: &str = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = current_schema() and c.relkind in ('r', 'p') and not exists \
     (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e') order by c.relname";

/// A name that no other database has, but for one that was copied file by file.
const DATABASE: &str = "select (select system_identifier::text from pg_control_system()) || '-' || oid::text \
     from pg_database where datname = current_database()";

/// The pools of an open database.
pub(super) struct Opened {
    pub(super) read: PgPool,
    pub(super) write: Writer,
}

/// What writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) pool: PgPool,
    pub(super) fence: Arc<Fence>,
    pub(super) nodes: Arc<Nodes>,
}

/// Connects and brings the schema up to date, for a server or for a command beside one.
pub(super) async fn open(options: &Options, by: &By) -> Result<Opened> {
    let connect =
        PgConnectOptions::from_str(&options.url).map_err(|error| unusable(options, error))?;
    let explain = |error| explained(options, error);
    // A statement that waits for a lock, or a transaction that waits for us, must not block others for longer than our timeouts. Statistics
    // taken on empty tables make the planner scan them whole when they have grown.
    let writing = connect.clone().options([
        ("enable_seqscan", "off"),
        ("synchronous_commit", "on"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ]);
    let fence = Arc::new(Fence::new(options.failover));
    let write = writing_pool(options, &fence)
        .connect_with(writing)
        .await
        .map_err(explain)?;
    inspect(&write, options).await?;
    POSTGRES
        .run(&write)
        .await
        .map_err(|error| migrated(&options.place(), error))?;
    let read = reading(options, &fence)
        .connect_with(connect.clone())
        .await
        .map_err(explain)?;
    let between = between(options, &fence).connect_lazy_with(connect.options([
        // What is said here is said again.
        ("synchronous_commit", "off"),
        ("statement_timeout", "5s"),
    ]));
    let (carrier, is_server) = match by {
        By::Command => (None, false),
        By::Server(carrier) => (carrier.clone(), true),
    };
    if let Some(carrier) = &carrier {
        let name = sqlx::query_scalar(DATABASE).fetch_one(&write);
        carrier.begin(name.await.map_err(explain)?).await?;
    }
    let write = Writer {
        pool: write,
        fence,
        nodes: Nodes::start(between, carrier, is_server).await,
    };
    Ok(Opened { read, write })
}

/// A pool whose new connections are compared with what is known of the database.
fn pool(options: &Options, most: u32, fence: &Arc<Fence>) -> PgPoolOptions {
    let fence = Arc::clone(fence);
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(options.connect_timeout)
        .idle_timeout(options.idle_timeout)
        .after_connect(move |connection, _| {
            let fence = Arc::clone(&fence);
            Box::pin(async move { fence.admit_connection(connection).await })
        })
}

fn writing_pool(options: &Options, fence: &Arc<Fence>) -> PgPoolOptions {
    let known = Arc::clone(fence);
    pool(options, WRITERS + OTHER_LANES, fence).before_acquire(move |_, last| {
        let is_recent = known.is_recent(last.age);
        Box::pin(async move { Ok(is_recent) })
    })
}

/// The pool for reading. A question that was given up leaves its connection waiting for an answer; it
/// is given a moment, and closed if it gets none, or a database that stops answering would keep it.
fn reading(options: &Options, fence: &Arc<Fence>) -> PgPoolOptions {
    let known = Arc::clone(fence);
    pool(options, options.max_connections, fence)
        .test_before_acquire(false)
        .before_acquire(move |connection, last| {
            let is_recent = known.is_recent(last.age);
            Box::pin(async move {
                if is_recent && last.idle_for > TESTED_AFTER {
                    connection.ping().await?;
                }
                Ok(is_recent)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                match tokio::time::timeout(RELEASE_TIMEOUT, connection.ping()).await {
                    Ok(answer) => answer.map(|()| true),
                    Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
                }
            })
        })
}

/// The pool for what servers have to do with each other.
fn between(options: &Options, fence: &Arc<Fence>) -> PgPoolOptions {
    let known = Arc::clone(fence);
    pool(options, nodes::CONNECTIONS, fence)
        .test_before_acquire(false)
        .before_acquire(move |_, last| {
            let is_recent = known.is_recent(last.age);
            Box::pin(async move { Ok(is_recent) })
        })
}

/// Finds out what is in the database before a migration changes it.
async fn inspect(pool: &PgPool, options: &Options) -> Result<()> {
    let place = options.place();
    let tables: Vec<String> = bounded(sqlx::query_scalar(TABLES).fetch_all(pool))
        .await
        .map_err(|error| explained(options, error))?;
    if tables.iter().any(|table| table == mover::PROGRESS) {
        return Err(unfinished(&place));
    }
    if tables.iter().any(|table| table == mover::SOURCE) {
        let to = bounded(sqlx::query_scalar(mover::MOVED_TO).fetch_one(pool)).await;
        let to: Option<String> = to.map_err(|error| explained(options, error))?;
        mover::begun_or_moved(&place, to.as_deref())?;
    }
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return if tables.is_empty() {
            Ok(())
        } else {
            Err(foreign(&place, &tables))
        };
    }
    let version = sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(pool);
    let version: Option<i64> = bounded(version)
        .await
        .map_err(|error| explained(options, error))?;
    let Some(version) = version else {
        return Ok(());
    };
    if !["changes", "log"]
        .iter()
        .all(|own| tables.iter().any(|table| table == own))
    {
        return Err(foreign(&place, &tables));
    }
    let mut protocol = None;
    if version >= PROTOCOL_SINCE {
        let asked = bounded(sqlx::query_scalar(PROTOCOL_OF_LOG).fetch_one(pool)).await;
        protocol = asked.map_err(|error| explained(options, error))?;
    }
    newer(&place, &POSTGRES, (version, protocol.unwrap_or_default()))
}

/// Says what is wrong and what to do about it.
pub(super) fn explained(options: &Options, error: sqlx::Error) -> Error {
    let place = options.place();
    let code = match &error {
        sqlx::Error::Database(told) => told.code().map(std::borrow::Cow::into_owned),
        _ => None,
    };
    let sentence = match code.as_deref() {
        // invalid_catalog_name.
        Some("3D000") => {
            format!("PostgreSQL has no database {place}: make it with createdb, or {SET_URL}")
        }
        // invalid_password and its like.
        Some("28P01" | "28000") => format!(
            "PostgreSQL does not let this user in at {place} ({error}): see user and password, and \
             {SET_URL}"
        ),
        // insufficient_privilege.
        Some("42501") => format!(
            "the user may not do in {place} what is needed ({error}): grant create on the schema, or {SET_URL}"
        ),
        _ => return unusable(options, error),
    };
    Error::new(Kind::Internal, sentence).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Failover;

    #[test]
    fn unused_connections_are_closed_as_the_setting_says() {
        for idle_timeout in [None, Some(Duration::from_secs(7))] {
            let options = Options {
                url: String::new(),
                max_connections: 5,
                connect_timeout: Duration::from_secs(30),
                idle_timeout,
                failover: Failover::default(),
            };
            let fence = Arc::new(Fence::new(options.failover));
            for pool in [writing_pool(&options, &fence), reading(&options, &fence)] {
                assert_eq!(pool.get_idle_timeout(), idle_timeout);
            }
        }
    }
}
