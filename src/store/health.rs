//! How the database is, part by part, and since when.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{Either, Store};
use crate::{
    error::{Error, Result},
    model::{
        Clock, Timestamp,
        health::{Part, PartState},
    },
};

/// Reading.
const DATABASE: &str = "database";
/// Writing: whether what is written arrives.
const LOG: &str = "log";
/// The file of a SQLite database.
const DISK: &str = "disk";
/// The connections for reading.
const CONNECTIONS: &str = "connections";
/// What other servers of the database say is heard.
const BUS: &str = "bus";
/// Whether the log is the one that clients were told of.
const EPOCH: &str = "epoch";

/// When to ask again after no answer came in time.
const SOON: Duration = Duration::from_secs(1);

/// What each part was seen to be last.
#[derive(Debug)]
pub(super) struct Seen {
    began: Timestamp,
    parts: Mutex<BTreeMap<&'static str, (&'static str, Timestamp)>>,
}

impl Seen {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            began: Clock.now(),
            parts: Mutex::default(),
        }
    }

    /// Notes how a part is at this time; returns since when it is.
    fn since(&self, name: &'static str, state: &PartState, now: Timestamp) -> Timestamp {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match state {
            PartState::Well => self.began,
            PartState::Busy | PartState::Degraded(_) | PartState::Failed(_) => now,
        };
        let seen = parts.entry(name).or_insert((state.as_str(), first));
        if seen.0 != state.as_str() {
            *seen = (state.as_str(), now);
        }
        seen.1
    }

    /// Notes that another epoch has begun.
    pub(super) fn began_epoch(&self) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(EPOCH, (PartState::Well.as_str(), Clock.now()));
    }
}

impl Store {
    /// How each part is on which serving depends. Writes only when nothing was written for a while, and waits no
    /// longer than until then.
    pub async fn parts(&self, until: Instant) -> Vec<Part> {
        let writes = &self.inner.writes;
        let database = in_time(until, self.ping()).await;
        let disk = writes.look_at_file();
        let epoch = self.fence().map_or(Ok(()), |fence| fence.refuse_due());
        // A probe would only wait for what is known to fail.
        let log = if database.is_ok() && disk.is_ok() && epoch.is_ok() {
            in_time(until, Box::pin(self.writes_arrive())).await
        } else {
            writes.works()
        };
        let mut parts = vec![self.part(DATABASE, failed(database))];
        if let Either::Sqlite(_) = &self.inner.write {
            parts.push(self.part(DISK, failed(disk)));
        }
        parts.push(self.part(EPOCH, failed(epoch)));
        let changed = writes.since();
        parts.push(Part {
            since: changed,
            ..self.part(LOG, failed(log))
        });
        let connections = if self.is_used_up() {
            PartState::Busy
        } else {
            PartState::Well
        };
        parts.push(self.part(CONNECTIONS, connections));
        if self.is_shared() {
            parts.push(self.part(BUS, self.bus()));
        }
        parts
    }

    fn part(&self, name: &'static str, state: PartState) -> Part {
        let since = self.inner.seen.since(name, &state, Clock.now());
        Part { name, state, since }
    }

    fn bus(&self) -> PartState {
        if self.hears_others() {
            return PartState::Well;
        }
        let sentence = "what other servers say is not heard: what they write is told a little later, \
                        and who types there is not";
        PartState::Degraded(Error::unavailable(sentence, SOON))
    }

    /// How many connections for reading are in use, and how many are not.
    pub fn connections(&self) -> (usize, usize) {
        let (all, idle) = match &*self.inner.read {
            Either::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Either::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        (all.saturating_sub(idle), idle)
    }

    fn is_used_up(&self) -> bool {
        let most = match &*self.inner.read {
            Either::Sqlite(pool) => pool.options().get_max_connections(),
            Either::Postgres(pool) => pool.options().get_max_connections(),
        };
        let (used, _) = self.connections();
        used >= usize::try_from(most).unwrap_or(usize::MAX)
    }
}

fn failed(outcome: Result<()>) -> PartState {
    outcome.map_or_else(PartState::Failed, |()| PartState::Well)
}

async fn in_time(until: Instant, asked: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout_at(until, asked)
        .await
        .unwrap_or_else(|late| {
            Err(Error::unavailable("the database does not answer", SOON).because(late))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_as_it_is_since_it_was_first_seen_so() {
        let seen = Seen::new();
        let at = |minutes: u64| seen.began.plus(Duration::from_mins(minutes));
        let away = || PartState::Failed(Error::unavailable("away", SOON));
        assert_eq!(seen.since(LOG, &PartState::Well, at(1)), at(0));
        assert_eq!(seen.since(LOG, &away(), at(2)), at(2));
        assert_eq!(seen.since(LOG, &away(), at(3)), at(2));
        assert_eq!(seen.since(LOG, &PartState::Well, at(4)), at(4));
        assert_eq!(seen.since(LOG, &PartState::Well, at(5)), at(4));
        assert_eq!(seen.since(DATABASE, &away(), at(6)), at(6));
        assert_eq!(seen.since(CONNECTIONS, &PartState::Busy, at(7)), at(7));
    }
}
