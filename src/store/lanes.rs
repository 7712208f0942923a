//! Lanes: which there are, where each ends, and which tenants have gone on in another one.

mod spread;

use std::time::Duration;

use crate::{
    error::{Error, Result},
    model::{Epoch, Lane, Move, Position, Positions, TenantId, Timestamp},
    store::{
        Either, Store, Tx, failed, failure::bounded, open::PROTOCOL, transaction::Transaction,
    },
};

/// One statement, so one moment. The first lane's head is the log's; who has moved comes with it.
const READ: &str = "select h.lane, h.head, h.epoch, h.moves, m.tenant_id, m.after_position, m.head as came_to \
     from (select cast(1 as bigint) as lane, head, epoch, moves from log where id = 1 \
       union all select lane, head, epoch, moves from lanes) h \
     left join moves m on h.lane = 1 order by h.lane, m.tenant_id, m.after_position";

/// After the first lane, in the order of their numbers, as everybody who locks several.
const LOCK_OTHERS: &str = "select lane, head, moves from lanes order by lane for update";

/// The protocol of databases of one lane.
const OF_ONE_LANE: i64 = 1;
const RAISE: &str =
    "update log set protocol = $1 where id = 1 and not exists (select 1 from lanes)";
const OLDER_SERVERS: &str = "select count(*) from nodes where seen_at > now() - interval '15 seconds' \
     and coalesce(protocol, 1) < $1";
const ADD: &str = "insert into lanes (lane, head, epoch) values ($1, $2, $3)";
const ADD_INDEX: &str = "insert into search_progress (id, version, indexed_to, indexed_from) \
     values ($1, $2, cast($3 as bigint), cast($3 as bigint) + 1)";

const FIND_TENANT: &str = "select id, name, lane from tenants \
     where deleted_at is null and (id = $1 or application_id = $2 or (id <= 2 and kind = $2))";
const NOTE_MOVE: &str =
    "insert into moves (tenant_id, after_position, head, at) values ($1, $2, $3, $4)";
const COUNT_FIRST: &str = "update log set moves = moves + 1 where id = $1";
const COUNT_OTHER: &str = "update lanes set moves = moves + 1 where lane = $1";

row! {
    struct TenantRow {
        id: i64,
        name: String,
        lane: i64,
    }
}

row! {
    struct OtherRow {
        lane: i64,
        head: i64,
        moves: i64,
    }
}

row! {
    struct LaneRow {
        lane: i64,
        head: i64,
        epoch: String,
        moves: i64,
        tenant_id: Option<i64>,
        after_position: Option<i64>,
        came_to: Option<i64>,
    }
}

/// A lane, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneHead {
    /// The lane.
    pub lane: Lane,
    /// Its newest committed position.
    pub head: Position,
    /// How many tenants have come to it or left it.
    pub moves: i64,
}

/// The lanes of a database at one moment.
#[derive(Debug)]
pub struct LanesRead {
    /// The epoch, which is the same in all.
    pub epoch: Epoch,
    /// All of them, in the order of their numbers.
    pub lanes: Vec<LaneHead>,
    /// The tenants that have moved, each with its moves in their order.
    pub moves: Vec<(TenantId, Move)>,
}

impl Store {
    /// The lanes, and who has moved.
    pub async fn lanes(&self) -> Result<LanesRead> {
        let rows: Vec<LaneRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(READ).fetch_all(pool).await
        })
        .map_err(failed)?;
        let missing = || Error::internal("the log has no row");
        let epoch = rows.first().ok_or_else(missing)?.epoch.clone();
        let mut read = LanesRead {
            epoch: Epoch::new(epoch),
            lanes: Vec::new(),
            moves: Vec::new(),
        };
        for row in rows {
            let found = lane_head(row.lane, row.head, row.moves)?;
            if read.lanes.last() != Some(&found) {
                read.lanes.push(found);
            }
            if let (Some(tenant), Some(after), Some(head)) =
                (row.tenant_id, row.after_position, row.came_to)
            {
                let moved = Move {
                    after: Position::new(after),
                    head: Position::new(head),
                };
                read.moves.push((TenantId::new(tenant), moved));
            }
        }
        Ok(read)
    }
}

