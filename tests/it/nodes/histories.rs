//! For random histories at random servers: a stale snapshot and the events after it are a fresh snapshot.

use std::cell::Cell;

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    support::actor::Actor,
    support::history::{Action, history},
    support::lanes::{HOME, add, is_sound, move_to, without_gaps},
    support::mirror::Mirror,
    support::nodes::{servers, stop},
    support::place::Beside,
    support::stage::Stage,
    support::world::{FOREVER, World},
};

/// How many servers there are.
const SERVERS: usize = 3;

/// The servers that are asked, one after the other, again and again.
struct Turns<'s> {
    servers: &'s [World],
    order: &'s [u8],
    next: usize,
}

impl Turns<'_> {
    /// The same person at the next server.
    fn at_next(&mut self, actor: &Actor) -> Actor {
        let which = self.order[self.next % self.order.len()];
        self.next += 1;
        actor.at(&self.servers[usize::from(which) % self.servers.len()])
    }
}

/// Follows events at one server after the other, up to a position.
async fn follow_to(
    mirror: &mut Mirror,
    actor: &Actor,
    turns: &mut Turns<'_>,
    (beside, until): (&mut Beside, i64),
) {
    let followed = async {
        while mirror.position() < until {
            mirror.follow(&turns.at_next(actor), 200, beside).await;
        }
    };
    tokio::time::timeout(FOREVER, followed)
        .await
        .expect("every server tells everything");
}

/// Replays a history at all servers; before each round that is a multiple of `moves` everybody's tenant goes on in another
/// lane, if there is one.
async fn replay(
    servers: &[World],
    history: &[Vec<(usize, Action)>],
    order: &[u8],
    moves: Option<&Cell<i64>>,
) {
    let mut beside = servers[0].place.beside().await;
    let mut turns = Turns {
        servers,
        order,
        next: 0,
    };
    let mut stage = Stage::set(&servers[0]).await;
    let mut mirrors = Vec::new();
    for actor in &stage.people {
        let mirror = Mirror::take(actor, &mut beside).await;
        mirrors.push((mirror.clone(), mirror));
    }
    for (number, round) in history.iter().enumerate() {
        if let Some(lane) = moves.filter(|_| number % 4 == 1) {
            lane.set(lane.get() + 1);
            move_to(servers[number % SERVERS].store(), HOME, lane.get()).await;
        }
        for actor in &mut stage.people {
            *actor = turns.at_next(actor);
        }
        stage.round(round).await;
        for (who, action) in round.iter().filter(|(who, _)| !stage.is_gone(*who)) {
            let (first, mirror) = &mut mirrors[*who];
            let actor = turns.at_next(&stage.people[*who]);
            match action {
                Action::Follow(limit) => drop(mirror.follow(&actor, *limit, &mut beside).await),
                Action::Rewind => mirror.rewind(first),
                Action::Reload => {
                    *mirror = Mirror::take(&actor, &mut beside).await;
                    first.clone_from(mirror);
                }
                _ => {}
            }
        }
    }
    let head = "select max(head) from (select head from log union all select head from lanes, tenants t \
                where t.id = 1 and t.lane = lanes.lane) l";
    let head = beside.number(head).await;
    let people = stage.people.iter().zip(mirrors).enumerate();
    for (_, (actor, (_, mut mirror))) in people.filter(|(who, _)| !stage.is_gone(*who)) {
        follow_to(&mut mirror, actor, &mut turns, (&mut beside, head)).await;
        let fresh = Mirror::take(&turns.at_next(actor), &mut beside).await;
        assert_eq!(mirror.shown(), fresh.shown(), "what {} sees", actor.name);
        mirror.agrees_with_the_list(&turns.at_next(actor)).await;
    }
}

#[test]
fn a_stale_snapshot_and_what_happened_at_any_server_since_are_a_fresh_snapshot() {
    let runtime = Runtime::new().expect("a runtime");
    let Some(servers) = runtime.block_on(servers(SERVERS, "")) else {
        return;
    };
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    });
    let histories = (history(), vec(any::<u8>(), 1..40));
    let tried = runner.run(&histories, |(history, order)| {
        runtime.block_on(replay(&servers, &history, &order, None));
        Ok(())
    });
    runtime.block_on(stop(servers));
    tried.expect("no history breaks it");
}

#[test]
fn the_same_holds_while_their_tenant_moves_from_lane_to_lane() {
    let runtime = Runtime::new().expect("a runtime");
    let Some(servers) = runtime.block_on(servers(SERVERS, "")) else {
        return;
    };
    runtime.block_on(add(&servers[0], 256));
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        // There are not lanes enough to look for the shortest one.
        max_shrink_iters: 0,
        ..Config::default()
    });
    let histories = (history(), vec(any::<u8>(), 1..40));
    let lane = Cell::new(1);
    let tried = runner.run(&histories, |(history, order)| {
        runtime.block_on(replay(&servers, &history, &order, Some(&lane)));
        Ok(())
    });
    runtime.block_on(async {
        without_gaps(&mut servers[0].place.beside().await).await;
        is_sound(&servers[0]).await;
        stop(servers).await;
    });
    tried.expect("no history breaks it");
}
