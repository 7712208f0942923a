//! Tenants and the domains they come from.

use crate::{
    error::{Error, Result},
    model::{PersonId, Tenant, TenantId, TenantKind, Timestamp},
    store::{Store, Tx, failed},
};

row! {
    pub(super) struct TenantRow {
        id: i64,
        kind: String,
        name: String,
        application_id: String,
        owner_id: Option<i64>,
        verify_url: Option<String>,
        require_auth: bool,
        created_at: i64,
        updated_at: i64,
        deleted_at: Option<i64>,
        suspended_at: Option<i64>,
    }
}

macro_rules! select_tenants {
    ($condition:literal) => {
        concat!(
            "select id, kind, name, application_id, owner_id, verify_url, require_auth, created_at, \
             updated_at, deleted_at, suspended_at from tenants where ",
            $condition
        )
    };
}

pub(super) use select_tenants;

impl TryFrom<TenantRow> for Tenant {
    type Error = Error;

    fn try_from(row: TenantRow) -> Result<Self> {
        let kind = TenantKind::from_stored(&row.kind).ok_or_else(|| {
            Error::internal(format!("unknown word {:?} in tenants.kind", row.kind))
        })?;
        Ok(Self {
            id: TenantId::new(row.id),
            kind,
            name: row.name,
            application_id: row.application_id,
            owner: row.owner_id.map(PersonId::new),
            verify_url: row.verify_url,
            require_auth: row.require_auth,
            created_at: Timestamp::new(row.created_at),
            updated_at: Timestamp::new(row.updated_at),
            deleted_at: row.deleted_at.map(Timestamp::new),
            suspended_at: row.suspended_at.map(Timestamp::new),
        })
    }
}

/// The values of a new tenant.
#[derive(Debug)]
pub struct NewTenant {
    /// What it is.
    pub kind: TenantKind,
    /// Its name.
    pub name: String,
    /// Its secret.
    pub application_id: String,
    /// The account that registers it.
    pub owner: Option<PersonId>,
    /// Where its people's tokens are verified.
    pub verify_url: Option<String>,
    /// Whether its owner's token is needed beside its secret.
    pub require_auth: bool,
}

impl Tx {
    /// Adds a tenant.
    pub async fn insert_tenant(&mut self, new: &NewTenant, now: Timestamp) -> Result<TenantId> {
        self.query(
            "insert into tenants (kind, name, application_id, owner_id, verify_url, require_auth, \
                 created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7) returning id",
        )
        .bind(new.kind.as_str())
        .bind(new.name.as_str())
        .bind(new.application_id.as_str())
        .bind(new.owner.map(PersonId::get))
        .bind(new.verify_url.as_deref())
        .bind(new.require_auth)
        .bind(now.get())
        .scalar()
        .await
        .map(TenantId::new)
        .map_err(failed)
    }
}

impl Store {
    /// The tenant that has this secret.
    pub async fn tenant_by_key(&self, application_id: &str) -> Result<Option<Tenant>> {
        let row: Option<TenantRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_tenants!("application_id = $1 and deleted_at is null"))
                .bind(application_id)
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(Tenant::try_from).transpose()
    }

    /// A tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Result<Option<Tenant>> {
        let row: Option<TenantRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_tenants!("id = $1 and deleted_at is null"))
                .bind(tenant.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(Tenant::try_from).transpose()
    }
}
