//! Fills the index behind the log.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, housekeeping::HOUSE, lanes::LaneLog},
    error::{Kind, Result},
    model::Position,
    store::{IndexBatch, IndexProgress},
};

/// How often there is a look for new messages: many are added at once more cheaply than one by one.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many changes, or older messages, are added at a time.
const AT_ONCE: i64 = 128;
/// The pause after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long the writer is left to others after a batch, as a multiple of what that took: while much is sent, and
/// while something is written at all. Who writes nothing needs no pause.
const PAUSE_WHEN_BUSY: u32 = 9;
const PAUSE: u32 = 3;
/// After how long without a write there is no pause any more: the next writer waits for one batch at most.
const QUIET: Duration = Duration::from_secs(1);
/// Much is sent when there is more than this at a time.
const BUSY: i64 = AT_ONCE / 2;

/// Adds what is missing, until the server stops.
pub(in crate::chat) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let mut others = Others::default();
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let Some(services) = services.upgrade() else {
            return;
        };
        let began = Instant::now();
        let written = services.store.foreground_writes();
        others.look(written_so_far(&services), written, began);
        pause = match step(&services).await {
            Ok(Step::Part) => others.pause(began.elapsed(), began),
            Ok(Step::All) => INTERVAL,
            Err(_) if closing.is_cancelled() => return,
            // Another server was first, and goes on, or has taken over.
            Err(error) if error.kind() == Kind::Conflict => INTERVAL,
            Err(error) => {
                tracing::warn!(cause = ?error, "The search index could not be added to.");
                PAUSE_AFTER_FAILURE
            }
        };
    }
}

/// How many positions all lanes have together, as one.
fn written_so_far(services: &Services) -> Position {
    let lanes = services.lanes.all();
    let written = lanes.map(|log| log.hub.head().get() - log.lane.start().get());
    Position::new(written.sum())
}

/// What others wrote since the step before.
#[derive(Default)]
struct Others {
    head: Option<Position>,
    written: u64,
    /// How many changes came since the step before.
    sent: i64,
    /// When something was last seen to be written.
    last: Option<Instant>,
}

impl Others {
    fn look(&mut self, head: Position, written: u64, now: Instant) {
        let before = self.head.replace(head);
        self.sent = before.map_or(0, |before| head.get() - before.get());
        if before.is_none() || written != self.written {
            self.last = Some(now);
        }
        self.written = written;
    }

    /// How long the writer is left to them after a step that took so long.
    fn pause(&self, took: Duration, now: Instant) -> Duration {
        let quiet = self.last.map(|last| now.duration_since(last));
        if quiet.is_some_and(|quiet| quiet >= QUIET) {
            Duration::ZERO
        } else if self.sent > BUSY {
            took * PAUSE_WHEN_BUSY
        } else {
            took * PAUSE
        }
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

/// Reads again how far the index has come: in another epoch of the log that may be less.
pub(in crate::chat) async fn look_again(services: &Services) -> Result<()> {
    for log in services.lanes.all() {
        let _alone = log.index.adding.lock().await;
        let progress = services.store.index_progress(log.lane).await?;
        log.index.progress.send_replace(progress);
    }
    Ok(())
}

/// Adds some of what is missing, in each lane.
async fn step(services: &Services) -> Result<Step> {
    let mut step = Step::All;
    let mut failed = None;
    for log in services.lanes.all() {
        match step_in(services, log).await {
            Ok(Step::All) => {}
            Ok(Step::Part) => step = Step::Part,
            // The others go on: this one may wait for one of them.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(step), Err)
}

/// Adds some of what is missing in a lane. New messages come first.
async fn step_in(services: &Services, log: &LaneLog) -> Result<Step> {
    let _alone = log.index.adding.lock().await;
    let added = add(services, log, log.index.progress()).await;
    if added.is_err() {
        // Another server may have added to it.
        let progress = services.store.index_progress(log.lane).await?;
        log.index.progress.send_replace(progress);
    }
    added
}

async fn add(services: &Services, log: &LaneLog, progress: IndexProgress) -> Result<Step> {
    let (store, hub) = (&services.store, &log.hub);
    let mut batch = None;
    if hub.head() > progress.to {
        batch = match hub.newest_after(progress.to, AT_ONCE) {
            Some(changes) => IndexBatch::of(progress, changes.iter().map(|it| &it.change)),
            None => store.newer_than_index(progress, AT_ONCE).await?,
        };
    }
    if batch.is_none() {
        batch = store.older_than_index(progress, AT_ONCE).await?;
    }
    let Some(batch) = batch else {
        return Ok(Step::All);
    };
    let progress = batch.progress;
    let work = store.write_in_background(HOUSE, move |tx| {
        Box::pin(async move { tx.index(&batch).await })
    });
    work.await?;
    log.index.progress.send_replace(progress);
    if hub.head() > progress.to || !progress.has_all() {
        Ok(Step::Part)
    } else {
        Ok(Step::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(10);

    #[test]
    fn the_writer_is_left_to_others_while_they_write_and_no_longer() {
        let mut others = Others::default();
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pause = |head: i64, written, now| {
            others.look(Position::new(head), written, now);
            others.pause(TOOK, now)
        };
        // Whether anybody writes is not known at first.
        assert_eq!(pause(1_000, 7, at(0)), TOOK * PAUSE);
        assert_eq!(pause(1_000, 7, at(999)), TOOK * PAUSE);
        assert_eq!(pause(1_000, 7, at(1_000)), Duration::ZERO);
        assert_eq!(pause(1_000, 7, at(90_000)), Duration::ZERO);
        // Somebody signs in: that is no change of the log.
        assert_eq!(pause(1_000, 8, at(90_001)), TOOK * PAUSE);
        assert_eq!(
            pause(1_000 + BUSY + 1, 9, at(90_050)),
            TOOK * PAUSE_WHEN_BUSY
        );
        assert_eq!(pause(1_000 + BUSY + 2, 10, at(90_100)), TOOK * PAUSE);
        assert_eq!(pause(1_000 + BUSY + 2, 10, at(91_100)), Duration::ZERO);
    }
}
