//! What a request for events may ask for, and the feed of changes that answers it.
//!
//! # Why
//! There is one long-poll answer and one stream for all dialects: a dialect brings an
//! [`EventFormat`], that is how it writes an event down, and nothing else. What clients and proxies
//! rely on (headers, `retry:`, bounds, how a wait ends) cannot differ by dialect, then.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use tokio::time::Instant;

use super::{ApiError, Fields};
use crate::{
    chat::{
        Services,
        change_feed::{Batch, ChangeFeed, End},
        cursors,
    },
    config::Settings,
    error::{Error, Kind, Result},
    model::{Cursor, Position, TenantId},
    pubsub::EventFormat,
    telemetry::{DialectMetrics, OpenWait, Transport},
};

/// The most entries that one answer lists.
const LIMIT_MOST: i64 = 200;
/// The default of `limit`.
const LIMIT_DEFAULT: i64 = 100;
/// How long clients wait, at most, before they come back after a restart: spread, so that they do
/// not all come at once.
const RETURN_AFTER_RESTART_MS: std::ops::RangeInclusive<u64> = 0..=5_000;
/// How long a superseded client waits before it retries: two clients that supersede each other must
/// not do so in a tight loop.
const RETURN_WHEN_SUPERSEDED_MS: std::ops::RangeInclusive<u64> = 5_000..=10_000;

/// How long a stream's client waits whose tenant has gone on in another lane: all of its clients come back then.
const RETURN_WHEN_MOVED_MS: std::ops::RangeInclusive<u64> = 100..=1_000;

/// What a request for events asks for.
#[derive(Debug)]
pub struct Ask<'q> {
    /// Where it goes on: a cursor, or `now`.
    pub after: Option<&'q str>,
    /// The most events of one answer.
    pub limit: usize,
    /// How long it waits when there are none.
    pub timeout: Duration,
    /// The name under which a newer wait takes over.
    pub name: Option<&'q str>,
}

impl<'q> Ask<'q> {
    /// Reads `after`, `limit`, `poll` and `timeout`: whole seconds, clamped to what the operator
    /// allows, `otherwise` when nobody says.
    pub fn read(query: &'q Fields, settings: &Settings, otherwise: Duration) -> Result<Self> {
        Ok(Self {
            after: query.text("after")?,
            limit: limit(query)?,
            timeout: query
                .seconds("timeout")?
                .unwrap_or(otherwise)
                .min(settings.poll_timeout_max),
            name: query.text("poll")?,
        })
    }
}

/// How many entries a caller wants: `limit`, 1 to 200.
pub fn limit(fields: &Fields) -> Result<usize> {
    let limit = fields.number("limit")?.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MOST).contains(&limit) {
        let sentence = format!("limit must be 1 to {LIMIT_MOST}");
        return Err(Error::invalid_field("limit", sentence));
    }
    usize::try_from(limit).map_err(Error::internal)
}

/// Reads a cursor, from wherever it came.
pub fn cursor(text: &str) -> Result<Cursor> {
    text.parse().map_err(|_| {
        Error::new(
            Kind::BadCursor,
            "after must be a cursor that this server gave out",
        )
    })
}

/// The place in the log where a feed begins: after a cursor, or now.
pub async fn place(services: &Services, tenant: TenantId, after: Option<&str>) -> Result<Position> {
    match after {
        None | Some("now") => Ok(services.head(tenant)),
        Some(text) => cursors::resume(services, tenant, &cursor(text)?).await,
    }
}

/// Adds the present cursor to a refusal for lost continuity.
pub fn with_fresh_cursor(services: &Services, tenant: TenantId, error: Error) -> ApiError {
    let gone = error.kind() == Kind::Gone;
    let refusal = ApiError::from(error);
    if gone {
        refusal.with("cursor", services.cursor(tenant).to_string())
    } else {
        refusal
    }
}

/// Changes as a reader receives them, in a dialect's format.
pub struct Feed {
    pub(crate) services: Arc<Services>,
    pub(crate) watch: ChangeFeed,
    pub(crate) format: Box<dyn EventFormat>,
    limit: usize,
    metrics: DialectMetrics,
}

impl Feed {
    /// A feed of what `watch` sees, at most `limit` changes at a time.
    pub fn new(
        services: &Arc<Services>,
        watch: ChangeFeed,
        format: impl EventFormat + 'static,
        (limit, metrics): (usize, &DialectMetrics),
    ) -> Self {
        Self {
            services: Arc::clone(services),
            watch,
            format: Box::new(format),
            limit,
            metrics: metrics.clone(),
        }
    }

    /// The same for this feed's tenant.
    pub(crate) fn with_fresh_cursor(&self, error: Error) -> ApiError {
        with_fresh_cursor(&self.services, self.watch.tenant(), error)
    }

    /// Counts this as a wait of that kind until what is returned is dropped.
    pub(crate) fn wait(&self, transport: Transport) -> OpenWait {
        self.metrics.wait(transport)
    }

    /// Counts changes that the client received.
    pub(crate) fn delivered(&self, transport: Transport, changes: usize) {
        self.metrics
            .delivered(transport, u64::try_from(changes).unwrap_or(u64::MAX));
    }

    /// The next changes that the format tells, now or as soon as there are some; none when the time is
    /// up, or when the wait ends early.
    pub(crate) async fn next(&mut self, timeout: Duration) -> Result<Batch> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut batch = self.watch.next(self.limit, left).await?;
            let format = &mut self.format;
            let is_told = |published: &Arc<_>| !format.events(published).is_empty();
            batch.changes.retain(is_told);
            let is_told = |signal: &Arc<_>| !format.signals(signal).is_empty();
            batch.signals.retain(is_told);
            let is_over = batch.end.is_some() || batch.more || left.is_zero();
            if is_over || !batch.changes.is_empty() || !batch.signals.is_empty() {
                return Ok(batch);
            }
        }
    }
}

/// How many milliseconds a client is to wait before it comes back.
pub(crate) fn return_after_ms(end: Option<End>) -> u64 {
    match end {
        Some(End::Closing) => rand::rng().random_range(RETURN_AFTER_RESTART_MS),
        Some(End::Superseded) => rand::rng().random_range(RETURN_WHEN_SUPERSEDED_MS),
        Some(End::Moved) | None => 0,
    }
}

/// The same for a stream. What it is told is also how long it waits after each connection that is lost later.
pub(crate) fn stream_returns_after_ms(end: End) -> u64 {
    match end {
        End::Moved => rand::rng().random_range(RETURN_WHEN_MOVED_MS),
        End::Closing | End::Superseded => return_after_ms(Some(end)),
    }
}
