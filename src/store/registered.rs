//! People whom their tenant's server registered, found by its own id for them.

use crate::{
    error::{Error, Result},
    model::{LoginId, Person, PersonId, TenantId, Timestamp, TokenHash},
    store::{
        Store, Tx, failed,
        failure::DbError,
        is_taken,
        rows::{PersonRow, person_columns},
    },
};

/// The most people that one list holds.
const MOST: i64 = 10_000;

impl Tx {
    /// The person with this id of their tenant's, deleted or not.
    pub async fn registered(
        &mut self,
        tenant: TenantId,
        external_id: &str,
    ) -> Result<Option<Person>> {
        let row: Option<PersonRow> = self
            .query(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id = $2",
            ))
            .bind(tenant.get())
            .bind(external_id)
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// Marks a person as deleted; the row is kept so that they can be restored.
    pub async fn delete_person(&mut self, person: PersonId, now: Timestamp) -> Result<()> {
        self.query("update people set deleted_at = $2, updated_at = $2 where id = $1")
            .bind(person.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Tx {
    /// Adds a login by a token that the tenant made; a conflict when somebody else in it has that.
    pub async fn insert_own_token(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<LoginId> {
        let inserted: Result<i64, DbError> = self
            .query(
                "insert into logins (tenant_id, person_id, token_hash, created_at, used_at) \
                 values ($1, $2, $3, $4, $4) returning id",
            )
            .bind(tenant.get())
            .bind(person.get())
            .bind(hash.as_str())
            .bind(now.get())
            .scalar()
            .await;
        inserted.map(LoginId::new).map_err(|error| {
            if is_taken(&error) {
                Error::conflict("another user has that token").because(error)
            } else {
                failed(error)
            }
        })
    }
}

impl Store {
    /// The person with this id of their tenant's.
    pub async fn registered(&self, tenant: TenantId, external_id: &str) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id = $2 \
                 and p.deleted_at is null",
            ))
            .bind(tenant.get())
            .bind(external_id)
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// The people whom a tenant's server registered in the order they came, those after one.
    pub async fn all_registered(&self, tenant: TenantId, after: PersonId) -> Result<Vec<Person>> {
        let rows: Vec<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id is not null \
                 and p.deleted_at is null and p.id > $3 order by p.id limit $2",
            ))
            .bind(tenant.get())
            .bind(MOST)
            .bind(after.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }
}
