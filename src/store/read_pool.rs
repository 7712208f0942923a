//! The connections for reading, with a count of what is read on them.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
};

use sqlx::{PgPool, SqlitePool};

use super::Either;

/// See the module.
#[derive(Debug)]
pub(super) struct ReadPool {
    pool: Either<SqlitePool, PgPool>,
    statements: AtomicU64,
}

impl ReadPool {
    pub(super) fn new(pool: Either<SqlitePool, PgPool>) -> Self {
        Self {
            pool,
            statements: AtomicU64::new(0),
        }
    }

    /// The connections, for one statement.
    pub(super) fn for_statement(&self) -> &Either<SqlitePool, PgPool> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        &self.pool
    }

    /// How many statements were run.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}

impl Deref for ReadPool {
    type Target = Either<SqlitePool, PgPool>;

    fn deref(&self) -> &Self::Target {
        &self.pool
    }
}
