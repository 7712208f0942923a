//! What keeps servers, and other copies, away from a database while it is copied.

use std::time::Duration;

use sqlx::{
    ConnectOptions, Connection, PgConnection, error::DatabaseError, postgres::PgConnectOptions,
};

use super::side::Company;
use crate::{
    error::{Error, Kind, Result},
    store::{Options, file::Lock, postgres},
};

/// The advisory lock of a copy: "parlance" as a number, so as not to meet another program's.
const COPY: i64 = 0x7061_726c_616e_6365;
/// The advisory lock of the connection by which a copy reads or writes. When a copy is killed, PostgreSQL ends the
/// statement that it is at first, which may be a commit: until then the next copy does not begin, for it would see how
/// far the copy has come before that commit, and later rows of it.
pub const WORKING: i64 = COPY + 1;
/// How often, and how far apart, the lock is tried: its holder may be the connection of a copy that has just ended.
const TRIES: usize = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

const LIVING: &str =
    "select exists (select 1 from nodes where seen_at > now() - interval '15 seconds')";

/// See the module.
#[expect(dead_code, reason = "held, which keeps others away")]
pub(super) enum Guard {
    Sqlite(Option<Lock>),
    Postgres(PgConnection),
}

impl Guard {
    /// Takes the lock of a copy of a PostgreSQL database; alone, of one that no server uses.
    pub(super) async fn postgres(
        connect: &PgConnectOptions,
        options: &Options,
        company: Company,
    ) -> Result<Self> {
        for tried in 0..TRIES {
            if tried > 0 {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            let held = lock(connect).await;
            let held = held.map_err(|error| postgres::explained(options, error))?;
            let Some(mut held) = held else {
                continue;
            };
            if company == Company::Servers {
                return Ok(Self::Postgres(held));
            }
            let served = is_served(&mut held).await;
            if served.map_err(|error| postgres::explained(options, error))? {
                return Err(used(options, "a server"));
            }
            return Ok(Self::Postgres(held));
        }
        Err(used(options, "another copy"))
    }
}

/// Takes the lock of the connection that works; waits for that of a copy that was killed, for some seconds.
pub(super) async fn work(connection: &mut PgConnection, options: &Options) -> Result<()> {
    for _ in 0..TRIES {
        let sql = "select pg_advisory_lock($1)";
        let locked = sqlx::query(sql).bind(WORKING).execute(&mut *connection);
        match locked.await {
            Ok(_) => return Ok(()),
            Err(error) if is_late(&error) => {}
            Err(error) => return Err(postgres::explained(options, error)),
        }
    }
    Err(used(options, "another copy"))
}

/// Whether PostgreSQL did not give a lock in time.
fn is_late(error: &sqlx::Error) -> bool {
    let told = error.as_database_error();
    told.and_then(DatabaseError::code)
        .is_some_and(|code| code == "55P03")
}

fn used(options: &Options, who: &str) -> Error {
    let place = options.place();
    let sentence = format!("{who} uses the database {place}: stop it first");
    Error::new(Kind::Conflict, sentence)
}

/// Whether a server was heard of lately; one that stops says so.
async fn is_served(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let known: bool = sqlx::query_scalar("select to_regclass('nodes') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !known {
        return Ok(false);
    }
    sqlx::query_scalar(LIVING).fetch_one(connection).await
}

async fn lock(connect: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut connection = connect.connect().await?;
    let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(COPY)
        .fetch_one(&mut connection)
        .await?;
    if is_ours {
        return Ok(Some(connection));
    }
    connection.close().await?;
    Ok(None)
}
