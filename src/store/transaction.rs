//! A writing transaction whose connection is used again only once the transaction has certainly ended.
//!
//! SQLite ends a transaction by itself when the disk is full or reports an error, and the driver,
//! which counts transactions, then never leaves it: every later `BEGIN` on that connection fails.
//! So `BEGIN`, `COMMIT` and `ROLLBACK` are issued here, and a connection whose state is uncertain is
//! closed.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{Connection, Database, Pool, Postgres, Sqlite, pool::PoolConnection};

use super::{
    failure::{bounded, failed},
    writes::Writes,
};
use crate::error::Result;

/// How long a rollback may take before the connection is closed.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a commit may take before its outcome is unknown.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(4);

/// What differs between the engines.
pub(super) trait Engine: Database {
    /// How a writing transaction begins. On SQLite it holds the one write lock from its first
    /// moment: a deferred one fails at once when it has to upgrade its lock, whatever the busy timeout is.
    const BEGIN: &'static str;

    /// Runs a statement without arguments.
    fn run<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>>;
}

impl Engine for Sqlite {
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    fn run<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        Box::pin(async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) })
    }
}

impl Engine for Postgres {
    const BEGIN: &'static str = "BEGIN";

    fn run<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        Box::pin(async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) })
    }
}

/// A writing transaction; it is rolled back when dropped before [`Transaction::commit`].
#[derive(Debug)]
pub(super) struct Transaction<DB: Engine> {
    connection: Option<PoolConnection<DB>>,
    writes: Arc<Writes>,
}

impl<DB: Engine> Transaction<DB> {
    pub(super) async fn begin(pool: &Pool<DB>, writes: &Arc<Writes>) -> Result<Self> {
        writes.look_at_file()?;
        let begun = bounded(async {
            // If the caller gives up from here on, the transaction is rolled back.
            let mut begun = Self {
                connection: Some(pool.acquire().await?),
                writes: Arc::clone(writes),
            };
            Ok(DB::run(&mut begun, DB::BEGIN).await.map(|()| begun))
        });
        let begun = begun.await.map_err(failed)?.map_err(failed);
        if begun.is_err() {
            writes.note(&begun);
        }
        begun
    }

    /// Commits. After an error it is unknown whether the transaction is in the database.
    pub(super) async fn commit(mut self) -> Result<()> {
        let committed = self.try_commit().await;
        self.writes.note(&committed);
        committed
    }

    async fn try_commit(&mut self) -> Result<()> {
        tokio::time::timeout(COMMIT_TIMEOUT, DB::run(&mut *self, "COMMIT"))
            .await
            .map_err(super::failure::late)?
            .map_err(failed)?;
        // The transaction is over: its connection may serve the next.
        drop(self.connection.take());
        // What is flushed into a deleted file is lost, so it must not be acknowledged.
        self.writes.look_at_file()
    }
}

impl<DB: Engine> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        let connection = self.connection.as_ref();
        connection.expect("only commit and drop take the connection, and both end the transaction")
    }
}

impl<DB: Engine> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        let connection = self.connection.as_mut();
        connection.expect("only commit and drop take the connection, and both end the transaction")
    }
}

impl<DB: Engine> Drop for Transaction<DB> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            // Until this has ended the connection counts as in use.
            Ok(runtime) => drop(runtime.spawn(undo(connection))),
            Err(_) => drop(connection.detach()),
        }
    }
}

/// Rolls back, or closes the connection.
async fn undo<DB: Engine>(mut connection: PoolConnection<DB>) {
    let rollback = DB::run(&mut connection, "ROLLBACK");
    let refused = match tokio::time::timeout(ROLLBACK_TIMEOUT, rollback).await {
        Ok(Ok(())) => return,
        // SQLite ended it by itself.
        Ok(Err(error)) if error.to_string().contains("no transaction is active") => return,
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(
        cause = refused,
        "A transaction could not be undone: its connection is closed."
    );
    let closed = connection.detach().close_hard();
    drop(tokio::time::timeout(ROLLBACK_TIMEOUT, closed).await);
}
