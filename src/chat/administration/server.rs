//! The server as a whole: who is signed in, what was done, and figures.

use std::time::Duration;

use super::Administrator;
use crate::{
    chat::Services,
    error::Result,
    model::{AuditEntry, Figures, LoginId, SignedInPerson, Timestamp},
};

/// What of a page was read, of which one more was asked for, and whether there are more.
pub(super) fn page<T>(mut read: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let more = read.len() > limit;
    read.truncate(limit);
    (read, more)
}

/// A page of the logins of home, the newest first, each with whether it is connected now, and whether there
/// are more.
pub async fn signed_in(
    services: &Services,
    _: &Administrator,
    before: Option<LoginId>,
    limit: usize,
) -> Result<(Vec<(SignedInPerson, bool)>, bool)> {
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let before = before.unwrap_or(LoginId::new(i64::MAX));
    let found = services.store.home_logins(before, wanted).await?;
    let (found, more) = page(found, limit);
    let found = found.into_iter().map(|signed_in| {
        let is_connected = services.logins.is_connected(signed_in.login.id);
        (signed_in, is_connected)
    });
    Ok((found.collect(), more))
}

/// A page of what administrators did, the newest first, and whether there is more.
pub async fn audit(
    services: &Services,
    _: &Administrator,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<AuditEntry>, bool)> {
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let before = before.unwrap_or(i64::MAX);
    let found = services.store.audit(before, wanted).await?;
    Ok(page(found, limit))
}

/// What is counted of the server.
#[derive(Debug)]
pub struct ServerFigures {
    /// What is counted in the database.
    pub stored: Figures,
    /// The database engine.
    pub engine: &'static str,
    /// Long-polls and streams that wait.
    pub waiting: usize,
    /// When the server started.
    pub started_at: Timestamp,
    /// How long it has been running.
    pub uptime: Duration,
}

/// What is counted of the server.
pub async fn figures(services: &Services, _: &Administrator) -> Result<ServerFigures> {
    let (started_at, now) = (services.started_at, services.clock.now());
    Ok(ServerFigures {
        stored: services.store.figures().await?,
        engine: services.store.engine(),
        waiting: services.waiting(),
        started_at,
        uptime: now.since(started_at),
    })
}
