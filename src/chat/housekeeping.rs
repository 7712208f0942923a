//! Housekeeping: what is done from time to time, without a request.

use std::{sync::Weak, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, connections},
    error::Result,
    model::TenantId,
};

/// How often idle subscriptions are dropped and uses of logins are written down.
const INTERVAL: Duration = Duration::from_secs(15);
/// How often logins and connections past their time are forgotten.
const EXPIRY_INTERVAL: Duration = Duration::from_hours(1);
/// How long a topic log outlives its last subscriber, so that the next poll finds it warm.
const LINGER: Duration = Duration::from_mins(1);

/// In whose name housekeeping writes, where tenants take turns.
pub(super) const HOUSE: TenantId = TenantId::new(0);
/// How many rows it writes in one transaction: no more than others can wait for.
pub(super) const ROWS_AT_ONCE: usize = 500;

/// Forgets the logins and the connections that are past their time.
pub async fn expire(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let logins = services.logins.expire(&services.store, now).await;
    let connections = connections::forget(services).await;
    logins.and(connections)
}

/// Drops who stopped listening and notes which logins were used, until the server stops.
pub(super) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let mut tick = tokio::time::interval(INTERVAL);
    let mut expiry = tokio::time::interval(EXPIRY_INTERVAL);
    loop {
        let is_expiry = tokio::select! {
            () = closing.cancelled() => return,
            _ = tick.tick() => false,
            _ = expiry.tick() => true,
        };
        let Some(services) = services.upgrade() else {
            return;
        };
        if is_expiry {
            if let Err(error) = expire(&services).await {
                tracing::warn!(cause = ?error, "Expired logins or lost connections could not be forgotten.");
            }
            continue;
        }
        services.hub.sweep(LINGER);
        let flushed = services
            .logins
            .flush(&services.store, services.clock.now())
            .await;
        if let Err(error) = flushed {
            tracing::warn!(cause = ?error, "Uses of logins could not be written down.");
        }
    }
}
