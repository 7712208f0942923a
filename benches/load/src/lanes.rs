//! What lanes gain: posts a second of several servers to tenants in one lane, and to the same tenants in lanes of their own.
//!
//! Each tenant's people are at one server, as behind a balancer that goes by the tenant: so a lane has one writer, where
//! otherwise all servers write one log in turns. PostgreSQL is on this machine, or as far away as in another room of a data
//! centre: each statement of a transaction that holds the log then takes that long.

use std::{env, fmt::Write as _, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::{
    Outcome,
    client::Client,
    contender::Contender,
    database::{Database, Engine},
    distance::Distance,
    options::Options,
    report::Section,
    server::{ADMIN_SETTINGS, Server, Setup},
    workloads::posts::{Posting, SENDERS},
};

/// Servers, of which each writes.
const WRITERS: usize = 4;
/// Tenants, and lanes at last.
const LANES: usize = 16;
/// With so many lanes so many times as much is written as with one, at least, where PostgreSQL is far away.
const TARGET: f64 = 1.8;
/// How far away that is, there and back.
const FAR: Duration = Duration::from_millis(3);
/// How far away another region is: what lanes gain where a machine's cores are not what limits them.
const FARTHER: Duration = Duration::from_millis(10);
/// The longest that a server takes to take up lanes, and to be back at rest.
const NOTICED: Duration = Duration::from_secs(2);

/// What was measured at one distance.
struct Gain {
    distance: Duration,
    one: f64,
    many: f64,
}

/// A tenant's user, and the room in which they are alone.
struct Tenant {
    cookies: String,
    chat: i64,
}

pub async fn measure(folder: &Path, options: &Options) -> Outcome<Section> {
    let mut gains = Vec::new();
    for distance in [Duration::ZERO, FAR, FARTHER] {
        gains.push(Gain::measure(folder, options, distance).await?);
    }
    let mut table = format!(
        "| network to PostgreSQL and back | one lane, posts/s | {LANES} lanes, posts/s | times as much |\n|---|---|---|---|\n"
    );
    for gain in &gains {
        writeln!(
            table,
            "| {} ms | {:.0} | {:.0} | {:.2} |",
            gain.distance.as_millis(),
            gain.one,
            gain.many,
            gain.times()
        )?;
    }
    writeln!(
        table,
        "\n{WRITERS} servers, {LANES} tenants with {SENDERS} senders together, each tenant at one server. Target: {TARGET} \
         times as much with {} ms of network.",
        FAR.as_millis()
    )?;
    let met = gains
        .iter()
        .any(|gain| gain.distance == FAR && gain.times() >= TARGET);
    Ok(Section {
        name: "lanes".to_owned(),
        title: format!("{WRITERS} servers that write one lane, and {LANES}"),
        markdown: table,
        json: Value::Array(gains.iter().map(Gain::json).collect()),
        met,
    })
}

impl Gain {
    fn times(&self) -> f64 {
        self.many / self.one
    }

    fn json(&self) -> Value {
        json!({"network_ms": self.distance.as_secs_f64() * 1000.0, "one_lane_posts_per_second": self.one,
            "sixteen_lanes_posts_per_second": self.many, "times": self.times()})
    }

    /// Measures it on a database of its own.
    async fn measure(folder: &Path, options: &Options, distance: Duration) -> Outcome<Self> {
        let setup = Setup {
            folder,
            name: "lanes",
            bcrypt_cost: 4,
            settings: ADMIN_SETTINGS.to_vec(),
        };
        let database = Database::make(Engine::Postgres, folder, "lanes").await?;
        let near = database.url();
        let (far, url) = far(&near, distance).await?;
        let contender = Contender::Parlance(Engine::Postgres);
        let mut servers = Vec::new();
        for _ in 0..WRITERS {
            let at = Database::at(Engine::Postgres, &url)?;
            servers.push(Server::start_on(contender, Some(at), &setup).await?);
        }
        let mut tenants = Vec::new();
        for _ in 0..LANES {
            tenants.push(Tenant::make(&servers[0], tenants.len()).await?);
        }
        sleep(NOTICED).await;
        let one = posts(&servers, &tenants, options).await?;
        // Also spreads the tenants, which have written alike.
        command(&near, folder, &["lanes", &LANES.to_string()]).await?;
        sleep(NOTICED).await;
        let many = posts(&servers, &tenants, options).await?;
        for server in servers {
            server.stop().await?;
        }
        drop(far);
        command(&near, folder, &["check"]).await?;
        let lanes = database.run("select count(distinct lane) from tenants");
        if lanes.await?.parse() != Ok(LANES) {
            return Err("the tenants are not in lanes of their own".into());
        }
        database.remove().await?;
        Ok(Self {
            distance,
            one,
            many,
        })
    }
}

/// The address of a database that is so far away, there and back; what it is far away by.
async fn far(url: &str, distance: Duration) -> Outcome<(Option<Distance>, String)> {
    if distance.is_zero() {
        return Ok((None, url.to_owned()));
    }
    let (rest, name) = url
        .rsplit_once('/')
        .ok_or("an address without a database")?;
    let (user, place) = rest.rsplit_once('@').ok_or("an address without a user")?;
    let far = Distance::to(place.to_owned(), distance / 2).await?;
    let url = format!("{user}@127.0.0.1:{}/{name}", far.port);
    Ok((Some(far), url))
}

impl Tenant {
    async fn make(server: &Server, number: usize) -> Outcome<Self> {
        let key = server.register_app().await?;
        let token = format!("token-of-{number}");
        let mut client = Client::connect(server.port, "").await?;
        let user = json!({"appId": key, "appUserId": 1, "firstName": "Ann", "token": token});
        let request = ("POST", "/user", Some(user.to_string()));
        let user = client.json(&key, &request).await?.expect(200)?.json()?;
        let room = json!({"room": "tea", "appId": key, "users": [1]});
        let request = ("POST", "/room", Some(room.to_string()));
        let room = client.json(&key, &request).await?.expect(200)?.json()?;
        let number = |told: &Value| told["id"].as_i64().ok_or("no id");
        Ok(Self {
            cookies: format!("user_id={}; token={token}", number(&user)?),
            chat: number(&room)?,
        })
    }
}

/// Posts a second of senders of all tenants, each at one of the servers.
async fn posts(servers: &[Server], tenants: &[Tenant], options: &Options) -> Outcome<f64> {
    let mut posting = Posting::default();
    for number in 0..SENDERS {
        let tenant = &tenants[number % tenants.len()];
        let port = servers[number % tenants.len() % servers.len()].port;
        let there = (port, tenant.cookies.as_str());
        posting.add(there, tenant.chat, drop).await?;
    }
    sleep(options.warm_up).await;
    let (began, first) = (Instant::now(), posting.sent());
    sleep(options.turn).await;
    let (took, count) = (began.elapsed(), (posting.sent() - first) as f64);
    posting.stop().await?;
    Ok(count / took.as_secs_f64())
}

/// Runs a command beside the servers, as on PostgreSQL's machine.
async fn command(url: &str, folder: &Path, words: &[&str]) -> Outcome {
    let ran = Command::new(env::var("PARLANCE_BIN")?)
        .args(words)
        .env("ROCKET_DATABASES", format!("{{chat={{url=\"{url}\"}}}}"))
        .current_dir(folder)
        .output()
        .await?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stdout, ran.stderr].concat();
    Err(String::from_utf8_lossy(&said).into())
}
