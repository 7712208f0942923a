//! Publishes changes that are read from the log, instead of those that the writer passes on.
//!
//! # Why
//! The writer publishes what it knows it committed. When it cannot know (the connection broke
//! while committing), when the process starts, and when other processes write to the same log,
//! the log itself is read and published from where the hub stands.

use crate::{
    error::{Error, Result},
    model::{Change, Lane, Position},
    pubsub::Hub,
    store::Store,
};

/// How many changes are read at a time.
const PAGE: i64 = 1000;
/// How many changes a new hub is given, so that clients that reconnect after a restart are served from memory.
const PRELOADED: i64 = 2048;

/// Gives a new hub the latest changes of its lane up to its head.
pub async fn fill(store: &Store, hub: &Hub) -> Result<()> {
    let head = hub.head();
    let start = head.plus(-PRELOADED).max(Lane::of(head).start());
    let mut changes = store.changes(start, PRELOADED).await?;
    changes.retain(|change| change.position <= head);
    hub.fill(changes);
    Ok(())
}

/// Publishes the changes of the log after the hub's head, up to a position that is known to be committed in the hub's
/// epoch. `note` is told of them before anybody else.
pub async fn catch_up(
    store: &Store,
    hub: &Hub,
    until: Position,
    note: impl Fn(&[Change]),
) -> Result<()> {
    loop {
        let head = hub.head();
        if head >= until {
            return Ok(());
        }
        let mut changes = store.changes(head, PAGE).await?;
        // What is beyond may be of another epoch.
        changes.retain(|change| change.position <= until);
        if changes.is_empty() {
            return Err(Error::internal("the log lacks changes before its end"));
        }
        note(&changes);
        hub.publish(changes);
    }
}
