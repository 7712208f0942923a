//! The last deliveries of each webhook.

use crate::{
    error::{Error, Result},
    model::{Delivery, DeliveryFailure, Position, Timestamp, WebhookId},
    store::{
        Store, Tx, failed,
        webhooks::{kind, unknown},
    },
};

row! {
    struct DeliveryRow {
        position: i64,
        kind: String,
        attempt: i64,
        at: i64,
        took_ms: i64,
        status: Option<i64>,
        failure: Option<String>,
    }
}

/// Forgets the deliveries of a webhook but for its last so many.
const FORGET: &str = "delete from webhook_deliveries where webhook_id = $1 and id <= ( \
     select id from webhook_deliveries where webhook_id = $1 order by id desc limit 1 offset $2)";

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        let outcome = match (row.status, row.failure.as_deref()) {
            (Some(status), _) => Ok(u16::try_from(status).map_err(Error::internal)?),
            (None, Some(word)) => {
                Err(DeliveryFailure::from_stored(word).ok_or_else(|| unknown(word))?)
            }
            (None, None) => return Err(unknown("")),
        };
        Ok(Self {
            position: Position::new(row.position),
            kind: kind(&row.kind)?,
            attempt: row.attempt,
            at: Timestamp::new(row.at),
            took_ms: row.took_ms,
            outcome,
        })
    }
}

impl Tx {
    /// Adds a delivery of a webhook, and forgets all but its last so many.
    pub(super) async fn insert_delivery(
        &mut self,
        id: WebhookId,
        delivery: &Delivery,
        most: i64,
    ) -> Result<()> {
        let status = delivery.outcome.ok().map(i64::from);
        let failure = delivery.outcome.err().map(DeliveryFailure::as_str);
        self.query(
            "insert into webhook_deliveries (webhook_id, position, kind, attempt, at, took_ms, \
             status, failure) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.get())
        .bind(delivery.position.get())
        .bind(delivery.kind.as_str())
        .bind(delivery.attempt)
        .bind(delivery.at.get())
        .bind(delivery.took_ms)
        .bind(status)
        .bind(failure)
        .execute()
        .await
        .map_err(failed)?;
        let forgotten = self.query(FORGET).bind(id.get()).bind(most);
        forgotten.execute().await.map(drop).map_err(failed)
    }
}

impl Store {
    /// The last attempts of a webhook, the latest first.
    pub async fn deliveries(&self, id: WebhookId, limit: i64) -> Result<Vec<Delivery>> {
        let rows: Vec<DeliveryRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select position, kind, attempt, at, took_ms, status, failure \
                 from webhook_deliveries where webhook_id = $1 order by id desc limit $2",
            )
            .bind(id.get())
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Delivery::try_from).collect()
    }
}