impl Tx {
    /// Locks all lanes but the first, which is locked before; SQLite has no others.
    pub(super) async fn lock_others(&mut self) -> Result<Vec<LaneHead>> {
        match &mut self.0 {
            Either::Sqlite(_) => Ok(Vec::new()),
            Either::Postgres(tx) => tx.lock_others().await,
        }
    }

    /// Locks all lanes, and returns where they end.
    pub(super) async fn lock_all(&mut self) -> Result<Positions> {
        let mut heads = Positions::from(self.lock_log(Lane::FIRST).await?.head);
        for other in self.lock_others().await? {
            heads.raise(other.head);
        }
        Ok(heads)
    }
}

impl Store {
    /// Adds lanes until there are so many; returns how many there were. Refuses while a server lives that knows of one
    /// lane alone: from then on it could not. The first time one that is starting has so long to say that it lives.
    pub async fn add_lanes(&self, count: usize, starting: Duration) -> Result<usize> {
        let Some(last) = i64::try_from(count).ok().and_then(Lane::new) else {
            let sentence = format!("there may be 1 to {} lanes", Lane::MOST);
            return Err(Error::invalid(sentence));
        };
        self.refuse_sqlite()?;
        // Who starts from here on sees it, and who has started before is seen.
        if last > Lane::FIRST && self.raise_protocol(PROTOCOL).await? {
            tokio::time::sleep(starting).await;
        }
        let added = self
            .write_anyway(move |tx| Box::pin(async move { tx.add_lanes(last).await }))
            .await;
        if added.is_err()
            && let Err(error) = self.raise_protocol(OF_ONE_LANE).await
        {
            tracing::warn!(cause = ?error, "Older versions of the server do not start any more on this database.");
        }
        added
    }

    /// Says which versions may work on the database from now on; those of one lane while there is no other. Returns whether
    /// there is none.
    async fn raise_protocol(&self, protocol: i64) -> Result<bool> {
        let work = self.write_anyway(move |tx| {
            Box::pin(async move {
                tx.lock_log(Lane::FIRST).await?;
                let raised = tx.query(RAISE).bind(protocol).execute().await;
                Ok(raised.map_err(failed)? > 0)
            })
        });
        work.await
    }

    /// Has a tenant's changes go to another lane from now on; returns which tenant that is.
    pub async fn move_tenant(&self, tenant: String, lane: Lane, now: Timestamp) -> Result<Moved> {
        self.refuse_sqlite()?;
        let work = self.write_anyway(move |tx| {
            Box::pin(async move { tx.move_tenant(&tenant, lane, now).await })
        });
        work.await
    }

    fn refuse_sqlite(&self) -> Result<()> {
        match &self.inner.write {
            Either::Postgres(_) => Ok(()),
            Either::Sqlite(_) => Err(Error::invalid(
                "the database is a SQLite file, which has one lane: copy it to PostgreSQL first (parlance copy)",
            )),
        }
    }
}

/// What became of a tenant that was to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// The lane where it was.
    pub from: Lane,
}

impl Tx {
    async fn add_lanes(&mut self, last: Lane) -> Result<usize> {
        let before = self.lock_all().await?.lanes();
        let older: i64 = self
            .query(OLDER_SERVERS)
            .bind(PROTOCOL)
            .scalar()
            .await
            .map_err(failed)?;
        if older > 0 {
            return Err(Error::conflict(
                "a server of an older version has this database: stop it, or upgrade it, first",
            ));
        }
        if last > Lane::FIRST {
            // Another command, which was refused, may have lowered it meanwhile.
            let raised = self.query(RAISE).bind(PROTOCOL).execute().await;
            raised.map_err(failed)?;
        }
        if last.index() + 1 < before {
            let sentence = format!("there are {before} lanes, and none can be taken away");
            return Err(Error::conflict(sentence));
        }
        let epoch: String = self
            .query("select epoch from log where id = 1")
            .scalar()
            .await
            .map_err(failed)?;
        let index: i64 = self
            .query("select version from search_progress where id = 1")
            .scalar()
            .await
            .map_err(failed)?;
        for number in before..=last.index() {
            let Some(lane) = i64::try_from(number + 1).ok().and_then(Lane::new) else {
                continue;
            };
            let start = lane.start().get();
            let added = self
                .query(ADD)
                .bind(lane.number())
                .bind(start)
                .bind(epoch.as_str());
            added.execute().await.map_err(failed)?;
            let added = self
                .query(ADD_INDEX)
                .bind(lane.number())
                .bind(index)
                .bind(start);
            added.execute().await.map_err(failed)?;
        }
        self.note_news();
        Ok(before)
    }

