//! The binary as a process of its own: started, asked and stopped.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use serde_json::Value;

/// Longer than a server takes to say anything.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The binary, in `folder`, with nothing of our own settings around it.
pub(crate) fn parlance(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROCKET_")) {
        command.env_remove(name);
    }
    // The default would be the same for every test that runs at the time.
    command.env("ROCKET_SOCKET_PORT", "0");
    command
}

/// Starts it with settings that it refuses, and returns what it said.
pub(crate) fn refused(folder: &Path, settings: &[(&str, &str)]) -> String {
    let Output { status, stderr, .. } = parlance(folder)
        .envs(settings.iter().copied())
        .output()
        .expect("it runs");
    assert!(!status.success());
    String::from_utf8(stderr).expect("text")
}

/// A binary that listens, and what it has said so far.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) port: u64,
    pub(crate) lines: Vec<Value>,
    rest: BufReader<std::process::ChildStderr>,
}

impl Started {
    #[expect(
        clippy::zombie_processes,
        reason = "a test that fails here ends the child with it"
    )]
    pub(crate) fn begin(mut command: Command) -> Self {
        let mut child = command
            .env("ROCKET_PORT", "0")
            .env("ROCKET_LOG_FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut rest = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = rest.read_line(&mut line).expect("text");
            assert!(read > 0, "it stopped before it listened: {lines:?}");
            let line: Value = serde_json::from_str(&line).expect("a JSON line");
            let port = line["port"].as_u64();
            lines.push(line);
            if let Some(port) = port {
                return Self {
                    child,
                    port,
                    lines,
                    rest,
                };
            }
        }
    }

    pub(crate) fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", u16::try_from(self.port).expect("a port"))
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Waits until it says a line that holds this text, and returns what it said until then. A server that does not is
    /// ended after a while.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let (said, never_said) = mpsc::channel::<()>();
        let id = self.child.id().to_string();
        thread::spawn(move || {
            if never_said.recv_timeout(TIMEOUT) == Err(RecvTimeoutError::Timeout) {
                drop(Command::new("kill").args(["-KILL", &id]).status());
            }
        });
        let (mut all, mut last) = (String::new(), 0);
        while !all[last..].contains(text) {
            last = all.len();
            let read = self.rest.read_line(&mut all).expect("text");
            assert!(read > 0, "it never said {text:?}");
        }
        drop(said);
        all
    }

    /// Asks it to stop, and returns what it said until then.
    pub(crate) fn stop(self) -> String {
        self.signal();
        self.ended()
    }

    /// Asks it to stop.
    pub(crate) fn signal(&self) {
        // It logs that it listens a moment before it handles signals; once it answers it does.
        self.get("/health/live");
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status()
            .expect("kill is there");
        assert!(asked.success());
    }

    /// Waits for its end, and returns what it said until then.
    pub(crate) fn ended(mut self) -> String {
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("it ends").success());
        rest
    }
}

/// A test that fails leaves no server behind.
impl Drop for Started {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
