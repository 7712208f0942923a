//! The binary and a database that it cannot or must not use: one sentence, and the exit code 1.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Output, Stdio},
};

use parlance::store::{Failover, Options, Store};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::{
    support::binary::{Started, parlance},
    support::place::Place,
    support::world::{FOREVER, World},
};

/// The user id of `nobody` on most systems.
const NOBODY: u32 = 65534;

/// The one sentence with which a server in this folder does not start.
fn sentence(mut command: Command) -> String {
    let Output { status, stderr, .. } = command
        .env("ROCKET_PORT", "0")
        .env("ROCKET_EMBED_OPEN", "false")
        .env("ROCKET_LOG_FILTER", "warn")
        .output()
        .expect("it runs");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join("data/parlance.db")
}

/// A folder with a database that a server has made and left.
fn used() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    Started::begin(parlance(folder.path())).stop();
    folder
}

async fn change(file: &Path, sql: &'static str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("it opens");
    sqlx::raw_sql(sql)
        .execute(&mut connection)
        .await
        .expect("it runs");
    connection.close().await.expect("it closes");
}

#[test]
fn a_second_server_on_one_file_is_refused_and_the_next_one_starts_when_the_first_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Started::begin(parlance(folder.path()));
    let said = sentence(parlance(folder.path()));
    assert!(
        said.contains("another server has the database data/parlance.db"),
        "{said}"
    );
    assert!(said.contains("databases.chat.url"), "{said}");
    // By another name it is the same database.
    let data = folder.path().join("data");
    std::os::unix::fs::symlink("parlance.db", data.join("alias.db")).expect("linked");
    let mut alias = parlance(folder.path());
    alias.env(
        "ROCKET_DATABASES",
        "{chat={url=\"sqlite://data/alias.db\"}}",
    );
    let said = sentence(alias);
    assert!(said.contains("another server has the database"), "{said}");
    // So it is by another path.
    std::os::unix::fs::symlink("data", folder.path().join("linked")).expect("linked");
    let absolute = format!("{}/data/parlance.db", folder.path().display());
    for path in [
        absolute.as_str(),
        "linked/parlance.db",
        "./linked/../data/alias.db",
    ] {
        let mut other = parlance(folder.path());
        other.env(
            "ROCKET_DATABASES",
            format!("{{chat={{url=\"sqlite://{path}\"}}}}"),
        );
        let said = sentence(other);
        assert!(said.contains("another server has the database"), "{said}");
    }
    // A hard link has a lock file of its own, and would have a write-ahead log of its own.
    fs::hard_link(data.join("parlance.db"), data.join("hard.db")).expect("linked");
    let mut hard = parlance(folder.path());
    let elsewhere = "{chat={url=\"sqlite://data/hard.db\"}}";
    hard.env("ROCKET_DATABASES", elsewhere);
    let said = sentence(hard);
    assert!(said.contains("by another name of the same file"), "{said}");
    assert!(said.contains("databases.chat.url"), "{said}");
    assert!(first.get("/health").starts_with("HTTP/1.0 200"));
    // An administrator is made beside it nevertheless.
    let mut admin = parlance(folder.path())
        .args(["admin", "root@example.com"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut password = admin.stdin.take().expect("it is piped");
    writeln!(password, "correct horse").expect("read");
    drop(password);
    let made = admin.wait_with_output().expect("it ends");
    assert!(made.status.success());
    assert!(first.get("/health").starts_with("HTTP/1.0 200"));
    first.child.kill().expect("killed");
    first.child.wait().expect("it ends");
    Started::begin(parlance(folder.path())).stop();
    // Once nobody has it, any name will do: the others are then in the way of nobody.
    let mut hard = parlance(folder.path());
    hard.env("ROCKET_DATABASES", elsewhere);
    Started::begin(hard).stop();
}

#[test]
fn what_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = database(folder.path());
    fs::create_dir(folder.path().join("data")).expect("made");
    let letter = "Dear Ann, this is a letter and not a database. ".repeat(100);
    fs::write(&file, &letter).expect("written");
    let said = sentence(parlance(folder.path()));
    assert!(
        said.starts_with("data/parlance.db is not a SQLite database"),
        "{said}"
    );
    assert!(said.contains("backup"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("read"), letter);
}

#[test]
fn a_damaged_database_is_said_to_be_damaged() {
    let folder = used();
    let file = database(folder.path());
    let size = fs::metadata(&file).expect("it is there").size();
    let mut open = OpenOptions::new().write(true).open(&file).expect("opened");
    open.seek(SeekFrom::Start(4096)).expect("there");
    let rest = usize::try_from(size - 4096).expect("a small file");
    open.write_all(&vec![0xa5; rest]).expect("written");
    let said = sentence(parlance(folder.path()));
    assert!(
        said.starts_with("the database data/parlance.db is damaged"),
        "{said}"
    );
    assert!(said.contains("put a backup in its place"), "{said}");

    let folder = used();
    let half = OpenOptions::new()
        .write(true)
        .open(database(folder.path()))
        .expect("opened");
    half.set_len(size / 2).expect("cut");
    let said = sentence(parlance(folder.path()));
    assert!(said.contains("is damaged"), "{said}");
}

#[rocket::async_test]
async fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = database(folder.path());
    change(
        &file,
        "create table recipes (id integer); create table spices (id integer)",
    )
    .await;
    let before = fs::read(&file).expect("read");
    let said = sentence(parlance(folder.path()));
    assert!(
        said.contains("tables of another program (recipes, spices)"),
        "{said}"
    );
    assert_eq!(fs::read(&file).expect("read"), before);
    assert!(!file.with_extension("db-wal").exists());
}