    async fn move_tenant(&mut self, tenant: &str, lane: Lane, now: Timestamp) -> Result<Moved> {
        let heads = self.lock_all().await?;
        let Moved { tenant, name, from } = self.find_tenant(tenant).await?;
        let Some(head) = heads.of(lane) else {
            let sentence = format!("there is no lane {lane}: add it first (parlance lanes {lane})");
            return Err(Error::not_found(sentence));
        };
        if lane <= from {
            let sentence = format!(
                "{name} is in lane {from}: a tenant moves to a lane of a higher number only, as its positions only grow"
            );
            return Err(Error::conflict(sentence));
        }
        let after = heads.of(from).unwrap_or_else(|| from.start());
        let moved = self.query("update tenants set lane = $1 where id = $2");
        let moved = moved.bind(lane.number()).bind(tenant.get()).execute();
        moved.await.map_err(failed)?;
        self.note_move(tenant, (after, head), now).await?;
        self.count_moves(&[from, lane]).await?;
        Ok(Moved { tenant, name, from })
    }

    /// Counts a move in each of these lanes: their writers read anew who is in them.
    async fn count_moves(&mut self, lanes: &[Lane]) -> Result<()> {
        for lane in lanes {
            let sql = if *lane == Lane::FIRST {
                COUNT_FIRST
            } else {
                COUNT_OTHER
            };
            let counted = self.query(sql).bind(lane.number()).execute();
            counted.await.map_err(failed)?;
        }
        self.note_news();
        Ok(())
    }

    /// A tenant by its number, its application id, or its kind where there is one of that; and where it is.
    async fn find_tenant(&mut self, tenant: &str) -> Result<Moved> {
        let number = tenant.parse().unwrap_or(0_i64);
        let found: Option<TenantRow> = self
            .query(FIND_TENANT)
            .bind(number)
            .bind(tenant)
            .fetch_optional()
            .await
            .map_err(failed)?;
        let Some(TenantRow { id, name, lane }) = found else {
            let sentence =
                format!("there is no tenant {tenant:?}: name its number, or its application id");
            return Err(Error::not_found(sentence));
        };
        Ok(Moved {
            tenant: TenantId::new(id),
            name,
            from: Lane::new(lane).unwrap_or(Lane::FIRST),
        })
    }
}

impl Transaction {
    /// Locks all lanes but the first, which is locked before.
    pub(super) async fn lock_others(&mut self) -> Result<Vec<LaneHead>> {
        let rows = sqlx::query_as::<_, OtherRow>(LOCK_OTHERS).fetch_all(&mut **self);
        let rows = bounded(rows).await.map_err(failed)?.into_iter();
        rows.map(|row| lane_head(row.lane, row.head, row.moves))
            .collect()
    }
}

/// A lane as its row says.
pub(super) fn lane_head(lane: i64, head: i64, moves: i64) -> Result<LaneHead> {
    let unknown = || Error::internal("the database has a lane of a number that is none");
    Ok(LaneHead {
        lane: Lane::new(lane).ok_or_else(unknown)?,
        head: Position::new(head),
        moves,
    })
}

/// Where these lanes end.
pub(super) fn heads(lanes: &[LaneHead]) -> Positions {
    let mut heads = lanes.iter().map(|lane| lane.head);
    let mut all = Positions::from(heads.next().unwrap_or(Position::START));
    heads.for_each(|head| all.raise(head));
    all
}
