//! Writes that wait for the same transaction: what is refused in it leaves the others alone.

use futures_util::future::join_all;
use parlance::{
    Error, Kind,
    chat::accounts::HOME,
    model::{Name, Names, PersonKind, Timestamp},
    store::{NewPerson, Store},
};

use crate::support::place::{Beside, Place};

const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

fn person(key: &str) -> NewPerson {
    NewPerson {
        tenant: HOME,
        kind: PersonKind::Person,
        name: Name::parse(key).expect("a sound name"),
        names: Names::default(),
        photo: None,
        external_id: None,
        email: None,
        account_key: Some(key.to_owned()),
        password_hash: None,
    }
}

/// What work does once it has written a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Succeeds,
    Fails,
    Panics,
}

async fn write(store: &Store, key: String, then: Then) -> parlance::Result<()> {
    let new = person(&key);
    let work = store.write(HOME, move |tx| {
        Box::pin(async move {
            tx.insert_person(&new, NOW).await?;
            match then {
                Then::Succeeds => Ok(()),
                Then::Fails => Err(Error::conflict("refused")),
                Then::Panics => panic!("work that panics"),
            }
        })
    });
    work.await
}

#[rocket::async_test]
async fn work_that_fails_or_panics_leaves_the_work_beside_it() {
    let place = Place::make().await;
    let store = place.store().await;
    let mut beside = place.beside().await;
    // While another connection holds the lock, everything waits for the same transaction.
    beside.run("begin").await;
    let lock = match &beside {
        Beside::Sqlite(_) => "update log set head = head",
        Beside::Postgres(_) => "lock table people in exclusive mode",
    };
    beside.run(lock).await;
    let cases = [Then::Succeeds, Then::Fails, Then::Succeeds, Then::Panics];
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (store, then) = (store.clone(), cases[number % 4]);
            tokio::spawn(async move { write(&store, format!("p{number}"), then).await })
        })
        .collect();
    tokio::task::yield_now().await;
    beside.run("commit").await;
    for (number, outcome) in join_all(tasks).await.into_iter().enumerate() {
        match (cases[number % 4], outcome) {
            (Then::Succeeds, outcome) => outcome.expect("no panic").expect("it is written"),
            (Then::Fails, outcome) => {
                let error = outcome.expect("no panic").expect_err("it is refused");
                assert_eq!((error.kind(), error.text()), (Kind::Conflict, "refused"));
            }
            // On PostgreSQL it panics where it is called.
            (Then::Panics, Ok(outcome)) => {
                let error = outcome.expect_err("it panics");
                assert_eq!(error.kind(), Kind::Internal);
            }
            (Then::Panics, Err(panicked)) => assert!(panicked.is_panic()),
        }
    }
    for number in 0..40 {
        let there = store.account_exists(&format!("p{number}")).await;
        let expected = cases[number % 4] == Then::Succeeds;
        assert_eq!(there.expect("an answer"), expected, "p{number}");
    }
    write(&store, "later".to_owned(), Then::Succeeds)
        .await
        .expect("the writer goes on");
}

#[rocket::async_test]
async fn the_same_key_at_the_same_time_is_written_once() {
    let place = Place::make().await;
    let store = place.store().await;
    let attempts = (0..30).map(|_| write(&store, "ann".to_owned(), Then::Succeeds));
    let outcomes = join_all(attempts).await;
    let written = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(written, 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), Kind::Conflict);
    }
}

#[rocket::async_test]
async fn a_disk_that_does_not_answer_is_missed_in_time_and_then_writes_go_on() {
    let place = Place::make().await;
    if let Place::Postgres { .. } = place {
        return;
    }
    let store = place.store().await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let stuck = {
        let store = store.clone();
        // The thread that writes is kept as a flush that never ends keeps it.
        tokio::spawn(async move {
            let work = store.write(HOME, move |_| {
                Box::pin(async move {
                    begin.send(()).expect("the test waits for it");
                    held.recv().unwrap_or_default();
                    Ok(())
                })
            });
            work.await
        })
    };
    begun.await.expect("the work begins");
    let refused = store.probe().await.expect_err("nothing is written");
    assert_eq!(refused.kind(), Kind::Unavailable);
    // By now it is known, and nobody waits any more.
    store.writes_work().expect_err("writes are refused at once");
    let refused = write(&store, "ann".to_owned(), Then::Succeeds).await;
    assert_eq!(
        refused.expect_err("it is refused").kind(),
        Kind::Unavailable
    );
    let late = stuck.await.expect("no panic");
    assert_eq!(
        late.expect_err("its caller gave up").kind(),
        Kind::Unavailable
    );
    drop(release);
    store.probe().await.expect("writing works again");
    write(&store, "bo".to_owned(), Then::Succeeds)
        .await
        .expect("writes go on");
}

#[rocket::async_test]
async fn closing_writes_what_waits_and_then_refuses() {
    let place = Place::make().await;
    let store = place.store().await;
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, format!("p{number}"), Then::Succeeds).await })
        })
        .collect();
    for written in join_all(waiting).await {
        written.expect("no panic").expect("it is written");
    }
    store.close().await;
    let refused = write(&store, "late".to_owned(), Then::Succeeds).await;
    let refused = refused.expect_err("it is closed");
    assert!(matches!(
        refused.kind(),
        Kind::ShuttingDown | Kind::Unavailable
    ));
    let again = place.store().await;
    assert!(again.account_exists("p19").await.expect("an answer"));
    assert!(!again.account_exists("late").await.expect("an answer"));
}
