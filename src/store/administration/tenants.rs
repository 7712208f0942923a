//! Sites and apps as administrators list them.

use std::collections::HashMap;

use sqlx::types::Json;

use crate::{
    error::Result,
    model::{Person, Tenant, TenantId, TenantSummary, Timestamp},
    store::{
        Either, EngineSql, Store, Tx, failed,
        failure::bounded,
        rows::{PersonRow, person_columns},
        tenants::{TenantRow, select_tenants},
    },
};

/// The agents of a site, the account that registered an app. A site with many names its first ones.
const OWNERS_LISTED: usize = 20;

/// A statement over a set of tenants, on each engine.
macro_rules! over_tenants {
    ($store:expr, $before:expr, $after:expr, $ids:expr) => {{
        let ids: Vec<i64> = $ids;
        bounded(async {
            match $store.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let sql = concat!($before, " in (select value from json_each($1)) ", $after);
                    sqlx::query_as(sql).bind(Json(ids)).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let sql = concat!($before, " = any($1) ", $after);
                    sqlx::query_as(sql).bind(ids).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)
    }};
}

/// Other servers of a PostgreSQL learn of it from a row that is written with it.
const SUSPEND: EngineSql = EngineSql {
    sqlite: "update tenants set suspended_at = $2, updated_at = $3 \
             where id = $1 and deleted_at is null and suspended_at is null",
    postgres: "with gone as (update tenants set suspended_at = $2, updated_at = $3 \
                 where id = $1 and deleted_at is null and suspended_at is null returning id) \
               insert into endings (kind, target_id) select 'tenant', id from gone",
};

row! {
    struct OwnerRow {
        owns: i64,
        ..person: PersonRow,
    }
}

impl Tx {
    /// Suspends a site or an app at a time, or lets it go on; says whether that changes anything.
    pub async fn set_suspended(
        &mut self,
        tenant: TenantId,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        self.note_news();
        let query = match at {
            Some(at) => self
                .query(SUSPEND)
                .bind(tenant.get())
                .bind(at.get())
                .bind(now.get()),
            None => self
                .query(
                    "update tenants set suspended_at = null, updated_at = $2 \
                     where id = $1 and deleted_at is null and suspended_at is not null",
                )
                .bind(tenant.get())
                .bind(now.get()),
        };
        query.execute().await.map(|rows| rows > 0).map_err(failed)
    }

    /// A site or an app.
    pub async fn site_or_app(&mut self, tenant: TenantId) -> Result<Option<Tenant>> {
        let row: Option<TenantRow> = self
            .query(select_tenants!(
                "id = $1 and kind in ('site', 'app') and deleted_at is null"
            ))
            .bind(tenant.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Tenant::try_from).transpose()
    }
}

impl Store {
    /// At most `limit` sites and apps before the one of that number, the newest first.
    pub async fn sites_and_apps(&self, before: TenantId, limit: i64) -> Result<Vec<TenantSummary>> {
        let rows: Vec<TenantRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_tenants!(
                "kind in ('site', 'app') and deleted_at is null and id < $1 \
                 order by id desc limit $2"
            ))
            .bind(before.get())
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let tenants: Result<Vec<_>> = rows.into_iter().map(Tenant::try_from).collect();
        self.summaries(tenants?).await
    }

    /// What there is to say of some tenants, read for all of them at once.
    async fn summaries(&self, tenants: Vec<Tenant>) -> Result<Vec<TenantSummary>> {
        let ids = || tenants.iter().map(|tenant| tenant.id.get()).collect();
        let people: Vec<(i64, i64)> = over_tenants!(
            self,
            "select tenant_id, count(*) from people where tenant_id",
            "and deleted_at is null group by tenant_id",
            ids()
        )?;
        let people: HashMap<_, _> = people.into_iter().collect();
        let chats: Vec<(i64, i64, i64)> = over_tenants!(
            self,
            "select tenant_id, count(*), cast(sum(last_seq) as bigint) from chats where tenant_id",
            "and deleted_at is null group by tenant_id",
            ids()
        )?;
        let chats: HashMap<_, _> = chats
            .into_iter()
            .map(|(tenant, chats, messages)| (tenant, (chats, messages)))
            .collect();
        let domains: Vec<(i64, String)> = over_tenants!(
            self,
            "select tenant_id, domain from domains where tenant_id",
            "order by domain",
            ids()
        )?;
        let mut domains_of: HashMap<i64, Vec<String>> = HashMap::new();
        for (tenant, domain) in domains {
            domains_of.entry(tenant).or_default().push(domain);
        }
        let mut owners = self.owners(ids()).await?;
        let summaries = tenants.into_iter().map(|tenant| {
            let id = tenant.id.get();
            let (chats, messages) = chats.get(&id).copied().unwrap_or_default();
            TenantSummary {
                domains: domains_of.remove(&id).unwrap_or_default(),
                owners: owners.remove(&id).unwrap_or_default(),
                people: people.get(&id).copied().unwrap_or_default(),
                chats,
                messages,
                tenant,
            }
        });
        Ok(summaries.collect())
    }

    /// The first owners of each of some tenants.
    async fn owners(&self, ids: Vec<i64>) -> Result<HashMap<i64, Vec<Person>>> {
        let agents: Vec<OwnerRow> = over_tenants!(
            self,
            concat!(
                "select p.tenant_id as owns, ",
                person_columns!(),
                " from people p where p.kind = 'owner' and p.deleted_at is null and p.tenant_id"
            ),
            "order by p.id",
            ids.clone()
        )?;
        let developers: Vec<OwnerRow> = over_tenants!(
            self,
            concat!(
                "select t.id as owns, ",
                person_columns!(),
                " from tenants t join people p on p.id = t.owner_id where t.id"
            ),
            "order by p.id",
            ids
        )?;
        let mut owners: HashMap<i64, Vec<Person>> = HashMap::new();
        for OwnerRow { owns, person } in agents.into_iter().chain(developers) {
            let known = owners.entry(owns).or_default();
            if known.len() < OWNERS_LISTED {
                known.push(person.try_into()?);
            }
        }
        Ok(owners)
    }
}
