//! What is new for a connection: the changes for all its identities, in one order.

use std::sync::Arc;

use crate::{
    chat::subscription::CaughtUp,
    dialect::{ClientSession, DialectMask},
    error::Result,
    model::{Lane, Position},
    pubsub::Published,
};

/// How many changes are read from the database at once.
const LOG_PAGE: usize = 256;

/// The changes after a position for all identities of a session in one lane.
pub(super) struct Gathered {
    pub(super) lane: Lane,
    after: Position,
    /// In the order of their positions, each with the dialects to encode it in.
    pub(super) changes: Vec<(Arc<Published>, DialectMask)>,
    /// They are complete up to here.
    pub(super) seen: Position,
    /// How many identities they are for.
    identities: usize,
}

impl Gathered {
    fn new((lane, after): (Lane, Position), head: Position) -> Self {
        Self {
            lane,
            after,
            changes: Vec::new(),
            seen: head,
            identities: 0,
        }
    }

    /// Adds the changes of one identity, which receives those after `from` in these dialects.
    fn add(&mut self, dialects: DialectMask, from: Position, caught_up: CaughtUp) {
        self.identities += 1;
        self.seen = self.seen.min(caught_up.complete);
        let begin = self.after.max(from);
        let changes = caught_up.changes.into_iter();
        let changes = changes.filter(|published| published.change.position > begin);
        self.changes
            .extend(changes.map(|published| (published, dialects)));
    }

    /// Merges the changes of several identities into one order, each change once.
    fn merged(mut self) -> Self {
        if self.identities > 1 {
            self.changes
                .sort_by_key(|(published, _)| published.change.position);
            self.changes.dedup_by(|(later, dialects), (first, all)| {
                let same = later.change.position == first.change.position;
                if same {
                    all.insert(*dialects);
                }
                same
            });
        }
        self
    }
}

/// The changes in a lane after a position, if the topic logs reach back that far.
pub(super) fn recent(
    session: &mut ClientSession,
    (lane, after): (Lane, Position),
) -> Option<Gathered> {
    let mut gathered = Gathered::new((lane, after), session.services.head_in(lane));
    for identity in session.identities_mut() {
        if identity.lane() != lane {
            continue;
        }
        let (dialects, from) = (identity.dialects(), identity.from());
        if let Some(subscription) = identity.subscription() {
            let caught_up = subscription.recent(after.max(from))?;
            gathered.add(dialects, from, caught_up);
        }
    }
    Some(gathered.merged())
}

/// The changes in a lane after a position, from memory or from the log.
pub(super) async fn gather(
    session: &mut ClientSession,
    (lane, after): (Lane, Position),
) -> Result<Gathered> {
    let (services, options) = (Arc::clone(&session.services), Arc::clone(&session.options));
    let mut gathered = Gathered::new((lane, after), services.head_in(lane));
    for identity in session.identities_mut() {
        if identity.lane() != lane {
            continue;
        }
        let (dialects, from) = (identity.dialects(), identity.from());
        let Some(subscription) = identity.subscription() else {
            continue;
        };
        let begin = after.max(from);
        let caught_up = subscription.catch_up(&services, begin, LOG_PAGE).await;
        if caught_up.as_ref().map_or(true, |it| it.is_from_log) {
            options.metrics.delivery.catch_up(caught_up.is_ok());
        }
        gathered.add(dialects, from, caught_up?);
    }
    Ok(gathered.merged())
}
