//! Where a tenant's log goes on that has moved.

use super::*;

fn at(lane: i64, place: i64) -> Position {
    Lane::new(lane).expect("a lane").start().plus(place)
}

/// Three lanes; the second tenant has moved from the first to the second, and on to the third.
fn lanes() -> Arc<Lanes> {
    let epoch = Epoch::new("first".to_owned());
    let lanes = Lanes::alone(Hub::new(at(1, 900), epoch.clone()));
    for (index, head) in [at(2, 40), at(3, 7)].into_iter().enumerate() {
        let hub = lanes.first().hub.beside(head);
        lanes.logs[index + 1].get_or_init(|| LaneLog::new(hub, Index::empty()));
    }
    lanes.count.store(3, Ordering::Release);
    let moved = |after, head| (TenantId::new(2), Move { after, head });
    let head = |lane: i64, head, moves| LaneHead {
        lane: Lane::new(lane).expect("a lane"),
        head,
        moves,
    };
    let read = LanesRead {
        epoch,
        lanes: vec![
            head(1, at(1, 900), 1),
            head(2, at(2, 40), 2),
            head(3, at(3, 7), 1),
        ],
        moves: vec![moved(at(1, 500), at(2, 10)), moved(at(2, 20), at(3, 0))],
    };
    assert!(lanes.differ(&read.lanes));
    lanes.note(&read);
    assert!(!lanes.differ(&read.lanes));
    assert!(lanes.unknown(&read).is_empty());
    lanes
}

#[test]
fn a_window_ends_with_a_part_and_the_next_one_begins_with_the_next_part() {
    let lanes = lanes();
    let (stays, moved) = (TenantId::new(1), TenantId::new(2));
    assert_eq!(lanes.lane_of(stays), Lane::FIRST);
    assert_eq!(lanes.lane_of(moved).number(), 3);
    let window = |tenant, after| lanes.window(tenant, after, 100);
    assert_eq!(window(stays, at(1, 0)), (at(1, 0), at(1, 100)));
    assert_eq!(window(stays, at(1, 850)), (at(1, 850), at(1, 900)));
    assert_eq!(window(stays, at(1, 900)), (at(1, 900), at(1, 900)));
    assert_eq!(window(moved, at(1, 0)), (at(1, 0), at(1, 100)));
    assert_eq!(window(moved, at(1, 450)), (at(1, 450), at(1, 500)));
    // Others have written on in the lane that they left, and before in the one that they came to.
    for after in [at(1, 500), at(1, 700), at(2, 0), at(2, 9), at(2, 10)] {
        assert_eq!(window(moved, after), (at(2, 10), at(2, 20)));
    }
    for after in [at(2, 20), at(2, 39), at(3, 0)] {
        assert_eq!(window(moved, after), (at(3, 0), at(3, 7)));
    }
    assert_eq!(window(moved, at(3, 7)), (at(3, 7), at(3, 7)));
    let parts = [
        (at(3, 0), at(3, 7)),
        (at(2, 10), at(2, 20)),
        (at(1, 0), at(1, 500)),
    ];
    assert_eq!(lanes.parts(moved), parts);
    assert_eq!(lanes.parts(stays), [(at(1, 0), at(1, 900))]);
}

#[test]
fn an_epoch_begins_in_all_lanes_at_once() {
    let lanes = lanes();
    let marks: Vec<_> = lanes.all().map(|log| log.hub.epoch()).collect();
    let mut begins = Positions::from(at(1, 5_000));
    begins.raise(at(2, 6_000));
    begins.raise(at(3, 7_000));
    lanes.begin_epoch(Epoch::new("second".to_owned()), &begins);
    assert_eq!(lanes.heads(), begins);
    for (log, mark) in lanes.all().zip(marks) {
        assert!(log.hub.has_ended(&mark));
        assert_eq!(log.hub.epoch().epoch.as_str(), "second");
    }
}

#[test]
fn a_move_that_a_failover_has_lost_is_forgotten() {
    let lanes = lanes();
    let moved = TenantId::new(2);
    let heads = lanes.all().map(|log| LaneHead {
        lane: log.lane,
        head: log.hub.head(),
        moves: 0,
    });
    let mut read = LanesRead {
        epoch: Epoch::new("second".to_owned()),
        lanes: heads.collect(),
        moves: vec![(
            moved,
            Move {
                after: at(1, 500),
                head: at(2, 10),
            },
        )],
    };
    lanes.note(&read);
    assert_eq!(lanes.lane_of(moved).number(), 2);
    read.moves.clear();
    lanes.note(&read);
    assert_eq!(lanes.lane_of(moved), Lane::FIRST);
    assert_eq!(lanes.parts(moved), [(at(1, 0), at(1, 900))]);
}
