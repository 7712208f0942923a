//! Following what is published, of whatever tenant.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;

use super::Hub;
use crate::{
    model::{Position, TenantId},
    pubsub::Published,
};

impl Hub {
    /// The changes after a position, at most so many, if the tail reaches back so far.
    pub fn newest_after(&self, after: Position, most: i64) -> Option<Vec<Arc<Published>>> {
        let state = self.state();
        let newer = state.after(after, self.head())?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Some(newer.take(most).cloned().collect())
    }

    /// Receives that something was published.
    pub fn follow(&self) -> watch::Receiver<()> {
        self.followers.subscribe()
    }

    /// Has those look who follow.
    pub fn wake_followers(&self) {
        if self.followers.receiver_count() > 0 {
            self.followers.send_replace(());
        }
    }

    /// The tenants with changes after a position, each with its newest, as far as the tail tells; and up to where
    /// that is all.
    pub fn tenants_after(
        &self,
        after: Position,
    ) -> (Option<HashMap<TenantId, Position>>, Position) {
        let state = self.state();
        let head = self.head();
        let newer = state.after(after, head);
        let newest = newer.map(|newer| {
            let newest = newer.map(|published| &published.change);
            newest
                .map(|change| (change.tenant, change.position))
                .collect()
        });
        (newest, head)
    }
}
