//! One webhook's turn: what is new for it is sent, one change after the other.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use url::Url;

use super::{Encoder, outcome::failed, signing};
use crate::{
    chat::{
        Services,
        outgoing::{Call, Failure},
    },
    error::{Error, Result},
    model::{
        Change, ChangeKind, ChatKind, Delivery, DeliveryFailure, Position, TenantKind, Timestamp,
        Webhook, WebhookId, WebhookKind, WebhookState, policy,
    },
};

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A receiver that takes longer than this waits for its turn among those that are slow.
const SLOW: Duration = Duration::from_secs(2);
/// How many changes are sent in a turn: then it is another webhook's, if one waits.
const SENT: usize = 16;
/// How many pages are read in a turn.
const PAGES: usize = 16;
/// How many changes are read at a time.
const PAGE: i64 = 64;
/// How many positions of the log are looked through at a time.
const WINDOW: i64 = 4_096;
/// How many changes of others are passed over before that is written down: they are looked through again after a
/// restart.
const SKIPPED: i64 = 1_000;
/// How long this server holds a webhook at a time, and how much of that must be left before something is sent.
const HELD: Duration = Duration::from_secs(25);
const LEFT: Duration = Duration::from_secs(20);
/// The pause after a failure of ours, or while another server sends.
const PAUSE: Duration = Duration::from_secs(5);
/// How many deliveries are kept.
pub(super) const KEPT: i64 = 100;

/// A turn that begins.
pub(super) struct Round {
    services: Arc<Services>,
    encoder: Arc<dyn Encoder>,
    id: WebhookId,
    /// How far a turn before it came, at which revision.
    known: (i64, Position),
    /// Until when this server is the one that sends.
    held_until: Timestamp,
}

/// How far a turn came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    pub(super) revision: i64,
    pub(super) position: Position,
    /// Whether its receiver took long.
    pub(super) slow: bool,
}

/// How a turn ended.
#[derive(Debug)]
pub(super) enum End {
    /// Everything was sent.
    CaughtUp(Reached),
    /// There is more.
    More(Reached),
    /// An attempt failed: the next one is due after that time.
    Failed(Option<Reached>, Duration),
    /// Nothing is sent there any more, or somebody has changed it.
    Stale,
}

/// What became of a change that was sent.
enum Sent {
    Received(Duration),
    Failed(Duration),
    /// Another server sends.
    Elsewhere,
    Stale,
}

impl Round {
    /// A turn of a webhook, of which is known how far a turn before it came, at which revision.
    pub(super) fn new(
        services: &Arc<Services>,
        encoder: &Arc<dyn Encoder>,
        id: WebhookId,
        known: (i64, Position),
    ) -> Self {
        Self {
            services: Arc::clone(services),
            encoder: Arc::clone(encoder),
            id,
            known,
            held_until: Timestamp::new(0),
        }
    }

    /// Sends what is new.
    pub(super) async fn run(mut self) -> End {
        match self.send_new().await {
            Ok(end) => end,
            Err(error) => {
                tracing::warn!(webhook = self.id.get(), cause = ?error, "A webhook has to wait.");
                End::Failed(None, PAUSE)
            }
        }
    }

