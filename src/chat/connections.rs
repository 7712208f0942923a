//! Connections that may come back, kept under the hash of their private id.

use std::time::Duration;

use crate::{
    chat::{HOUSE, SOME, Services, logins},
    error::Result,
    model::Connection,
};

/// How long after it was lost a connection may come back.
const WINDOW: Duration = Duration::from_mins(2);
/// How long a connection is kept that nobody saw being lost.
const AT_MOST: Duration = Duration::from_hours(24 * 7);

/// Keeps a connection, in place of what was kept of it before.
pub async fn keep(services: &Services, private: &str, connection: &Connection) -> Result<()> {
    let mut tx = services.store.begin_for(HOUSE).await?;
    tx.keep_connection(&logins::hash(private), connection, services.clock.now())
        .await?;
    tx.commit().await
}

/// The connection of that private id, if it may still come back.
pub async fn find(services: &Services, private: &str) -> Result<Option<Connection>> {
    let kept = services.store.connection(&logins::hash(private)).await?;
    let now = services.clock.now();
    Ok(kept.filter(|kept| kept.left_at.is_none_or(|left| now.since(left) <= WINDOW)))
}

/// Forgets those that may not come back any more.
pub(super) async fn forget(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let before = (now.minus(WINDOW), now.minus(AT_MOST));
    let mut after = String::new();
    loop {
        let lost = services
            .store
            .lost_connections(before, &after, SOME)
            .await?;
        let Some(last) = lost.last() else {
            return Ok(());
        };
        after.clone_from(last);
        let mut tx = services.store.begin_for(HOUSE).await?;
        tx.forget_connections(&lost, before).await?;
        tx.commit().await?;
    }
}
