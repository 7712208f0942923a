//! A server that is measured, in a process of its own, and what Linux says about it.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::{
    Outcome,
    client::Client,
    contender::Contender,
    database::{Database, Engine},
};

/// What is answered once a server serves.
const ALIVE: &str = "/health/live";
/// Whatever ends a run, a server that does not stop is killed after this.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everybody's password.
pub const PASSWORD: &str = "secret-number-7";
/// The administrator of Parlance's chat service, who registers apps.
const ADMIN: (&str, &str) = ("admin@example.com", "correct horse battery");
pub const ADMIN_SETTINGS: [(&str, &str); 2] = [
    ("ROCKET_ADMIN_EMAIL", ADMIN.0),
    ("ROCKET_ADMIN_PASSWORD", ADMIN.1),
];

/// What a server is started with.
pub struct Setup<'s> {
    pub folder: &'s Path,
    /// The database's name.
    pub name: &'s str,
    pub bcrypt_cost: u32,
    /// Settings of Parlance beside those of every run.
    pub settings: Vec<(&'static str, &'static str)>,
}

/// A running server; it ends with this.
pub struct Server {
    pub port: u16,
    pub contender: Contender,
    pub database: Option<Database>,
    /// From its start until it answered.
    pub startup: Duration,
    pub folder: PathBuf,
    process: Child,
    /// Its processes: the one that was started and its children.
    ids: Vec<u32>,
}

impl Server {
    /// Starts one on a fresh database.
    pub async fn start(contender: Contender, setup: &Setup<'_>) -> Outcome<Self> {
        let database = match contender.engine() {
            Some(engine) => Some(Database::make(engine, setup.folder, setup.name).await?),
            None => None,
        };
        Self::start_on(contender, database, setup).await
    }

    /// Starts one on a database that is there.
    pub async fn start_on(
        contender: Contender,
        database: Option<Database>,
        setup: &Setup<'_>,
    ) -> Outcome<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = command(contender, port, database.as_ref(), setup)?;
        let log = setup.folder.join(format!("{}-{port}.log", contender.key()));
        let log = fs::File::create(log)?;
        command
            .current_dir(setup.folder)
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let began = Instant::now();
        let mut process = command.spawn()?;
        while !answers(port).await {
            if began.elapsed() > Duration::from_mins(1) || process.try_wait()?.is_some() {
                return Err(format!("{} does not start", contender.title()).into());
            }
            sleep(Duration::from_millis(1)).await;
        }
        let startup = began.elapsed();
        let first = process.id().ok_or("the server has ended")?;
        let ids = [vec![first], children(first)?].concat();
        Ok(Self {
            port,
            contender,
            database,
            startup,
            folder: setup.folder.to_owned(),
            process,
            ids,
        })
    }

    /// Stops it as an operator would, and waits until it has ended. Returns its database.
    pub async fn stop(mut self) -> Outcome<Option<Database>> {
        self.signal("-TERM").await?;
        if timeout(PATIENCE, self.process.wait()).await.is_err() {
            self.process.kill().await?;
            return Err(format!("{} did not stop when told to", self.contender.title()).into());
        }
        Ok(self.database)
    }

    /// Sends it a signal, if it has not ended.
    pub async fn signal(&self, signal: &str) -> Outcome {
        if let Some(id) = self.process.id() {
            let id = id.to_string();
            Command::new("kill").args([signal, &id]).status().await?;
        }
        Ok(())
    }

    /// Stops it and removes its database.
    pub async fn end(self) -> Outcome {
        match self.stop().await? {
            Some(database) => database.remove().await,
            None => Ok(()),
        }
    }

    /// How many rows a table has; of servers that have a database.
    pub async fn rows(&self, table: &str) -> Outcome<Option<u64>> {
        match &self.database {
            Some(database) => database.rows(table).await.map(Some),
            None => Ok(None),
        }
    }

    /// Registers an app with Parlance's chat service; returns its key. It was started with an administrator.
    pub async fn register_app(&self) -> Outcome<String> {
        let mut client = Client::connect(self.port, "").await?;
        let login = json!({"email": ADMIN.0, "password": ADMIN.1}).to_string();
        let request = ("POST", "/auth/login", Some(login));
        let answer = client.json("", &request).await?.expect(200)?.json()?;
        let token = answer["token"].as_str().ok_or("no token")?;
        let path = format!("/app?token={token}");
        let app = json!({"name": "bench"}).to_string();
        let request = ("POST", path.as_str(), Some(app));
        let answer = client.json("", &request).await?.expect(201)?.json()?;
        let key = answer["applicationId"].as_str().ok_or("no key")?;
        Ok(key.to_owned())
    }

    /// Makes an account; returns its cookies.
    pub async fn register(&self, name: &str) -> Outcome<String> {
        let form = format!("name={name}&password={PASSWORD}&email=someone%40example.com");
        let mut client = Client::connect(self.port, "").await?;
        let answer = client.post("/api/reg", &form).await?.expect(201)?;
        Ok(answer.cookies())
    }

    /// Signs somebody in once more; returns the cookies.
    pub async fn sign_in(&self, name: &str) -> Outcome<String> {
        let form = format!("name={name}&password={PASSWORD}");
        let mut client = Client::connect(self.port, "").await?;
        let answer = client.post("/api/login", &form).await?.expect(200)?;
        Ok(answer.cookies())
    }

    /// Makes somebody an administrator of Parlance, beside the server as on its machine.
    pub async fn make_administrator(&self, name: &str) -> Outcome {
        let database = self.database.as_ref().ok_or("no database")?;
        let url = format!("{{chat={{url=\"{}\"}}}}", database.url());
        let made = Command::new(env::var("PARLANCE_BIN")?)
            .args(["admin", name])
            .env("ROCKET_DATABASES", url)
            .current_dir(&self.folder)
            .output()
            .await?;
        if made.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&made.stderr).into())
    }

    /// Makes an open chat; returns its id.
    pub async fn open_chat(&self, cookies: &str, title: &str) -> Outcome<i64> {
        let mut client = Client::connect(self.port, cookies).await?;
        let answer = client.post("/api/chats", &format!("title={title}")).await?;
        let answer = answer.expect(201)?;
        let place = answer.header("location")?;
        Ok(place.rsplit('/').next().unwrap_or_default().parse()?)
    }

    pub async fn join_chat(&self, cookies: &str, chat: i64) -> Outcome {
        let mut client = Client::connect(self.port, cookies).await?;
        let path = format!("/api/chats/{chat}/join");
        client.post(&path, "").await?.expect(200).map(drop)
    }

    /// Resident memory of its processes, in bytes.
    pub fn memory(&self) -> Outcome<u64> {
        let mut bytes = 0;
        for id in &self.ids {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib: u64 = line
                .ok_or("no VmRSS")?
                .trim()
                .trim_end_matches(" kB")
                .parse()?;
            bytes += kib * 1024;
        }
        Ok(bytes)
    }

    /// Processor time that its processes have used so far, user and system, all threads.
    pub fn processor(&self) -> Outcome<Duration> {
        let mut ticks = 0;
        for id in &self.ids {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            // The name, which may hold spaces, ends with the last parenthesis; utime is the 14th field.
            let fields = stat.rsplit(") ").next().unwrap_or_default();
            let used = fields.split(' ').skip(11).take(2);
            ticks += used
                .filter_map(|field| field.parse::<u64>().ok())
                .sum::<u64>();
        }
        // A tick is a hundredth of a second on every Linux there is.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Waits until it has come to rest: what it was sent has been taken in.
    pub async fn rest(&self) -> Outcome {
        let (mut before, mut quiet) = (self.processor()?, 0);
        for _ in 0..200 {
            sleep(Duration::from_millis(100)).await;
            let now = self.processor()?;
            // One tick may be a timer's.
            quiet = if now.saturating_sub(before) <= Duration::from_millis(10) {
                quiet + 1
            } else {
                0
            };
            before = now;
            if quiet == 5 {
                return Ok(());
            }
        }
        Err(format!("{} does not come to rest", self.contender.title()).into())
    }
}

