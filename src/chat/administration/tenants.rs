//! Sites with live support and apps: listing, suspending and resuming them.

use super::{Administrator, perform};
use crate::{
    chat::Services,
    error::{Error, Result},
    model::{Act, Record, Target, TargetKind, Tenant, TenantId, TenantKind, TenantSummary},
};

/// A page of the sites and apps, the newest first, and whether there are more.
pub async fn tenants(
    services: &Services,
    _: &Administrator,
    before: Option<TenantId>,
    limit: usize,
) -> Result<(Vec<TenantSummary>, bool)> {
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let before = before.unwrap_or(TenantId::new(i64::MAX));
    let found = services.store.sites_and_apps(before, wanted).await?;
    Ok(super::server::page(found, limit))
}

/// Suspends a site or an app: its secret, its domains and its people's tokens open nothing, and all that
/// was opened by them ends. Nothing of it is deleted.
pub async fn suspend(services: &Services, admin: &Administrator, id: TenantId) -> Result<()> {
    let now = services.clock.now();
    let done = perform(services, admin, move |tx| {
        Box::pin(async move {
            let tenant = tx.site_or_app(id).await?.ok_or_else(no_tenant)?;
            let changed = tx.set_suspended(id, Some(now), now).await?;
            Ok(((), changed.then(|| on_tenant(Act::Suspend, &tenant))))
        })
    });
    done.await?;
    services.keys.end(id);
    services.logins.end_in(id);
    Ok(())
}

/// Lets a site or an app go on.
pub async fn resume(services: &Services, admin: &Administrator, id: TenantId) -> Result<()> {
    let now = services.clock.now();
    perform(services, admin, move |tx| {
        Box::pin(async move {
            let tenant = tx.site_or_app(id).await?.ok_or_else(no_tenant)?;
            let changed = tx.set_suspended(id, None, now).await?;
            Ok(((), changed.then(|| on_tenant(Act::Resume, &tenant))))
        })
    })
    .await
}

fn on_tenant(act: Act, tenant: &Tenant) -> Record {
    Record {
        act,
        target: Target {
            kind: match tenant.kind {
                TenantKind::Site => TargetKind::Site,
                TenantKind::App | TenantKind::Home | TenantKind::Open => TargetKind::App,
            },
            id: Some(tenant.id.get()),
            name: Some(tenant.name.clone()),
        },
        detail: None,
    }
}

fn no_tenant() -> Error {
    Error::not_found("there is no such site or app")
}
