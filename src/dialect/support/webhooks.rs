//! The owners' webhooks: where a site is told of changes by HTTP.
//!
//! An owner's token comes in the header Authorization, since some of these requests have no body.

use std::{convert::Infallible, sync::Arc};

use rocket::{
    Request, Route, State, delete, get, patch, post,
    request::{FromRequest, Outcome},
    routes,
};
use serde::Serialize;

use super::{
    Support,
    routes::{Body, ChatServices, OWNER_NOT_FOUND, Reply, required, to_json},
};
use crate::{
    chat::{
        Caller, Services,
        accounts::Device,
        owners,
        webhooks::{self, Manager},
    },
    dialect::{
        DialectInfo, Options,
        support::wire::{Done200, OwnerDone, SUCCESS_WORDS},
        webhooks::{self as told, WebhookWire},
    },
    error::{Error, Kind, Result},
    http::{credentials, device},
    json::{schema::Describe, whole_text},
    model::{Position, WebhookId},
};

/// All routes, to be mounted at `/`.
pub(super) fn all() -> Vec<Route> {
    routes![
        create, list, one, change, remove, rotate, deliveries, replay, enable
    ]
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident($data:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Describe, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            #[schema(with = Done200)]
            status_code: u16,
            #[schema(words = SUCCESS_WORDS)]
            status: &'static str,
            data: $data,
        }

        impl From<$data> for $name {
            fn from(data: $data) -> Self {
                Self {
                    status_code: 200,
                    status: "success",
                    data,
                }
            }
        }
    )+};
}

answers! {
    /// A webhook of a site.
    OwnerWebhook(WebhookWire);
    /// The same with its secret, which is told once.
    OwnerWebhookWithSecret(told::WebhookWithSecret);
    /// All webhooks of a site.
    OwnerWebhooks(told::Webhooks);
    /// The last attempts, the latest first.
    OwnerDeliveries(told::Deliveries);
}

/// The token and the device of a request.
struct OwnerToken(Option<String>, Device);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for OwnerToken {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let header = request.headers().get_one("Authorization");
        let token = credentials::token(None, header);
        Outcome::Success(Self(token, device(request)))
    }
}

impl OwnerToken {
    /// The owner whose token it is.
    async fn owner(&self, services: &Services) -> Result<Caller> {
        let nobody = || Error::new(Kind::Unauthenticated, OWNER_NOT_FOUND);
        let token = self.0.as_deref().ok_or_else(nobody)?;
        let owner = owners::by_token(services, token, &self.1).await?;
        owner.ok_or_else(nobody)
    }
}

fn id(text: &str) -> Result<WebhookId> {
    let number = whole_text(text).filter(|number| *number >= 0);
    let number = number.ok_or_else(|| Error::not_found("Webhook not found"))?;
    Ok(WebhookId::new(number))
}

/// What the verbs refuse, in the words of this API.
fn refused(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::not_found("Webhook not found").because(error),
        _ => error,
    }
}

/// `POST /owner/webhooks` url, kinds, dialect: its secret is told here alone.
#[post("/owner/webhooks", data = "<body>")]
async fn create(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    token: OwnerToken,
    body: Body,
) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        let dialect = (fields.text("dialect")?, Support::NAME);
        let (url, kinds) = (required(fields, "url")?, fields.value("kinds")?);
        let target = told::target(options, url, kinds, dialect)?;
        let owner = token.owner(services).await?;
        let made = webhooks::create(services, Manager::Agent(&owner), target).await?;
        let told = told::WebhookWithSecret::from(&made);
        to_json(&OwnerWebhookWithSecret::from(told))
    };
    Reply(outcome.await)
}

/// `GET /owner/webhooks`.
#[get("/owner/webhooks")]
async fn list(services: &ChatServices, token: OwnerToken) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let all = webhooks::list(services, Manager::Agent(&owner)).await?;
        to_json(&OwnerWebhooks::from(told::Webhooks::from(&*all)))
    };
    Reply(outcome.await)
}

