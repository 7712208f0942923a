//! Connections that may come back, kept under the hash of their private id.
//!
//! # Why
//! When the network breaks, thousands of connections are lost in one moment and come back within seconds. So what is to
//! be written of them is written together, and what this process saw being lost is kept in memory for as long as it
//! may come back. The database is asked for the others: after a restart, and for what memory had no room for.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    chat::{
        Services,
        bus::Event,
        housekeeping::{HOUSE, ROWS_AT_ONCE},
        limits::login_throttle,
        logins,
    },
    error::{Error, Result},
    model::{Connection, Timestamp, TokenHash},
    store::Store,
};

/// How long after it was lost a connection may come back.
pub(super) const WINDOW: Duration = Duration::from_mins(2);
/// How long a connection is kept whose loss was not noticed, as after a crash.
const AT_MOST: Duration = Duration::from_hours(24 * 7);
/// How many lost connections are kept in memory: about a quarter of a kilobyte each.
const REMEMBERED: usize = 32_768;

/// What this process knows of connections, and what of that is yet to be written.
#[derive(Debug, Default)]
pub(super) struct Register {
    known: Mutex<Known>,
    unwritten: Arc<Mutex<Unwritten>>,
}

/// The connections that were lost lately, and those that live and are being written.
#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<TokenHash, Connection>,
    /// Those that were lost, in that order; some are back, or were lost again.
    order: VecDeque<(Timestamp, TokenHash)>,
}

impl Known {
    fn insert_lost(&mut self, hash: TokenHash, connection: Connection, now: Timestamp) {
        self.order.push_back((now, hash.clone()));
        self.by_hash.insert(hash, connection);
        while let Some((at, hash)) = self.order.front()
            && (self.order.len() > REMEMBERED || now.since(*at) > WINDOW)
        {
            if self
                .by_hash
                .get(hash)
                .is_some_and(|it| it.left_at == Some(*at))
            {
                self.by_hash.remove(hash);
            }
            self.order.pop_front();
        }
    }
}

/// Connections to write in the order in which they were handed in.
#[derive(Debug, Default)]
struct Unwritten {
    connections: Vec<(TokenHash, Connection, oneshot::Sender<Result<()>>)>,
    /// Whether a task writes them.
    is_writing: bool,
}

/// What tells a connection from others of the same private id.
pub fn new_holder() -> i64 {
    rand::random()
}

/// Keeps a connection that lives, in place of what was kept of it before: the public name it goes by and
/// what it is to be known by when it comes back.
pub async fn keep(
    services: &Services,
    (private, holder): (&str, i64),
    socket_id: String,
    identities: String,
) -> Result<()> {
    let connection = Connection {
        socket_id,
        identities,
        holder,
        left_at: None,
    };
    let hash = logins::hash(private);
    let register = &services.connections;
    // Its client may come back before this is written.
    let known = (hash.clone(), connection.clone());
    lock(&register.known).by_hash.insert(known.0, known.1);
    let written = Unforgotten(register, &hash, &connection);
    write(services, hash.clone(), connection.clone()).await?;
    drop(written);
    Ok(())
}

/// A connection that lives and is known until it is written, or until nobody waits for that any more.
struct Unforgotten<'k>(&'k Register, &'k TokenHash, &'k Connection);

impl Drop for Unforgotten<'_> {
    fn drop(&mut self) {
        let mut known = lock(&self.0.known);
        if known.by_hash.get(self.1) == Some(self.2) {
            known.by_hash.remove(self.1);
        }
    }
}

/// Keeps a connection that is lost just now, unless it was taken back by another server meanwhile.
pub async fn lose(
    services: &Services,
    (private, holder): (&str, i64),
    socket_id: String,
    identities: String,
) -> Result<()> {
    let now = services.clock.now();
    let connection = Connection {
        socket_id,
        identities,
        holder,
        left_at: Some(now),
    };
    let hash = logins::hash(private);
    lock(&services.connections.known).insert_lost(hash.clone(), connection.clone(), now);
    write(services, hash, connection).await
}

/// Tells other servers that the connection of a public id has come back here, which is written down by now: one of
/// them may have it still.
pub fn tell_returned(services: &Services, socket_id: &str) {
    services.bus.tell(Event::Returned(socket_id.to_owned()));
}

/// What tells the newest connection of a private id from others; none if it is not written down.
pub async fn holder(services: &Services, private: &str) -> Result<Option<i64>> {
    let kept = services.store.connection(&logins::hash(private)).await?;
    Ok(kept.map(|kept| kept.holder))
}

