//! Who comes and goes, here and elsewhere.

use super::*;
use crate::model::{PersonKind, fixture::person};

/// The turns there are now: who, and whether they are online.
async fn turns(online: &Online) -> Vec<(i64, bool)> {
    let mut waiting = std::pin::pin!(online.turns());
    let ready = std::future::poll_fn(|context| {
        let polled = waiting.as_mut().poll(context);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(turns) => turns,
            std::task::Poll::Pending => Vec::new(),
        })
    });
    let turns = ready.await.into_iter();
    turns.map(|it| (it.person.get(), it.online)).collect()
}

fn alone() -> Online {
    Online::new(Bus::alone())
}

fn ann() -> Arc<Person> {
    person(1, PersonKind::Person)
}

/// A second less than a minute.
const JUST_BEFORE: Duration = Duration::from_secs(59);

#[tokio::test(start_paused = true)]
async fn who_comes_is_told_at_once_and_who_goes_after_a_minute() {
    let online = alone();
    let first = online.attend(&ann());
    let second = online.attend(&ann());
    assert_eq!(turns(&online).await, [(1, true)]);
    drop(first);
    tokio::time::advance(LASTS * 2).await;
    assert_eq!(turns(&online).await, [], "another connection stands");
    drop(second);
    tokio::time::advance(LASTS / 2).await;
    assert_eq!(turns(&online).await, []);
    assert!(online.is_online(PersonId::new(1)));
    // Nobody asks meanwhile, and it is told as soon as the minute is over.
    let gone = online.turns().await;
    assert_eq!((gone.len(), gone[0].online), (1, false));
    assert!(!online.is_online(PersonId::new(1)));
    let _third = online.attend(&ann());
    assert_eq!(turns(&online).await, [(1, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_flapping_connection_is_told_once() {
    let online = alone();
    for _ in 0..100 {
        drop(online.attend(&ann()));
        tokio::time::advance(JUST_BEFORE).await;
    }
    assert_eq!(turns(&online).await, [(1, true)]);
    for _ in 0..100 {
        drop(online.attend(&ann()));
        tokio::time::advance(JUST_BEFORE).await;
        assert_eq!(turns(&online).await, []);
    }
    tokio::time::advance(LASTS).await;
    assert_eq!(turns(&online).await, [(1, false)]);
    // Who has come and gone before anybody was told has made no turn.
    drop(online.attend(&ann()));
    tokio::time::advance(LASTS).await;
    assert_eq!(turns(&online).await, []);
}

#[tokio::test(start_paused = true)]
async fn turns_that_could_not_be_told_are_told_later_or_not_at_all() {
    let online = alone();
    let stays = online.attend(&ann());
    let untold = online.turns().await;
    online.untold(untold);
    assert_eq!(turns(&online).await, [(1, true)]);
    drop(stays);
    tokio::time::advance(LASTS).await;
    let untold = online.turns().await;
    let _back = online.attend(&ann());
    online.untold(untold);
    assert_eq!(turns(&online).await, [], "they are as they were told");
}

#[tokio::test(start_paused = true)]
async fn many_waits_of_one_person_are_remembered_once() {
    let online = alone();
    let remembered = || online.0.state().left.len();
    for _ in 0..10_000 {
        drop(online.attend(&ann()));
    }
    assert_eq!(remembered(), 1);
    tokio::time::advance(LASTS / 2).await;
    drop(online.attend(&ann()));
    tokio::time::advance(LASTS / 2).await;
    assert!(
        online.is_online(PersonId::new(1)),
        "they left half a minute ago"
    );
    assert_eq!(remembered(), 1);
    let stays = online.attend(&ann());
    tokio::time::advance(LASTS).await;
    assert!(online.is_online(PersonId::new(1)));
    assert_eq!(remembered(), 0);
    drop(stays);
    tokio::time::advance(LASTS).await;
    assert!(!online.is_online(PersonId::new(1)));
    assert_eq!(remembered(), 0);
}

#[tokio::test(start_paused = true)]
async fn guests_of_live_support_make_no_turns() {
    let online = alone();
    let _guest = online.attend(&person(2, PersonKind::Guest));
    assert_eq!(turns(&online).await, []);
    assert!(online.is_online(PersonId::new(2)));
}

#[tokio::test(start_paused = true)]
async fn who_is_online_at_any_server_is_online_and_makes_one_turn() {
    let online = alone();
    let fact = OnlineFact {
        person: PersonId::new(1),
        tenant: ann().tenant,
        has_presence: true,
    };
    online.begins_elsewhere(&fact);
    online.begins_elsewhere(&fact);
    assert_eq!(turns(&online).await, [(1, true)]);
    let here = online.attend(&ann());
    online.ends_elsewhere(&fact);
    online.ends_elsewhere(&fact);
    assert_eq!(turns(&online).await, [], "they are here");
    online.begins_elsewhere(&fact);
    drop(here);
    tokio::time::advance(LASTS).await;
    assert_eq!(turns(&online).await, [], "they are elsewhere");
    assert!(online.is_online(PersonId::new(1)));
    online.ends_elsewhere(&fact);
    assert_eq!(turns(&online).await, [(1, false)]);
    let guest = OnlineFact {
        has_presence: false,
        ..fact
    };
    online.begins_elsewhere(&guest);
    assert_eq!(turns(&online).await, []);
    assert!(online.is_online(PersonId::new(1)));
}
