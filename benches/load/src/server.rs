//! The server that is measured: the release binary, in a process of its own.

use std::{env, net::TcpListener, path::Path, time::Duration};

use tokio::{
    fs,
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{Outcome, client::Client, database::Database};

/// A running server; it ends with this.
pub struct Server {
    pub port: u16,
    process: Child,
}

impl Server {
    /// Starts one on a database with some settings beside those that every run has.
    pub async fn start(
        folder: &Path,
        database: &Database,
        settings: &[(&str, &str)],
    ) -> Outcome<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let binary = env::var("PARLANCE_BIN")?;
        let log = std::fs::File::create(folder.join(format!("server-{port}.log")))?;
        let mut command = Command::new(binary);
        command
            .current_dir(folder)
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_SOCKET_PORT", "0")
            .env("ROCKET_BCRYPT_COST", "4")
            .env("ROCKET_RATE_LIMITS", "false")
            .env("ROCKET_LOG_FILTER", "warn")
            .env(
                "ROCKET_DATABASES",
                format!("{{chat={{url=\"{}\"}}}}", database.url()),
            )
            .envs(settings.iter().copied())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let server = Self {
            port,
            process: command.spawn()?,
        };
        let began = Instant::now();
        while Client::connect(port, "").await.is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err("the server does not start".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// Stops it as an operator would, and waits until it has ended.
    pub async fn stop(mut self) -> Outcome {
        if let Some(id) = self.process.id() {
            Command::new("kill").arg(id.to_string()).status().await?;
        }
        self.process.wait().await?;
        Ok(())
    }

    /// Makes an account; returns its cookies.
    pub async fn register(&self, name: &str) -> Outcome<String> {
        let form = format!("name={name}&password=secret-7&email=someone%40example.com");
        let mut client = Client::connect(self.port, "").await?;
        let answer = client.post("/api/reg", &form).await?.expect(201)?;
        let cookies: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .filter_map(|(_, value)| value.split(';').next())
            .collect();
        Ok(cookies.join("; "))
    }

    /// Makes an open chat; returns its id.
    pub async fn open_chat(&self, cookies: &str, title: &str) -> Outcome<i64> {
        let mut client = Client::connect(self.port, cookies).await?;
        let answer = client.post("/api/chats", &format!("title={title}")).await?;
        let answer = answer.expect(201)?;
        let place = answer.header("location")?;
        Ok(place.rsplit('/').next().unwrap_or_default().parse()?)
    }

    /// Resident memory of the process, in bytes.
    pub async fn memory(&self) -> Outcome<u64> {
        let id = self.process.id().ok_or("the server has ended")?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).await?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// Processor time that the process has used so far.
    pub async fn processor(&self) -> Outcome<Duration> {
        let id = self.process.id().ok_or("the server has ended")?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).await?;
        let after = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = after
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap_or_default())
            .sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// One of the server's own figures.
    pub async fn figure(&self, name: &str) -> Outcome<f64> {
        let mut client = Client::connect(self.port, "").await?;
        let answer = client.get("/metrics").await?.expect(200)?;
        let text = String::from_utf8(answer.body)?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .ok_or_else(|| format!("no figure {name}"))?;
        Ok(value.trim().parse()?)
    }
}