async fn answers(port: u16) -> bool {
    let Ok(mut client) = Client::connect(port, "").await else {
        return false;
    };
    client.get(ALIVE).await.is_ok()
}

fn children(parent: u32) -> Outcome<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // A process may end between the two looks.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        if fields.split(' ').nth(1) == Some(&parent.to_string()) {
            found.push(id);
        }
    }
    Ok(found)
}

fn command(
    contender: Contender,
    port: u16,
    database: Option<&Database>,
    setup: &Setup<'_>,
) -> Outcome<Command> {
    let mut command = match contender {
        Contender::Parlance(_) | Contender::Single(_) => Command::new(env::var("PARLANCE_BIN")?),
        Contender::Axum => peer("durable")?,
        Contender::BareRocket => peer("bare_rocket")?,
        Contender::BareWrites => peer("bare_writes")?,
        Contender::Node => {
            let mut command = Command::new("node");
            command.arg(Path::new(&env::var("BENCH_NODE")?).join("server.mjs"));
            command
        }
        Contender::Nchan => {
            let mut command = Command::new("nginx");
            let place = setup.folder.join(format!("nginx-{port}"));
            fs::create_dir_all(&place)?;
            let file = place.join("nginx.conf");
            let text = include_str!("../../peers/nginx.conf")
                .replace("MODULE", &env::var("BENCH_NCHAN")?)
                .replace("FOLDER", &place.to_string_lossy())
                .replace("PORT", &port.to_string());
            fs::write(&file, text)?;
            command.arg("-p").arg(&place).arg("-c").arg(&file);
            return Ok(command);
        }
    };
    match contender {
        Contender::Parlance(_) | Contender::Single(_) => {
            let database = database.ok_or("Parlance has a database")?;
            let url = format!("{{chat={{url=\"{}\"}}}}", database.url());
            command
                .env("ROCKET_PORT", port.to_string())
                .env("ROCKET_SOCKET_PORT", "0")
                .env("ROCKET_BCRYPT_COST", setup.bcrypt_cost.to_string())
                .env("ROCKET_RATE_LIMITS", "false")
                .env("ROCKET_LOG_FILTER", "warn")
                .env("ROCKET_DATABASES", url)
                .envs(setup.settings.iter().copied());
            if matches!(contender, Contender::Single(_)) {
                command.env("ROCKET_WRITE_BATCH_MAX", "1");
            }
        }
        Contender::Axum | Contender::Node => {
            let Some(Database::Sqlite(file)) = database else {
                return Err("this peer is on SQLite".into());
            };
            let cost = setup.bcrypt_cost.to_string();
            command.arg(port.to_string()).arg(file).arg(cost);
        }
        _ => {
            command.arg(port.to_string());
        }
    }
    Ok(command)
}

fn peer(name: &str) -> Outcome<Command> {
    let folder = PathBuf::from(env::var("BENCH_PEERS")?);
    Ok(Command::new(folder.join(name)))
}

/// Parlance alone, for what is not compared with anybody.
pub async fn parlance(
    engine: Engine,
    folder: &Path,
    name: &str,
    settings: Vec<(&'static str, &'static str)>,
) -> Outcome<Server> {
    let setup = Setup {
        folder,
        name,
        bcrypt_cost: 4,
        settings,
    };
    Server::start(Contender::Parlance(engine), &setup).await
}
