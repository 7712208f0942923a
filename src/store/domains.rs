//! The domains of sites: each belongs to one tenant.

use crate::{
    error::{Error, Result},
    model::{Domain, Tenant, TenantId, Timestamp},
    store::{
        Store, Tx, failed, is_taken,
        tenants::{TenantRow, select_tenants},
    },
};

impl Tx {
    /// Assigns a site's domain to a tenant; a conflict when it has a tenant already.
    pub async fn insert_domain(&mut self, domain: &Domain, tenant: TenantId) -> Result<()> {
        let inserted = self
            .query("insert into domains (domain, tenant_id) values ($1, $2)")
            .bind(domain.site())
            .bind(tenant.get())
            .execute()
            .await
            .map(drop);
        inserted.map_err(|error| {
            if is_taken(&error) {
                Error::conflict("that domain is taken").because(error)
            } else {
                failed(error)
            }
        })
    }

    /// Removes a site's domain from a tenant; returns whether it was theirs.
    pub async fn delete_domain(&mut self, domain: &Domain, tenant: TenantId) -> Result<bool> {
        self.query("delete from domains where domain in ($1, $2) and tenant_id = $3")
            .bind(domain.host())
            .bind(domain.site())
            .bind(tenant.get())
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Locks a tenant until the transaction ends, so that its domains are counted by one transaction at a time;
    /// returns whether it exists.
    pub async fn hold_tenant(&mut self, tenant: TenantId, now: Timestamp) -> Result<bool> {
        self.query("update tenants set updated_at = $2 where id = $1 and deleted_at is null")
            .bind(tenant.get())
            .bind(now.get())
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// A tenant's domains, as they are compared.
    pub async fn domains_of(&mut self, tenant: TenantId) -> Result<Vec<String>> {
        self.query("select domain from domains where tenant_id = $1 order by domain")
            .bind(tenant.get())
            .scalars()
            .await
            .map_err(failed)
    }
}

impl Store {
    /// The tenant that a host belongs to. Where `www.x` was registered apart from `x`, as could be
    /// once, `www.x` belongs to its own tenant.
    pub async fn tenant_of_domain(&self, domain: &Domain) -> Result<Option<Tenant>> {
        let row: Option<TenantRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_tenants!(
                "id = (select tenant_id from domains where domain in ($1, $2) \
                       order by length(domain) desc limit 1) and deleted_at is null"
            ))
            .bind(domain.host())
            .bind(domain.site())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Tenant::try_from).transpose()
    }
}
