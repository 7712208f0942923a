//! Webhooks: a tenant is told of changes by HTTP, signed as Standard Webhooks has it.
//!
//! # Why
//! What is sent is read from the log, and each webhook has its own position there, which is written down with the
//! outcome of every attempt before the next one: so a crash or a restart repeats what was under way and loses nothing,
//! and who was away gets everything in order. A change has the same id at every attempt, by which receivers know
//! a repeat.
//!
//! One task gives turns (`dispatcher`). A webhook has one turn at a time and one request under way (`round`), so its
//! order is kept. Who failed last or was slow waits among others of that kind, so a good receiver never waits for a bad
//! one. Nothing is asked or noted per message while there is no webhook.
//!
//! Of several servers one sends for a webhook: it holds it for a while, as the database says, and writes nothing down
//! for it any more when another one has taken it since.
//!
//! Everything goes out by [`outgoing::Client`], whose guard keeps customers out of the operator's network.

mod backoff;
mod dispatcher;
mod outcome;
mod round;
mod signing;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    chat::{
        Caller, Services,
        accounts::HOME,
        administration::{self, Administrator},
        callers::KeyHolder,
        housekeeping::HOUSE,
        outgoing,
    },
    error::{Error, Kind, Result},
    model::{
        Act, Change, Delivery, Position, Record, Target, TargetKind, TenantId, Timestamp, Webhook,
        WebhookId, WebhookKind, WebhookTarget, hex,
    },
    store::{Tx, Work},
};

pub use dispatcher::Bounds;

/// The most webhooks of one tenant.
const MOST: i64 = 50;
/// How long a secret that was replaced still signs beside the new one.
const OLD_SECRET_LASTS: Duration = Duration::from_hours(24);

/// Encodes changes as the APIs tell them.
pub trait Encoder: Send + Sync + 'static {
    /// A change as JSON, in the shape of that API; nothing where it has no word for it.
    fn encode(&self, dialect: &str, change: &Change) -> Option<String>;
}

/// Wakes who gives turns, and is what this server is called where several send.
#[derive(Debug)]
pub(super) struct Webhooks {
    changed: watch::Sender<()>,
    holder: String,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            changed: watch::Sender::new(()),
            holder: hex::encode(&rand::random::<[u8; 16]>()),
        }
    }
}

/// Proof that somebody may manage the webhooks of a tenant.
#[derive(Debug, Clone, Copy)]
pub enum Manager<'a> {
    /// An administrator, those of home.
    Administrator(&'a Administrator),
    /// An agent, those of their site.
    Agent(&'a Caller),
    /// Who has a tenant's secret, those of that tenant.
    Server(&'a KeyHolder),
}

impl Manager<'_> {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Administrator(_) => HOME,
            Self::Agent(agent) => agent.tenant(),
            Self::Server(holder) => holder.tenant().id,
        }
    }
}

/// What somebody changes of a webhook.
#[derive(Debug, Default)]
pub struct Changes {
    /// Where changes are sent.
    pub url: Option<String>,
    /// What it is told of.
    pub kinds: Option<Vec<WebhookKind>>,
}

/// Sends what webhooks are told of, until the server stops.
pub fn start(services: &Arc<Services>, encoder: Arc<dyn Encoder>, bounds: Bounds) {
    let dispatcher = dispatcher::Dispatcher::new(services, encoder, bounds);
    let changed = services.webhooks.changed.subscribe();
    tokio::spawn(dispatcher.run(changed, services.closing.clone()));
}

/// Leaves what this server sends for to others.
pub(super) async fn release(services: &Services) {
    let holder = services.webhooks.holder.clone();
    let released = services.store.write(HOUSE, move |tx| {
        Box::pin(async move { tx.release_webhooks(&holder).await })
    });
    if let Err(error) = released.await {
        tracing::debug!(cause = ?error, "Other servers wait until webhooks are free.");
    }
}

/// Registers a webhook, which is told of what comes from now on. Its secret is told here, and nowhere else.
pub async fn create(
    services: &Services,
    by: Manager<'_>,
    mut target: WebhookTarget,
) -> Result<Webhook> {
    target.url = outgoing::check_url("url", &target.url)?;
    let (tenant, now, head) = (
        by.tenant(),
        services.clock.now(),
        services.head(by.tenant()),
    );
    let secret = signing::new_secret();
    let made = act(services, by, move |tx| {
        Box::pin(async move {
            if tx.count_webhooks(tenant).await? >= MOST {
                let sentence = format!("there are {MOST} webhooks already");
                return Err(Error::conflict(sentence));
            }
            let id = tx.insert_webhook(tenant, &target, &secret, head, now);
            let id = id.await?;
            let webhook = found(tx, tenant, id).await?;
            let record = record(Act::CreateWebhook, &webhook, None);
            Ok((webhook, Some(record)))
        })
    });
    made.await
}

/// The webhooks of a tenant, the oldest first.
pub async fn list(services: &Services, by: Manager<'_>) -> Result<Vec<Webhook>> {
    services.store.webhooks(by.tenant()).await
}

/// One of them.
pub async fn one(services: &Services, by: Manager<'_>, id: WebhookId) -> Result<Webhook> {
    let mut all = list(services, by).await?.into_iter();
    all.find(|webhook| webhook.id == id).ok_or_else(missing)
}

