//! PostgreSQL servers of a test's own, which it may copy, stop and promote, and the way to them.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    support::place::{Place, SERVER},
    support::world::{World, soon_holds},
};

/// The database that the servers of these tests have.
const NAME: &str = "chat";

/// A PostgreSQL server with a folder of its own.
pub(crate) struct Cluster {
    folder: TempDir,
    address: String,
}

impl Cluster {
    /// A new one; none in the run of the tests that is about SQLite.
    pub(crate) fn start() -> Option<Self> {
        std::env::var(SERVER).ok().filter(|url| !url.is_empty())?;
        Some(Self::made(&[]))
    }

    /// An asynchronous standby of another one.
    fn follow(primary: &Self) -> Self {
        Self::made(&[primary.folder.path()])
    }

    fn made(primary: &[&Path]) -> Self {
        let folder = TempDir::new().expect("the system has a temporary folder");
        let word = if primary.is_empty() {
            "start"
        } else {
            "follow"
        };
        let address = order(word, folder.path(), primary);
        Self { folder, address }
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn stop(&self) {
        order("stop", self.folder.path(), &[]);
    }

    /// Starts it again.
    pub(crate) fn start_again(&self) {
        assert_eq!(order("start", self.folder.path(), &[]), self.address);
    }

    /// Runs a statement in the database of the tests.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.connect(NAME).await;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection);
        done.await.expect("the statement is right");
    }

    /// One number, or what counts as one.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect(NAME).await;
        let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection);
        found.await.expect("the question is right")
    }

    /// Changes a setting of the server. It is in force some time later.
    pub(crate) async fn set(&self, setting: &str) {
        self.run(&format!("alter system {setting}")).await;
        self.run("select pg_reload_conf()").await;
    }

    /// Makes the database of the tests.
    pub(crate) async fn make_database(&self) {
        let mut connection = self.connect("postgres").await;
        let sql = AssertSqlSafe(format!("create database {NAME}"));
        let made = sqlx::query(sql).execute(&mut connection);
        made.await.expect("it is made");
    }

    async fn connect(&self, database: &str) -> PgConnection {
        let url = format!("postgres://parlance@{}/{database}", self.address);
        PgConnection::connect(&url).await.expect("it answers")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Gives an order to `tests/postgres`, and returns the address that it names, if it does.
fn order(word: &str, folder: &Path, more: &[&Path]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres");
    let ordered = Command::new(script)
        .arg(word)
        .arg(folder)
        .args(more)
        .output();
    let output = ordered.expect("the script runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{word}: {said}");
    let url = String::from_utf8(output.stdout).expect("text");
    let address = url.trim().rsplit_once('@').map(|(_, place)| place);
    let address = address.and_then(|place| place.split_once('/'));
    address.map_or(String::new(), |(address, _)| address.to_owned())
}

/// The way from the server under test to PostgreSQL, a proxy that may lead elsewhere.
pub(crate) struct Way {
    to: watch::Sender<String>,
    /// The next connection that locks the log is cut off: nothing goes through any more, and nobody is told.
    cuts: Arc<AtomicBool>,
    port: u16,
}

impl Way {
    pub(crate) async fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let to = watch::Sender::new(cluster.address.clone());
        let cuts = Arc::<AtomicBool>::default();
        let (ends, cut) = (to.clone(), Arc::clone(&cuts));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, ends.subscribe(), Arc::clone(&cut)));
            }
        });
        Self { to, cuts, port }
    }

    /// Breaks all connections, and leads elsewhere from now on.
    pub(crate) fn turn(&self, cluster: &Cluster) {
        self.to.send_replace(cluster.address.clone());
    }

    /// Has the next connection cut off that locks the log.
    pub(crate) fn cut_next_lock(&self) {
        self.cuts.store(true, Ordering::Release);
    }

    /// Whether a connection was cut off since.
    pub(crate) fn has_cut(&self) -> bool {
        !self.cuts.load(Ordering::Acquire)
    }

    /// A server that uses this way.
    pub(crate) async fn world(&self, settings: &str) -> World {
        let server = format!("postgres://parlance@127.0.0.1:{}", self.port);
        // Statements are in what is sent, and not names for them.
        let url = format!("{server}/{NAME}?sslmode=disable&statement-cache-capacity=0");
        let name = NAME.to_owned();
        World::on(Place::Postgres { server, name }, &url, settings).await
    }
}

async fn carry(mut client: TcpStream, mut to: watch::Receiver<String>, cuts: Arc<AtomicBool>) {
    let address = to.borrow_and_update().clone();
    let Ok(mut server) = TcpStream::connect(&address).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            biased;
            _ = to.changed() => return,
            read = client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                let locks = up[..count].windows(10).any(|part| part == b"for update");
                if server.write_all(&up[..count]).await.is_err() {
                    return;
                }
                if locks && cuts.swap(false, Ordering::AcqRel) {
                    // Both ends stay open.
                    std::future::pending::<()>().await;
                }
            }
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A primary with a standby, and a way that leads to the primary.
pub(crate) struct Pair {
    pub(crate) primary: Cluster,
    pub(crate) standby: Cluster,
    pub(crate) way: Way,
}

impl Pair {
    /// None in the run of the tests that is about SQLite.
    pub(crate) async fn start() -> Option<Self> {
        let primary = Cluster::start()?;
        primary.make_database().await;
        let standby = Cluster::follow(&primary);
        let way = Way::to(&primary).await;
        Some(Self {
            primary,
            standby,
            way,
        })
    }

    /// Returns when the standby has everything that the primary has.
    pub(crate) async fn in_step(&self) {
        let written = "select (pg_current_wal_flush_lsn() - '0/0')::bigint";
        let replayed = "select (pg_last_wal_replay_lsn() - '0/0')::bigint";
        let until = self.primary.number(written).await;
        soon_holds(async || self.standby.number(replayed).await >= until).await;
    }

    /// Returns when the standby has everything, and receives nothing any more.
    pub(crate) async fn part(&self) {
        self.in_step().await;
        self.standby.set("set primary_conninfo = ''").await;
        let receivers = "select count(*) from pg_stat_wal_receiver";
        soon_holds(async || self.standby.number(receivers).await == 0).await;
    }

    /// The primary is gone, and the standby takes over.
    pub(crate) async fn fail_over(&self) {
        self.primary.stop();
        self.standby.run("select pg_promote()").await;
        self.way.turn(&self.standby);
    }
}
