//! Webhooks: what a tenant has registered, and how far each has come.

use crate::{
    error::{Error, Result},
    model::{
        Delivery, DisabledReason, Position, TenantId, TenantKind, Timestamp, Webhook, WebhookId,
        WebhookKind, WebhookState, WebhookTarget,
    },
    store::{Store, Tx, failed},
};

row! {
    struct WebhookRow {
        id: i64,
        tenant_id: i64,
        url: String,
        kinds: String,
        dialect: String,
        secret: String,
        old_secret: Option<String>,
        old_secret_until: Option<i64>,
        position: i64,
        revision: i64,
        failures: i64,
        failing_since: Option<i64>,
        next_attempt_at: Option<i64>,
        disabled_at: Option<i64>,
        disabled_reason: Option<String>,
        created_at: i64,
        updated_at: i64,
    }
}

row! {
    struct DueRow {
        tenant_kind: String,
        ..webhook: WebhookRow,
    }
}

macro_rules! webhook_columns {
    () => {
        "w.id, w.tenant_id, w.url, w.kinds, w.dialect, w.secret, w.old_secret, w.old_secret_until, \
         w.position, w.revision, w.failures, w.failing_since, w.next_attempt_at, w.disabled_at, \
         w.disabled_reason, w.created_at, w.updated_at"
    };
}

/// The webhooks that are told of something: without those that are disabled, and those of tenants that are gone or
/// suspended.
macro_rules! select_due {
    ($more:literal) => {
        concat!(
            "select t.kind as tenant_kind, ",
            webhook_columns!(),
            " from webhooks w join tenants t on t.id = w.tenant_id \
             where w.disabled_at is null and t.deleted_at is null and t.suspended_at is null",
            $more
        )
    };
}

/// Makes a server the one that sends for a webhook, unless another is. Of SQLite there is one server: any other is
/// gone.
const CLAIM: &str = "update webhooks set holder = $2, held_until = $4 where id = $1 \
     and ($5 or holder is null or holder = $2 or held_until < $3)";

/// Moves a webhook on, if nobody has changed it in between, its tenant goes on and its holder is the same.
const ADVANCE: &str = "update webhooks set position = coalesce(cast($3 as bigint), position), failures = $4, \
     failing_since = $5, next_attempt_at = $6, disabled_at = $7, disabled_reason = $8, \
     held_until = $10 where id = $1 and revision = $2 and holder = $9 and exists (select 1 from tenants t \
     where t.id = tenant_id and t.deleted_at is null and t.suspended_at is null)";

/// A word in the database that this version does not know.
pub(super) fn unknown(word: &str) -> Error {
    Error::internal(format!("unknown word {word:?} of a webhook"))
}

/// Kinds as they are stored, with blanks between them.
fn stored(kinds: &[WebhookKind]) -> String {
    let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    words.join(" ")
}

pub(super) fn kind(word: &str) -> Result<WebhookKind> {
    WebhookKind::from_stored(word).ok_or_else(|| unknown(word))
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = Error;

    fn try_from(row: WebhookRow) -> Result<Self> {
        let kinds: Result<Vec<_>> = row.kinds.split_whitespace().map(kind).collect();
        let reason = row.disabled_reason.as_deref();
        let reason = reason
            .map(|word| DisabledReason::from_stored(word).ok_or_else(|| unknown(word)))
            .transpose()?;
        Ok(Self {
            id: WebhookId::new(row.id),
            tenant: TenantId::new(row.tenant_id),
            target: WebhookTarget {
                url: row.url,
                kinds: kinds?,
                dialect: row.dialect,
            },
            secret: row.secret,
            old_secret: row.old_secret.zip(row.old_secret_until.map(Timestamp::new)),
            position: Position::new(row.position),
            revision: row.revision,
            failures: row.failures,
            failing_since: row.failing_since.map(Timestamp::new),
            next_attempt_at: row.next_attempt_at.map(Timestamp::new),
            disabled: row.disabled_at.map(Timestamp::new).zip(reason),
            created_at: Timestamp::new(row.created_at),
            updated_at: Timestamp::new(row.updated_at),
        })
    }
}

impl Tx {
    /// Adds a webhook, which is told of what comes after a position.
    pub async fn insert_webhook(
        &mut self,
        tenant: TenantId,
        target: &WebhookTarget,
        secret: &str,
        position: Position,
        now: Timestamp,
    ) -> Result<WebhookId> {
        self.query(
            "insert into webhooks (tenant_id, url, kinds, dialect, secret, position, revision, \
             failures, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, 0, 0, $7, $7) \
             returning id",
        )
        .bind(tenant.get())
        .bind(target.url.as_str())
        .bind(stored(&target.kinds))
        .bind(target.dialect.as_str())
        .bind(secret)
        .bind(position.get())
        .bind(now.get())
        .scalar()
        .await
        .map(WebhookId::new)
        .map_err(failed)
    }

    /// A tenant's webhook.
    pub async fn webhook(&mut self, tenant: TenantId, id: WebhookId) -> Result<Option<Webhook>> {
        let row: Option<WebhookRow> = self
            .query(concat!(
                "select ",
                webhook_columns!(),
                " from webhooks w where w.id = $1 and w.tenant_id = $2"
            ))
            .bind(id.get())
            .bind(tenant.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Webhook::try_from).transpose()
    }

