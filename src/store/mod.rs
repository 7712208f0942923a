//! The database: the only module that contains SQL.
//!
//! # Why
//! Each query has one SQL text, with `$1`, for both engines; there are two texts only where the SQL dialects
//! differ. Reads go through a pool of connections, and `on!` runs them on whichever engine is open.
//!
//! Every write is a piece of work, a function that is given a transaction ([`Tx`]), whose statements run on
//! either engine (`query`). On SQLite the work goes to the one thread that writes (`sqlite::Writer`), and
//! all that waits for it is committed together. On PostgreSQL it runs where it is, on a pool of its own, for
//! its connections carry a planner setting of their own. The writer of chats hands its batches to
//! [`Store::write_batch`], and they come first; all other work is a tenant's ([`Store::write`]), and tenants
//! take turns, so that no tenant's flood of sign-ups delays another's. The writer's own statements are in
//! [`batch`].
//!
//! Every statement has a timeout, a connection is used again only
//! once its transaction has certainly ended (`transaction`), and the outcome of the last write is
//! available from [`Store::ready`].

/// Runs the same statement on whichever engine an [`Either`] holds, and waits for it no longer than
/// [`failure::STATEMENT_TIMEOUT`].
macro_rules! on {
    ($either:expr, $handle:ident => $body:expr) => {
        $crate::store::failure::bounded(async {
            match $either.for_statement() {
                $crate::store::Either::Sqlite($handle) => $body,
                $crate::store::Either::Postgres($handle) => $body,
            }
        })
        .await
    };
}

#[macro_use]
mod row;

mod administration;
mod apps;
pub mod batch;
mod chats;
mod connections;
mod conversations;
mod crowds;
mod domains;
pub mod export;
mod failure;
mod file;
mod invites;
mod log;
mod logins;
mod looks;
mod members;
mod messages;
mod migrations;
mod open;
mod people;
mod postgres;
pub mod profiles;
mod query;
mod reactions;
mod read_pool;
mod refold;
mod registered;
mod rows;
mod search;
mod second_factors;
mod sign_ins;
mod sqlite;
mod tenants;
mod transaction;
mod turns;
mod writes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sqlx::PgPool;

use crate::{
    error::{Error, Result},
    model::{Epoch, Position, TenantId, Timestamp},
};

pub use conversations::ConversationPage;
pub use invites::NewInvite;
pub use logins::Holder;
pub use open::{Db, Options};
pub use people::NewPerson;
pub use search::{IndexBatch, IndexEntry, IndexProgress};
pub use tenants::NewTenant;
pub use turns::{Turn, Turns};

use failure::{failed, is_taken};
use read_pool::ReadPool;
use sqlite::Priority;
use transaction::Transaction;

/// How long closing waits for connections that are still in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a write other than a batch may take, with the wait for the writes before it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a batch may take before its commit.
const BATCH_TIMEOUT: Duration = Duration::from_secs(6);

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

impl<S, P> Either<S, P> {
    /// The engine, for one statement of `on!`.
    fn for_statement(&self) -> &Self {
        self
    }
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

/// What a database keeps for good.
struct LogIdentity {
    epoch: Epoch,
    secret: String,
    floor: Position,
}

struct Inner {
    read: ReadPool,
    write: Either<sqlite::Writer, PgPool>,
    writes: Arc<writes::Writes>,
    /// The advisory lock of the one server of a PostgreSQL database.
    sole: Option<postgres::SoleServer>,
    identity: LogIdentity,
    /// Fair queue for transactions other than the writer's.
    turns: Arc<Turns>,
}

/// A writing transaction, which a piece of work is given. What it did is undone when it fails.
#[derive(Debug)]
pub struct Tx(Either<rusqlite::Connection, Transaction>);

/// A piece of work in a writing transaction: it is done on another thread than where it is handed in, and
/// waits for nothing but the transaction's statements.
pub trait Work<T>: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static {}

impl<T, W> Work<T> for W where
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static
{
}

/// What became of a piece of work.
#[derive(Debug)]
pub enum Written<T> {
    /// It is durable.
    Committed(T),
    /// Nothing of it is in the database.
    Undone(Error),
    /// Its commit was not confirmed: whether it is in the database is not known.
    Unknown(T, Error),
}

impl<T> From<Written<T>> for Result<T> {
    fn from(written: Written<T>) -> Self {
        match written {
            Written::Committed(value) => Ok(value),
            Written::Undone(error) | Written::Unknown(_, error) => Err(error),
        }
    }
}

impl Store {
    /// The epoch of the log.
    pub fn epoch(&self) -> &Epoch {
        &self.inner.identity.epoch
    }