/// `GET /owner/webhooks/{id}`.
#[get("/owner/webhooks/<webhook>")]
async fn one(services: &ChatServices, token: OwnerToken, webhook: &str) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let found = webhooks::one(services, Manager::Agent(&owner), id(webhook)?).await;
        let found = found.map_err(refused)?;
        to_json(&OwnerWebhook::from(WebhookWire::from(&found)))
    };
    Reply(outcome.await)
}

/// `PATCH /owner/webhooks/{id}` url, kinds.
#[patch("/owner/webhooks/<webhook>", data = "<body>")]
async fn change(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    token: OwnerToken,
    webhook: &str,
    body: Body,
) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        let told_now = (fields.text("url")?, told::kinds(fields.value("kinds")?)?);
        let owner = token.owner(services).await?;
        let (by, id) = (Manager::Agent(&owner), id(webhook)?);
        let changes = told::changes(services, options, (by, id), told_now).await;
        let changed = webhooks::change(services, by, id, changes.map_err(refused)?).await;
        let changed = changed.map_err(refused)?;
        to_json(&OwnerWebhook::from(WebhookWire::from(&changed)))
    };
    Reply(outcome.await)
}

/// `DELETE /owner/webhooks/{id}`.
#[delete("/owner/webhooks/<webhook>")]
async fn remove(services: &ChatServices, token: OwnerToken, webhook: &str) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let deleted = webhooks::delete(services, Manager::Agent(&owner), id(webhook)?).await;
        deleted.map_err(refused)?;
        to_json(&OwnerDone::new("Webhook deleted"))
    };
    Reply(outcome.await)
}

/// `POST /owner/webhooks/{id}/secret`: a new one, told here alone; the old one signs for a day beside it.
#[post("/owner/webhooks/<webhook>/secret")]
async fn rotate(services: &ChatServices, token: OwnerToken, webhook: &str) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let by = Manager::Agent(&owner);
        let rotated = webhooks::rotate_secret(services, by, id(webhook)?).await;
        let rotated = rotated.map_err(refused)?;
        let told = told::WebhookWithSecret::from(&rotated);
        to_json(&OwnerWebhookWithSecret::from(told))
    };
    Reply(outcome.await)
}

/// `GET /owner/webhooks/{id}/deliveries`: the last attempts, the latest first.
#[get("/owner/webhooks/<webhook>/deliveries")]
async fn deliveries(services: &ChatServices, token: OwnerToken, webhook: &str) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let id = id(webhook)?;
        let found = webhooks::deliveries(services, Manager::Agent(&owner), id).await;
        let found = found.map_err(refused)?;
        let told = told::Deliveries::new(id.get(), &found);
        to_json(&OwnerDeliveries::from(told))
    };
    Reply(outcome.await)
}

/// `POST /owner/webhooks/{id}/replay` position: everything after it once more.
#[post("/owner/webhooks/<webhook>/replay", data = "<body>")]
async fn replay(services: &ChatServices, token: OwnerToken, webhook: &str, body: Body) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        let position = fields.number("position")?;
        let position = position.ok_or_else(|| fields.missing("position"))?;
        let owner = token.owner(services).await?;
        let (by, position) = (Manager::Agent(&owner), Position::new(position));
        let begun = webhooks::replay(services, by, id(webhook)?, position).await;
        let begun = begun.map_err(refused)?;
        to_json(&OwnerWebhook::from(WebhookWire::from(&begun)))
    };
    Reply(outcome.await)
}

/// `POST /owner/webhooks/{id}/enable`: goes on at once from where it stopped.
#[post("/owner/webhooks/<webhook>/enable")]
async fn enable(services: &ChatServices, token: OwnerToken, webhook: &str) -> Reply {
    let outcome = async {
        let owner = token.owner(services).await?;
        let enabled = webhooks::enable(services, Manager::Agent(&owner), id(webhook)?).await;
        let enabled = enabled.map_err(refused)?;
        to_json(&OwnerWebhook::from(WebhookWire::from(&enabled)))
    };
    Reply(outcome.await)
}
