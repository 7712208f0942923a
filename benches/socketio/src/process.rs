//! A server in a process of its own, and what Linux says about it.

use std::{
    env, fs, io,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

/// Clock ticks in a second, as `/proc` counts them on every Linux there is.
const TICKS: f64 = 100.0;

/// A running server; it is killed with this.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// Starts a server of this package on the first core, if `taskset` is there, and waits for it.
    pub fn start(name: &str) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let program = env::current_exe()?.with_file_name(name);
        let mut command = Command::new("taskset");
        command
            .args(["-c", "0"])
            .arg(&program)
            .arg(port.to_string());
        let child = command.spawn()?;
        let server = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Ok(server)
    }

    /// The seconds of CPU it has used.
    pub fn cpu(&self) -> io::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, which may hold spaces, ends with the last parenthesis; utime is the 14th field.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        Ok(ticks
            .filter_map(|field| field.parse::<f64>().ok())
            .sum::<f64>()
            / TICKS)
    }

    /// Its resident memory in KiB.
    pub fn resident(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        kib.ok_or_else(|| io::Error::other("no VmRSS"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Moves this process to the second core, away from the server.
pub fn step_aside() -> io::Result<()> {
    let own = std::process::id().to_string();
    Command::new("taskset")
        .args(["-cp", "1", &own])
        .output()
        .map(drop)
}
