//! No note is missed, whichever task has the turn meanwhile; and what an unanswered message may have caused waits.

use std::{
    sync::{Barrier, atomic::AtomicU64},
    thread,
};

use super::*;
use crate::model::fixture::read_mark;

/// Notes as [`DeliveryWaker`] does, and delivers if that is for the one who noted.
fn publish(noted: &AtomicBool, turn: &Mutex<u64>, head: &AtomicU64) {
    if !noted.swap(true, Ordering::SeqCst) {
        work_off(noted, turn, |seen| *seen = head.load(Ordering::SeqCst));
    }
}

#[test]
fn what_is_noted_while_somebody_has_the_turn_is_done_when_they_give_it_back() {
    let (noted, turn, head) = (AtomicBool::new(false), Mutex::new(0), AtomicU64::new(7));
    let held = turn.try_lock().expect("the turn is free");
    publish(&noted, &turn, &head);
    assert_eq!(*held, 0, "it is not theirs to do");
    drop(held);
    work_off(&noted, &turn, |seen| *seen = head.load(Ordering::SeqCst));
    assert_eq!(*turn.try_lock().expect("the turn is free"), 7);
}

#[test]
fn what_is_noted_during_the_work_is_looked_at_again() {
    let (noted, turn) = (AtomicBool::new(true), Mutex::new(Vec::new()));
    let mut head = 1;
    work_off(&noted, &turn, |seen| {
        seen.push(head);
        // Something new is noted after its last check, by a task that does not get the turn.
        if head < 3 {
            head += 1;
            assert!(!noted.swap(true, Ordering::SeqCst));
            assert!(turn.try_lock().is_err());
        }
    });
    assert_eq!(*turn.try_lock().expect("the turn is free"), [1, 2, 3]);
    assert!(!noted.load(Ordering::SeqCst));
}

#[test]
fn a_note_that_is_there_already_is_done_by_whoever_made_it() {
    let (noted, turn, head) = (AtomicBool::new(true), Mutex::new(0), AtomicU64::new(5));
    publish(&noted, &turn, &head);
    assert_eq!(*turn.try_lock().expect("the turn is free"), 0);
    work_off(&noted, &turn, |seen| *seen = head.load(Ordering::SeqCst));
    assert_eq!(*turn.try_lock().expect("the turn is free"), 5);
}

#[test]
fn nothing_is_missed_however_publishers_and_holders_meet() {
    const ROUNDS: u64 = 20_000;
    let (noted, turn, head) = (AtomicBool::new(false), Mutex::new(0), AtomicU64::new(0));
    let start = Barrier::new(5);
    for _ in 0..10 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..ROUNDS {
                        head.fetch_add(1, Ordering::SeqCst);
                        publish(&noted, &turn, &head);
                    }
                });
            }
            for _ in 0..3 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..ROUNDS {
                        // An event takes the turn and releases it.
                        drop(turn.blocking_lock());
                        work_off(&noted, &turn, |seen| *seen = head.load(Ordering::SeqCst));
                    }
                });
            }
        });
        let seen = *turn.try_lock().expect("the turn is free");
        assert_eq!(seen, head.load(Ordering::SeqCst), "the last one was missed");
    }
}

fn change(position: i64, actor: i64, chat: i64) -> Change {
    read_mark(position, actor, ChatId::new(chat))
}

fn unanswered(messages: &[(i64, i64, i64)]) -> Unanswered {
    let messages = messages.iter().map(|(actor, chat, after)| Unknown {
        actor: PersonId::new(*actor),
        chat: ChatId::new(*chat),
        after: Position::new(*after),
    });
    Unanswered {
        messages: messages.collect(),
        holds_delivery: false,
    }
}

#[test]
fn only_what_an_unanswered_message_may_have_caused_waits_for_its_answer() {
    let mut open = unanswered(&[(1, 5, 10)]);
    assert!(!open.hold(&change(10, 1, 5)), "it was there before");
    assert!(!open.hold(&change(11, 2, 5)), "it is another's");
    assert!(!open.hold(&change(11, 1, 6)), "it is elsewhere");
    assert!(!open.pop(None), "nothing waits for the answer");
    let mut open = unanswered(&[(1, 5, 10)]);
    assert!(open.hold(&change(11, 1, 5)));
    assert!(open.pop(Some(Position::new(11))), "delivery waits for it");
    assert!(!open.hold(&change(11, 1, 5)));
}

#[test]
fn an_answered_message_is_delivered_while_later_ones_are_under_way() {
    let mut open = unanswered(&[(1, 5, 10), (2, 5, 10), (1, 5, 10)]);
    assert!(open.hold(&change(11, 1, 5)));
    assert!(open.pop(Some(Position::new(11))));
    assert!(
        !open.hold(&change(11, 1, 5)),
        "the third one comes after it"
    );
    assert!(open.hold(&change(12, 1, 5)), "it may be the third one's");
    assert!(
        open.hold(&change(11, 2, 5)),
        "and the second one is another's"
    );
    // A refused or replayed message implies nothing about those after it.
    assert!(open.pop(None));
    assert!(open.hold(&change(12, 1, 5)));
}
