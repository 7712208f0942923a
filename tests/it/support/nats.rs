//! NATS servers: the one that the tests of several servers may share, and ones of a test's own.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::world::{FOREVER, World, soon_holds};

/// Names a NATS server. Then servers of one database tell each other by it what is new, and what is about NATS is
/// tested; else that is done by PostgreSQL.
const SERVER: &str = "PARLANCE_TEST_NATS_URL";

/// The NATS server, if this run of the tests is about one.
pub(crate) fn url() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

/// A NATS server of a test's own, with a folder for its configuration and its log.
pub(crate) struct Broker {
    pub(crate) folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Broker {
    /// One that asks for nothing; none in the runs of the tests that are not about NATS.
    pub(crate) fn start() -> Option<Self> {
        let mut broker = Self::prepare()?;
        broker.start_with("");
        Some(broker)
    }

    /// One that does not run yet.
    pub(crate) fn prepare() -> Option<Self> {
        url()?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let folder = TempDir::new().expect("the system has a temporary folder");
        Some(Self {
            folder,
            port,
            child: None,
        })
    }

    /// Starts it with this configuration, at the port that it had.
    pub(crate) fn start_with(&mut self, configuration: &str) {
        let (path, log) = (self.path("nats.conf"), self.path("log"));
        let (port, place) = (self.port, log.display());
        let first = format!("listen: 127.0.0.1:{port}\nlog_file: '{place}'\n");
        fs::write(&path, first + configuration).expect("it is written");
        let mut command = Command::new(program());
        command.arg("--config").arg(&path);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("it starts"));
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(&log).unwrap_or_default();
            assert!(began.elapsed() < FOREVER, "it does not listen: {log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Has it do nothing, with its connections open, until it is told to go on.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Has it go on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// A path of its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it is.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The setting that names it.
    pub(crate) fn setting(&self) -> String {
        format!("nats_url = 'nats://127.0.0.1:{}'", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nats");
    let told = Command::new(script).arg("bin").output();
    let told = told.expect("the script runs");
    assert!(told.status.success(), "nats-server is not installed");
    let path = String::from_utf8(told.stdout).expect("text");
    PathBuf::from(path.trim())
}

/// Whether a server says that it hears what others say. On a machine that is busy something else may fail meanwhile.
async fn hears(world: &World) -> bool {
    let told = world.get("/health").await.json();
    let bus = &told["parts"]["bus"];
    let hears = bus["state"] == "ok";
    assert!(hears || bus["state"] == "degraded", "{told}");
    assert_eq!(bus["error"].is_string(), !hears, "{told}");
    hears
}

/// Returns once each of these servers hears what others say, or once none does.
pub(crate) async fn all_hear(servers: &[World], hear: bool) {
    for world in servers {
        soon_holds(async || hears(world).await == hear).await;
    }
}