#[rocket::async_test]
async fn a_newer_versions_database_is_worked_on_unless_its_protocol_is_newer() {
    let folder = used();
    change(
        &database(folder.path()),
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9999, 'x', true, x'00', 0)",
    )
    .await;
    let server = Started::begin(parlance(folder.path()));
    let said: Vec<_> = server.lines.iter().map(ToString::to_string).collect();
    let said = said.join("\n");
    assert!(said.contains("schema 9999 by a newer Parlance"), "{said}");
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    server.stop();
    change(&database(folder.path()), "update log set protocol = 99").await;
    let said = sentence(parlance(folder.path()));
    assert!(said.contains("protocol 99, schema 9999"), "{said}");
    assert!(said.contains("start the newer version"), "{said}");
}

/// The same as a user to whom permissions mean something: root may do everything.
fn as_a_user(mut command: Command) -> Command {
    let owner = fs::metadata("/proc/self").map_or(NOBODY, |process| process.uid());
    if owner == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn a_database_that_may_only_be_read_is_said_to_be() {
    let folder = used();
    let (file, data) = (database(folder.path()), folder.path().join("data"));
    for path in [folder.path(), &data] {
        allow(path, 0o777);
    }
    allow(&data.join("parlance.db.lock"), 0o666);
    allow(&file, 0o444);
    let said = sentence(as_a_user(parlance(folder.path())));
    assert!(
        said.contains("data/parlance.db cannot be written to"),
        "{said}"
    );
    assert!(said.contains("give this user the right"), "{said}");

    allow(&file, 0o666);
    allow(&data, 0o555);
    let said = sentence(as_a_user(parlance(folder.path())));
    assert!(said.contains("cannot be written to"), "{said}");
    fs::remove_file(data.join("parlance.db.lock")).ok();
    allow(&data, 0o755);
    fs::remove_file(data.join("parlance.db.lock")).ok();
    allow(&data, 0o555);
    let said = sentence(as_a_user(parlance(folder.path())));
    assert!(said.contains("could not be written to"), "{said}");
    assert!(said.contains("right to write in that folder"), "{said}");
    allow(&data, 0o777);
}

#[rocket::async_test]
async fn a_database_server_says_as_much() {
    let place = Place::empty().await;
    let options = Options {
        url: place.url(),
        max_connections: 2,
        connect_timeout: FOREVER,
        idle_timeout: None,
        failover: Failover::default(),
    };
    if let Place::Sqlite(_) = &place {
        // The binary's own tests are about SQLite.
        return;
    }
    let mut beside = place.beside().await;
    beside.run("create table recipes (id bigint)").await;
    let refused = Store::open(&options).await.expect_err("it is another's");
    assert!(
        refused
            .text()
            .contains("tables of another program (recipes)"),
        "{refused}"
    );
    beside.run("drop table recipes").await;
    Store::open(&options)
        .await
        .expect("it is ours")
        .close()
        .await;
    beside
        .run(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (9999, 'x', true, ''::bytea, 0)",
        )
        .await;
    Store::open(&options)
        .await
        .expect("it is merely migrated further")
        .close()
        .await;
    beside.run("update log set protocol = 99").await;
    let refused = Store::open(&options).await.expect_err("it is newer");
    assert!(
        refused.text().contains("protocol 99, schema 9999"),
        "{refused}"
    );
    let nowhere = Options {
        url: format!("{}_nowhere", place.url()),
        ..options
    };
    let refused = Store::open(&nowhere).await.expect_err("there is none");
    assert!(refused.text().contains("has no database"), "{refused}");
    assert!(refused.text().contains("createdb"), "{refused}");
}

#[rocket::async_test]
async fn a_server_says_that_it_has_a_database_with_others_and_leaves_it() {
    let world = World::new().await;
    if let Place::Sqlite(_) = &world.place {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env("ROCKET_DATABASES", world.databases());
    let started = tokio::task::spawn_blocking(move || Started::begin(command));
    let server = started.await.expect("it starts");
    let lines: Vec<_> = server.lines.iter().map(ToString::to_string).collect();
    let said = lines.join("\n");
    assert!(
        said.contains("Other servers have this database too"),
        "{said}"
    );
    let mut beside = world.place.beside().await;
    let living = "select count(*) from nodes";
    assert_eq!(beside.number(living).await, 2);
    let stopped = tokio::task::spawn_blocking(move || {
        assert!(server.get("/health").starts_with("HTTP/1.0 200"));
        server.stop();
    });
    stopped.await.expect("it stops");
    assert_eq!(beside.number(living).await, 1, "who stops says so");
    world.stop().await;
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = parlance(folder.path())
        .env("ROCKET_PORT", port.to_string())
        .env("ROCKET_LOG_FILTER", "debug")
        .stderr(full)
        .spawn()
        .expect("it starts");
    let began = std::time::Instant::now();
    let mut well = false;
    while !well {
        assert!(began.elapsed() < FOREVER, "it does not answer");
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut answer = String::new();
            let asked = write!(stream, "GET /health HTTP/1.0\r\n\r\n");
            let read = asked.and_then(|()| stream.read_to_string(&mut answer));
            well = read.is_ok() && answer.starts_with("HTTP/1.0 200");
        }
    }
    let pid = child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(asked.expect("kill is there").success());
    assert!(child.wait().expect("it ends").success());

    // And what it would log before it starts.
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("opened");
    let mut wrong = parlance(folder.path());
    let wrong = wrong.env("ROCKET_BCRYPT_COST", "99").stderr(full).status();
    assert_eq!(wrong.expect("it runs").code(), Some(1));
}
