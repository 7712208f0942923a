//! What is seen of a database, compared with what is known of it.

use super::*;
use crate::{model::Lane, store::failure::is_idled};

fn place(timeline: i64, epoch: &str, head: i64) -> Place {
    Place {
        server: Server {
            system: Some("7".to_owned()),
            timeline: Some(timeline),
        },
        epoch: Epoch::new(epoch.to_owned()),
        heads: Position::new(head).into(),
    }
}

#[test]
fn what_is_seen_is_compared_with_what_is_known() {
    let known = place(3, "a", 100);
    let table = [
        (place(3, "a", 100), Verdict::Same, Verdict::Same),
        // Another process has written.
        (place(3, "a", 101), Verdict::Same, Verdict::Same),
        (
            place(3, "a", 99),
            Verdict::Ended(SHORTER),
            Verdict::Ended(SHORTER),
        ),
        (place(4, "a", 100), Verdict::Ended(PROMOTED), Verdict::Moved),
        (
            place(4, "a", 99),
            Verdict::Ended(SHORTER),
            Verdict::Ended(SHORTER),
        ),
        (place(4, "b", 1_000), Verdict::Renewed, Verdict::Renewed),
        (place(3, "b", 1_000), Verdict::Renewed, Verdict::Renewed),
        // An older backup in its place.
        (
            place(3, "b", 50),
            Verdict::Ended(SHORTER),
            Verdict::Ended(SHORTER),
        ),
        (
            place(2, "a", 200),
            Verdict::Refused(OLDER_TIMELINE),
            Verdict::Refused(OLDER_TIMELINE),
        ),
    ];
    for (seen, lossy, lossless) in table {
        assert_eq!(judge(&known, &seen, Failover::Lossy), lossy, "{seen:?}");
        assert_eq!(
            judge(&known, &seen, Failover::Lossless),
            lossless,
            "{seen:?}"
        );
    }
    let mut other = place(3, "a", 100);
    other.server.system = Some("8".to_owned());
    let refused = Verdict::Refused(ANOTHER_SYSTEM);
    assert_eq!(judge(&known, &other, Failover::Lossless), refused);
}

#[test]
fn a_server_that_says_nothing_of_itself_is_compared_by_its_log() {
    let known = place(3, "a", 100);
    let mut seen = place(3, "a", 100);
    seen.server = Server::default();
    assert_eq!(judge(&known, &seen, Failover::Lossy), Verdict::Same);
    seen.heads = Position::new(99).into();
    assert_eq!(
        judge(&known, &seen, Failover::Lossy),
        Verdict::Ended(SHORTER)
    );
}

#[test]
fn a_timeline_is_read_from_the_name_of_a_file() {
    assert_eq!(timeline(Some("0000001F")), Some(31));
    assert_eq!(timeline(Some("")), None);
    assert_eq!(timeline(None), None);
}

#[test]
fn a_look_at_what_other_servers_wrote_is_compared_with_what_was_known_before_it() {
    let known = |epoch: &str, head: i64| {
        let fence = Fence::new(Failover::Lossy);
        fence.adopt(place(3, epoch, head));
        fence
    };
    let look = |fence: &Fence, before: &Place, epoch: &str, head: i64| {
        let heads = Position::new(head).into();
        fence.observe(before, &Epoch::new(epoch.to_owned()), &heads);
        (fence.is_due(), fence.heads().first().get())
    };
    // Another server has written, and what it wrote is missed when it is gone.
    let fence = known("a", 100);
    let before = fence.known().expect("it is known");
    assert_eq!(look(&fence, &before, "a", 107), (false, 107));
    // This look began before that was known.
    assert_eq!(look(&fence, &before, "a", 103), (false, 107));
    let before = fence.known().expect("it is known");
    assert_eq!(look(&fence, &before, "a", 106), (true, 107));
    // Another server has begun an epoch; or this one has, while the look was under way.
    let fence = known("a", 100);
    let before = fence.known().expect("it is known");
    assert_eq!(look(&fence, &before, "b", 1_000), (true, 100));
    fence.adopt(place(3, "b", 1_000));
    assert_eq!(look(&fence, &before, "a", 101), (false, 1_000));
    assert_eq!(look(&fence, &before, "b", 1_001), (false, 1_001));
}

#[test]
fn a_lane_that_went_back_ends_the_epoch_whatever_the_others_did() {
    let second = |head: i64| Lane::new(2).expect("a lane").start().plus(head);
    let place = |first: i64, other: Option<i64>| {
        let mut place = place(3, "a", first);
        if let Some(head) = other {
            place.heads.raise(second(head));
        }
        place
    };
    let known = place(100, Some(50));
    for (seen, verdict) in [
        (place(107, Some(50)), Verdict::Same),
        (place(100, Some(49)), Verdict::Ended(SHORTER)),
        (place(99, Some(70)), Verdict::Ended(SHORTER)),
        // A batch has seen its own lane alone.
        (place(101, None), Verdict::Same),
    ] {
        assert_eq!(judge(&known, &seen, Failover::Lossy), verdict, "{seen:?}");
    }
    let mut alone = place(100, None);
    alone.heads = second(49).into();
    let shorter = Verdict::Ended(SHORTER);
    assert_eq!(judge(&known, &alone, Failover::Lossy), shorter);
    let fence = Fence::new(Failover::Lossy);
    fence.adopt(known.clone());
    fence.note_head(second(60));
    fence.observe(&known, &known.epoch, &place(101, Some(55)).heads);
    assert!(!fence.is_due(), "the look began before that was known");
    let before = fence.known().expect("it is known");
    assert!(before.heads.iter().eq([Position::new(101), second(60)]));
    fence.observe(&before, &known.epoch, &place(200, Some(55)).heads);
    assert!(fence.is_due());
}

#[test]
fn what_was_locked_before_others_wrote_is_no_shorter_log() {
    let fence = Fence::new(Failover::Lossy);
    fence.adopt(place(3, "a", 100));
    let locked = |head: i64, before: i64| {
        let row = LockRow {
            head,
            epoch: "a".to_owned(),
            moves: 0,
            timeline: Some("00000003".to_owned()),
        };
        let admitted = fence.admit(row, &Position::new(before).into());
        let admitted = admitted.map(|locked| locked.head.get());
        admitted.map_err(|error| is_idled(&error))
    };
    assert_eq!(locked(100, 100), Ok(100));
    // A look has found what others wrote while this process was stopped.
    fence.note_head(Position::new(107));
    assert_eq!(locked(103, 100), Err(true));
    assert!(!fence.is_due(), "it is tried again");
    // What is missing was known before it was asked for.
    assert_eq!(locked(103, 107), Err(false));
    assert!(fence.is_due());
}
