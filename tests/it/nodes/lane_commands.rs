//! Adding lanes and moving tenants by commands, and checking what is in them.

use std::process::Output;

use futures_util::future::join_all;
use parlance::model::{Clock, Lane};

use crate::{
    support::actor::Actor,
    support::binary::parlance,
    support::lanes::{SITES, add, is_sound, sites, without_gaps},
    support::nodes::{servers, stop},
    support::place::Place,
    support::world::{World, soon_holds},
};

#[rocket::async_test]
async fn what_is_wrong_in_one_lane_is_found() {
    let Some(servers) = servers(1, "").await else {
        return;
    };
    let people = sites(&servers).await;
    for (_, guest) in &people {
        guest.says(&servers[0], "hello").await;
    }
    is_sound(&servers[0]).await;
    let mut beside = servers[0].place.beside().await;
    for (breaks, mends, what) in [
        (
            "update lanes set head = head + 1 where lane = 2",
            "update lanes set head = head - 1 where lane = 2",
            "the head is the last position",
        ),
        (
            "update changes set position = position + 7 where position = (select max(position) from changes where position >> 45 = 2)",
            "update changes set position = position - 7 where position = (select max(position) from changes where position >> 45 = 2)",
            "positions have no gaps",
        ),
        (
            "update lanes set epoch = epoch || 'x' where lane = 3",
            "update lanes set epoch = (select epoch from log) where lane = 3",
            "all lanes are in one epoch",
        ),
        (
            "update tenants set lane = 2 where id = 1",
            "update tenants set lane = 1 where id = 1",
            "tenants are in the lane that they moved to last",
        ),
        (
            "update moves set head = head + 1 where head = 2::bigint << 45",
            "update moves set head = head - 1 where head = (2::bigint << 45) + 1",
            "nothing of a tenant is in a lane that it has left or not come to",
        ),
    ] {
        beside.run(breaks).await;
        let checked = parlance::store::check::check_all(&servers[0].place.options()).await;
        let checked = checked.expect("it can be read");
        let wrong = checked.iter().filter(|it| !it.wrong.is_empty());
        let wrong: Vec<_> = wrong.map(|it| it.what).collect();
        assert!(wrong.contains(&what), "{breaks}: {wrong:?}");
        beside.run(mends).await;
    }
    stop(servers).await;
}

/// Runs a command beside servers.
async fn command(place: &Place, words: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env(
        "ROCKET_DATABASES",
        format!("{{chat={{url=\"{}\"}}}}", place.url()),
    );
    command.args(words);
    let ran = tokio::task::spawn_blocking(move || command.output());
    ran.await.expect("it ends").expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_what_they_did_and_what_they_do_not_do() {
    let place = Place::make().await;
    let is_sqlite = matches!(place, Place::Sqlite(_));
    place.store().await.close().await;
    let said = |ran: &Output| {
        let told = [&ran.stdout[..], &ran.stderr[..]].concat();
        String::from_utf8(told).expect("it is text")
    };
    if is_sqlite {
        for words in [&["lanes", "2"][..], &["lanes", "move", "1", "2"]] {
            let ran = command(&place, words).await;
            assert_eq!(ran.status.code(), Some(1));
            assert!(
                said(&ran).contains("SQLite file, which has one lane"),
                "{}",
                said(&ran)
            );
        }
        return;
    }
    let mut beside = place.beside().await;
    beside.run("insert into nodes (id) values ('older')").await;
    let protocol = "select protocol from log";
    for (words, code, says) in [
        (&["lanes", "move", "1", "2"][..], 1, "there is no lane 2"),
        (&["lanes", "3"], 1, "a server of an older version"),
    ] {
        let ran = command(&place, words).await;
        assert_eq!(ran.status.code(), Some(code), "{}", said(&ran));
        assert!(said(&ran).contains(says), "{}", said(&ran));
        assert_eq!(beside.number(protocol).await, 1, "older servers may start");
    }
    beside.run("delete from nodes").await;
    // One that has begun to start before says only now that it lives.
    let starts = async {
        while beside.number(protocol).await == 1 {
            tokio::task::yield_now().await;
        }
        beside.run("select pg_sleep(1)").await;
        beside.run("insert into nodes (id) values ('older')").await;
    };
    let (ran, ()) = tokio::join!(command(&place, &["lanes", "3"]), starts);
    assert!(
        said(&ran).contains("a server of an older version"),
        "{}",
        said(&ran)
    );
    assert_eq!(beside.number(protocol).await, 1, "older servers may start");
    beside.run("delete from nodes").await;
    for (words, code, says) in [
        (&["lanes", "3"][..], 0, "has 3 lanes now, and had 1"),
        (&["lanes", "3"], 0, "has 3 lanes already"),
        (&["lanes", "3"], 0, "Tenants that go on in another lane: 0."),
        (
            &["lanes", "move", "open", "2"],
            1,
            "to a lane of a higher number only",
        ),
        (&["lanes", "2"], 1, "none can be taken away"),
        (
            &["lanes", "move", "home", "2"],
            0,
            "goes on in lane 2, and was in lane 1",
        ),
        (
            &["lanes", "move", "1", "2"],
            1,
            "to a lane of a higher number only",
        ),
        (&["lanes", "move", "1", "4"], 1, "there is no lane 4"),
        (&["lanes", "move", "nobody", "2"], 1, "there is no tenant"),
        (&["lanes", "4"], 0, "has 4 lanes now, and had 3"),
        (&["check"], 0, "ok     all lanes are in one epoch"),
    ] {
        let ran = command(&place, words).await;
        assert_eq!(ran.status.code(), Some(code), "{words:?}: {}", said(&ran));
        assert!(said(&ran).contains(says), "{words:?}: {}", said(&ran));
        assert_eq!(beside.number(protocol).await, 2);
    }
}

/// A server that was there before sees the lanes that are added, and one that comes later as well.
#[tokio::test(flavor = "multi_thread")]
async fn servers_take_up_lanes_that_are_added_while_they_run() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = Actor::sign_up(&servers[0], "ann").await;
    let chat = ann.make("tea").await;
    let lanes = |world: &World| world.services().heads().lanes();
    assert_eq!(lanes(&servers[1]), 1);
    add(&servers[0], 4).await;
    for world in &servers {
        soon_holds(async || lanes(world) == 4).await;
    }
    let moved = servers[0]
        .store()
        .move_tenant("home".to_owned(), lane(4), Clock.now());
    moved.await.expect("it moves");
    let id = ann.at(&servers[1]).say(chat, "hello").await;
    assert_eq!(id >> 45, 3);
    stop(servers).await;
}

