//! Invitations, and the links by which people set a new password.

use rocket::{Route, delete, get, http::Status, post, routes};

use super::{Admin, ChatServices, Reply, RouteResult, before, ok, wire};
use crate::{
    chat::{accounts::Device, administration},
    dialect::messenger::wire::StatusOk,
    http::{Fields, Query, feed},
    model::Password,
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![invite, list, revoke, owner, use_link]
}

/// `POST /api/admin/invitations` expires: a link by which one person may sign up.
#[post("/api/admin/invitations", data = "<fields>")]
async fn invite(
    services: &ChatServices,
    admin: Admin,
    fields: &Fields,
) -> RouteResult<Reply<wire::LinkWire>> {
    let expires = fields.seconds("expires")?;
    let link = administration::invite(services, &admin.0, expires).await?;
    let body = wire::LinkWire::invitation(&link);
    Ok(Reply::new(Status::Created, body))
}

/// `GET /api/admin/invitations`: those that nobody has used, the newest first.
#[get("/api/admin/invitations")]
async fn list(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<wire::Invitations>> {
    let (before, limit) = (before(query, |id| id)?, feed::limit(query)?);
    let found = administration::invitations(services, &admin.0, before, limit).await?;
    Ok(Reply::ok(wire::Invitations {
        invitations: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

/// `DELETE /api/admin/invitations/{id}`.
#[delete("/api/admin/invitations/<invitation>")]
async fn revoke(
    services: &ChatServices,
    admin: Admin,
    invitation: u32,
) -> RouteResult<Reply<StatusOk>> {
    administration::revoke_invitation(services, &admin.0, invitation.into()).await?;
    Ok(ok())
}

/// `POST /api/password-link` token: whose password the link sets.
#[post("/api/password-link", data = "<fields>")]
async fn owner(
    services: &ChatServices,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::LinkOwnerWire>> {
    let token = fields.required_text("token")?;
    let owner = administration::link_owner(services, token, &device).await?;
    Ok(Reply::ok(wire::LinkOwnerWire {
        name: owner.name().to_owned(),
        expires_at: owner.expires_at.to_rfc3339(),
    }))
}

/// `POST /api/password-link/use` token, `new_password`: all logins of that person end.
#[post("/api/password-link/use", data = "<fields>")]
async fn use_link(
    services: &ChatServices,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<StatusOk>> {
    let token = fields.required_text("token")?;
    let password = Password::attempt(fields.required_text("new_password")?.to_owned())
        .map_err(|error| error.about("new_password"))?;
    administration::set_password_by_link(services, token, &password, &device).await?;
    Ok(ok())
}