    /// What this server, and whichever comes after it on the same database, proves its own words by.
    pub fn secret(&self) -> &str {
        &self.inner.identity.secret
    }

    /// The oldest position that a client may continue from.
    pub fn floor(&self) -> Position {
        self.inner.identity.floor
    }

    /// The word for the engine, for logs and metrics.
    pub fn engine(&self) -> &'static str {
        match *self.inner.read {
            Either::Sqlite(_) => "sqlite",
            Either::Postgres(_) => "postgres",
        }
    }

    /// Does a tenant's work, when it is its turn, in a transaction; refuses at once while the last write
    /// failed. After an error the work may be committed nevertheless.
    pub async fn write<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Work<T>,
    ) -> Result<T> {
        self.writes_work()?;
        let until = Instant::now() + WRITE_TIMEOUT;
        let turn = self.inner.turns.take(tenant).await?;
        match &self.inner.write {
            Either::Sqlite(writer) => {
                let written = writer.run(Priority::InOrder, until, turn, work);
                let written = tokio::time::timeout_at(until.into(), written);
                let written: Result<T> = written.await.map_err(failure::late)?.into();
                written.map_err(|error| self.note_failed_write(error))
            }
            Either::Postgres(pool) => {
                let written = self.write_postgres(pool, WRITE_TIMEOUT, work).await.into();
                drop(turn);
                written
            }
        }
    }

    /// Does the work of the writer of chats in a transaction, before all other work that waits; refuses at
    /// once while the last write failed.
    pub async fn write_batch<T: Send + 'static>(&self, work: impl Work<T>) -> Written<T> {
        match self.writes_work() {
            Ok(()) => self.write_first(work).await,
            Err(error) => Written::Undone(error),
        }
    }

    /// Does work whether the last write failed or not, once every transaction before it has come to its end.
    pub async fn write_anyway<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T> {
        let written = self.write_first(work);
        match &self.inner.write {
            // A disk that does not answer keeps the thread for as long as it likes, and not its callers.
            Either::Sqlite(_) => {
                let written = tokio::time::timeout(WRITE_TIMEOUT, written).await;
                written.map_err(failure::late)?.into()
            }
            Either::Postgres(_) => written.await.into(),
        }
    }

    async fn write_first<T: Send + 'static>(&self, work: impl Work<T>) -> Written<T> {
        let writer = match &self.inner.write {
            Either::Sqlite(writer) => writer,
            Either::Postgres(pool) => return self.write_postgres(pool, BATCH_TIMEOUT, work).await,
        };
        // The thread reports the outcome, however long the disk takes. Work that has not begun in time does
        // not begin at all.
        let until = Instant::now() + BATCH_TIMEOUT;
        let mut written = std::pin::pin!(writer.run(Priority::First, until, (), work));
        let in_time = tokio::time::timeout_at(until.into(), &mut written);
        let written = match in_time.await {
            Ok(written) => written,
            Err(late) => {
                self.note_failed_write(failure::late(late));
                written.await
            }
        };
        match written {
            Written::Undone(error) => Written::Undone(self.note_failed_write(error)),
            written => written,
        }
    }

    async fn write_postgres<T>(
        &self,
        pool: &PgPool,
        most: Duration,
        work: impl Work<T>,
    ) -> Written<T> {
        let done = async {
            let mut tx = Tx(Either::Postgres(
                Transaction::begin(pool, &self.inner.writes).await?,
            ));
            let value = work(&mut tx).await?;
            Ok((tx, value))
        };
        let done = tokio::time::timeout(most, done).await;
        let done = done.unwrap_or_else(|late| Err(failure::late(late)));
        let (tx, value) = match done {
            Ok(done) => done,
            Err(error) => return Written::Undone(self.note_failed_write(error)),
        };
        let committed = match tx.0 {
            Either::Postgres(transaction) => transaction.commit().await,
            Either::Sqlite(_) => Ok(()),
        };
        match committed {
            Ok(()) => Written::Committed(value),
            Err(error) => Written::Unknown(value, error),
        }
    }

    /// How many statements were run to read, beside those of writing transactions.
    pub fn reads(&self) -> u64 {
        self.inner.read.statements()
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
            match (&self.inner.write, &*self.inner.read) {
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
    /// Writes the probe's row.
    async fn insert_probe(&mut self, filler: &[u8], now: Timestamp) -> Result<()> {
        self.query(
            "insert into write_probes (id, filler, at) values (1, $1, $2) \
                 on conflict (id) do update set filler = excluded.filler, at = excluded.at",
        )
        .bind(filler)
        .bind(now.get())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }
}
