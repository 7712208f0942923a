//! Finding many people at once: by their ids, or by their tenant's ids for them.

use sqlx::types::Json;

use crate::{
    error::Result,
    model::{Person, PersonId, TenantId},
    store::{
        Either, Store,
        failure::{bounded, failed},
        rows::{PersonRow, person_columns},
    },
};

// Each name is looked up by its index: were the tables in another order, all of the tenant's people
// would be read.
const BY_ID_SQLITE: &str = concat!(
    "select ",
    person_columns!(),
    " from json_each($1) d cross join people p on p.id = d.value \
     where p.tenant_id = $2 and p.deleted_at is null order by d.key"
);

const BY_ID_POSTGRES: &str = concat!(
    "select ",
    person_columns!(),
    " from unnest($1::bigint[]) with ordinality as d (id, n) join people p on p.id = d.id \
     where p.tenant_id = $2 and p.deleted_at is null order by d.n"
);

const BY_NAME_SQLITE: &str = concat!(
    "select ",
    person_columns!(),
    " from json_each($1) d cross join people p on p.tenant_id = $2 and p.external_id = d.value \
     where p.deleted_at is null order by d.key"
);

const BY_NAME_POSTGRES: &str = concat!(
    "select ",
    person_columns!(),
    " from unnest($1::text[]) with ordinality as d (name, n) \
     join people p on p.tenant_id = $2 and p.external_id = d.name \
     where p.deleted_at is null order by d.n"
);

impl Store {
    /// Those of these people whom a tenant has, in the order asked.
    pub async fn people(&self, tenant: TenantId, people: &[PersonId]) -> Result<Vec<Person>> {
        let asked: Vec<_> = people.iter().map(|person| person.get()).collect();
        let rows: Vec<PersonRow> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(BY_ID_SQLITE).bind(Json(asked));
                    asked.bind(tenant.get()).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(BY_ID_POSTGRES).bind(asked);
                    asked.bind(tenant.get()).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }

    /// Those of these people whom a tenant registered under these names, in the order asked.
    pub async fn registered_among(
        &self,
        tenant: TenantId,
        names: &[String],
    ) -> Result<Vec<Person>> {
        let rows: Vec<PersonRow> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(BY_NAME_SQLITE).bind(Json(names));
                    asked.bind(tenant.get()).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(BY_NAME_POSTGRES).bind(names);
                    asked.bind(tenant.get()).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }
}
