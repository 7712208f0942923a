//! Notifications between servers of a PostgreSQL: each says that there is something to read, and by whom.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::mpsc;

use super::{Nodes, STATEMENT_TIMEOUT};
use crate::{
    error::Result,
    store::{Store, failed, failure::late},
};

const CHANNEL: &str = "parlance";
const NOTIFY: &str = "select pg_notify('parlance', $1)";
/// Those that would follow sooner are one with the next.
const APART: Duration = Duration::from_millis(2);

/// Sends notifications, until nobody may queue any more and none is queued.
pub(super) async fn run(pool: PgPool, id: String, mut queued: mpsc::Receiver<()>) {
    while queued.recv().await.is_some() {
        let sent = sqlx::query(NOTIFY).bind(&id).execute(&pool);
        match tokio::time::timeout(STATEMENT_TIMEOUT, sent).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "Other servers could not be notified."),
            Err(elapsed) => tracing::debug!(%elapsed, "Other servers could not be notified."),
        }
        tokio::time::sleep(APART).await;
    }
}

/// The notifications of other servers.
pub struct Notifications {
    listener: PgListener,
    nodes: Arc<Nodes>,
}

impl std::fmt::Debug for Notifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}

impl Notifications {
    /// Returns when there is something new of another server, or may be: one that was lost with its connection.
    pub async fn next(&mut self) -> Result<()> {
        loop {
            let Some(told) = self.listener.try_recv().await.map_err(failed)? else {
                return Ok(());
            };
            if told.payload() != self.nodes.id {
                self.nodes.others.store(true, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}

impl Store {
    /// Begins to listen to other servers.
    pub async fn notifications(&self) -> Result<Notifications> {
        let nodes = Arc::clone(self.shared()?);
        let listening = async {
            let mut listener = PgListener::connect_with(&nodes.pool).await?;
            listener.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        let listener = tokio::time::timeout(STATEMENT_TIMEOUT, listening);
        let listener = listener.await.map_err(late)?.map_err(failed)?;
        Ok(Notifications { listener, nodes })
    }
}
