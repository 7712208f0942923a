//! Housekeeping: what is done from time to time, without a request.

use std::{sync::Weak, time::Duration};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, administration, connections, deletion, search, sign_ins},
    error::Result,
    model::TenantId,
};

/// How often idle subscriptions are dropped and uses of logins are written down.
const INTERVAL: Duration = Duration::from_secs(15);
/// How often logins and connections past their time are forgotten.
const EXPIRY_INTERVAL: Duration = Duration::from_hours(1);
/// How often the server looks for logins that another process has ended.
const REVOCATION_INTERVAL: Duration = Duration::from_secs(1);
/// How long a topic log outlives its last subscriber, so that the next poll finds it, and so does a connection
/// that comes back: what it has missed is read from memory, and so is which chats are its person's.
const LINGER: Duration = connections::WINDOW;

/// In whose name housekeeping writes, where tenants take turns.
pub(super) const HOUSE: TenantId = TenantId::new(0);
/// How many rows it writes in one transaction: no more than others can wait for.
pub(super) const ROWS_AT_ONCE: usize = 500;

/// Forgets the logins, the connections and the one-time links that are past their time, and takes who is gone out
/// of their chats.
pub async fn expire(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let logins = services.logins.expire(&services.store, now).await;
    let connections = connections::forget(services).await;
    let links = administration::forget_links(services).await;
    let deletions = deletion::finish(services).await;
    let sign_ins = sign_ins::forget(services).await;
    logins
        .and(connections)
        .and(links)
        .and(deletions)
        .and(sign_ins)
}

/// Ends the logins that another process on this machine has ended in the database. On PostgreSQL they are told
/// like those that other servers have ended.
async fn end_revoked(services: &Services) {
    if services.store.is_shared() {
        return;
    }
    if let Err(error) = administration::end_revoked(services).await {
        tracing::debug!(cause = ?error, "Logins that were ended elsewhere could not be looked for.");
    }
}

/// Drops who stopped listening and notes which logins were used, until the server stops.
pub(super) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let mut tick = tokio::time::interval(INTERVAL);
    let mut expiry = tokio::time::interval(EXPIRY_INTERVAL);
    let mut revocation = tokio::time::interval(REVOCATION_INTERVAL);
    let epochs = services.upgrade();
    let Some(mut epochs) = epochs.map(|services| services.lanes.first().hub.epochs()) else {
        return;
    };
    // A database that is slow is not asked in bursts.
    revocation.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = tokio::select! {
            () = closing.cancelled() => return,
            _ = tick.tick() => Due::Uses,
            _ = expiry.tick() => Due::Expiry,
            _ = revocation.tick() => Due::Revocations,
            Ok(()) = epochs.changed() => Due::Epoch,
        };
        let Some(services) = services.upgrade() else {
            return;
        };
        match due {
            Due::Uses => note_uses(&services).await,
            Due::Revocations => end_revoked(&services).await,
            Due::Epoch => forget_epoch(&services).await,
            Due::Expiry => {
                if let Err(error) = expire(&services).await {
                    tracing::warn!(cause = ?error, "What is past its time could not be forgotten.");
                }
            }
        }
    }
}

/// What it is time for.
enum Due {
    Uses,
    Expiry,
    Revocations,
    Epoch,
}

/// What memory holds of an epoch of the log that has ended may not be in the database.
async fn forget_epoch(services: &Services) {
    services.logins.forget_all();
    services.keys.forget_all();
    if let Err(error) = search::look_again(services).await {
        tracing::warn!(cause = ?error, "How far the search index has come could not be read.");
    }
}

async fn note_uses(services: &Services) {
    for log in services.lanes.all() {
        log.hub.sweep(LINGER);
    }
    let now = services.clock.now();
    if let Err(error) = services.logins.flush(&services.store, now).await {
        tracing::warn!(cause = ?error, "Uses of logins could not be written down.");
    }
    if let Err(error) = services.sign_ins.flush(&services.store).await {
        tracing::warn!(cause = ?error, "Sign-ins could not be written down.");
    }
}
