//! `/api/admin/webhooks`: where home is told of changes by HTTP.

use std::sync::Arc;

use rocket::{Route, State, delete, get, http::Status, patch, post, routes};

use super::{Admin, ChatServices, Id, Reply, RouteResult, ok};
use crate::{
    chat::webhooks::{self, Manager},
    dialect::{
        Options,
        messenger::{self, wire::StatusOk},
        webhooks::{self as wire, Deliveries, WebhookWire, WebhookWithSecret, Webhooks},
    },
    http::Fields,
    model::{Position, WebhookId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![
        create, list, one, change, remove, rotate, deliveries, replay, enable
    ]
}

/// `POST /api/admin/webhooks` url, kinds, dialect: its secret is told here alone.
#[post("/api/admin/webhooks", data = "<fields>")]
async fn create(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    admin: Admin,
    fields: &Fields,
) -> RouteResult<Reply<WebhookWithSecret>> {
    let url = fields.required_text("url")?;
    let dialect = (fields.text("dialect")?, messenger::NAME);
    let target = wire::target(options, url, fields.value("kinds")?, dialect)?;
    let by = Manager::Administrator(&admin.0);
    let made = webhooks::create(services, by, target).await?;
    Ok(Reply::new(Status::Created, WebhookWithSecret::from(&made))
        .header("Location", format!("/api/admin/webhooks/{}", made.id)))
}

/// `GET /api/admin/webhooks`: the oldest first.
#[get("/api/admin/webhooks")]
async fn list(services: &ChatServices, admin: Admin) -> RouteResult<Reply<Webhooks>> {
    let all = webhooks::list(services, Manager::Administrator(&admin.0)).await?;
    Ok(Reply::ok(Webhooks::from(&*all)))
}

/// `GET /api/admin/webhooks/{id}`.
#[get("/api/admin/webhooks/<webhook>")]
async fn one(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
) -> RouteResult<Reply<WebhookWire>> {
    let by = Manager::Administrator(&admin.0);
    let found = webhooks::one(services, by, webhook.0).await?;
    Ok(Reply::ok(WebhookWire::from(&found)))
}

/// `PATCH /api/admin/webhooks/{id}` url, kinds.
#[patch("/api/admin/webhooks/<webhook>", data = "<fields>")]
async fn change(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    admin: Admin,
    webhook: Id<WebhookId>,
    fields: &Fields,
) -> RouteResult<Reply<WebhookWire>> {
    let told = (fields.text("url")?, wire::kinds(fields.value("kinds")?)?);
    let by = Manager::Administrator(&admin.0);
    let changes = wire::changes(services, options, (by, webhook.0), told).await?;
    let changed = webhooks::change(services, by, webhook.0, changes).await?;
    Ok(Reply::ok(WebhookWire::from(&changed)))
}

/// `DELETE /api/admin/webhooks/{id}`.
#[delete("/api/admin/webhooks/<webhook>")]
async fn remove(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
) -> RouteResult<Reply<StatusOk>> {
    webhooks::delete(services, Manager::Administrator(&admin.0), webhook.0).await?;
    Ok(ok())
}

/// `POST /api/admin/webhooks/{id}/secret`: a new one, told here alone; the old one signs for a day beside it.
#[post("/api/admin/webhooks/<webhook>/secret")]
async fn rotate(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
) -> RouteResult<Reply<WebhookWithSecret>> {
    let by = Manager::Administrator(&admin.0);
    let rotated = webhooks::rotate_secret(services, by, webhook.0).await?;
    Ok(Reply::ok(WebhookWithSecret::from(&rotated)))
}

/// `GET /api/admin/webhooks/{id}/deliveries`: the last attempts, the latest first.
#[get("/api/admin/webhooks/<webhook>/deliveries")]
async fn deliveries(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
) -> RouteResult<Reply<Deliveries>> {
    let by = Manager::Administrator(&admin.0);
    let found = webhooks::deliveries(services, by, webhook.0).await?;
    Ok(Reply::ok(Deliveries::new(webhook.0.get(), &found)))
}

/// `POST /api/admin/webhooks/{id}/replay` position: everything after it once more.
#[post("/api/admin/webhooks/<webhook>/replay", data = "<fields>")]
async fn replay(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
    fields: &Fields,
) -> RouteResult<Reply<WebhookWire>> {
    let position = fields.number("position")?;
    let position = position.ok_or_else(|| fields.missing("position"))?;
    let by = Manager::Administrator(&admin.0);
    let begun = webhooks::replay(services, by, webhook.0, Position::new(position)).await?;
    Ok(Reply::ok(WebhookWire::from(&begun)))
}

/// `POST /api/admin/webhooks/{id}/enable`: goes on at once from where it stopped.
#[post("/api/admin/webhooks/<webhook>/enable")]
async fn enable(
    services: &ChatServices,
    admin: Admin,
    webhook: Id<WebhookId>,
) -> RouteResult<Reply<WebhookWire>> {
    let by = Manager::Administrator(&admin.0);
    let enabled = webhooks::enable(services, by, webhook.0).await?;
    Ok(Reply::ok(WebhookWire::from(&enabled)))
}
