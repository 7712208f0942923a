//! Who may sign up, what was done, and figures.

use std::sync::Arc;

use rocket::{Route, State, get, put, routes};

use super::{Admin, ChatServices, Reply, RouteResult, before, ok, server_wire};
use crate::{
    chat::administration,
    dialect::messenger::wire::StatusOk,
    error::{Error, Result},
    http::{Fields, Query, feed},
    model::RegistrationMode,
    telemetry::Metrics,
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![registration, chosen, choose, audit, figures]
}

/// `GET /api/registration`: who may sign up, for everybody.
#[get("/api/registration")]
async fn registration(
    services: &ChatServices,
) -> RouteResult<Reply<server_wire::RegistrationModeWire>> {
    let registration = administration::registration(services).await?;
    Ok(Reply::ok(server_wire::RegistrationModeWire {
        registration: registration.mode().as_str(),
    }))
}

/// `GET /api/admin/registration`: the same, with what the settings say and what was chosen.
#[get("/api/admin/registration")]
async fn chosen(
    services: &ChatServices,
    _admin: Admin,
) -> RouteResult<Reply<server_wire::RegistrationWire>> {
    let registration = administration::registration(services).await?;
    Ok(Reply::ok(registration.into()))
}

/// `PUT /api/admin/registration` registration: `default` leaves it to the settings again.
#[put("/api/admin/registration", data = "<fields>")]
async fn choose(
    services: &ChatServices,
    admin: Admin,
    fields: &Fields,
) -> RouteResult<Reply<StatusOk>> {
    let mode = mode(fields.required_text("registration")?)?;
    administration::choose_registration(services, &admin.0, mode).await?;
    Ok(ok())
}

fn mode(word: &str) -> Result<Option<RegistrationMode>> {
    if word == "default" {
        return Ok(None);
    }
    let known = RegistrationMode::from_stored(word);
    known.map(Some).ok_or_else(|| {
        let sentence = "registration must be open, invitation, closed or default";
        Error::invalid_field("registration", sentence)
    })
}

/// `GET /api/admin/audit`: what administrators did, the newest first.
#[get("/api/admin/audit")]
async fn audit(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<server_wire::Audit>> {
    let (before, limit) = (before(query, |id| id)?, feed::limit(query)?);
    let found = administration::audit(services, &admin.0, before, limit).await?;
    Ok(Reply::ok(server_wire::Audit {
        audit: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

/// `GET /api/admin/figures`.
#[get("/api/admin/figures")]
async fn figures(
    services: &ChatServices,
    metrics: &State<Arc<Metrics>>,
    admin: Admin,
) -> RouteResult<Reply<server_wire::FiguresWire>> {
    let figures = administration::figures(services, &admin.0).await?;
    let sockets = metrics.open_sockets();
    Ok(Reply::ok(server_wire::FiguresWire::new(&figures, sockets)))
}
