//! A database that is copied while its server is written to: nothing acknowledged is missing, and nothing is written to the old one
//! afterwards.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    sync::mpsc,
    time::Duration,
};

use parlance::{
    Error,
    chat::search,
    error::Kind,
    store::{
        Options, Store, backup,
        mover::{self, Job, Step},
    },
};

use crate::{
    support::binary::{Started, parlance},
    support::lanes,
    support::live_copy::{copy, copying, cut_off, is_moved, is_whole, left, meanwhile, serving},
    support::place::Place,
    support::traffic::{Counts, Sender, Traffic, says_one_of},
    support::world::{World, soon_holds},
};

/// At each step something more is written first, or refused where writing is stopped.
fn among(counts: Counts) -> impl FnMut(Step<'_>) -> parlance::Result<()> + Send + 'static {
    move |step| {
        match step {
            Step::CopyingLast | Step::Switched => counts.until_more_is_refused(),
            Step::Checking
            | Step::Copying(..)
            | Step::Copied(..)
            | Step::Comparing(_)
            | Step::CheckingCopy
            | Step::CaughtUp(_)
            | Step::Stopping => counts.until_more_is_written(),
        }
        Ok(())
    }
}

/// As [`among`], but where writing is stopped nobody waits: tables are compared then too.
fn until_stopped(counts: Counts) -> impl FnMut(Step<'_>) -> parlance::Result<()> + Send + 'static {
    let mut among = among(counts);
    let mut is_stopped = false;
    move |step| {
        is_stopped |= step == Step::CopyingLast;
        if is_stopped && !matches!(step, Step::CopyingLast | Step::Switched) {
            return Ok(());
        }
        among(step)
    }
}

/// The ways that this run of the tests is about.
async fn ways() -> Vec<(Place, Place)> {
    let mut ways = vec![(Place::make().await, Place::empty().await)];
    if let (Place::Postgres { .. }, _) = &ways[0] {
        ways.push((Place::file(), Place::empty().await));
        ways.push((Place::make().await, Place::file()));
    }
    ways
}

#[rocket::async_test]
async fn who_writes_meanwhile_is_refused_for_a_moment_and_nothing_acknowledged_is_lost() {
    for (from, to) in ways().await {
        let (world, ann, chat) = serving(from).await;
        let traffic = Traffic::begin(&world).await;
        let early = ann.now().await;
        ann.join(traffic.chat).await;
        let since = ann.say(traffic.chat, "I am here").await;
        let counts = traffic.counts();
        let copied = copying((&world.place, &to), 50, until_stopped(counts.clone()));
        let moved = copied.await.expect("no panic").expect("it is copied");
        let stopped = moved.stopped.expect("this copy has stopped it");
        assert!(stopped < Duration::from_secs(10), "{stopped:?}");
        let (written, refused) = (counts.written(), counts.refused());
        let acknowledged = traffic.end().await;
        assert!(refused > 0);
        assert_eq!(counts.written(), written, "nothing is written afterwards");
        acknowledged.is_in(&to).await;
        is_moved(&world.place, &to).await;

        // Who reads goes on reading at the old server, and with the same cursor at the new one.
        let (mut heard, mut positions, mut cursor) = (Vec::new(), Vec::new(), early);
        loop {
            let (events, next) = ann.events(&cursor, 0).await;
            if events.is_empty() {
                break;
            }
            let ids = events
                .iter()
                .filter_map(|event| event["message"]["id"].as_i64());
            heard.extend(ids);
            // What was changed has the id of the message, and a position of its own.
            positions.extend(events.iter().map(|event| event["position"].as_i64()));
            cursor = next;
        }
        let old = world.stop().await;
        let url = to.url();
        let world = World::on(to, &url, "").await;
        let ann = ann.at(&world);
        let said = ann.say(chat, "a word at the new one").await;
        let (events, _) = ann.events(&cursor, 0).await;
        let ids: Vec<_> = events
            .iter()
            .map(|event| event["message"]["id"].as_i64())
            .collect();
        assert_eq!(ids, [Some(said)], "{events:?}");
        assert!(positions.is_sorted(), "in the order of the log");
        for (id, said) in acknowledged.messages.iter().filter(|(id, _)| *id > since) {
            assert!(heard.contains(id), "{said:?}");
        }
        world.place.beside().await.head_without_gaps().await;
        world.actor("who is new").await.join(chat).await;
        search::catch_up(world.services())
            .await
            .expect("it is indexed");
        let hits = ann.search(&[("query", "changed")]).await.with(200).json();
        let hit = hits["hits"][0]["message"]["content"].as_str();
        assert!(
            hit.is_some_and(|said| said.starts_with("changed ")),
            "{hits}"
        );
        is_whole(&world.place).await;
        drop((world.stop().await, old));
    }
}

#[rocket::async_test]
async fn a_live_copy_that_is_cut_off_anywhere_goes_on_from_there() {
    let (world, ..) = serving(Place::make().await).await;
    let to = Place::empty().await;
    let traffic = Traffic::begin(&world).await;
    let counts = traffic.counts();
    let (mut cuts, mut steps) = (0, 1);
    loop {
        let (mut left, mut among) = (steps, until_stopped(counts.clone()));
        let watch = move |step: Step<'_>| {
            among(step)?;
            left -= 1;
            if left == 0 {
                return Err(Error::new(Kind::Internal, "cut off"));
            }
            Ok(())
        };
        let copied = copying((&world.place, &to), 20, watch).await;
        match copied.expect("no panic") {
            Ok(_) => break,
            Err(error) => assert_eq!(error.text(), "cut off"),
        }
        let refused = Store::open(&to.options()).await;
        refused.expect_err("it is part of a copy");
        cuts += 1;
        steps += 7;
    }
    assert!(cuts > 5, "{cuts}");
    traffic.end().await.is_in(&to).await;
    is_moved(&world.place, &to).await;
    world.stop().await;
}

#[rocket::async_test]
async fn a_copy_that_is_cut_off_when_writing_is_stopped_lets_it_go_on_and_one_that_has_switched_does_not()
 {
    let (world, ..) = serving(Place::make().await).await;
    let to = Place::empty().await;
    let traffic = Traffic::begin(&world).await;
    let counts = traffic.counts();
    for last in [Step::Stopping, Step::CopyingLast] {
        cut_off((&world.place, &to), 50, move |step| step == last).await;
        let (counts, before) = (counts.clone(), counts.written());
        soon_holds(async || counts.written() > before + 10).await;
    }
    cut_off((&world.place, &to), 50, |step| step == Step::Switched).await;
    let written = counts.written();
    let before = counts.refused();
    soon_holds(async || counts.refused() > before + 10).await;
    assert_eq!(counts.written(), written);
    let refused = mover::abandon(&world.place.options()).await;
    let refused = refused.expect_err("it is too late");
    assert!(refused.text().contains("was moved to"), "{refused}");
    let moved = copy(&world.place, &to).await.expect("it comes to its end");
    assert_eq!(moved.stopped, None);
    traffic.end().await.is_in(&to).await;
    is_moved(&world.place, &to).await;
    let again = copy(&world.place, &to).await.expect_err("it is there");
    assert!(again.text().contains("was moved to"), "{again}");
    world.stop().await;
}

#[rocket::async_test]
async fn a_copy_that_is_held_up_for_longer_than_writing_is_stopped_loses_nothing() {
    let (world, ..) = serving(Place::make().await).await;
    let to = Place::empty().await;
    let traffic = Traffic::begin(&world).await;
    let counts = traffic.counts();
    let (mut is_first, looked) = (true, counts.clone());
    let copied = copying((&world.place, &to), 50, move |step| {
        if step == Step::CopyingLast && std::mem::take(&mut is_first) {
            looked.until_more_is_refused();
            // Writing goes on by itself.
            looked.until_more_is_written();
        }
        Ok(())
    });
    let moved = copied.await.expect("no panic").expect("it is copied");
    assert!(moved.stopped.is_some());
    traffic.end().await.is_in(&to).await;
    is_moved(&world.place, &to).await;
    world.stop().await;
}

/// Runs the binary's copy, and ends it with SIGKILL once it has said a line with these words; whether it had ended before.
fn killed_at(folder: &Path, (from, to): (&str, &str), words: &str) -> bool {
    let mut command = parlance(folder);
    command.args(["copy", "--live", "--from", from, "--to", to]);
    command.env("ROCKET_LOG_FILTER", "error");
    let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.expect("it runs");
    let stderr = child.stderr.take().expect("it is piped");
    for line in BufReader::new(stderr).lines() {
        if line.expect("text").contains(words) {
            break;
        }
    }
    drop(child.kill());
    child.wait().expect("it has ended").success()
}

#[rocket::async_test]
async fn a_copy_comes_to_its_end_with_all_that_was_acknowledged_though_it_and_the_server_are_killed()
 {
    let from = Place::make().await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = Place::empty().await;
    let urls = (from.url(), to.url());
    let databases = format!("{{chat={{url=\"{}\"}}}}", urls.0);
    let begin = || {
        let mut command = parlance(folder.path());
        command.env("ROCKET_DATABASES", &databases);
        command.env("ROCKET_RATE_LIMITS", "false");
        Started::begin(command)
    };
    let mut server = begin();
    let mut sender = Sender::sign_up(server.port).await;
    for (number, words) in [
        "checking the source",
        "people:",
        "messages:",
        "comparing messages",
        "checking the copy",
        "stopping writes",
        "copying the last",
    ]
    .into_iter()
    .enumerate()
    {
        let (is_over, over) = mpsc::channel();
        let sending = sender.send_until(over);
        let (there, at) = (folder.path().to_owned(), urls.clone());
        let killed = tokio::task::spawn_blocking(move || killed_at(&there, (&at.0, &at.1), words));
        let ended = killed.await.expect("no panic");
        // The server is killed too, in the midst of what it writes.
        if number % 2 == 1 {
            server.child.kill().expect("it is killed");
        }
        is_over.send(()).expect("who sends listens");
        sender = sending.await.expect("who sends does not fail");
        if number % 2 == 1 && !ended {
            server = begin();
            sender.port = server.port;
        }
        if ended {
            break;
        }
    }
    assert!(sender.answered.len() > 20, "{}", sender.answered.len());
    let there = (folder.path().to_owned(), urls);
    let ended = tokio::task::spawn_blocking(move || {
        killed_at(&there.0, (&there.1.0, &there.1.1), "no such words")
    });
    ended.await.expect("no panic");
    drop(server);
    let mut beside = to.beside().await;
    for (id, said) in &sender.answered {
        let sql = says_one_of(*id, said);
        assert_eq!(beside.number(&sql).await, 1, "{id}: {said:?}");
    }
    is_moved(&from, &to).await;
}

#[rocket::async_test]
async fn a_copy_that_is_given_up_leaves_the_database_as_it_was() {
    let (world, ann, chat) = serving(Place::make().await).await;
    let (to, other) = (Place::empty().await, Place::empty().await);
    let options = world.place.options();
    let given_up = mover::abandon(&options).await.expect("nothing was begun");
    assert!(!given_up);
    let is_last = |step: Step<'_>| matches!(step, Step::Copied("people", _));
    cut_off((&world.place, &to), 5, is_last).await;
    assert!(left(&world.place).await > 90);
    ann.say(chat, "written meanwhile").await;

    // Another copy would take its traces.
    let refused = copy(&world.place, &other).await.expect_err("it is begun");
    assert!(refused.text().contains("and not to"), "{refused}");
    let world = world.restart().await;
    let place = world.stop().await;
    let (from, target) = (place.options(), other.options());
    let job = Job {
        from: &from,
        to: &target,
        page: 50,
    };
    let refused = mover::copy(&job, &mut |_| Ok(())).await;
    let refused = refused.expect_err("it is begun");
    assert!(refused.text().contains("--abandon"), "{refused}");

    assert!(mover::abandon(&options).await.expect("it is given up"));
    assert_eq!(left(&place).await, 0);
    let refused = copy(&place, &to).await.expect_err("it was given up");
    assert!(refused.text().contains("was given up"), "{refused}");
    copy(&place, &other).await.expect("nobody serves it");
    is_moved(&place, &other).await;
}

#[rocket::async_test]
async fn what_is_restored_from_a_backup_of_then_is_the_source_of_no_copy() {
    let (world, ..) = serving(Place::file()).await;
    let to = Place::file();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backup.db");
    let (options, backup) = (world.place.options(), file.clone());
    let copied = copying((&world.place, &to), 50, move |step| {
        if step == Step::CopyingLast {
            backup::back_up(&options, &backup)?;
        }
        Ok(())
    });
    copied.await.expect("no panic").expect("it is copied");
    let place = world.stop().await;
    backup::restore(&place.options(), &file)
        .await
        .expect("it is restored");
    assert_eq!(left(&place).await, 0);
    let url = place.url();
    let world = World::on(place, &url, "").await;
    world.actor("who is new").await.make("news").await;
    world.stop().await;
}

/// Adds a lane as another process would.
fn add_a_lane(options: Options) {
    let added = meanwhile(async move {
        let store = Store::open(&options).await.expect("it opens");
        let added = store.add_lanes(2, Duration::ZERO).await;
        store.close().await;
        added.expect("no older server lives")
    });
    assert_eq!(added, 1);
}

#[rocket::async_test]
async fn lanes_that_are_added_meanwhile_are_copied_too_and_refused_where_there_can_be_one() {
    let (world, ann, chat) = serving(Place::make().await).await;
    if let Place::Sqlite(_) = &world.place {
        return;
    }
    let (file, to) = (Place::file(), Place::empty().await);
    let options = world.place.options();
    let refused = copying((&world.place, &file), 50, move |step| {
        if step == Step::CheckingCopy {
            add_a_lane(options.clone());
        }
        Ok(())
    });
    let refused = refused.await.expect("no panic").expect_err("it has two");
    assert!(refused.text().contains("has 2 lanes"), "{refused}");
    let refused = copy(&world.place, &file).await.expect_err("it has two");
    assert!(refused.text().contains("has 2 lanes"), "{refused}");
    let is_given_up = mover::abandon(&world.place.options()).await;
    assert!(is_given_up.expect("it is given up"));

    // All is there and compared when another one comes.
    cut_off((&world.place, &to), 50, |step| step == Step::CheckingCopy).await;
    lanes::add(&world, 3).await;
    lanes::move_to(world.store(), lanes::HOME, 3).await;
    let first = ann.say(chat, "said in the third lane").await;
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    let second = ann.say(chat, "and once more").await;
    copy(&world.place, &to).await.expect("it is copied");
    is_moved(&world.place, &to).await;

    let old = world.stop().await;
    let url = to.url();
    let world = World::on(to, &url, "").await;
    let third = ann.at(&world).say(chat, "at the new one").await;
    assert_eq!([first >> 45, second >> 45, third >> 45], [2, 2, 2]);
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    let mut beside = world.place.beside().await;
    assert_eq!(lanes::without_gaps(&mut beside).await.len(), 3);
    is_whole(&world.place).await;
    drop((world.stop().await, old));
}

#[rocket::async_test]
async fn a_copy_waits_until_what_a_killed_one_was_at_has_ended() {
    let (world, ..) = serving(Place::make().await).await;
    let to = Place::empty().await;
    if let Place::Sqlite(_) = &to {
        return;
    }
    // As a connection has it whose commit goes on after its client was killed.
    let mut killed = to.beside().await;
    let lock = mover::WORKING;
    killed
        .run(&format!("select pg_advisory_lock({lock})"))
        .await;
    let copied = copying((&world.place, &to), 50, |_| Ok(()));
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                   and database = (select oid from pg_database where datname = current_database())";
    soon_holds(async || to.beside().await.number(waiting).await == 1).await;
    assert!(!copied.is_finished());
    drop(killed);
    let copied = copied.await.expect("no panic");
    copied.expect("it goes on when that has ended");
    is_moved(&world.place, &to).await;
    world.stop().await;
}