/// Has a connection written, with all others that wait for that.
async fn write(services: &Services, hash: TokenHash, connection: Connection) -> Result<()> {
    let (reply, written) = oneshot::channel();
    let unwritten = &services.connections.unwritten;
    let begins = {
        let mut unwritten = lock(unwritten);
        unwritten.connections.push((hash, connection, reply));
        !std::mem::replace(&mut unwritten.is_writing, true)
    };
    if begins {
        let (store, unwritten) = (services.store.clone(), Arc::clone(unwritten));
        tokio::spawn(write_all(store, unwritten, services.clock));
    }
    let lost = |_| Err(Error::shutting_down());
    written.await.unwrap_or_else(lost)
}

/// Writes what waits until nothing does.
async fn write_all(store: Store, unwritten: Arc<Mutex<Unwritten>>, clock: crate::model::Clock) {
    loop {
        let some: Vec<_> = {
            let mut unwritten = lock(&unwritten);
            if unwritten.connections.is_empty() {
                unwritten.is_writing = false;
                return;
            }
            let count = unwritten.connections.len().min(ROWS_AT_ONCE);
            unwritten.connections.drain(..count).collect()
        };
        let mut rows = Vec::with_capacity(some.len());
        let mut replies = Vec::with_capacity(some.len());
        for (hash, connection, reply) in some {
            rows.push((hash, connection));
            replies.push(reply);
        }
        let now = clock.now();
        let written = store.write(HOUSE, move |tx| {
            Box::pin(async move { tx.keep_connections(&rows, now).await })
        });
        let written = written.await;
        for reply in replies {
            let outcome = written.as_ref().copied().map_err(Error::duplicate);
            // Who waited for it may have gone away.
            drop(reply.send(outcome));
        }
    }
}

/// The connection of that private id, if it may still come back. A client that shows too many unknown ones
/// begins anew, as if theirs were not known either.
pub async fn find(services: &Services, private: &str, from: IpAddr) -> Result<Option<Connection>> {
    let network = login_throttle::network(from);
    let Ok(attempt) = services.login_throttle.recovery(network).await else {
        return Ok(None);
    };
    let found = find_kept(services, private).await;
    attempt.settle(&found, Option::is_some);
    found
}

async fn find_kept(services: &Services, private: &str) -> Result<Option<Connection>> {
    let hash = logins::hash(private);
    let known = lock(&services.connections.known)
        .by_hash
        .get(&hash)
        .cloned();
    let kept = match known {
        // Where there are other servers, it may have been with one of them since.
        Some(known) if !services.store.has_others() => Some(known),
        Some(_) | None => services.store.connection(&hash).await?,
    };
    let now = services.clock.now();
    Ok(kept.filter(|kept| may_return(kept, now)))
}

fn may_return(kept: &Connection, now: Timestamp) -> bool {
    kept.left_at.is_none_or(|left| now.since(left) <= WINDOW)
}

/// Forgets those that may not come back any more.
pub(super) async fn forget(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let before = (now.minus(WINDOW), now.minus(AT_MOST));
    let mut after = String::new();
    loop {
        let lost = services
            .store
            .lost_connections(before, &after, ROWS_AT_ONCE)
            .await?;
        let Some(last) = lost.last() else {
            return Ok(());
        };
        after.clone_from(last);
        let forgotten = services.store.write(HOUSE, move |tx| {
            Box::pin(async move { tx.forget_connections(&lost, before).await })
        });
        forgotten.await?;
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> TokenHash {
        TokenHash::new(format!("hash {number}"))
    }

    fn lost_at(at: Timestamp) -> Connection {
        Connection {
            socket_id: "id".to_owned(),
            identities: String::new(),
            holder: 1,
            left_at: Some(at),
        }
    }

    #[test]
    fn memory_keeps_what_was_lost_lately_and_no_more_than_it_has_room_for() {
        let mut lost = Known::default();
        let start = Timestamp::new(1_000_000);
        for number in 0..=REMEMBERED {
            lost.insert_lost(hash(number), lost_at(start), start);
        }
        assert!(!lost.by_hash.contains_key(&hash(0)), "there was no room");
        assert_eq!(
            (lost.by_hash.len(), lost.order.len()),
            (REMEMBERED, REMEMBERED)
        );

        // One that was lost again stays with what was lost last.
        let again = start.plus(Duration::from_secs(1));
        lost.insert_lost(hash(7), lost_at(again), again);
        let later = start.plus(WINDOW + Duration::from_millis(1));
        lost.insert_lost(hash(1), lost_at(later), later);
        assert_eq!(lost.by_hash.len(), 2);
        assert!(may_return(&lost.by_hash[&hash(7)], later));
        let too_late = again.plus(WINDOW + Duration::from_millis(1));
        assert!(!may_return(&lost.by_hash[&hash(7)], too_late));
    }
}
