//! Webhooks: an app's server registers where the app is told of changes by HTTP.

use std::sync::Arc;

use rocket::{Route, State, delete, get, http::Status, patch, post, routes};

use crate::{
    chat::webhooks::{self, Manager},
    dialect::{
        DialectInfo, Options,
        service::{
            Service,
            routes::{
                Body, ChatServices, Failure, JsonReply, RequestCredentials, RouteResult, missing,
                number,
            },
        },
        webhooks::{self as wire, Deliveries, WebhookWire, WebhookWithSecret, Webhooks},
    },
    error::Result,
    model::{Position, Webhook, WebhookId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![
        create, list, one, change, remove, rotate, deliveries, replay, enable
    ]
}

const MISSING: &str = "Webhook Not Found";

fn id(text: &str) -> Result<WebhookId> {
    number(text, MISSING).map(WebhookId::new)
}

fn told(found: Result<Webhook>) -> RouteResult {
    let webhook = found.map_err(missing(MISSING))?;
    JsonReply::ok(WebhookWire::from(&webhook))
}

/// `POST /webhook` `{url, kinds?, dialect?}`, header `appId`: its secret is told here alone.
#[post("/webhook", data = "<body>")]
async fn create(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let body = body.fields()?;
    let dialect = (body.text("dialect")?, Service::NAME);
    let target = wire::target(options, body.required("url")?, body.value("kinds"), dialect)?;
    let app = credentials.app(services, None).await?;
    let made = webhooks::create(services, Manager::Server(&app), target).await?;
    JsonReply::with(Status::Created, WebhookWithSecret::from(&made))
}

/// `GET /webhook`, header `appId`.
#[get("/webhook")]
async fn list(services: &ChatServices, credentials: RequestCredentials) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let all = webhooks::list(services, Manager::Server(&app)).await?;
    JsonReply::ok(Webhooks::from(&*all))
}

/// `GET /webhook/{id}`, header `appId`.
#[get("/webhook/<webhook>")]
async fn one(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    told(webhooks::one(services, Manager::Server(&app), id(webhook)?).await)
}

/// `PATCH /webhook/{id}` `{url?, kinds?}`, header `appId`.
#[patch("/webhook/<webhook>", data = "<body>")]
async fn change(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    credentials: RequestCredentials,
    webhook: &str,
    body: Body,
) -> RouteResult {
    let body = body.fields()?;
    let told_now = (body.text("url")?, wire::kinds(body.value("kinds"))?);
    let app = credentials.app(services, None).await?;
    let (by, id) = (Manager::Server(&app), id(webhook)?);
    let changes = wire::changes(services, options, (by, id), told_now).await;
    let changes = changes.map_err(missing(MISSING))?;
    told(webhooks::change(services, by, id, changes).await)
}

/// `DELETE /webhook/{id}`, header `appId`.
#[delete("/webhook/<webhook>")]
async fn remove(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let (by, id) = (Manager::Server(&app), id(webhook)?);
    let found = webhooks::one(services, by, id).await;
    let found = found.map_err(missing(MISSING))?;
    let deleted = webhooks::delete(services, by, id).await;
    deleted.map_err(|error| Failure::from(missing(MISSING)(error)))?;
    JsonReply::ok(WebhookWire::from(&found))
}

/// `POST /webhook/{id}/secret`, header `appId`: a new one, told here alone; the old one signs for a day beside it.
#[post("/webhook/<webhook>/secret")]
async fn rotate(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let by = Manager::Server(&app);
    let rotated = webhooks::rotate_secret(services, by, id(webhook)?).await;
    let rotated = rotated.map_err(missing(MISSING))?;
    JsonReply::ok(WebhookWithSecret::from(&rotated))
}

/// `GET /webhook/{id}/deliveries`, header `appId`: the last attempts, the latest first.
#[get("/webhook/<webhook>/deliveries")]
async fn deliveries(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let id = id(webhook)?;
    let found = webhooks::deliveries(services, Manager::Server(&app), id).await;
    let found = found.map_err(missing(MISSING))?;
    JsonReply::ok(Deliveries::new(id.get(), &found))
}

/// `POST /webhook/{id}/replay` `{position}`, header `appId`: everything after it once more.
#[post("/webhook/<webhook>/replay", data = "<body>")]
async fn replay(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
    body: Body,
) -> RouteResult {
    let position = Position::new(body.fields()?.number("position")?);
    let app = credentials.app(services, None).await?;
    told(webhooks::replay(services, Manager::Server(&app), id(webhook)?, position).await)
}

/// `POST /webhook/{id}/enable`, header `appId`: goes on at once from where it stopped.
#[post("/webhook/<webhook>/enable")]
async fn enable(
    services: &ChatServices,
    credentials: RequestCredentials,
    webhook: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    told(webhooks::enable(services, Manager::Server(&app), id(webhook)?).await)
}
