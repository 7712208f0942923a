//! Handing in work that writes, on either engine: in turns, first, whether writing works or not, or in the background.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{
    Either, Store, Tx, Work, Written, failure, postgres, sqlite::Priority, transaction::Transaction,
};
use crate::{error::Result, model::TenantId};

/// How long a write other than a batch may take, with the wait for the writes before it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a batch may take before its commit.
const BATCH_TIMEOUT: Duration = Duration::from_secs(6);

impl Store {
    /// Does a tenant's work, when it is its turn, in a transaction; refuses at once while the last write
    /// failed. After an error the work may be committed nevertheless.
    pub async fn write<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Work<T>,
    ) -> Result<T> {
        self.inner.foreground.fetch_add(1, Ordering::Relaxed);
        let written = self.write_as(tenant, Priority::InOrder, work).await?;
        self.noted(written).into()
    }

    /// Does work that nobody waits for, in a transaction of its own beside those of others; refuses at once while the
    /// last write failed. That this one fails says nothing of other writes.
    pub async fn write_in_background<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Work<T>,
    ) -> Result<T> {
        self.write_as(tenant, Priority::Background, work)
            .await?
            .into()
    }

    /// How much work was handed in that somebody waits for.
    pub fn foreground_writes(&self) -> u64 {
        self.inner.foreground.load(Ordering::Relaxed)
    }

    async fn write_as<T: Send + 'static>(
        &self,
        tenant: TenantId,
        priority: Priority,
        work: impl Work<T>,
    ) -> Result<Written<T>> {
        self.writes_work()?;
        let until = Instant::now() + WRITE_TIMEOUT;
        let turn = self.inner.turns.take(tenant).await?;
        match &self.inner.write {
            Either::Sqlite(writer) => {
                let written = writer.run(priority, until, turn, work);
                let written = tokio::time::timeout_at(until.into(), written);
                written.await.map_err(failure::late)
            }
            Either::Postgres(writer) => {
                let written = write_postgres(writer, (priority, false), work).await;
                drop(turn);
                Ok(written)
            }
        }
    }

    /// Does the work of the writer of chats in a transaction, before all other work that waits; refuses at
    /// once while the last write failed.
    pub async fn write_batch<T: Send + 'static>(&self, work: impl Work<T>) -> Written<T> {
        match self.writes_work() {
            Ok(()) => self.write_first(true, work).await,
            Err(error) => Written::Undone(error),
        }
    }

    /// Does work whether the last write failed or not, once every transaction before it has come to its end.
    pub async fn write_anyway<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T> {
        let written = self.write_first(false, work);
        match &self.inner.write {
            // A disk that does not answer keeps the thread for as long as it likes, and not its callers.
            Either::Sqlite(_) => {
                let written = tokio::time::timeout(WRITE_TIMEOUT, written).await;
                written.map_err(failure::late)?.into()
            }
            Either::Postgres(_) => written.await.into(),
        }
    }

    async fn write_first<T: Send + 'static>(
        &self,
        is_batch: bool,
        work: impl Work<T>,
    ) -> Written<T> {
        self.inner.foreground.fetch_add(1, Ordering::Relaxed);
        let writer = match &self.inner.write {
            Either::Sqlite(writer) => writer,
            Either::Postgres(writer) => {
                let written = write_postgres(writer, (Priority::First, is_batch), work).await;
                return self.noted(written);
            }
        };
        // The thread reports the outcome, however long the disk takes. Work that has not begun in time does
        // not begin at all.
        let until = Instant::now() + BATCH_TIMEOUT;
        let mut written = std::pin::pin!(writer.run(Priority::First, until, (), work));
        let in_time = tokio::time::timeout_at(until.into(), &mut written);
        let written = match in_time.await {
            Ok(written) => written,
            Err(late) => {
                self.note_failed_write(failure::late(late));
                written.await
            }
        };
        self.noted(written)
    }

    /// Records what became of a write.
    fn noted<T>(&self, written: Written<T>) -> Written<T> {
        match written {
            Written::Committed(value) => {
                self.inner.writes.note(&Ok(()));
                Written::Committed(value)
            }
            Written::Undone(error) => Written::Undone(self.note_failed_write(error)),
            Written::Unknown(value, error) => {
                Written::Unknown(value, self.note_failed_write(error))
            }
        }
    }
}

async fn write_postgres<T>(
    writer: &postgres::Writer,
    (priority, is_batch): (Priority, bool),
    work: impl Work<T>,
) -> Written<T> {
    let done = async {
        let begun = Transaction::begin(&writer.pool, &writer.fence, is_batch).await?;
        if priority != Priority::First {
            // Its connection may have been opened just now, to another server. What comes first locks the
            // log, which compares more.
            writer.fence.refuse_due()?;
        }
        let mut tx = Tx(Either::Postgres(begun));
        let value = work(&mut tx).await?;
        Ok((tx, value))
    };
    let most = match priority {
        Priority::First => BATCH_TIMEOUT,
        Priority::InOrder | Priority::Background => WRITE_TIMEOUT,
    };
    let done = tokio::time::timeout(most, done).await;
    let done = done.unwrap_or_else(|late| Err(failure::late(late)));
    let (tx, value) = match done {
        Ok(done) => done,
        Err(error) => return Written::Undone(error),
    };
    let Either::Postgres(transaction) = tx.0 else {
        return Written::Committed(value);
    };
    let has_news = transaction.has_news();
    let committed = transaction.commit().await;
    if has_news {
        // What may not be committed is worth a look all the same.
        writer.nodes.notify();
    }
    match committed {
        Ok(()) => Written::Committed(value),
        Err(error) => Written::Unknown(value, error),
    }
}