    /// How many webhooks a tenant has.
    pub async fn count_webhooks(&mut self, tenant: TenantId) -> Result<i64> {
        self.query("select count(*) from webhooks where tenant_id = $1")
            .bind(tenant.get())
            .scalar()
            .await
            .map_err(failed)
    }

    /// Writes a webhook that somebody has changed: its revision moves on.
    pub async fn change_webhook(&mut self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        let old = webhook.old_secret.as_ref();
        self.query(
            "update webhooks set url = $2, kinds = $3, dialect = $4, secret = $5, old_secret = $6, \
             old_secret_until = $7, position = $8, failures = $9, failing_since = $10, \
             next_attempt_at = $11, disabled_at = $12, disabled_reason = $13, updated_at = $14, \
             revision = revision + 1 where id = $1",
        )
        .bind(webhook.id.get())
        .bind(webhook.target.url.as_str())
        .bind(stored(&webhook.target.kinds))
        .bind(webhook.target.dialect.as_str())
        .bind(webhook.secret.as_str())
        .bind(old.map(|(secret, _)| secret.as_str()))
        .bind(old.map(|(_, until)| until.get()))
        .bind(webhook.position.get())
        .bind(webhook.failures)
        .bind(webhook.failing_since.map(Timestamp::get))
        .bind(webhook.next_attempt_at.map(Timestamp::get))
        .bind(webhook.disabled.map(|(at, _)| at.get()))
        .bind(webhook.disabled.map(|(_, reason)| reason.as_str()))
        .bind(now.get())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }

    /// Deletes a tenant's webhook with its deliveries; says whether there was one.
    pub async fn delete_webhook(&mut self, tenant: TenantId, id: WebhookId) -> Result<bool> {
        if self.webhook(tenant, id).await?.is_none() {
            return Ok(false);
        }
        for sql in [
            "delete from webhook_deliveries where webhook_id = $1",
            "delete from webhooks where id = $1",
        ] {
            self.query(sql)
                .bind(id.get())
                .execute()
                .await
                .map_err(failed)?;
        }
        Ok(true)
    }

    /// Makes a server the one that sends for a webhook until then; says no where another one is.
    pub async fn claim_webhook(
        &mut self,
        id: WebhookId,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool> {
        let is_alone = self.is_sqlite();
        self.query(CLAIM)
            .bind(id.get())
            .bind(holder)
            .bind(now.get())
            .bind(until.get())
            .bind(is_alone)
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Leaves the webhooks of a server that stops to others.
    pub async fn release_webhooks(&mut self, holder: &str) -> Result<()> {
        self.query("update webhooks set holder = null where holder = $1")
            .bind(holder)
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Moves a webhook on from a revision, with the attempt that did so; says whether it still has that revision, is
    /// still to be told, and by that server.
    pub async fn advance_webhook(
        &mut self,
        (id, revision): (WebhookId, i64),
        state: &WebhookState,
        delivery: Option<(&Delivery, i64)>,
        (holder, until): (&str, Timestamp),
    ) -> Result<bool> {
        let moved = self
            .query(ADVANCE)
            .bind(id.get())
            .bind(revision)
            .bind(state.position.map(Position::get))
            .bind(state.failures)
            .bind(state.failing_since.map(Timestamp::get))
            .bind(state.next_attempt_at.map(Timestamp::get))
            .bind(state.disabled.map(|(at, _)| at.get()))
            .bind(state.disabled.map(|(_, reason)| reason.as_str()))
            .bind(holder)
            .bind(until.get())
            .execute()
            .await
            .map_err(failed)?;
        if moved == 0 {
            return Ok(false);
        }
        if let Some((delivery, most)) = delivery {
            self.insert_delivery(id, delivery, most).await?;
        }
        Ok(true)
    }
}

impl Store {
    /// A tenant's webhooks, the oldest first.
    pub async fn webhooks(&self, tenant: TenantId) -> Result<Vec<Webhook>> {
        let rows: Vec<WebhookRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                webhook_columns!(),
                " from webhooks w where w.tenant_id = $1 order by w.id"
            ))
            .bind(tenant.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Webhook::try_from).collect()
    }

    /// Every webhook that is told of something.
    pub async fn due_webhooks(&self) -> Result<Vec<Webhook>> {
        let rows: Vec<DueRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_due!(" order by w.id")).fetch_all(pool).await
        })
        .map_err(failed)?;
        rows.into_iter()
            .map(|row| Webhook::try_from(row.webhook))
            .collect()
    }

    /// A webhook that is told of something, and of what kind its tenant is.
    pub async fn due_webhook(&self, id: WebhookId) -> Result<Option<(Webhook, TenantKind)>> {
        let row: Option<DueRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_due!(" and w.id = $1"))
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        let Some(DueRow {
            tenant_kind,
            webhook,
        }) = row
        else {
            return Ok(None);
        };
        let kind = TenantKind::from_stored(&tenant_kind).ok_or_else(|| unknown(&tenant_kind))?;
        Ok(Some((webhook.try_into()?, kind)))
    }
}
