//! Logins.

use crate::{
    error::{Error, Result},
    model::{Login, LoginId, Person, PersonId, Scope, TenantId, Timestamp, TokenHash, TokenTerms},
    store::{
        EngineSql, Store, Tx, failed,
        query::inserting,
        rows::{LoginRow, PersonRow, person_columns},
    },
};

const COLUMNS: &str = "select id, person_id, tenant_id, client, address, created_at, used_at \
                       from logins where person_id = $1 and scopes is null order by used_at desc, id desc limit 200";

const TOUCH_ONE: &str = "update logins set used_at = $2 where id = $1 and used_at < $2";

const TOUCH_ALL: &str = "update logins set used_at = d.at \
     from unnest($1::bigint[], $2::bigint[]) as d (id, at) \
     where logins.id = d.id and logins.used_at < d.at";

const EXPIRE: EngineSql = EngineSql {
    sqlite: "delete from logins where id in (select value from json_each($1)) \
             and (expires_at < $4 or scopes is null and (used_at < $2 or created_at < $3))",
    postgres: "delete from logins where id = any($1) \
               and (expires_at < $4 or scopes is null and (used_at < $2 or created_at < $3))",
};

/// Ends one. Other servers of a PostgreSQL learn of it from a row that is written with it.
const END_ONE: EngineSql = EngineSql {
    sqlite: "delete from logins where id = $1 and person_id = $2",
    postgres: "with gone as (delete from logins where id = $1 and person_id = $2 returning id) \
               insert into endings (kind, target_id) select 'login', id from gone",
};

const END_ALL: EngineSql = EngineSql {
    sqlite: "delete from logins where person_id = $1 and id <> $2 returning id",
    postgres: "with gone as (delete from logins where person_id = $1 and id <> $2 returning id) \
               insert into endings (kind, target_id) select 'login', id from gone returning target_id",
};

const REPLACE_ALL: EngineSql = EngineSql {
    sqlite: "delete from logins where person_id = $1 returning id",
    postgres: "with gone as (delete from logins where person_id = $1 returning id) \
               insert into endings (kind, target_id) select 'replaced', id from gone returning target_id",
};

