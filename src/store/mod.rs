//! The database: the only module that contains SQL.
//!
//! # Why
//! Each query has one SQL text, with `$1`, for both engines; `on!` runs it on whichever
//! engine is open. There are two texts only where the SQL dialects differ: how a transaction begins
//! and the writer's set statements ([`batch`]), which use `json_each` on SQLite and `unnest` on
//! PostgreSQL.
//!
//! Reads and writes use separate pools. SQLite has one writer anyway, and a pool of one connection
//! is a fair queue, where its own busy handler is not; on PostgreSQL the writing connections carry
//! a planner setting of their own. Every writing transaction begins here: the writer's by
//! [`Store::begin`], and all others by [`Store::begin_for`], where tenants take turns, so that the
//! writer waits for one of them at most and no tenant's flood of sign-ups delays another's.
//!
//! Every statement has a timeout, a connection is used again only
//! once its transaction has certainly ended (`transaction`), and the outcome of the last write is
//! available from [`Store::ready`].

/// Runs the same statement on whichever engine an [`Either`] holds, and waits for it no longer than
/// [`failure::STATEMENT_TIMEOUT`].
macro_rules! on {
    ($either:expr, $handle:ident => $body:expr) => {
        $crate::store::failure::bounded(async {
            match $either {
                $crate::store::Either::Sqlite($handle) => $body,
                $crate::store::Either::Postgres($handle) => $body,
            }
        })
        .await
    };
}

#[macro_use]
mod row;

mod apps;
pub mod batch;
mod chats;
mod connections;
mod conversations;
mod crowds;
mod domains;
mod failure;
mod file;
mod log;
mod logins;
mod looks;
mod members;
mod messages;
mod migrations;
mod open;
mod people;
mod postgres;
mod refold;
mod registered;
mod rows;
mod sqlite;
mod tenants;
mod transaction;
mod turns;
mod writes;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use crate::{
    error::{Error, Result},
    model::{Epoch, Position, TenantId, Timestamp},
};

pub use conversations::ConversationPage;
pub use logins::Holder;
pub use open::{Db, Options};
pub use people::NewPerson;
pub use tenants::NewTenant;
pub use turns::{Turn, Turns};

use failure::{failed, is_taken};
use transaction::Transaction;

/// How long closing waits for connections that are still in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// One of two engines.
#[derive(Debug, Clone)]
pub enum Either<S, P> {
    /// SQLite.
    Sqlite(S),
    /// PostgreSQL.
    Postgres(P),
}

/// A query with one text for each engine.
#[derive(Debug, Clone, Copy)]
struct EngineSql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl EngineSql {
    /// The text for this engine.
    fn of<S, P>(self, engine: &Either<S, P>) -> &'static str {
        match engine {
            Either::Sqlite(_) => self.sqlite,
            Either::Postgres(_) => self.postgres,
        }
    }
}

/// The open database. Cloning it is cheap.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").finish_non_exhaustive()
    }
}

struct Inner {
    read: Either<SqlitePool, PgPool>,
    write: Either<SqlitePool, PgPool>,
    writes: Arc<writes::Writes>,
    /// The advisory lock of the one server of a PostgreSQL database.
    sole: Option<postgres::SoleServer>,
    epoch: Epoch,
    secret: String,
    floor: Position,
    /// Fair queue for transactions other than the writer's.
    turns: Arc<Turns>,
}

/// A writing transaction; it is undone when dropped before [`Tx::commit`].
#[derive(Debug)]
pub struct Tx(
    Either<Transaction<Sqlite>, Transaction<Postgres>>,
    #[expect(
        dead_code,
        reason = "it is kept for its end, which is the transaction's"
    )]
    Option<Turn>,
);

impl Store {
    /// The epoch of the log.
    pub fn epoch(&self) -> &Epoch {
        &self.inner.epoch
    }

    /// What this server, and whichever comes after it on the same database, proves its own words by.
    pub fn secret(&self) -> &str {
        &self.inner.secret
    }

    /// The oldest position that a client may continue from.
    pub fn floor(&self) -> Position {
        self.inner.floor
    }

    /// The word for the engine, for logs and metrics.
    pub fn engine(&self) -> &'static str {
        match self.inner.read {
            Either::Sqlite(_) => "sqlite",
            Either::Postgres(_) => "postgres",
        }
    }

    /// Begins a writing transaction of a tenant's when it is its turn, beside the writer's; refuses at
    /// once while the last write failed.
    pub async fn begin_for(&self, tenant: TenantId) -> Result<Tx> {
        self.writes_work()?;
        let turn = self.inner.turns.take(tenant).await?;
        let tx = self.begin().await?;
        Ok(Tx(tx.0, Some(turn)))
    }

    /// Begins the writer's next transaction, before all others that wait; refuses at once while the last
    /// write failed.
    pub async fn begin(&self) -> Result<Tx> {
        self.writes_work()?;
        self.begin_anyway().await
    }

    /// Begins a writing transaction that finds out whether an earlier one was committed.
    pub async fn begin_anyway(&self) -> Result<Tx> {
        let writes = &self.inner.writes;
        let begun = match &self.inner.write {
            Either::Sqlite(pool) => Either::Sqlite(Transaction::begin(pool, writes).await?),
            Either::Postgres(pool) => Either::Postgres(Transaction::begin(pool, writes).await?),
        };
        Ok(Tx(begun, None))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let one: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar("select cast(1 as bigint)").fetch_one(pool).await
        })
        .map_err(failed)?;
        if one == 1 {
            Ok(())
        } else {
            Err(Error::internal("the database cannot count to one"))
        }
    }

    /// Closes every connection, once those in use are given back, and lets another server have the
    /// database.
    pub async fn close(&self) {
        let closed = async {
            match (&self.inner.write, &self.inner.read) {
                (Either::Sqlite(write), Either::Sqlite(read)) => {
                    write.close().await;
                    read.close().await;
                }
                (Either::Postgres(write), Either::Postgres(read)) => {
                    write.close().await;
                    read.close().await;
                }
                (Either::Sqlite(_), Either::Postgres(_))
                | (Either::Postgres(_), Either::Sqlite(_)) => {}
            }
        };
        let connections_left = tokio::time::timeout(CLOSE_TIMEOUT, closed).await.is_err();
        if connections_left {
            tracing::warn!("Connections to the database that are still busy are left behind.");
        }
        if let Some(sole) = &self.inner.sole {
            sole.release().await;
        }
        self.inner.writes.release_file(connections_left);
    }
}

impl Tx {
    /// Commits. After an error the transaction may be committed nevertheless.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Either::Sqlite(transaction) => transaction.commit().await,
            Either::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Writes the probe's row.
    async fn insert_probe(&mut self, filler: &[u8], now: Timestamp) -> Result<()> {
        on!(&mut self.0, tx => {
            sqlx::query(
                "insert into write_probes (id, filler, at) values (1, $1, $2) \
                 on conflict (id) do update set filler = excluded.filler, at = excluded.at",
            )
            .bind(filler)
            .bind(now.get())
            .execute(&mut **tx)
            .await
            .map(drop)
        })
        .map_err(failed)
    }
}
