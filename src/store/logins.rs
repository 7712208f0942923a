//! Logins.

use crate::{
    error::Result,
    model::{Login, LoginId, Millis, Person, PersonId, TenantId, TokenHash},
    store::{
        Store, Tx, failed,
        rows::{LoginRow, PersonRow, person_columns},
    },
};

const COLUMNS: &str = "select id, person_id, tenant_id, client, address, created_at, used_at \
                       from logins where person_id = $1 order by used_at desc, id desc limit 200";

impl Tx {
    /// Adds a login.
    pub async fn insert_login(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        hash: &TokenHash,
        client: Option<&str>,
        address: Option<&str>,
        now: Millis,
    ) -> Result<LoginId> {
        on!(&mut self.0, tx => {
            sqlx::query_scalar(
                "insert into logins (tenant_id, person_id, token_hash, client, address, created_at, used_at) \
                 values ($1, $2, $3, $4, $5, $6, $6) returning id",
            )
            .bind(tenant.get())
            .bind(person.get())
            .bind(hash.as_str())
            .bind(client)
            .bind(address)
            .bind(now.get())
            .fetch_one(&mut **tx)
            .await
        })
        .map(LoginId::new)
        .map_err(failed)
    }

    /// Ends one login of a person; says whether there was one.
    pub async fn delete_login(&mut self, person: PersonId, login: LoginId) -> Result<bool> {
        on!(&mut self.0, tx => {
            sqlx::query("delete from logins where id = $1 and person_id = $2")
                .bind(login.get())
                .bind(person.get())
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected() > 0)
        })
        .map_err(failed)
    }

    /// Ends all of a person's logins but one, and says which.
    pub async fn delete_logins(
        &mut self,
        person: PersonId,
        keep: Option<LoginId>,
    ) -> Result<Vec<LoginId>> {
        let keep = keep.map_or(0, LoginId::get);
        let ended: Vec<i64> = on!(&mut self.0, tx => {
            sqlx::query_scalar("delete from logins where person_id = $1 and id <> $2 returning id")
                .bind(person.get())
                .bind(keep)
                .fetch_all(&mut **tx)
                .await
        })
        .map_err(failed)?;
        Ok(ended.into_iter().map(LoginId::new).collect())
    }

    /// Notes when logins were last used.
    pub async fn touch_logins(&mut self, used: &[(LoginId, Millis)]) -> Result<()> {
        on!(&mut self.0, tx => {
            for (login, at) in used {
                sqlx::query("update logins set used_at = $2 where id = $1 and used_at < $2")
                    .bind(login.get())
                    .bind(at.get())
                    .execute(&mut **tx)
                    .await?;
            }
            Ok(())
        })
        .map_err(failed)
    }

    /// Forgets logins that were last used before `idle` or made before `made`.
    pub async fn delete_expired_logins(&mut self, idle: Millis, made: Millis) -> Result<u64> {
        on!(&mut self.0, tx => {
            sqlx::query("delete from logins where used_at < $1 or created_at < $2")
                .bind(idle.get())
                .bind(made.get())
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
        })
        .map_err(failed)
    }
}

impl Store {
    /// The login of a person that has this token, and the person.
    pub async fn login(
        &self,
        person: PersonId,
        hash: &TokenHash,
    ) -> Result<Option<(Login, Person)>> {
        let found = self.logins_by_token(hash).await?;
        Ok(found.into_iter().find(|(login, _)| login.person == person))
    }

    /// The logins that have this token: one, unless tenants' own tokens happen to be the same.
    pub async fn logins_by_token(&self, hash: &TokenHash) -> Result<Vec<(Login, Person)>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            login: LoginRow,
            #[sqlx(flatten)]
            person: PersonRow,
        }
        let rows: Vec<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select l.id, l.person_id, l.tenant_id, l.client, l.address, l.created_at, l.used_at, ",
                person_columns!(),
                " from logins l join people p on p.id = l.person_id \
                 where l.token_hash = $1 and p.deleted_at is null limit 100",
            ))
            .bind(hash.as_str())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter()
            .map(|row| Ok((Login::from(row.login), row.person.try_into()?)))
            .collect()
    }

    /// A person's logins, the last used first, at most 200.
    pub async fn logins(&self, person: PersonId) -> Result<Vec<Login>> {
        let rows: Vec<LoginRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(COLUMNS).bind(person.get()).fetch_all(pool).await
        })
        .map_err(failed)?;
        Ok(rows.into_iter().map(Login::from).collect())
    }
}
