//! Socket.IO connections that may be recovered, with what recovery needs.

use std::collections::BTreeMap;

use crate::{
    error::Result,
    model::{Connection, LoginId, Timestamp, TokenHash},
    store::{
        EngineSql, Holder, Store, Tx, failed,
        logins::{HolderRow, select_holders},
        rows::person_columns,
    },
};

const FORGET: EngineSql = EngineSql {
    sqlite: "delete from connections where private_hash in (select value from json_each($1)) \
             and (left_at < $2 or created_at < $3)",
    postgres: "delete from connections where private_hash = any($1) \
               and (left_at < $2 or created_at < $3)",
};

/// Adds one, or takes the place of what is kept of it. Who has lost it says so only as long as nobody else has it.
macro_rules! keep {
    ($rows:literal) => {
        concat!(
            "insert into connections (private_hash, socket_id, acting, left_at, holder, created_at) ",
            $rows,
            " on conflict (private_hash) do update set socket_id = excluded.socket_id, \
             acting = excluded.acting, left_at = excluded.left_at, holder = excluded.holder \
             where excluded.left_at is null or connections.holder is null \
             or connections.holder = excluded.holder"
        )
    };
}

const KEEP_ONE: &str = keep!("values ($1, $2, $3, $4, $5, $6)");
const KEEP_SET: &str = keep!(
    "select d.*, $6 from (select hash, socket_id, acting, nullif(left_at, -1), holder from \
     unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) \
     as u (hash, socket_id, acting, left_at, holder)) as d"
);

impl Tx {
    /// Stores connections under the hashes of their private ids; of one that is there more than once, the last.
    pub async fn keep_connections(
        &mut self,
        connections: &[(TokenHash, Connection)],
        now: Timestamp,
    ) -> Result<()> {
        if self.is_sqlite() {
            for (hash, connection) in connections {
                self.query(KEEP_ONE)
                    .bind(hash.as_str())
                    .bind(connection.socket_id.as_str())
                    .bind(connection.identities.as_str())
                    .bind(connection.left_at.map(Timestamp::get))
                    .bind(connection.holder)
                    .bind(now.get())
                    .execute()
                    .await
                    .map_err(failed)?;
            }
            return Ok(());
        }
        // A statement changes no row twice.
        let mut last = BTreeMap::<_, &Connection>::new();
        for (hash, connection) in connections {
            let kept = last.entry(hash.as_str()).or_insert(connection);
            if connection.left_at.is_none() || kept.holder == connection.holder {
                *kept = connection;
            }
        }
        let (mut hashes, mut ids, mut acting) = (vec![], vec![], vec![]);
        let (mut left, mut holders) = (vec![], vec![]);
        for (hash, connection) in last {
            hashes.push(hash.to_owned());
            ids.push(connection.socket_id.clone());
            acting.push(connection.identities.clone());
            left.push(connection.left_at.map_or(-1, Timestamp::get));
            holders.push(connection.holder);
        }
        self.query(KEEP_SET)
            .bind(hashes)
            .bind(ids)
            .bind(acting)
            .bind(left)
            .bind(holders)
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Deletes those of these connections that were lost before the first of two times, or made
    /// before the second.
    pub async fn forget_connections(
        &mut self,
        hashes: &[String],
        (lost, made): (Timestamp, Timestamp),
    ) -> Result<()> {
        self.query(FORGET)
            .bind(hashes.to_vec())
            .bind(lost.get())
            .bind(made.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Store {
    /// The hashes of at most `limit` connections, beyond `after`, that were lost before the first of
    /// two times, or made before the second.
    pub async fn lost_connections(
        &self,
        (lost, made): (Timestamp, Timestamp),
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select private_hash from connections where private_hash > $1 \
                 and (left_at < $2 or created_at < $3) order by private_hash limit $4",
            )
            .bind(after)
            .bind(lost.get())
            .bind(made.get())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)
    }

    /// The connection that has this private id.
    pub async fn connection(&self, private: &TokenHash) -> Result<Option<Connection>> {
        let row: Option<(String, String, i64, Option<i64>)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select socket_id, acting, coalesce(holder, 0), left_at from connections \
                 where private_hash = $1",
            )
            .bind(private.as_str())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        Ok(row.map(|(socket_id, acting, holder, left_at)| Connection {
            socket_id,
            identities: acting,
            holder,
            left_at: left_at.map(Timestamp::new),
        }))
    }

    /// A login by its number, with its token's hash.
    pub async fn login_by_id(&self, login: LoginId) -> Result<Option<(TokenHash, Holder)>> {
        row! {
            struct Row {
                token_hash: String,
                ..holder: HolderRow,
            }
        }
        let row: Option<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_holders!("l.token_hash, ", "l.id = $1"))
                .bind(login.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(|row| Ok((TokenHash::new(row.token_hash), row.holder.try_into()?)))
            .transpose()
    }
}
