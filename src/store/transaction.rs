//! A writing transaction on PostgreSQL, whose connection is used again only once the transaction has
//! certainly ended.
//!
//! The driver counts transactions and cannot know how one ended whose connection broke: so `BEGIN`,
//! `COMMIT` and `ROLLBACK` are issued here, and a connection whose state is uncertain is closed.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection};

use super::{
    failure::{bounded, failed},
    fence::Fence,
};
use crate::error::Result;

/// How long a rollback may take before the connection is closed.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a commit may take before its outcome is unknown.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(4);

/// Begins what holds up everybody who writes to the lane: a process that stops within it, or that is cut off, does so for no longer than this.
const BEGIN_BATCH: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '500ms'";

/// Runs a statement without arguments.
async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}

/// A writing transaction; it is rolled back when dropped before [`Transaction::commit`].
#[derive(Debug)]
pub(super) struct Transaction {
    connection: Option<PoolConnection<Postgres>>,
    fence: Arc<Fence>,
    /// Whether other servers are notified when it is committed.
    has_news: bool,
}

impl Transaction {
    pub(super) async fn begin(pool: &PgPool, fence: &Arc<Fence>, is_batch: bool) -> Result<Self> {
        let sql = if is_batch { BEGIN_BATCH } else { "BEGIN" };
        let begun = bounded(async {
            // If the caller gives up from here on, the transaction is rolled back.
            let mut begun = Self {
                connection: Some(pool.acquire().await?),
                fence: Arc::clone(fence),
                has_news: false,
            };
            Ok(run(&mut begun, sql).await.map(|()| begun))
        });
        begun.await.map_err(failed)?.map_err(failed)
    }

    /// What this process knows of the database.
    pub(super) fn fence(&self) -> &Arc<Fence> {
        &self.fence
    }

    /// Has other servers notified once it is committed; it is asked for before.
    pub(super) fn note_news(&mut self) {
        self.has_news = true;
    }

    /// Whether they are to be.
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Commits. After an error it is unknown whether the transaction is in the database.
    pub(super) async fn commit(mut self) -> Result<()> {
        tokio::time::timeout(COMMIT_TIMEOUT, run(&mut self, "COMMIT"))
            .await
            .map_err(super::failure::late)?
            .map_err(failed)?;
        // The transaction is over: its connection may serve the next.
        drop(self.connection.take());
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        let connection = self.connection.as_ref();
        connection.expect("only commit and drop take the connection, and both end the transaction")
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        let connection = self.connection.as_mut();
        connection.expect("only commit and drop take the connection, and both end the transaction")
    }
}

impl Drop for Transaction {
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
async fn undo(mut connection: PoolConnection<Postgres>) {
    let rollback = run(&mut connection, "ROLLBACK");
    let refused = match tokio::time::timeout(ROLLBACK_TIMEOUT, rollback).await {
        Ok(Ok(())) => return,
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
