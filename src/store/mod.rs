//! The memory: the only module that speaks SQL.
//!
//! # Why
//! One question has one SQL text, with `$1`, that both engines take; `on!` runs it on whichever
//! engine is open. An arm of its own exists only where SQL truly differs: how a transaction begins
//! and the writer's set statements ([`batch`]), which want `json_each` on SQLite and `unnest` on
//! PostgreSQL.
//!
//! Reads and writes use separate pools. SQLite has one writer anyway, and a pool of one connection
//! is a fair queue, where its own busy handler is not; on PostgreSQL the writing connections carry
//! a planner setting of their own. Every writing transaction begins here, see [`Store::begin`].

/// Runs the same body on whichever engine an [`Either`] holds.
macro_rules! on {
    ($either:expr, $handle:ident => $body:expr) => {
        match $either {
            $crate::store::Either::Sqlite($handle) => $body,
            $crate::store::Either::Postgres($handle) => $body,
        }
    };
}

mod apps;
pub mod batch;
mod chats;
mod connections;
mod desk;
mod domains;
mod log;
mod logins;
mod members;
mod messages;
mod open;
mod people;
mod registered;
mod rows;
mod tenants;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::{
    error::{Error, Result},
    model::{Epoch, Position},
};

pub use desk::DeskPage;
pub use open::{Db, Options};
pub use people::NewPerson;
pub use tenants::NewTenant;

/// One of two engines.
#[derive(Debug, Clone)]
pub enum Either<S, P> {
    /// SQLite.
    Sqlite(S),
    /// PostgreSQL.
    Postgres(P),
}

/// A question in the words of both engines, where one text does not suit both.
#[derive(Debug, Clone, Copy)]
struct Asked {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Asked {
    /// The words for this engine.
    fn of<S, P>(self, engine: &Either<S, P>) -> &'static str {
        match engine {
            Either::Sqlite(_) => self.sqlite,
            Either::Postgres(_) => self.postgres,
        }
    }
}

/// The open database. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    read: Either<SqlitePool, PgPool>,
    write: Either<SqlitePool, PgPool>,
    epoch: Epoch,
    floor: Position,
}

/// A writing transaction; it is undone when dropped before [`Tx::commit`].
#[derive(Debug)]
pub struct Tx(Either<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>);

impl Store {
    /// Which life of the log this is.
    pub fn epoch(&self) -> &Epoch {
        &self.inner.epoch
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

    /// Begins a writing transaction. On SQLite it holds the one write lock from its first moment: a
    /// deferred transaction fails at once when it has to upgrade its lock, whatever its patience.
    pub async fn begin(&self) -> Result<Tx> {
        let begun = match &self.inner.write {
            Either::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Either::Sqlite),
            Either::Postgres(pool) => pool.begin().await.map(Either::Postgres),
        };
        begun.map(Tx).map_err(failed)
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

    /// Closes every connection, once those in use are given back.
    pub async fn close(&self) {
        on!(&self.inner.write, pool => pool.close().await);
        on!(&self.inner.read, pool => pool.close().await);
    }
}

impl Tx {
    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        on!(self.0, transaction => transaction.commit().await).map_err(failed)
    }
}

/// Translates what a database reports; a database that is merely out of reach is no fault of ours.
fn failed(error: sqlx::Error) -> Error {
    let out_of_reach = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        // SQLITE_BUSY, and PostgreSQL's class 57 (operator intervention) and 53 (out of resources).
        sqlx::Error::Database(told) => told
            .code()
            .is_some_and(|code| code == "5" || code.starts_with("57") || code.starts_with("53")),
        _ => false,
    };
    if out_of_reach {
        let sentence = "the database is busy, please try again";
        Error::unavailable(sentence, Duration::from_secs(1)).because(error)
    } else {
        Error::internal(error)
    }
}

/// Whether a statement failed because a row with that key exists.
fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(told) if told.is_unique_violation())
}
