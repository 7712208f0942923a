//! A backup is made while the server writes, is one moment of it, and takes the database's place in a new epoch.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

use parlance::store::backup;

use crate::{
    support::actor::{Actor, PASSWORD},
    support::binary::{Started, parlance},
    support::place::Place,
    support::world::World,
};

#[rocket::async_test]
async fn a_backup_of_a_server_that_writes_is_one_moment_and_is_restored_in_a_new_epoch() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let options = world.place.options();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("copy.db");
    if let Place::Postgres { .. } = &world.place {
        let refused = backup::back_up(&options, &file).expect_err("it is PostgreSQL");
        assert!(refused.text().contains("pg_dump"), "{refused}");
        let refused = backup::restore(&options, &file).await;
        let refused = refused.expect_err("it is PostgreSQL");
        assert!(refused.text().contains("pg_restore"), "{refused}");
        return;
    }
    for number in 0..20 {
        ann.say(chat, &format!("before {number}")).await;
    }
    let copying = tokio::task::spawn_blocking({
        let (options, file) = (options.clone(), file.clone());
        move || backup::back_up(&options, &file)
    });
    let mut meanwhile = 0;
    while !copying.is_finished() || meanwhile < 5 {
        ann.say(chat, &format!("meanwhile {meanwhile}")).await;
        meanwhile += 1;
    }
    copying.await.expect("no panic").expect("it is made");
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    let refused = backup::back_up(&options, &file).expect_err("it is there");
    assert!(refused.text().contains("is there already"), "{refused}");
    let last = ann.say(chat, "lost").await;
    let lost_cursor = ann.now().await;
    let refused = backup::restore(&options, &file).await;
    let refused = refused.expect_err("the server has it");
    assert!(
        refused.text().contains("another server has the database"),
        "{refused}"
    );

    let place = world.stop().await;
    let restored = backup::restore(&options, &file)
        .await
        .expect("it is restored");
    let aside = restored.aside.expect("what was there is kept");
    let world = World::on(place, &options.url, "").await;
    let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
    let said = ann.said(chat).await;
    let expected = (0..20)
        .map(|number| format!("before {number}"))
        .chain((0..meanwhile).map(|number| format!("meanwhile {number}")));
    let expected: Vec<_> = expected.take(said.len()).collect();
    assert!(said.len() >= 20, "{said:?}");
    assert_eq!(said, expected, "everything up to one moment");
    let path = format!("/api/events?after={lost_cursor}&timeout=0");
    ann.get(&path).await.refused(410, "gone");
    let next = ann.say(chat, "after").await;
    assert!(next > last, "{next} after {last}");
    let kept = messages_in(&aside).await;
    assert_eq!(kept, i64::from(20 + meanwhile + 1));
}

/// How many messages a file has.
async fn messages_in(file: &Path) -> i64 {
    use sqlx::Connection as _;
    let url = format!("sqlite://{}", file.display());
    let mut one = sqlx::SqliteConnection::connect(&url)
        .await
        .expect("it opens");
    let count = sqlx::query_scalar("select count(*) from messages").fetch_one(&mut one);
    count.await.expect("it is a database")
}

#[rocket::async_test]
async fn what_is_no_backup_leaves_the_database_as_it_is() {
    let place = Place::make().await;
    let Place::Sqlite(folder) = &place else {
        return;
    };
    place.store().await.close().await;
    let options = place.options();
    let database = options.sqlite_file().expect("an address").expect("a file");
    let before = fs::read(&database).expect("read");
    let other = folder.path().join("letter.db");
    fs::write(&other, "Dear Ann, ".repeat(500)).expect("written");
    for backup in [other.as_path(), Path::new("/nowhere/at/all.db")] {
        let refused = backup::restore(&options, backup).await;
        refused.expect_err("it is no backup");
        assert_eq!(fs::read(&database).expect("read"), before);
    }
    let left: Vec<_> = fs::read_dir(database.parent().expect("a folder"))
        .expect("listed")
        .map(|entry| entry.expect("a file").file_name())
        .filter(|name| name.to_string_lossy().contains(".restoring"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[rocket::async_test]
async fn a_new_epoch_ends_all_cursors() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let last = ann.say(chat, "before").await;
    let cursor = ann.now().await;
    let place = world.stop().await;
    let options = place.options();
    backup::renew_epoch(&options).await.expect("it begins");
    let world = World::on(place, &options.url, "").await;
    let ann = ann.at(&world);
    let path = format!("/api/events?after={cursor}&timeout=0");
    ann.get(&path).await.refused(410, "gone");
    assert!(ann.say(chat, "after").await > last + 1_000_000);
    assert_eq!(ann.said(chat).await, ["before", "after"]);
}

/// What the binary says to a command, and its exit code.
fn ran(folder: &Path, words: &[&str]) -> (i32, String) {
    let mut command = parlance(folder);
    command.args(words).env("ROCKET_LOG_FILTER", "error");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it runs");
    let said = [stdout, stderr].concat();
    let said = String::from_utf8(said).expect("text");
    (status.code().expect("it ends"), said)
}

#[test]
fn the_commands_say_what_they_did_and_what_they_refuse() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (code, said) = ran(folder, &["check"]);
    assert_eq!(code, 1, "{said}");
    let server = Started::begin(parlance(folder));
    let (code, said) = ran(folder, &["backup", "copy.db"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "The database is copied to copy.db.\n")
    );
    let (code, said) = ran(folder, &["check"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ok     positions have no gaps\n"), "{said}");
    for words in [&["restore", "copy.db"][..], &["new-epoch"]] {
        let (code, said) = ran(folder, words);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("another server has the database"), "{said}");
    }
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    server.stop();
    let (code, said) = ran(folder, &["restore", "copy.db"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("parlance.db.before-restore-"), "{said}");
    let (code, said) = ran(folder, &["new-epoch"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = ran(folder, &["backup", "nowhere/copy.db"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let server = Started::begin(parlance(folder));
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    server.stop();
    let (code, said) = ran(folder, &["check"]);
    assert_eq!(code, 0, "{said}");
}
