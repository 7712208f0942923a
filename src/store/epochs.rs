//! The epochs of the log: another one begins where the log may not be the continuation of what clients were told.
//!
//! What was lost may have been told to somebody, so nothing that had a number is followed by something else of that
//! number: positions, which are the ids of messages, and on PostgreSQL all other ids go on far beyond any that can
//! have been given.

use std::sync::Arc;

use rand::distr::{Alphanumeric, SampleString};

use super::{
    Either, EngineSql, Store, Tx, failed,
    failure::bounded,
    fence::{Fence, LOCK_WITHOUT_TIMELINE, LockRow, Place, SERVER, Server, ServerRow, Verdict},
    transaction::Transaction,
};
use crate::{
    error::{Error, Result},
    model::{Clock, Epoch, Lane, Position, Positions},
};

/// Letters and digits in an epoch.
const LENGTH: usize = 8;
/// How far beyond the end of one epoch the next one goes on.
const LEAP: i64 = 1 << 20;

const LOCK: EngineSql = EngineSql {
    sqlite: "select head from log where id = 1",
    postgres: "select head from log where id = 1 for update",
};

/// What is in the index up to the end is in it up to the beginning: there is nothing in between.
const MOVE_INDEX: &str =
    "update search_progress set indexed_to = $1 where id = $3 and indexed_to >= $2";

/// A copy of a database need not have the last ids that sequences gave.
const MOVE_SEQUENCES: &str = "select setval(s.oid::regclass, nextval(s.oid::regclass) + $1) from pg_class s \
     join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'i' \
     where s.relkind = 'S' and s.relnamespace = (select oid from pg_namespace where nspname = current_schema())";

const NOTE_SERVER: &str = "update log set system = $1, timeline = $2 where id = 1";

/// A new epoch's word.
pub(super) fn random() -> String {
    Alphanumeric
        .sample_string(&mut rand::rng(), LENGTH)
        .to_lowercase()
}

impl Tx {
    /// Begins another epoch in all lanes, whose positions are beyond all that were given here, and beyond `above`: all
    /// cursors of clients are good no more. Returns it, and where it begins.
    pub async fn begin_epoch(
        &mut self,
        above: &Positions,
        why: &str,
    ) -> Result<(Epoch, Positions)> {
        let head: i64 = self.query(LOCK).scalar().await.map_err(failed)?;
        let mut ends = vec![(Lane::FIRST, Position::new(head))];
        let others = self.lock_others().await?.into_iter();
        ends.extend(others.map(|other| (other.lane, other.head)));
        let epoch = random();
        let mut begins = Vec::new();
        for (lane, head) in ends {
            let begin = head.max(above.of(lane).unwrap_or(head)).plus(LEAP);
            self.begin_in_lane((&epoch, why), lane, (head, begin))
                .await?;
            begins.push(begin);
        }
        self.note_news();
        if let Either::Postgres(_) = self.0 {
            let sequences = self.query(MOVE_SEQUENCES).bind(LEAP).execute();
            sequences.await.map_err(failed)?;
        }
        let mut places = Positions::from(begins[0]);
        for begin in begins {
            places.raise(begin);
        }
        Ok((Epoch::new(epoch), places))
    }

    /// Moves one lane to where the epoch begins in it.
    async fn begin_in_lane(
        &mut self,
        (epoch, why): (&str, &str),
        lane: Lane,
        (head, begin): (Position, Position),
    ) -> Result<()> {
        let sql = if lane == Lane::FIRST {
            "update log set head = $1, epoch = $2 where id = $3"
        } else {
            "update lanes set head = $1, epoch = $2 where lane = $3"
        };
        let moved = self.query(sql).bind(begin.get()).bind(epoch);
        let moved = moved.bind(lane.number()).execute().await;
        moved.map_err(failed)?;
        let noted = self
            .query(
                "insert into epochs (epoch, after_position, head, why, at) \
                 values ($1, $2, $3, $4, $5)",
            )
            .bind(epoch)
            .bind(head.get())
            .bind(begin.get())
            .bind(why)
            .bind(Clock.now().get())
            .execute();
        noted.await.map_err(failed)?;
        let index = self.query(MOVE_INDEX).bind(begin.get()).bind(head.get());
        let index = index.bind(lane.number()).execute().await;
        index.map(drop).map_err(failed)
    }
}

