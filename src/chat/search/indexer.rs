//! Fills the index behind the log.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, housekeeping::HOUSE},
    error::Result,
    model::Position,
    store::IndexProgress,
};

/// How often there is a look for new messages: many are added at once more cheaply than one by one.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many changes, or older messages, are added at a time.
const AT_ONCE: i64 = 128;
/// The pause after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long the writer is left to others after a batch, as a multiple of what that took: while much is sent, and
/// otherwise.
const PAUSE_WHEN_BUSY: u32 = 9;
const PAUSE: u32 = 3;
/// Much is sent when there is more than this at a time.
const BUSY: i64 = AT_ONCE / 2;

/// Adds what is missing, until the server stops.
pub(in crate::chat) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let mut head = Position::START;
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let Some(services) = services.upgrade() else {
            return;
        };
        let sent = services.head().get() - head.get();
        let is_busy = head != Position::START && sent > BUSY;
        head = services.head();
        let began = Instant::now();
        pause = match step(&services).await {
            Ok(Step::Part) => began.elapsed() * if is_busy { PAUSE_WHEN_BUSY } else { PAUSE },
            Ok(Step::All) => INTERVAL,
            Err(_) if closing.is_cancelled() => return,
            Err(error) => {
                tracing::warn!(cause = ?error, "The search index could not be added to.");
                PAUSE_AFTER_FAILURE
            }
        };
    }
}

/// What was added.
enum Step {
    /// Everything that was missing.
    All,
    /// Some of it.
    Part,
}

/// Adds everything that is missing.
pub async fn catch_up(services: &Services) -> Result<()> {
    while let Step::Part = step(services).await? {}
    Ok(())
}

/// Adds some of what is missing. New messages come first.
async fn step(services: &Services) -> Result<Step> {
    let _alone = services.index.adding.lock().await;
    let added = add(services, services.index.progress()).await;
    if added.is_err() {
        // Another server may have added to it.
        let progress = services.store.index_progress().await?;
        services.index.progress.send_replace(progress);
    }
    added
}

async fn add(services: &Services, progress: IndexProgress) -> Result<Step> {
    let store = &services.store;
    let mut batch = None;
    if services.head() > progress.to {
        batch = store.newer_than_index(progress, AT_ONCE).await?;
    }
    if batch.is_none() {
        batch = store.older_than_index(progress, AT_ONCE).await?;
    }
    let Some(batch) = batch else {
        return Ok(Step::All);
    };
    let progress = batch.progress;
    let work = store.write(HOUSE, move |tx| {
        Box::pin(async move { tx.index(&batch).await })
    });
    work.await?;
    services.index.progress.send_replace(progress);
    if services.head() > progress.to || progress.from.get() > 1 {
        Ok(Step::Part)
    } else {
        Ok(Step::All)
    }
}
