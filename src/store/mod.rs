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
//! available from [`Store::parts`].

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
pub mod backup;
pub mod batch;
mod candidates;
mod chats;
pub mod check;
mod connections;
mod conversations;
mod crowds;
mod deliveries;
mod domains;
mod epochs;
pub mod export;
mod failure;
mod fence;
mod file;
mod health;
mod incoming;
mod invites;
mod lanes;
mod log;
mod logins;
mod looks;
mod members;
mod messages;
mod migrations;
pub mod mover;
mod nodes;
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
mod tokens;
mod transaction;
mod turns;
mod webhooks;
mod writes;
mod writing;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use futures_util::future::BoxFuture;

use crate::{
    error::{Error, Result},
    model::{Position, Timestamp},
};

pub use conversations::ConversationPage;
pub use fence::Failover;
pub use invites::NewInvite;
pub use lanes::{LaneHead, LanesRead, Moved};
pub use logins::Holder;
pub use nodes::{Carrier, Datagram, Hearing, Look, Notification, Notifications, Said, Seen};
pub use open::{Db, Options};
pub use people::NewPerson;
pub use search::{IndexBatch, IndexEntry, IndexProgress};
pub use tenants::NewTenant;
pub use turns::{Turn, Turns};

use failure::{failed, is_taken};
use read_pool::ReadPool;
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
    secret: String,
    floor: Position,
}

struct Inner {
    read: ReadPool,
    write: Either<sqlite::Writer, postgres::Writer>,
    writes: Arc<writes::Writes>,
    /// How each part was seen to be last.
    seen: health::Seen,
    identity: LogIdentity,
    /// Fair queue for transactions other than the writer's.
    turns: Arc<Turns>,
    /// How much work was handed in that somebody waits for.
    foreground: AtomicU64,
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

impl<T> Written<T> {
    /// Whether nothing of it is in the database only because this process was stopped in the middle of it: it may be done
    /// again at once.
    pub fn has_idled(&self) -> bool {
        match self {
            Self::Committed(_) => false,
            Self::Undone(error) | Self::Unknown(_, error) => failure::is_idled(error),
        }
    }
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
                    write.nodes.close().await;
                    write.pool.close().await;
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
