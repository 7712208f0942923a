//! Connections that may come back: what is needed to go on where they were.

use crate::{
    error::Result,
    model::{Connection, Login, LoginId, Millis, Person, TokenHash},
    store::{
        Store, Tx, failed,
        rows::{LoginRow, PersonRow, person_columns},
    },
};

impl Tx {
    /// Keeps a connection under the hash of its private id.
    pub async fn keep_connection(
        &mut self,
        private: &TokenHash,
        connection: &Connection,
        now: Millis,
    ) -> Result<()> {
        on!(&mut self.0, tx => {
            sqlx::query(
                "insert into connections (private_hash, socket_id, acting, left_at, created_at) \
                 values ($1, $2, $3, $4, $5) on conflict (private_hash) do update set \
                 socket_id = excluded.socket_id, acting = excluded.acting, left_at = excluded.left_at",
            )
            .bind(private.as_str())
            .bind(connection.socket_id.as_str())
            .bind(connection.acting.as_str())
            .bind(connection.left_at.map(Millis::get))
            .bind(now.get())
            .execute(&mut **tx)
            .await
            .map(drop)
        })
        .map_err(failed)
    }

    /// Forgets connections that were lost before `lost`, or made before `made`.
    pub async fn forget_connections(&mut self, lost: Millis, made: Millis) -> Result<()> {
        on!(&mut self.0, tx => {
            sqlx::query("delete from connections where left_at < $1 or created_at < $2")
                .bind(lost.get())
                .bind(made.get())
                .execute(&mut **tx)
                .await
                .map(drop)
        })
        .map_err(failed)
    }
}

impl Store {
    /// The connection that has this private id.
    pub async fn connection(&self, private: &TokenHash) -> Result<Option<Connection>> {
        let row: Option<(String, String, Option<i64>)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select socket_id, acting, left_at from connections where private_hash = $1",
            )
            .bind(private.as_str())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        Ok(row.map(|(socket_id, acting, left_at)| Connection {
            socket_id,
            acting,
            left_at: left_at.map(Millis::new),
        }))
    }

    /// A login by its number, with its token's hash and its person.
    pub async fn login_by_id(&self, login: LoginId) -> Result<Option<(Login, TokenHash, Person)>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            login: LoginRow,
            #[sqlx(flatten)]
            person: PersonRow,
            token_hash: String,
        }
        let row: Option<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select l.id, l.person_id, l.tenant_id, l.client, l.address, l.created_at, l.used_at, \
                 l.token_hash, ",
                person_columns!(),
                " from logins l join people p on p.id = l.person_id \
                 where l.id = $1 and p.deleted_at is null",
            ))
            .bind(login.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(|row| {
            Ok((
                row.login.into(),
                TokenHash::new(row.token_hash),
                row.person.try_into()?,
            ))
        })
        .transpose()
    }
}
