//! A copy of a database on the other engine, and one back, is the same database: for whom it is served nothing has happened.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use parlance::{
    Error,
    chat::search,
    error::Kind,
    store::{
        Store, check,
        mover::{self, Copied, Job, Step},
    },
};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    support::actor::{Actor, list, text},
    support::binary::parlance,
    support::history::{Action, history},
    support::live_copy::serving,
    support::place::{Beside, Place},
    support::poll::but_presence,
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::stage::Stage,
    support::world::World,
};

/// Copies with pages of so many rows, and stops like a crash after so many steps.
async fn copy_some(
    from: &Place,
    to: &Place,
    (page, steps): (usize, usize),
) -> parlance::Result<Copied> {
    let (from, to) = (from.options(), to.options());
    let job = Job {
        from: &from,
        to: &to,
        page,
    };
    let mut left = steps;
    let mut watch = |_: Step<'_>| {
        left = left
            .checked_sub(1)
            .ok_or_else(|| Error::new(Kind::Internal, "cut off"))?;
        Ok(())
    };
    mover::copy(&job, &mut watch).await
}

async fn copy(from: &Place, to: &Place) -> Copied {
    let copied = copy_some(from, to, (7, usize::MAX)).await;
    copied.expect("it is copied")
}

/// Why a copy is refused.
async fn refusal(from: &Place, to: &Place) -> String {
    let refused = copy_some(from, to, (7, usize::MAX)).await;
    refused.expect_err("it is refused").text().to_owned()
}

/// How many rows each table has.
async fn counts(beside: &mut Beside) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for table in mover::copied_tables() {
        let sql = format!("select count(*) from {table}");
        counts.push((*table, beside.number(&sql).await));
    }
    counts
}