impl Transaction {
    /// Locks all lanes, and returns where that is, whatever is known.
    async fn lock_place(&mut self) -> Result<Place> {
        let row =
            bounded(sqlx::query_as::<_, LockRow>(LOCK_WITHOUT_TIMELINE).fetch_one(&mut **self));
        let row = row.await.map_err(failed)?;
        let mut heads = Positions::from(Position::new(row.head));
        for other in self.lock_others().await? {
            heads.raise(other.head);
        }
        let has_timeline = self.fence().has_timeline();
        let server = if has_timeline {
            let row = bounded(sqlx::query_as::<_, ServerRow>(SERVER).fetch_one(&mut **self));
            row.await.map_err(failed)?.server()
        } else {
            Server::default()
        };
        Ok(Place {
            server,
            epoch: Epoch::new(row.epoch),
            heads,
        })
    }
}

impl Tx {
    /// Takes up the log where it stands, in another epoch if it has to be: then with why.
    pub(super) async fn take_up(&mut self, fence: &Fence) -> Result<(Place, Option<&'static str>)> {
        let Either::Postgres(tx) = &mut self.0 else {
            return Err(Error::internal("SQLite has no server to compare"));
        };
        let mut place = tx.lock_place().await?;
        let why = match fence.verdict(&place) {
            Verdict::Same | Verdict::Moved => None,
            Verdict::Renewed => Some("another process has begun another epoch"),
            Verdict::Refused(why) => return Err(fence.refused(why)),
            Verdict::Ended(why) => {
                (place.epoch, place.heads) = self.begin_epoch(&fence.heads(), why).await?;
                Some(why)
            }
        };
        let noted = self
            .query(NOTE_SERVER)
            .bind(place.server.system.clone())
            .bind(place.server.timeline)
            .execute();
        noted.await.map_err(failed)?;
        Ok((place, why))
    }
}

impl Store {
    /// The log's epoch, and the newest committed position of a lane.
    pub async fn place(&self, lane: Lane) -> Result<(Epoch, Position)> {
        let sql = if lane == Lane::FIRST {
            "select epoch, head from log where id = $1"
        } else {
            "select epoch, head from lanes where lane = $1"
        };
        let (epoch, head): (String, i64) = on!(&self.inner.read, pool => {
            sqlx::query_as(sql).bind(lane.number()).fetch_one(pool).await
        })
        .map_err(failed)?;
        Ok((Epoch::new(epoch), Position::new(head)))
    }

    /// Takes up the log where another server has taken over, or another epoch has begun: before that nothing
    /// can be written. `begin` is told the epoch and where it begins, if it is another one.
    pub async fn take_up(&self, begin: impl FnOnce(Epoch, Positions)) -> Result<()> {
        let fence = self.fence().filter(|fence| fence.is_due());
        let Some(fence) = fence.cloned() else {
            return Ok(());
        };
        let asked = Arc::clone(&fence);
        let work = self.write_anyway(move |tx| Box::pin(async move { tx.take_up(&asked).await }));
        let (place, why) = work.await?;
        if let Some(why) = why {
            tracing::warn!(
                why,
                epoch = place.epoch.as_str(),
                "The log goes on in another epoch: clients begin anew."
            );
            self.inner.seen.began_epoch();
            begin(place.epoch.clone(), place.heads.clone());
        }
        // From here on there may be other batches: what they are told of has begun.
        fence.adopt(place);
        Ok(())
    }

    /// Whether the log has to be taken up before anything is written.
    pub fn take_up_is_due(&self) -> bool {
        self.fence().is_some_and(|fence| fence.is_due())
    }

    /// What this process knows of its PostgreSQL.
    pub(super) fn fence(&self) -> Option<&Arc<Fence>> {
        match &self.inner.write {
            Either::Sqlite(_) => None,
            Either::Postgres(writer) => Some(&writer.fence),
        }
    }

    /// Notes how far this process knows a lane to go: a server whose log is shorter has lost something.
    pub fn note_head(&self, head: Position) {
        if let Some(fence) = self.fence() {
            fence.note_head(head);
        }
    }
}