    async fn send_new(&mut self) -> Result<End> {
        let found = self.services.store.due_webhook(self.id).await?;
        let Some((mut webhook, tenant)) = found else {
            return Ok(End::Stale);
        };
        let mut reached = Reached {
            revision: webhook.revision,
            position: webhook.position,
            slow: webhook.failures > 0,
        };
        if self.known.0 == webhook.revision {
            reached.position = reached.position.max(self.known.1);
        }
        let now = self.services.clock.now();
        if let Some(due) = webhook.next_attempt_at.filter(|due| *due > now) {
            return Ok(End::Failed(Some(reached), due.since(now)));
        }
        let head = self.services.head(webhook.tenant);
        let mut sent = 0;
        for _ in 0..PAGES {
            if reached.position >= head {
                return self.caught_up(&webhook, reached).await;
            }
            let (changes, until) = self.page(&webhook, reached.position, head).await?;
            for (change, place) in changes {
                if let Some((kind, body)) = self.payload(&webhook, tenant, &change, place) {
                    match self.deliver(&mut webhook, &change, kind, body).await? {
                        Sent::Received(took) => reached.slow = took > SLOW,
                        Sent::Failed(wait) => {
                            reached.slow = true;
                            return Ok(End::Failed(Some(reached), wait));
                        }
                        Sent::Elsewhere => return Ok(End::Failed(Some(reached), PAUSE)),
                        Sent::Stale => return Ok(End::Stale),
                    }
                    sent += 1;
                }
                reached.position = change.position;
                if sent >= SENT {
                    return Ok(End::More(reached));
                }
            }
            reached.position = reached.position.max(until);
        }
        Ok(End::More(reached))
    }

    /// Some of what comes after a position, and up to where that is all.
    async fn page(
        &self,
        webhook: &Webhook,
        after: Position,
        head: Position,
    ) -> Result<(Vec<(Change, Option<(ChatKind, bool)>)>, Position)> {
        let (store, lanes) = (&self.services.store, &self.services.lanes);
        let (after, until) = lanes.window(webhook.tenant, after, WINDOW);
        let changes = store
            .changes_of(webhook.tenant, (after, until), PAGE)
            .await?;
        let until = match changes.last() {
            Some((last, _)) if i64::try_from(changes.len()).is_ok_and(|it| it >= PAGE) => {
                last.position
            }
            // There may be a wide gap, where another epoch of the log began. It is looked for as far as the tenant was in
            // this lane: what they did in the next one is not behind what others did there.
            None if until < head => {
                let (_, end) = lanes.window(webhook.tenant, after, i64::MAX >> 1);
                let next = store.next_change(until).await?;
                next.map_or(end, |next| until.max(next.plus(-1)).min(end))
            }
            Some(_) | None => until,
        };
        Ok((changes, until))
    }

    /// Nothing is left; where much of others was passed over, that is written down.
    async fn caught_up(&mut self, webhook: &Webhook, reached: Reached) -> Result<End> {
        let skipped = reached.position.get() - webhook.position.get();
        if skipped >= SKIPPED && self.hold(webhook).await? {
            let state = WebhookState {
                position: Some(reached.position),
                ..WebhookState::default()
            };
            if !self.advance(webhook, state, None).await? {
                return Ok(End::Stale);
            }
        }
        Ok(End::CaughtUp(reached))
    }

