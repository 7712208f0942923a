//! Spreading: which tenants of the first lane go on in others, so that each lane has about as much to write.

use std::{cmp::Reverse, time::Duration};

use super::NOTE_MOVE;
use crate::{
    error::Result,
    model::{Lane, Position, TenantId, Timestamp},
    store::{Store, Tx, failed},
};

/// What tenants wrote among the newest positions of each lane says what they will write: the whole log takes long to count.
const TENANTS: &str = "with heads as (select head from log where id = 1 union all select head from lanes), \
     recent as (select m.tenant_id, count(*) as written from heads h \
       join messages m on m.id > h.head - 100000 and m.id <= h.head group by m.tenant_id) \
     select t.id, t.lane, coalesce(r.written, 0) + 1 as weight from tenants t \
     left join recent r on r.tenant_id = t.id where t.deleted_at is null order by t.id";

/// One that somebody else has moved meanwhile stays where it is. Tells in which lanes how many go on.
const LEAVE_FIRST: &str = "with left_it as (update tenants set lane = d.lane \
       from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as d (id, lane, head) \
       where tenants.id = d.id and tenants.lane = 1 returning d.id, d.lane, d.head), \
     noted as (insert into moves (tenant_id, after_position, head, at) select id, $4, head, $5 from left_it) \
     select lane, count(*) from left_it group by lane";

/// How many go at a time: nobody writes meanwhile.
const AT_ONCE: usize = 100;
/// How long everybody writes between two of these, who first have to learn who is where.
const BETWEEN: Duration = Duration::from_millis(300);

row! {
    struct WeightRow {
        id: i64,
        lane: i64,
        weight: i64,
    }
}

/// A tenant, where it is, and what it writes.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    tenant: TenantId,
    lane: Lane,
    weight: i64,
}

/// Where tenants of the first lane are to go on, the one that writes most first: to the lane that has least to write. Who
/// is in another lane stays there.
fn plan(tenants: &[Weighed], lanes: usize) -> Vec<(TenantId, Lane)> {
    let mut loads = vec![0_i64; lanes.clamp(1, Lane::MOST)];
    let (mut first, others): (Vec<&Weighed>, Vec<&Weighed>) = tenants
        .iter()
        .partition(|weighed| weighed.lane == Lane::FIRST);
    for other in others {
        if let Some(load) = loads.get_mut(other.lane.index()) {
            *load += other.weight;
        }
    }
    first.sort_by_key(|weighed| Reverse(weighed.weight));
    let mut moves = Vec::new();
    for weighed in first {
        // The first of those that have least: who may stay does.
        let least = (0..loads.len()).min_by_key(|place| loads[*place]);
        let place = least.unwrap_or(0);
        loads[place] += weighed.weight;
        let lane = i64::try_from(place + 1).ok().and_then(Lane::new);
        if let Some(lane) = lane.filter(|lane| *lane != Lane::FIRST) {
            moves.push((weighed.tenant, lane));
        }
    }
    moves
}

impl Store {
    /// Has tenants of the first lane go on in others, so that each has about as much to write; returns how many went.
    pub async fn spread_tenants(&self, now: Timestamp) -> Result<usize> {
        let lanes = self.lanes().await?.lanes.len();
        let rows: Vec<WeightRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(TENANTS).fetch_all(pool).await
        })
        .map_err(failed)?;
        let tenants = rows.into_iter().map(|row| Weighed {
            tenant: TenantId::new(row.id),
            lane: Lane::new(row.lane).unwrap_or(Lane::FIRST),
            weight: row.weight,
        });
        let moves = plan(&tenants.collect::<Vec<_>>(), lanes);
        let mut went = 0;
        for some in moves.chunks(AT_ONCE) {
            if went > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            let some = some.to_vec();
            let spread =
                self.write_anyway(move |tx| Box::pin(async move { tx.spread(&some, now).await }));
            went += spread.await?;
        }
        Ok(went)
    }
}

impl Tx {
    async fn spread(&mut self, moves: &[(TenantId, Lane)], now: Timestamp) -> Result<usize> {
        let heads = self.lock_all().await?;
        let known = moves
            .iter()
            .filter_map(|(tenant, lane)| Some((*tenant, *lane, heads.of(*lane)?)));
        let (mut tenants, mut lanes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (tenant, lane, head) in known {
            tenants.push(tenant.get());
            lanes.push(lane.number());
            ends.push(head.get());
        }
        let left = self.query(LEAVE_FIRST).bind(tenants).bind(lanes).bind(ends);
        let left = left.bind(heads.first().get()).bind(now.get());
        let went: Vec<(i64, i64)> = left.fetch_all().await.map_err(failed)?;
        let came_to = went.iter().filter_map(|(lane, _)| Lane::new(*lane));
        let mut changed: Vec<Lane> = came_to.collect();
        if changed.is_empty() {
            return Ok(0);
        }
        changed.push(Lane::FIRST);
        changed.sort_unstable();
        self.count_moves(&changed).await?;
        let went: i64 = went.iter().map(|(_, count)| count).sum();
        Ok(usize::try_from(went).unwrap_or_default())
    }

    /// Notes that a tenant goes on in another lane, from the end of the one to the end of the other.
    pub(super) async fn note_move(
        &mut self,
        tenant: TenantId,
        (after, head): (Position, Position),
        now: Timestamp,
    ) -> Result<()> {
        let noted = self.query(NOTE_MOVE).bind(tenant.get()).bind(after.get());
        let noted = noted.bind(head.get()).bind(now.get()).execute();
        noted.await.map(drop).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(number: i64) -> Lane {
        Lane::new(number).expect("a lane")
    }

    #[test]
    fn who_writes_most_has_a_lane_alone_and_who_has_moved_stays() {
        let weighed = |(tenant, at, weight): &(i64, i64, i64)| Weighed {
            tenant: TenantId::new(*tenant),
            lane: lane(*at),
            weight: *weight,
        };
        let planned = |tenants: &[(i64, i64, i64)], lanes| {
            let tenants: Vec<_> = tenants.iter().map(weighed).collect();
            let moves = plan(&tenants, lanes).into_iter();
            moves
                .map(|(tenant, lane)| (tenant.get(), lane.number()))
                .collect::<Vec<_>>()
        };
        let alike = [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1)];
        assert!(planned(&alike, 1).is_empty());
        assert_eq!(planned(&alike, 2), [(2, 2), (4, 2)]);
        assert_eq!(planned(&alike, 8), [(2, 2), (3, 3), (4, 4)]);
        // The second writes as much as all others.
        let one = [(1, 1, 10), (2, 1, 30), (3, 1, 10), (4, 1, 10)];
        assert_eq!(planned(&one, 2), [(1, 2), (3, 2), (4, 2)]);
        // The first lane has room, and the second has none.
        assert!(planned(&[(1, 1, 5), (2, 2, 9), (3, 1, 3)], 2).is_empty());
        assert_eq!(
            planned(&[(1, 1, 5), (2, 2, 4), (3, 1, 3)], 3),
            [(3, 3)],
            "it goes where nobody is"
        );
        assert!(planned(&[], 4).is_empty());
    }
}