/// Everything is right in a database.
async fn is_whole(place: &Place) {
    let checked = check::check_all(&place.options())
        .await
        .expect("it is read");
    let wrong: Vec<_> = checked.iter().filter(|it| !it.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What somebody sees, with cursors from before.
async fn view(actor: &Actor, cursors: &[String]) -> Vec<Value> {
    let mut view = Vec::new();
    let (chats, cursor) = actor.chats().await;
    view.push(json!([chats, cursor]));
    for chat in &chats {
        let id = &chat["id"];
        view.push(
            actor
                .get(&format!("/api/chats/{id}?limit=200"))
                .await
                .json(),
        );
        for cursor in cursors {
            let path = format!("/api/chats/{id}?after={cursor}&timeout=0");
            view.push(actor.get(&path).await.json());
        }
    }
    for cursor in cursors {
        let path = format!("/api/events?after={cursor}&timeout=0&limit=200");
        view.push(actor.get(&but_presence(&path)).await.with(200).json());
    }
    for query in ["word", "once", "key", "no such word"] {
        view.push(actor.search(&[("query", query)]).await.with(200).json());
    }
    let told = actor.get("/api/me/export").await.with(200);
    let lines = told.body.lines();
    let lines = lines.map(|line| serde_json::from_str(line).expect("JSON"));
    // When a login was last used is noted by being used.
    let lines = lines.map(|mut line: Value| {
        if line["type"] == "login" {
            line["used_at"] = Value::Null;
        }
        line
    });
    view.extend(lines);
    view
}

/// A server on what is in a place, in another place.
async fn moved(world: World, to: Place) -> (World, Place) {
    let from = world.stop().await;
    copy(&from, &to).await;
    is_whole(&to).await;
    let url = to.url();
    (World::on(to, &url, "").await, from)
}

/// Replays a history, moves the server with what came of it there and back, and goes on.
async fn there_and_back(history: &[Vec<(usize, Action)>]) {
    let first = Place::file();
    let url = first.url();
    let world = World::on(first, &url, "").await;
    let mut stage = Stage::set(&world).await;
    let early = stage.people[0].now().await;
    for round in history {
        stage.round(round).await;
    }
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    let people = stage.people.iter().enumerate();
    let people = people.filter(|(who, _)| !stage.is_gone(*who));
    let people: Vec<Actor> = people.map(|(_, actor)| actor.clone()).collect();
    let Some(one) = people.first() else {
        world.stop().await;
        return;
    };
    let cursors = [early, one.now().await];
    // What is told from memory has values of its own time.
    let world = world.restart().await;
    let mut before = Vec::new();
    for actor in &people {
        before.push(view(&actor.at(&world), &cursors).await);
    }
    let (world, first) = moved(world, Place::empty().await).await;
    for (actor, before) in people.iter().zip(&before) {
        let actor = actor.at(&world);
        assert_eq!(view(&actor, &cursors).await, *before, "{}", actor.name);
    }
    let one = one.at(&world);
    goes_on(&world, &one, &cursors[1]).await;
    let world = world.restart().await;
    let mut more = Vec::new();
    for actor in &people {
        more.push(view(&actor.at(&world), &cursors).await);
    }
    let (world, second) = moved(world, Place::file()).await;
    for (actor, more) in people.iter().zip(&more) {
        let actor = actor.at(&world);
        assert_eq!(view(&actor, &cursors).await, *more, "{}", actor.name);
    }
    let cursor = one.at(&world).now().await;
    goes_on(&world, &one.at(&world), &cursor).await;
    let third = world.stop().await;
    drop((first, second, third));
}

/// What is new has new ids, and the next positions.
async fn goes_on(world: &World, actor: &Actor, cursor: &str) {
    let mut beside = world.place.beside().await;
    let head = beside.head_without_gaps().await;
    let chats = beside
        .number("select coalesce(max(id), 0) from chats")
        .await;
    let people = beside.number("select max(id) from people").await;
    let number = people + chats;
    let chat = actor.make(&format!("new {number}")).await;
    assert!(chat > chats, "{chat} after {chats}");
    let sent = actor.say(chat, "a word that is new").await;
    assert_eq!(sent, beside.head_without_gaps().await);
    assert!(sent > head);
    let new = world.actor(&format!("newcomer to {number}")).await;
    assert!(new.id > people, "{} after {people}", new.id);
    let (events, _) = actor.events(cursor, 0).await;
    assert!(
        events.iter().any(|event| event["message"]["id"] == sent),
        "{events:?}"
    );
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    let hits = actor.search(&[("query", "new")]).await.with(200).json();
    assert!(
        list(&hits, "hits")
            .iter()
            .any(|hit| hit["message"]["id"] == sent),
        "{hits}"
    );
}

#[test]
fn whatever_has_happened_a_copy_there_and_back_changes_nothing_and_the_server_goes_on() {
    let runtime = Runtime::new().expect("a runtime");
    let config = Config {
        cases: 3,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&history(), |history| {
        runtime.block_on(there_and_back(&history));
        Ok(())
    });
    tried.expect("no history breaks it");
}

/// A server's database with something in it.
async fn filled() -> Place {
    let (world, ..) = serving(Place::make().await).await;
    world.stop().await
}

#[rocket::async_test]
async fn a_copy_that_is_cut_off_anywhere_goes_on_from_there() {
    let from = filled().await;
    let to = Place::empty().await;
    // Each attempt goes further than the one before, so that they end in all kinds of places.
    let (mut cuts, mut steps) = (0, 1);
    let copied = loop {
        match copy_some(&from, &to, (3, steps)).await {
            Ok(copied) => break copied,
            Err(error) => assert_eq!(error.text(), "cut off"),
        }
        let refused = Store::open(&to.options())
            .await
            .expect_err("it is part of a copy");
        assert!(refused.text().contains("is not whole"), "{refused}");
        let refused = check::check_all(&to.options()).await;
        let refused = refused.expect_err("it is part of a copy");
        assert!(refused.text().contains("is not whole"), "{refused}");
        cuts += 1;
        steps += 3;
    };
    assert!(cuts > 8, "{cuts}");
    let mut sides = (from.beside().await, to.beside().await);
    let expected = counts(&mut sides.0).await;
    assert_eq!(counts(&mut sides.1).await, expected);
    let rows: i64 = expected.iter().map(|(_, count)| count).sum();
    assert_eq!(i64::try_from(copied.rows), Ok(rows));
    drop(sides);
    is_whole(&to).await;
    let refused = refusal(&from, &to).await;
    assert!(refused.contains("is not empty"), "{refused}");
}

#[rocket::async_test]
async fn a_target_that_is_anything_else_is_refused() {
    let from = filled().await;
    let other = filled().await;
    for (has, what) in [(&other, "a database"), (&from, "the source itself")] {
        let refused = refusal(&from, has).await;
        let expected = ["is not empty", "cannot be copied to itself"];
        assert!(
            expected.iter().any(|why| refused.contains(why)),
            "{what}: {refused}"
        );
    }
    let foreign = Place::empty().await;
    if let Place::Sqlite(folder) = &foreign {
        fs::create_dir(folder.path().join("data")).expect("a folder");
        fs::write(folder.path().join("data/chat.db"), "").expect("a file");
    }
    foreign
        .beside()
        .await
        .run("create table letters (id integer)")
        .await;
    let refused = refusal(&from, &foreign).await;
    assert!(refused.contains("is not empty"), "{refused}");

    let part = Place::empty().await;
    let cut = copy_some(&other, &part, (3, 12)).await;
    cut.expect_err("it is cut off");
    let refused = refusal(&from, &part).await;
    assert!(
        refused.contains("part of a copy of another database"),
        "{refused}"
    );
    let refused = refusal(&part, &Place::empty().await).await;
    assert!(refused.contains("is not whole"), "{refused}");

    // The database went on meanwhile.
    let url = other.url();
    let world = World::on(other, &url, "").await;
    world.actor("cy").await.make("news").await;
    let other = world.stop().await;
    let refused = refusal(&other, &part).await;
    assert!(
        refused.contains("from before it was written to again"),
        "{refused}"
    );
}

#[rocket::async_test]
async fn what_is_written_beside_the_log_between_two_attempts_is_noticed_at_the_end() {
    let from = filled().await;
    let to = Place::empty().await;
    let cut = copy_some(&from, &to, (50, 9)).await;
    cut.expect_err("it is cut off");
    let sql = "update people set email = 'new@example.com' where id = (select min(id) from people)";
    from.beside().await.run(sql).await;
    let refused = refusal(&from, &to).await;
    assert!(refused.contains("the table people"), "{refused}");
    assert!(refused.contains("empty the target"), "{refused}");
    let refused = Store::open(&to.options()).await.expect_err("it is no copy");
    assert!(refused.text().contains("is not whole"), "{refused}");
}

#[rocket::async_test]
async fn nobody_may_serve_either_side_and_the_source_must_be_whole() {
    let from = filled().await;
    let (empty, url) = (Place::empty().await, from.url());
    let world = World::on(from, &url, "").await;
    let refused = refusal(&world.place, &empty).await;
    assert!(
        refused.contains("another server has the database") || refused.contains("a server uses"),
        "{refused}"
    );
    let from = world.stop().await;
    let served = World::new().await;
    let refused = refusal(&from, &served.place).await;
    assert!(
        refused.contains("another server has the database") || refused.contains("a server uses"),
        "{refused}"
    );
    served.stop().await;

    let refused = refusal(&Place::file(), &empty).await;
    assert!(refused.contains("there is no database"), "{refused}");
    let mut beside = from.beside().await;
    beside.run("update log set head = head + 1").await;
    let refused = refusal(&from, &empty).await;
    assert!(
        refused.contains("the head is the last position"),
        "{refused}"
    );
    beside.run("update log set head = head - 1").await;
    beside
        .run("create table letters (id integer primary key)")
        .await;
    let refused = refusal(&from, &empty).await;
    assert!(refused.contains("the table letters"), "{refused}");
    beside.run("drop table letters").await;
    drop(beside);
    copy(&from, &empty).await;
}

#[rocket::async_test]
async fn while_it_is_copied_nobody_writes_to_the_source() {
    let from = filled().await;
    let to = Place::empty().await;
    let (options, target) = (from.options(), to.options());
    let job = Job {
        from: &options,
        to: &target,
        page: 7,
    };
    let mut tried = false;
    let mut watch = |step: Step<'_>| {
        if step == Step::CheckingCopy {
            tried = true;
            let url = options.url.clone();
            let written = std::thread::spawn(move || try_to_write(&url)).join();
            assert!(!written.expect("no panic"), "it was written to");
        }
        Ok(())
    };
    let copied = mover::copy(&job, &mut watch).await;
    copied.expect("it is copied");
    assert!(tried);
    from.beside()
        .await
        .run("update people set updated_at = updated_at")
        .await;
}

/// Whether somebody beside the copy can write, who does not wait for long.
fn try_to_write(url: &str) -> bool {
    use sqlx::Connection as _;
    let write = async {
        let sql = "update people set updated_at = updated_at";
        if url.starts_with("sqlite:") {
            let one = sqlx::SqliteConnection::connect(url).await;
            let mut one = one.expect("it opens");
            let set = sqlx::raw_sql("pragma busy_timeout = 0").execute(&mut one);
            set.await.expect("it is set");
            sqlx::raw_sql(sql).execute(&mut one).await.is_ok()
        } else {
            let one = sqlx::PgConnection::connect(url).await;
            let mut one = one.expect("it opens");
            let set = sqlx::raw_sql("set lock_timeout = '1ms'").execute(&mut one);
            set.await.expect("it is set");
            sqlx::raw_sql(sql).execute(&mut one).await.is_ok()
        }
    };
    Runtime::new().expect("a runtime").block_on(write)
}

/// A socket of somebody's that was lost, and with what it comes back: its sid and its auth data.
async fn lost_socket(world: &World, actor: &Actor) -> (Value, Value) {
    let mut ws = socket(world, &json!({"token": actor.token})).await;
    let reply = json_after(&ws.text_after("40").await, "40");
    ws.send(r#"420["join","no such room"]"#).await;
    ws.text_after("430").await;
    drop(ws);
    let mut beside = world.place.beside().await;
    let sql = "select count(*) from connections where left_at is not null";
    soon(async {
        while beside.number(sql).await != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let back = json!({"token": actor.token, "pid": reply["pid"]});
    (reply["sid"].clone(), back)
}

async fn socket(world: &World, auth: &Value) -> Ws {
    let mut ws = world.websocket("&recovery=1", &[]).await;
    ws.send(&format!("40{auth}")).await;
    ws
}

#[rocket::async_test]
async fn logins_invitations_keys_and_lost_sockets_are_good_on_the_other_side() {
    let first = Place::file();
    let url = first.url();
    let world = World::on(first, &url, "").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make_private("quiet", &[]).await;
    let sent = ann.say_as(chat, "once", "key").await.ok(201);
    let invited = ann
        .post(&format!("/api/chats/{chat}/invites"), &[])
        .await
        .with(200)
        .json();
    let (sid, back) = lost_socket(&world, &ann).await;

    let (world, first) = moved(world, Place::empty().await).await;
    let (ann, bo) = (ann.at(&world), bo.at(&world));
    let mut ws = socket(&world, &back).await;
    let reply = json_after(&ws.text_after("40").await, "40");
    assert_eq!(reply["sid"], sid, "the connection is recovered");
    let again = ann.say_as(chat, "once", "key").await;
    assert_eq!(again.header("X-Message-Id"), sent.header("X-Message-Id"));
    let code = text(&invited, "code");
    bo.post(&format!("/api/invites/{code}"), &[])
        .await
        .with(200);
    assert_eq!(bo.said(chat).await, ["once"]);
    Actor::sign_in(&world, "bo", crate::support::actor::PASSWORD).await;
    drop((world.stop().await, first));
}

/// Runs the binary's copy, and ends it with SIGKILL once it has said so many lines; whether it had ended before.
fn killed_after(folder: &Path, words: &[&str], lines: usize) -> bool {
    let mut command = parlance(folder);
    command.args(words).env("ROCKET_LOG_FILTER", "error");
    let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.expect("it runs");
    let stderr = child.stderr.take().expect("it is piped");
    let mut said = BufReader::new(stderr).lines();
    for _ in 0..lines {
        if said.next().is_none() {
            break;
        }
    }
    child.kill().expect("it is our child");
    child.wait().expect("it has ended").success()
}

#[rocket::async_test]
async fn a_copy_that_is_killed_again_and_again_comes_to_its_end() {
    let from = filled().await;
    let to = Place::empty().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (source, target) = (from.url(), to.url());
    let words = ["copy", "--from", &source, "--to", &target];
    assert!(!killed_after(folder.path(), &words, 0));
    for lines in [1, 3, 8, 15, 30] {
        if killed_after(folder.path(), &words, lines) {
            break;
        }
    }
    let mut command: Command = parlance(folder.path());
    let child = command
        .args(words)
        .env("ROCKET_LOG_FILTER", "error")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = child.expect("it runs").wait_with_output().expect("it ends");
    let mut said = String::new();
    output
        .stdout
        .as_slice()
        .read_to_string(&mut said)
        .expect("text");
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    // The last of those that were killed may have been at its end.
    assert!(
        said.starts_with("The copy is whole: ") || complained.contains("is not empty"),
        "{said}{complained}"
    );
    is_whole(&to).await;
    let mut sides = (from.beside().await, to.beside().await);
    assert_eq!(counts(&mut sides.0).await, counts(&mut sides.1).await);
}