    /// What is told of a change, and of what kind that is; nothing where it is not for that webhook.
    fn payload(
        &self,
        webhook: &Webhook,
        tenant: TenantKind,
        change: &Change,
        place: Option<(ChatKind, bool)>,
    ) -> Option<(WebhookKind, Bytes)> {
        let kind = WebhookKind::of(&change.what).filter(|kind| webhook.wants(*kind))?;
        let is_of_facts = matches!(change.what, ChangeKind::Chat(_));
        if !policy::webhook_hears(tenant, change.audience, place, is_of_facts) {
            return None;
        }
        let data = self.encoder.encode(&webhook.target.dialect, change)?;
        let (word, at) = (kind.as_str(), change.at.to_rfc3339());
        let body = format!(r#"{{"type":"{word}","timestamp":"{at}","data":{data}}}"#);
        Some((kind, body.into()))
    }

    /// Whether this server is the one that sends, for long enough.
    async fn hold(&mut self, webhook: &Webhook) -> Result<bool> {
        let now = self.services.clock.now();
        if self.held_until.since(now) >= LEFT {
            return Ok(true);
        }
        let (id, until) = (webhook.id, now.plus(HELD));
        let holder = self.services.webhooks.holder.clone();
        let store = &self.services.store;
        let claimed = store.write_in_background(webhook.tenant, move |tx| {
            Box::pin(async move { tx.claim_webhook(id, &holder, (now, until)).await })
        });
        let claimed = claimed.await?;
        if claimed {
            self.held_until = until;
        }
        Ok(claimed)
    }

    /// Sends a change, and writes down what became of it before anything else is sent.
    async fn deliver(
        &mut self,
        webhook: &mut Webhook,
        change: &Change,
        kind: WebhookKind,
        body: Bytes,
    ) -> Result<Sent> {
        if !self.hold(webhook).await? {
            return Ok(Sent::Elsewhere);
        }
        let at = self.services.clock.now();
        let begun = Instant::now();
        let outcome = self.post(webhook, change.position, (at, body)).await?;
        let took = begun.elapsed();
        let delivery = Delivery {
            position: change.position,
            kind,
            attempt: webhook.failures + 1,
            at,
            took_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            outcome,
        };
        if delivery.is_received() {
            let state = WebhookState {
                position: Some(change.position),
                ..WebhookState::default()
            };
            webhook.failures = 0;
            let moved = self.advance(webhook, state, Some(delivery)).await?;
            return Ok(if moved {
                Sent::Received(took)
            } else {
                Sent::Stale
            });
        }
        let (state, wait) = failed(webhook, &delivery, self.services.clock.now());
        if let Some((_, reason)) = state.disabled {
            let (webhook, reason) = (webhook.id.get(), reason.as_str());
            tracing::warn!(webhook, reason, "A webhook is disabled.");
        }
        let moved = self.advance(webhook, state, Some(delivery)).await?;
        Ok(if moved && state.disabled.is_none() {
            Sent::Failed(wait)
        } else {
            Sent::Stale
        })
    }

    /// The status of the answer to what is told at a position.
    async fn post(
        &self,
        webhook: &Webhook,
        position: Position,
        (at, body): (Timestamp, Bytes),
    ) -> Result<Result<u16, DeliveryFailure>> {
        let url = Url::parse(&webhook.target.url).map_err(Error::internal)?;
        let (id, timestamp) = (webhook.message_id(position), at.get() / 1_000);
        let old = webhook.old_secret.iter();
        let old = old.filter(|(_, until)| *until > at);
        let secrets = old.map(|(secret, _)| secret.as_str());
        let secrets = std::iter::once(webhook.secret.as_str()).chain(secrets);
        let signature = signing::signatures(secrets, (&id, timestamp), &body)?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        let call = Call {
            url: &url,
            body: Some(body),
            headers: &headers,
            total: TIMEOUT,
            most: None,
        };
        let answer = self.services.outgoing.send(call).await;
        Ok(answer
            .map(|answer| answer.status)
            .map_err(|failure| match failure {
                Failure::NotAllowed => DeliveryFailure::NotAllowed,
                Failure::Unreachable => DeliveryFailure::Unreachable,
                Failure::TimedOut => DeliveryFailure::TimedOut,
                Failure::Broken => DeliveryFailure::Broken,
            }))
    }

    /// Writes down how a webhook stands; says no when somebody has changed it in between.
    async fn advance(
        &mut self,
        webhook: &Webhook,
        state: WebhookState,
        delivery: Option<Delivery>,
    ) -> Result<bool> {
        let which = (webhook.id, webhook.revision);
        let until = self.services.clock.now().plus(HELD);
        let holder = self.services.webhooks.holder.clone();
        let store = &self.services.store;
        let written = store.write_in_background(webhook.tenant, move |tx| {
            Box::pin(async move {
                let delivery = delivery.as_ref().map(|delivery| (delivery, KEPT));
                tx.advance_webhook(which, &state, delivery, (&holder, until))
                    .await
            })
        });
        let is_written = written.await?;
        self.held_until = until;
        Ok(is_written)
    }
}
