//! `/api/admin/tenants`: sites with live support, and apps.

use rocket::{Route, get, post, routes};

use super::{Admin, ChatServices, Id, Reply, RouteResult, before, ok, server_wire};
use crate::{
    chat::administration,
    dialect::messenger::wire::StatusOk,
    http::{Query, feed},
    model::TenantId,
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, suspend, resume]
}

/// `GET /api/admin/tenants`: the newest first.
#[get("/api/admin/tenants")]
async fn list(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<server_wire::Tenants>> {
    let (before, limit) = (before(query, TenantId::new)?, feed::limit(query)?);
    let found = administration::tenants(services, &admin.0, before, limit).await?;
    Ok(Reply::ok(server_wire::Tenants {
        tenants: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

/// `POST /api/admin/tenants/{id}/suspend`.
#[post("/api/admin/tenants/<tenant>/suspend")]
async fn suspend(
    services: &ChatServices,
    admin: Admin,
    tenant: Id<TenantId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::suspend(services, &admin.0, tenant.0).await?;
    Ok(ok())
}

/// `POST /api/admin/tenants/{id}/resume`.
#[post("/api/admin/tenants/<tenant>/resume")]
async fn resume(
    services: &ChatServices,
    admin: Admin,
    tenant: Id<TenantId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::resume(services, &admin.0, tenant.0).await?;
    Ok(ok())
}
