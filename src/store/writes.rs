//! Whether writing works: the outcome of the last transaction, and a probe when there was none.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use rand::Rng;
use tokio::sync::{Mutex, watch};

use super::{
    Store,
    failure::{is_held_lane, is_idled},
    file::DatabaseFile,
};
use crate::{
    error::{Error, Kind, Result},
    model::{Clock, Lane, Timestamp},
};

/// For how long after a success no probe is needed.
const FRESH: Duration = Duration::from_secs(10);
/// How long after a failure the next probe begins.
const PROBE_AFTER: Duration = Duration::from_millis(500);
/// The payload of a probe after a success: it only has to reach the disk.
const SMALL: usize = 32;
/// The payload of a probe after a failure. A full disk may still have room for the end of the
/// write-ahead log, where a probe smaller than an ordinary message would succeed and the
/// message would fail.
const LARGE: usize = 64 * 1024;

/// The outcome of the last transactions.
#[derive(Debug)]
pub(super) struct Writes {
    /// The SQLite file that the server has open.
    file: Option<DatabaseFile>,
    last: watch::Sender<Last>,
    /// Since when writing works, or does not.
    since: AtomicI64,
    /// One probe at a time; all waiting callers share its outcome.
    probing: Mutex<()>,
}

#[derive(Debug, Clone)]
enum Last {
    Worked(Option<Instant>),
    Failed(Cow<'static, str>, Duration),
}

impl Writes {
    pub(super) fn new(file: Option<DatabaseFile>) -> Self {
        Self {
            file,
            last: watch::Sender::new(Last::Worked(None)),
            since: AtomicI64::new(Clock.now().get()),
            probing: Mutex::new(()),
        }
    }

    /// Refuses while the open file is not the one that the next start would find.
    pub(super) fn look_at_file(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::look)
    }

    /// Lets another server open the file.
    pub(super) fn release_file(&self, connections_left: bool) {
        if let Some(file) = &self.file {
            file.release(connections_left);
        }
    }

    /// Records the outcome of a transaction. Refusals and internal errors say nothing about the database, nor does a transaction that this process
    /// left alone for too long; one lane that is held says nothing about the others. After a failure only a successful probe ends the outage: a
    /// small write may fit into the last room of a full disk.
    pub(super) fn note<T>(&self, outcome: &Result<T>) {
        match outcome {
            Ok(_) => self.last.send_if_modified(|last| match last {
                Last::Worked(at) => {
                    *at = Some(Instant::now());
                    false
                }
                Last::Failed(..) => false,
            }),
            Err(error) if stops_all(error) => self.failed(error),
            Err(_) => false,
        };
    }

    /// Records an error, if the database was its cause.
    pub(super) fn failed_with(&self, error: Error) -> Error {
        if stops_all(&error) {
            self.failed(&error);
        }
        error
    }

    fn failed(&self, error: &Error) -> bool {
        let wait = error.retry_after().unwrap_or(PROBE_AFTER);
        let now = Last::Failed(error.text().to_owned().into(), wait);
        if let Last::Worked(_) = self.last.send_replace(now) {
            self.changed();
            tracing::error!(
                sentence = error.text(),
                cause = error.cause().map(ToString::to_string),
                "Nothing can be written: writes are refused until a probe succeeds."
            );
        }
        true
    }

    fn probed(&self) {
        let now = Last::Worked(Some(Instant::now()));
        if let Last::Failed(..) = self.last.send_replace(now) {
            self.changed();
            tracing::info!("Writing works again.");
        }
    }

    fn changed(&self) {
        self.since.store(Clock.now().get(), Ordering::Relaxed);
    }

    /// Since when writing works, or does not.
    pub(super) fn since(&self) -> Timestamp {
        Timestamp::new(self.since.load(Ordering::Relaxed))
    }

    /// Refuses while the last write failed.
    pub(super) fn works(&self) -> Result<()> {
        match &*self.last.borrow() {
            Last::Worked(_) => Ok(()),
            Last::Failed(sentence, wait) => Err(Error::unavailable(sentence.clone(), *wait)),
        }
    }

    fn is_fresh(&self) -> bool {
        match *self.last.borrow() {
            Last::Worked(Some(at)) => at.elapsed() < FRESH,
            Last::Worked(None) | Last::Failed(..) => false,
        }
    }
}

/// Whether nothing can be written after an error, to whatever lane.
fn stops_all(error: &Error) -> bool {
    error.kind() == Kind::Unavailable && !is_held_lane(error) && !is_idled(error)
}

impl Store {
    /// Refuses at once while the last write failed.
    pub fn writes_work(&self) -> Result<()> {
        self.inner.writes.works()?;
        self.fence().map_or(Ok(()), |fence| fence.refuse_due())
    }

    /// Records a failed write, if the database was the cause.
    pub fn note_failed_write(&self, error: Error) -> Error {
        self.inner.writes.failed_with(error)
    }

    /// Returns when a probe is due: a moment after a write failed, or another database server took over.
    pub async fn probe_due(&self) {
        let mut last = self.inner.writes.last.subscribe();
        let taken_over = async {
            match self.fence() {
                Some(fence) => fence.becomes_due().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The sender lives as long as the store.
            failed = last.wait_for(|last| matches!(last, Last::Failed(..))) => drop(failed),
            () = taken_over => {}
        }
        tokio::time::sleep(PROBE_AFTER).await;
    }

    /// Whether what is written arrives. Writes only when nothing was written for a while.
    pub(super) async fn writes_arrive(&self) -> Result<()> {
        let writes = &self.inner.writes;
        writes.works()?;
        if writes.is_fresh() {
            return Ok(());
        }
        let _alone = writes.probing.lock().await;
        writes.works()?;
        if writes.is_fresh() {
            return Ok(());
        }
        self.write_probe(SMALL).await
    }

    /// Finds out whether writing works again.
    pub async fn probe(&self) -> Result<()> {
        let _alone = self.inner.writes.probing.lock().await;
        self.write_probe(LARGE).await
    }

    /// Writes the probe's row as a batch is written: under the log's lock, and durably. Where somebody holds that and
    /// there are other lanes, without it.
    async fn write_probe(&self, length: usize) -> Result<()> {
        let mut probed = self.try_probe(length, Some(Lane::FIRST)).await;
        if probed.as_ref().is_err_and(is_held_lane) {
            probed = self.try_probe(length, None).await;
        }
        match &probed {
            Ok(()) => self.inner.writes.probed(),
            Err(_) => self.inner.writes.note(&probed),
        }
        probed
    }

    async fn try_probe(&self, length: usize, lane: Option<Lane>) -> Result<()> {
        let mut filler = vec![0_u8; length];
        // Random bytes, because a file system may compress others.
        rand::rng().fill_bytes(&mut filler);
        let probed = self.write_anyway(move |tx| {
            Box::pin(async move {
                if let Some(lane) = lane {
                    tx.lock_log(lane).await?;
                }
                tx.insert_probe(&filler, Clock.now()).await
            })
        });
        probed.await
    }
}