/// The last attempts of one, the latest first.
pub async fn deliveries(
    services: &Services,
    by: Manager<'_>,
    id: WebhookId,
) -> Result<Vec<Delivery>> {
    let webhook = one(services, by, id).await?;
    services.store.deliveries(webhook.id, round::KEPT).await
}

/// Changes where it is told, or of what; as it is then.
pub async fn change(
    services: &Services,
    by: Manager<'_>,
    id: WebhookId,
    changes: Changes,
) -> Result<Webhook> {
    let url = changes.url.map(|url| outgoing::check_url("url", &url));
    let (url, kinds) = (url.transpose()?, changes.kinds);
    edit(services, by, id, "changed", move |webhook, _| {
        webhook.target.url = url.unwrap_or_else(|| webhook.target.url.clone());
        webhook.target.kinds = kinds.unwrap_or_else(|| webhook.target.kinds.clone());
        Ok(())
    })
    .await
}

/// Gives it a new secret, which is told here, and nowhere else. The old one still signs for a day beside it.
pub async fn rotate_secret(services: &Services, by: Manager<'_>, id: WebhookId) -> Result<Webhook> {
    let secret = signing::new_secret();
    edit(services, by, id, "secret", move |webhook, now| {
        let old = std::mem::replace(&mut webhook.secret, secret);
        webhook.old_secret = Some((old, now.plus(OLD_SECRET_LASTS)));
        Ok(())
    })
    .await
}

/// Tells it once more of everything after a position.
pub async fn replay(
    services: &Services,
    by: Manager<'_>,
    id: WebhookId,
    position: Position,
) -> Result<Webhook> {
    let (floor, head) = (services.store.floor(), services.head(by.tenant()));
    if position < floor || position > head {
        let sentence = format!("position must be from {floor} to {head}");
        return Err(Error::invalid_field("position", sentence));
    }
    edit(services, by, id, "replay", move |webhook, _| {
        webhook.position = position;
        begin_anew(webhook);
        Ok(())
    })
    .await
}

/// Lets it go on from where it stopped, at once.
pub async fn enable(services: &Services, by: Manager<'_>, id: WebhookId) -> Result<Webhook> {
    edit(services, by, id, "enabled", move |webhook, _| {
        begin_anew(webhook);
        Ok(())
    })
    .await
}

/// Deletes it.
pub async fn delete(services: &Services, by: Manager<'_>, id: WebhookId) -> Result<()> {
    let tenant = by.tenant();
    let deleted = act(services, by, move |tx| {
        Box::pin(async move {
            let webhook = found(tx, tenant, id).await?;
            tx.delete_webhook(tenant, id).await?;
            Ok(((), Some(record(Act::DeleteWebhook, &webhook, None))))
        })
    });
    deleted.await
}

/// It has not failed, and is to be told at once.
fn begin_anew(webhook: &mut Webhook) {
    webhook.failures = 0;
    webhook.failing_since = None;
    webhook.next_attempt_at = None;
    webhook.disabled = None;
}

/// Changes a webhook in a transaction; as it is then.
async fn edit(
    services: &Services,
    by: Manager<'_>,
    id: WebhookId,
    what: &'static str,
    change: impl FnOnce(&mut Webhook, Timestamp) -> Result<()> + Send + 'static,
) -> Result<Webhook> {
    let (tenant, now) = (by.tenant(), services.clock.now());
    let edited = act(services, by, move |tx| {
        Box::pin(async move {
            let mut webhook = found(tx, tenant, id).await?;
            change(&mut webhook, now)?;
            tx.change_webhook(&webhook, now).await?;
            let webhook = found(tx, tenant, id).await?;
            let record = record(Act::ChangeWebhook, &webhook, Some(what));
            Ok((webhook, Some(record)))
        })
    });
    edited.await
}

/// Does a manager's work in a transaction: of an administrator, in which they still are one and which the audit
/// tells of; of others, whose tenant is still there.
async fn act<T: Send + 'static>(
    services: &Services,
    by: Manager<'_>,
    work: impl Work<(T, Option<Record>)>,
) -> Result<T> {
    let (tenant, now) = (by.tenant(), services.clock.now());
    let done = match by {
        Manager::Administrator(admin) => administration::perform(services, admin, work).await,
        Manager::Agent(_) | Manager::Server(_) => {
            let done = services.store.write(tenant, move |tx| {
                Box::pin(async move {
                    if !tx.hold_tenant(tenant, now).await? {
                        let sentence = "this site or app is gone";
                        return Err(Error::new(Kind::Unauthenticated, sentence));
                    }
                    work(tx).await.map(|(value, _)| value)
                })
            });
            done.await
        }
    };
    if done.is_ok() {
        services.webhooks.changed.send_replace(());
    }
    done
}

/// A tenant's webhook, within a transaction.
async fn found(tx: &mut Tx, tenant: TenantId, id: WebhookId) -> Result<Webhook> {
    tx.webhook(tenant, id).await?.ok_or_else(missing)
}

fn missing() -> Error {
    Error::not_found("there is no such webhook")
}

/// What is written down of an act on a webhook.
fn record(act: Act, webhook: &Webhook, detail: Option<&'static str>) -> Record {
    Record {
        act,
        target: Target {
            kind: TargetKind::Webhook,
            id: Some(webhook.id.get()),
            name: Some(webhook.target.url.clone()),
        },
        detail: detail.map(str::to_owned),
    }
}