/// Sites that write much and little, spread over three lanes while they are written to.
#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_spread_by_what_they_write_and_nothing_is_lost() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let mut guests = Vec::new();
    for (number, domain) in SITES.iter().enumerate() {
        servers[0].owner(domain).await;
        let guest = servers[0].guest(domain).await;
        for _ in 0..number * 10 {
            guest.says(&servers[1], "before").await;
        }
        guests.push(guest);
    }
    add(&servers[0], 3).await;
    let went = async {
        let went = servers[0].store().spread_tenants(Clock.now()).await;
        went.expect("they go")
    };
    let says = guests.iter().map(|guest| {
        let servers = &servers;
        async move {
            for number in 0..20 {
                guest.says(&servers[number % 2], "meanwhile").await;
            }
        }
    });
    let (went, _) = tokio::join!(went, join_all(says));
    let mut beside = servers[0].place.beside().await;
    let mut lanes = Vec::new();
    for domain in SITES {
        let sql = format!(
            "select lane from tenants where id = (select tenant_id from domains where domain = '{domain}')"
        );
        lanes.push(beside.number(&sql).await);
    }
    // Those that write most have a lane each; the little ones share the third.
    assert_eq!(lanes, [3, 2, 1]);
    assert!(went >= 2, "{went}");
    let messages = "select count(*) from messages where content = 'meanwhile'";
    assert_eq!(beside.number(messages).await, 60);
    without_gaps(&mut beside).await;
    is_sound(&servers[0]).await;
    let again = servers[0].store().spread_tenants(Clock.now()).await;
    assert_eq!(again.expect("nobody goes"), 0);
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_lanes_are_copied_to_where_there_may_be_several() {
    let Some(mut servers) = servers(1, "").await else {
        return;
    };
    for (_, guest) in &sites(&servers).await {
        guest.says(&servers[0], "hello").await;
    }
    let source = servers.remove(0).stop().await;
    let target = Place::empty().await;
    let (from, to) = (source.url(), target.url());
    for (to, code, says) in [
        (
            "sqlite://copy.db",
            1,
            "has 3 lanes, and a SQLite file has one",
        ),
        (to.as_str(), 0, "lanes: 2 rows"),
    ] {
        let ran = command(&source, &["copy", "--from", &from, "--to", to]).await;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let heads = "select head from log union all select head from lanes order by 1";
    let (mut there, mut here) = (target.beside().await, source.beside().await);
    let copied = there.numbers(heads).await;
    assert_eq!((copied.len(), &copied), (3, &here.numbers(heads).await));
    without_gaps(&mut there).await;
    let checked = command(&target, &["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

fn lane(number: i64) -> Lane {
    Lane::new(number).expect("a lane")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_while_many_tenants_are_spread() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let mut beside = servers[0].place.beside().await;
    let many = "insert into tenants (kind, name, application_id, created_at, updated_at) \
                select 'site', 'site ' || n, 'key-of-' || n, 0, 0 from generate_series(1, 700) as n";
    beside.run(many).await;
    add(&servers[0], 4).await;
    let went = {
        let spread = servers[0].store().spread_tenants(Clock.now());
        let (mut spread, mut said) = (std::pin::pin!(spread), 0);
        loop {
            let there = ann.at(&servers[said % servers.len()]);
            said += 1;
            tokio::select! {
                went = &mut spread => break went.expect("they go"),
                _ = there.say(chat, "and on") => {}
            }
        }
    };
    assert!(went > 500, "{went}");
    for lane in 1..=4 {
        let there = format!("select count(*) from tenants where lane = {lane}");
        assert!(beside.number(&there).await > 100, "lane {lane}");
    }
    is_sound(&servers[0]).await;
    stop(servers).await;
}
