//! Following what is published, of whatever tenant.

use std::collections::HashMap;

use tokio::sync::watch;

use super::Hub;
use crate::model::{Position, TenantId};

impl Hub {
    /// Receives that something was published.
    pub fn follow(&self) -> watch::Receiver<()> {
        self.followers.subscribe()
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
