//! What several servers on one PostgreSQL cost and gain: posts a second, and how soon one hears of the other.

mod stops;

use std::{fmt::Write as _, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::{
    task::spawn_local,
    time::{Instant, sleep},
};

use crate::{
    Outcome,
    client::Client,
    contender::Contender,
    database::{Database, Engine},
    figures::{Times, digits, milliseconds, written},
    options::Options,
    report::Section,
    server::{Server, Setup},
    workloads::{
        Ground,
        posts::{self, CHATS, FORM, PEOPLE, Posting, SENDERS},
    },
};

const SERVERS: usize = 3;
/// A login that ended at one server is refused by the others sooner, in all but one of a hundred.
const TARGET: Duration = Duration::from_millis(100);
/// What is posted at the others is answered sooner, whenever a server is stopped, but for one time of a hundred.
const STOP_TARGET: Duration = Duration::from_secs(1);
/// An idle server runs no more statements a second.
const IDLE: f64 = 5.0;
const IDLE_FOR: Duration = Duration::from_secs(10);
/// What servers do when they have started, and after the last request, is over by then.
const RESTED_AFTER: Duration = Duration::from_secs(20);
/// The longest that a server takes to count the others.
const NOTICED: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn measure(folder: &Path, options: &Options) -> Outcome<Section> {
    let mut rates = Vec::new();
    let alone = Database::make(Engine::Sqlite, folder, "nodes").await?;
    let alone = Cluster::start(folder, Engine::Sqlite, alone, 1).await?;
    rates.push((
        "SQLite, one server".to_owned(),
        alone.posts(1, options).await?,
    ));
    alone.end().await?;
    let shared = Database::make(Engine::Postgres, folder, "nodes").await?;
    let cluster = Cluster::start(folder, Engine::Postgres, shared, SERVERS).await?;
    let idle = cluster.idle().await?;
    for servers in 1..=SERVERS {
        let what = format!("PostgreSQL, posts to {servers} of {SERVERS} servers");
        rates.push((what, cluster.posts(servers, options).await?));
    }
    let mut messages = cluster.messages(options.size(500, 50)).await?;
    let mut logouts = cluster.logouts(options.size(200, 20)).await?;
    let mut stops = cluster.stops(options.size(200, 20)).await?;
    cluster.end().await?;

    let mut table = "| | posts/s | server's CPU a post, all servers |\n|---|---|---|\n".to_owned();
    for (what, posts) in &rates {
        writeln!(
            table,
            "| {what} | {:.0} | {} us |",
            posts.rate,
            digits(posts.processor)
        )?;
    }
    writeln!(
        table,
        "\n| of other servers | p50 | p99 | longest |\n|---|---|---|---|"
    )?;
    for (what, times) in [
        (
            "until somebody who waits there has a message",
            &mut messages,
        ),
        (
            "until a login that has ended is refused there",
            &mut logouts,
        ),
        (
            "longest post there while a server is stopped that writes",
            &mut stops,
        ),
    ] {
        writeln!(
            table,
            "| {what} | {} | {} |",
            times.cells(),
            written(times.at(1.0))
        )?;
    }
    writeln!(
        table,
        "\n{SENDERS} senders, {PEOPLE} people, {CHATS} chats. Times are from the request's answer at one server, {} messages and {} \
         logins; a server was stopped {} times, for one and a half seconds each. Each idle server ran {} statements a second. Targets: a login refused within {} (p99), \
         a post within {} (p99), at most {IDLE} statements.",
        messages.len(),
        logouts.len(),
        stops.len(),
        digits(idle),
        written(TARGET),
        written(STOP_TARGET)
    )?;
    let met = logouts.at(0.99) < TARGET && stops.at(0.99) < STOP_TARGET && idle <= IDLE;
    let rates: Vec<Value> = rates
        .iter()
        .map(|(what, posts)| json!({"what": what, "posts_per_second": posts.rate, "cpu_us": posts.processor}))
        .collect();
    Ok(Section {
        name: "nodes".to_owned(),
        title: format!("{SERVERS} servers on one PostgreSQL"),
        markdown: table,
        json: json!({"posts": rates, "idle_statements_per_second": idle,
            "message_p50_ms": milliseconds(messages.at(0.5)), "message_p99_ms": milliseconds(messages.at(0.99)),
            "logout_p50_ms": milliseconds(logouts.at(0.5)), "logout_p99_ms": milliseconds(logouts.at(0.99)),
            "stop_p50_ms": milliseconds(stops.at(0.5)), "stop_p99_ms": milliseconds(stops.at(0.99))}),
        met,
    })
}

struct Posts {
    rate: f64,
    processor: f64,
}

/// Servers on one database, and the people and chats there.
struct Cluster {
    servers: Vec<Server>,
    people: Vec<String>,
    /// The last of the chats, which were made one after the other.
    chat: i64,
}

impl Cluster {
    async fn start(
        folder: &Path,
        engine: Engine,
        database: Database,
        count: usize,
    ) -> Outcome<Self> {
        let setup = Setup {
            folder,
            name: "nodes",
            bcrypt_cost: 4,
            settings: Vec::new(),
        };
        let url = database.url();
        let mut servers =
            vec![Server::start_on(Contender::Parlance(engine), Some(database), &setup).await?];
        for _ in 1..count {
            let again = Database::at(engine, &url)?;
            servers.push(Server::start_on(Contender::Parlance(engine), Some(again), &setup).await?);
        }
        let Ground { people, chat, .. } = posts::prepare(&servers[0]).await?;
        if count > 1 {
            sleep(NOTICED).await;
        }
        Ok(Self {
            servers,
            people,
            chat,
        })
    }

    /// Everybody posts to the first `servers` of them, again as soon as it is answered.
    async fn posts(&self, servers: usize, options: &Options) -> Outcome<Posts> {
        let mut posting = Posting::default();
        for number in 0..SENDERS {
            let cookies = self.people[number % PEOPLE].as_str();
            let chat = self.chat - i64::try_from(number / PEOPLE % CHATS)?;
            let there = (self.servers[number % servers].port, cookies);
            posting.add(there, chat, drop).await?;
        }
        sleep(options.warm_up).await;
        let (began, first, used) = (Instant::now(), posting.sent(), self.processor()?);
        sleep(options.turn).await;
        let (took, count) = (began.elapsed(), (posting.sent() - first) as f64);
        let used = self.processor()?.saturating_sub(used);
        let sent = posting.stop().await?;
        let rows = self.servers[0]
            .rows("messages")
            .await?
            .ok_or("no database")?;
        if rows < sent {
            return Err(format!("{rows} messages in the database, {sent} answered").into());
        }
        Ok(Posts {
            rate: count / took.as_secs_f64(),
            processor: used.as_secs_f64() * 1e6 / count,
        })
    }

    fn processor(&self) -> Outcome<Duration> {
        self.servers.iter().map(Server::processor).sum()
    }

    /// Statements a second of each server while nobody asks for anything.
    async fn idle(&self) -> Outcome<f64> {
        sleep(RESTED_AFTER).await;
        let before = self.transactions().await?;
        sleep(IDLE_FOR).await;
        // Our own look is one.
        let ran = (self.transactions().await? - before - 1.0).max(0.0);
        Ok(ran / IDLE_FOR.as_secs_f64() / self.servers.len() as f64)
    }

    async fn transactions(&self) -> Outcome<f64> {
        let database = self.servers[0].database.as_ref().ok_or("no database")?;
        // What a connection did is counted at most a second later.
        sleep(Duration::from_millis(1_500)).await;
        let sql = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
        Ok(database.run(sql).await?.parse()?)
    }

    /// How long after its answer a message has come to who waits at another server.
    async fn messages(&self, count: usize) -> Outcome<Times> {
        let mut times = Times::default();
        let path = format!("/api/chats/{}", self.chat);
        let mut sender = Client::connect(self.servers[0].port, &self.people[0]).await?;
        let mut after = sender.post(&path, FORM).await?.expect(201)?;
        for number in 0..count {
            let other = &self.servers[1 + number % (SERVERS - 1)];
            let mut hearer = Client::connect(other.port, &self.people[1]).await?;
            let place = format!("{path}?after={}&timeout=20", after.header("x-message-id")?);
            let heard = spawn_local(async move {
                hearer.send("GET", &place, "", None).await?;
                hearer.receive().await?.expect(200)?;
                Outcome::Ok(Instant::now())
            });
            sleep(Duration::from_millis(20)).await;
            after = sender.post(&path, FORM).await?.expect(201)?;
            let answered = Instant::now();
            times.add(heard.await??.saturating_duration_since(answered));
        }
        Ok(times)
    }

    /// How long after its answer a logout is in force at the other servers.
    async fn logouts(&self, count: usize) -> Outcome<Times> {
        let mut times = Times::default();
        for number in 0..count {
            let from = &self.servers[number % SERVERS];
            let cookies = from.register(&format!("leaver{number}")).await?;
            let mut others = Vec::new();
            for other in self.servers.iter().filter(|other| other.port != from.port) {
                let mut client = Client::connect(other.port, &cookies).await?;
                client.get("/api/me").await?.expect(200)?;
                others.push(client);
            }
            let mut client = Client::connect(from.port, &cookies).await?;
            client.post("/api/logout", "").await?.expect(200)?;
            let answered = Instant::now();
            for mut other in others {
                while other.get("/api/me").await?.status != 401 {
                    if answered.elapsed() > PATIENCE {
                        return Err("a login that has ended is accepted".into());
                    }
                }
                times.add(answered.elapsed());
            }
        }
        Ok(times)
    }

    async fn end(self) -> Outcome {
        let mut database = None;
        for server in self.servers {
            database = server.stop().await?;
        }
        match database {
            Some(database) => database.remove().await,
            None => Ok(()),
        }
    }
}
