//! Opening a PostgreSQL database, and noticing a second server on it.

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::task::JoinHandle;

use super::{
    failure::{STATEMENT_TIMEOUT, bounded},
    fence::Fence,
    migrations::POSTGRES,
    open::{Options, PROTOCOL_OF_LOG, PROTOCOL_SINCE, SET_URL, foreign, migrated, newer, unusable},
};
use crate::error::{Error, Kind, Result};

/// Connections for writing transactions. More would only wait for the log's lock.
pub(super) const WRITERS: u32 = 4;
/// A connection that was idle for so long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
/// How long a returned connection may take to finish its last statement.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the sole server's lock is checked.
const LOCK_CHECK: Duration = Duration::from_secs(30);
/// How often, and how far apart, the lock is tried again before another server is said to be there.
const TRIES: usize = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
/// The advisory lock of the sole server: "parlance" as a number, so as not to meet another program's.
const SOLE_SERVER: i64 = 0x7061_726c_616e_6365;

/// The tables of the schema that is ours to use, but for those that belong to extensions.
const TABLES: &str = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = current_schema() and c.relkind in ('r', 'p') and not exists \
     (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e') order by c.relname";

/// The pools of an open database.
pub(super) struct Opened {
    pub(super) read: PgPool,
    pub(super) write: Writer,
    pub(super) sole: Option<SoleServer>,
}

/// What writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) pool: PgPool,
    pub(super) fence: Arc<Fence>,
}

/// Connects and brings the schema up to date; with `alone`, warns when another server is there.
pub(super) async fn open(options: &Options, alone: bool) -> Result<Opened> {
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
    let sole = if alone {
        Some(SoleServer::claim(connect, options.place()).await)
    } else {
        None
    };
    let write = Writer { pool: write, fence };
    Ok(Opened { read, write, sole })
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
    pool(options, WRITERS, fence).before_acquire(move |_, last| {
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

/// Finds out what is in the database before a migration changes it.
async fn inspect(pool: &PgPool, options: &Options) -> Result<()> {
    let place = options.place();
    let tables: Vec<String> = bounded(sqlx::query_scalar(TABLES).fetch_all(pool))
        .await
        .map_err(|error| explained(options, error))?;
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

/// Holds an advisory lock that tells a second server of the first. It warns and goes on: a lost
/// connection loses the lock, so it proves nothing about who may write.
#[derive(Debug)]
pub(super) struct SoleServer(tokio::sync::Mutex<Option<JoinHandle<()>>>);

impl SoleServer {
    /// Takes the lock, or warns; then checks it in the background.
    async fn claim(connect: PgConnectOptions, place: String) -> Self {
        let mut held = take(&connect, &place).await.ok().flatten();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOCK_CHECK).await;
                if let Some(connection) = &mut held
                    && bounded(connection.ping()).await.is_ok()
                {
                    continue;
                }
                held = try_lock(&connect).await.ok().flatten();
            }
        });
        Self(tokio::sync::Mutex::new(Some(task)))
    }

    /// Gives the lock back, and returns when its connection is closed.
    pub(super) async fn release(&self) {
        if let Some(task) = self.0.lock().await.take() {
            task.abort();
            drop(task.await);
        }
    }
}

impl Drop for SoleServer {
    fn drop(&mut self) {
        if let Some(task) = self.0.get_mut().take() {
            task.abort();
        }
    }
}

async fn take(
    connect: &PgConnectOptions,
    place: &str,
) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut held = try_lock(connect).await;
    for _ in 0..TRIES {
        if !matches!(held, Ok(None)) {
            break;
        }
        // The holder may be the connection of a server that has just ended.
        tokio::time::sleep(BETWEEN_TRIES).await;
        held = try_lock(connect).await;
    }
    match &held {
        Ok(Some(_)) => {}
        Ok(None) => tracing::warn!(
            "Another server uses the database {place}: what one of them writes, the clients of the other \
             hear late and its caches do not know. Stop one of them."
        ),
        Err(error) => tracing::warn!(
            %error,
            "It cannot be seen whether another server uses the database {place}."
        ),
    }
    held
}

/// The connection that holds the lock, if nobody else does.
async fn try_lock(connect: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
    let locked = async {
        let mut connection = connect.connect().await?;
        let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(SOLE_SERVER)
            .fetch_one(&mut connection)
            .await?;
        if is_ours {
            return Ok(Some(connection));
        }
        connection.close().await?;
        Ok(None)
    };
    tokio::time::timeout(STATEMENT_TIMEOUT, locked)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
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
