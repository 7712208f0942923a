//! Connections that may come back, kept under the hash of their private id.

use std::{net::IpAddr, time::Duration};

use crate::{
    chat::{
        Services,
        housekeeping::{HOUSE, ROWS_AT_ONCE},
        limits::login_throttle,
        logins,
    },
    error::Result,
    model::Connection,
};

/// How long after it was lost a connection may come back.
const WINDOW: Duration = Duration::from_mins(2);
/// How long a connection is kept whose loss was not noticed, as after a crash.
const AT_MOST: Duration = Duration::from_hours(24 * 7);

/// How many connections are written at once.
pub(super) const WRITES_AT_ONCE: usize = 64;

/// Keeps a connection that lives, in place of what was kept of it before: the public name it goes by and
/// what it is to be known by when it comes back.
pub async fn keep(
    services: &Services,
    private: &str,
    socket_id: String,
    identities: String,
) -> Result<()> {
    let connection = Connection {
        socket_id,
        identities,
        left_at: None,
    };
    write(services, private, connection).await
}

/// Keeps a connection that is lost just now.
pub async fn lose(
    services: &Services,
    private: &str,
    socket_id: String,
    identities: String,
) -> Result<()> {
    let connection = Connection {
        socket_id,
        identities,
        left_at: Some(services.clock.now()),
    };
    write(services, private, connection).await
}

async fn write(services: &Services, private: &str, connection: Connection) -> Result<()> {
    // Ten thousand connections may be lost in one moment, and all of them may come back: they wait here, in
    // their order, and not where a tenant that asks for too many writes at once is refused.
    let _place = services.connection_writes.acquire().await;
    let (private, now) = (logins::hash(private), services.clock.now());
    let written = services.store.write(HOUSE, move |tx| {
        Box::pin(async move { tx.keep_connection(&private, &connection, now).await })
    });
    written.await
}

/// The connection of that private id, if it may still come back. A client that shows too many unknown ones
/// begins anew, as if theirs were not known either.
pub async fn find(services: &Services, private: &str, from: IpAddr) -> Result<Option<Connection>> {
    let network = login_throttle::network(from);
    let Ok(attempt) = services.login_throttle.recovery(network).await else {
        return Ok(None);
    };
    let found = find_kept(services, private).await;
    attempt.settle(&found, Option::is_some);
    found
}

async fn find_kept(services: &Services, private: &str) -> Result<Option<Connection>> {
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
            .lost_connections(before, &after, ROWS_AT_ONCE)
            .await?;
        let Some(last) = lost.last() else {
            return Ok(());
        };
        after.clone_from(last);
        let forgotten = services.store.write(HOUSE, move |tx| {
            Box::pin(async move { tx.forget_connections(&lost, before).await })
        });
        forgotten.await?;
    }
}