impl Tx {
    /// Adds a login.
    pub async fn insert_login(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        hash: &TokenHash,
        client: Option<&str>,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<LoginId> {
        self.query(inserting!(
                "insert into logins (tenant_id, person_id, token_hash, client, address, created_at, used_at) \
                 values ($1, $2, $3, $4, $5, $6, $6)"
            ))
            .bind(tenant.get())
            .bind(person.get())
            .bind(hash.as_str())
            .bind(client)
            .bind(address)
            .bind(now.get())
            .insert().await
        .map(LoginId::new)
        .map_err(failed)
    }

    /// Notes that a guest's key has made a token; says no when it has before, though the login may have
    /// ended since.
    pub async fn insert_guest_key(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<bool> {
        let noted: Option<i64> = self
            .query(
                "insert into guest_keys (token_hash, tenant_id, person_id, created_at) \
                 values ($1, $2, $3, $4) on conflict do nothing returning person_id",
            )
            .bind(hash.as_str())
            .bind(tenant.get())
            .bind(person.get())
            .bind(now.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(noted.is_some())
    }

    /// Ends one login of a person; says whether there was one.
    pub async fn delete_login(&mut self, person: PersonId, login: LoginId) -> Result<bool> {
        self.note_news();
        self.query(END_ONE)
            .bind(login.get())
            .bind(person.get())
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Deletes all of a person's logins but one, and returns their ids.
    pub async fn delete_logins(
        &mut self,
        person: PersonId,
        keep: Option<LoginId>,
    ) -> Result<Vec<LoginId>> {
        let keep = keep.map_or(0, LoginId::get);
        self.note_news();
        let ended: Vec<i64> = self
            .query(END_ALL)
            .bind(person.get())
            .bind(keep)
            .scalars()
            .await
            .map_err(failed)?;
        Ok(ended.into_iter().map(LoginId::new).collect())
    }

    /// Deletes all of a person's logins for another one that takes their place, and returns their ids: connections
    /// that use one stay.
    pub async fn replace_logins(&mut self, person: PersonId) -> Result<Vec<LoginId>> {
        self.note_news();
        let replaced: Vec<i64> = self
            .query(REPLACE_ALL)
            .bind(person.get())
            .scalars()
            .await
            .map_err(failed)?;
        Ok(replaced.into_iter().map(LoginId::new).collect())
    }

    /// A person's logins, each with when it was last used.
    pub async fn login_uses(&mut self, person: PersonId) -> Result<Vec<(LoginId, Timestamp)>> {
        let rows: Vec<(i64, i64)> = self
            .query("select id, used_at from logins where person_id = $1 and scopes is null")
            .bind(person.get())
            .fetch_all()
            .await
            .map_err(failed)?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(login, used_at)| (LoginId::new(login), Timestamp::new(used_at)))
            .collect())
    }

    /// Records when logins were last used.
    pub async fn touch_logins(&mut self, used: &[(LoginId, Timestamp)]) -> Result<()> {
        if self.is_sqlite() {
            for (login, at) in used {
                let touched = self.query(TOUCH_ONE).bind(login.get()).bind(at.get());
                touched.execute().await.map_err(failed)?;
            }
            return Ok(());
        }
        let used = used.iter().map(|(login, at)| (login.get(), at.get()));
        let (logins, at): (Vec<_>, Vec<_>) = used.unzip();
        let touched = self.query(TOUCH_ALL).bind(logins).bind(at);
        touched.execute().await.map(drop).map_err(failed)
    }

    /// Deletes those of these logins that were last used before the first of three times or made before the second, and
    /// those of these tokens that ended before the third.
    pub async fn delete_expired_logins(
        &mut self,
        logins: &[LoginId],
        (idle, made, now): (Timestamp, Timestamp, Timestamp),
    ) -> Result<()> {
        let logins: Vec<_> = logins.iter().map(|login| login.get()).collect();
        self.query(EXPIRE)
            .bind(logins)
            .bind(idle.get())
            .bind(made.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Deletes logins.
    pub async fn forget_logins(&mut self, logins: &[LoginId]) -> Result<()> {
        let ever = Timestamp::new(i64::MAX);
        self.delete_expired_logins(logins, (ever, ever, ever)).await
    }
}

/// A login, and whose it is.
#[derive(Debug)]
pub struct Holder {
    /// The login.
    pub login: Login,
    /// Its person.
    pub person: Person,
    /// Where their tenant has its people's tokens verified.
    pub verify_url: Option<String>,
    /// What it is good for and how long, if it is a token.
    pub terms: Option<TokenTerms>,
}

row! {
    /// A row of a [`Holder`].
    pub(super) struct HolderRow {
        verify_url: Option<String>,
        scopes: Option<String>,
        expires_at: Option<i64>,
        ..login: LoginRow,
        ..person: PersonRow,
    }
}

/// The columns and tables of a [`HolderRow`], without people and tenants that are deleted, deactivated or
/// suspended.
macro_rules! select_holders {
    ($more:literal, $condition:literal) => {
        concat!(
            "select l.id, l.person_id, l.tenant_id, l.client, l.address, l.created_at, l.used_at, \
             l.scopes, l.expires_at, t.verify_url, ",
            $more,
            person_columns!(),
            " from logins l join people p on p.id = l.person_id join tenants t on t.id = l.tenant_id \
             where p.deleted_at is null and p.deactivated_at is null \
             and t.deleted_at is null and t.suspended_at is null and ",
            $condition,
        )
    };
}
pub(super) use select_holders;

impl TryFrom<HolderRow> for Holder {
    type Error = Error;

    fn try_from(row: HolderRow) -> Result<Self> {
        Ok(Self {
            login: row.login.into(),
            person: row.person.try_into()?,
            verify_url: row.verify_url,
            terms: row.scopes.map(|scopes| TokenTerms {
                scopes: Scope::from_list(&scopes),
                expires_at: Timestamp::new(row.expires_at.unwrap_or_default()),
            }),
        })
    }
}

impl Store {
    /// The logins that have this token: one, unless tenants' own tokens happen to be the same.
    pub async fn logins_by_token(&self, hash: &TokenHash) -> Result<Vec<Holder>> {
        let rows: Vec<HolderRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_holders!("", "l.token_hash = $1 limit 100"))
                .bind(hash.as_str())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Holder::try_from).collect()
    }

    /// At most `limit` logins after `after` that were last used before the first of three times or made before the
    /// second, and tokens that ended before the third.
    pub async fn expired_logins(
        &self,
        (idle, made, now): (Timestamp, Timestamp, Timestamp),
        after: LoginId,
        limit: usize,
    ) -> Result<Vec<LoginId>> {
        let ids: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select id from logins where id > $1 and (expires_at < $5 \
                 or scopes is null and (used_at < $2 or created_at < $3)) order by id limit $4",
            )
            .bind(after.get())
            .bind(idle.get())
            .bind(made.get())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(now.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(ids.into_iter().map(LoginId::new).collect())
    }

    /// At most `limit` logins of a tenant's people after `after`.
    pub async fn logins_in(
        &self,
        tenant: TenantId,
        after: LoginId,
        limit: usize,
    ) -> Result<Vec<LoginId>> {
        let ids: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select id from logins where id > $1 and tenant_id = $2 order by id limit $3",
            )
            .bind(after.get())
            .bind(tenant.get())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(ids.into_iter().map(LoginId::new).collect())
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
