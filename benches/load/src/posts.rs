//! Durable posts: many at once in one transaction, against one transaction each.

use std::{path::Path, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    Outcome,
    client::Client,
    database::{Database, Engine},
    figures::Times,
    server::Server,
};

/// How many post at the same time; each waits for its answer before the next.
const SENDERS: usize = 256;
const PEOPLE: usize = 16;
const CHATS: usize = 8;
/// The two are measured in turns, so that whatever else the machine does falls on both.
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(5);
const TARGET: f64 = 6.0;

struct Side {
    title: &'static str,
    server: Server,
    database: Database,
    people: Vec<String>,
    accepted: u64,
    elapsed: Duration,
    processor: Duration,
    times: Times,
}

pub async fn measure(engine: Engine, folder: &Path) -> Outcome<bool> {
    let mut grouped = side(engine, folder, "group commit", "grouped", "512").await?;
    let mut single = side(engine, folder, "one commit each", "single", "1").await?;
    for _ in 0..TURNS {
        turn(&mut grouped).await?;
        turn(&mut single).await?;
    }
    println!("### Durable posts, {SENDERS} senders\n");
    println!("| | posts/s | p50 | p99 | server's CPU a post | 201s | rows in the database |");
    println!("|---|---|---|---|---|---|---|");
    let mut rates = Vec::new();
    for mut side in [grouped, single] {
        let rows = side.database.messages().await?;
        let rate = rate(side.accepted, side.elapsed);
        println!(
            "| {} | {rate:.0} | {} | {:.0} us | {} | {rows} |",
            side.title,
            side.times.cells(),
            side.processor.as_secs_f64() * 1e6 / as_f64(side.accepted),
            side.accepted,
        );
        if rows != side.accepted {
            return Err(format!("{rows} rows for {} answers of 201", side.accepted).into());
        }
        rates.push(rate);
        side.server.stop().await?;
        side.database.remove().await?;
    }
    let ratio = rates[0] / rates[1];
    println!("\nGroup commit: {ratio:.1} times as many (target: {TARGET}).\n");
    alone(engine, folder).await?;
    Ok(ratio >= TARGET)
}

async fn side(
    engine: Engine,
    folder: &Path,
    title: &'static str,
    name: &str,
    batch: &str,
) -> Outcome<Side> {
    let database = Database::make(engine, folder, name).await?;
    let settings = [("ROCKET_WRITE_BATCH_MAX", batch)];
    let server = Server::start(folder, &database, &settings).await?;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(server.register(&format!("person{number}")).await?);
    }
    for number in 0..CHATS {
        let chat = server
            .open_chat(&people[0], &format!("chat{number}"))
            .await?;
        for cookies in &people {
            let mut client = Client::connect(server.port, cookies).await?;
            let path = format!("/api/chats/{chat}/join");
            client.post(&path, "").await?.expect(200)?;
        }
    }
    Ok(Side {
        title,
        server,
        database,
        people,
        accepted: 0,
        elapsed: Duration::ZERO,
        processor: Duration::ZERO,
        times: Times::default(),
    })
}

async fn turn(side: &mut Side) -> Outcome {
    let port = side.server.port;
    let mut clients = Vec::new();
    for number in 0..SENDERS {
        clients.push(Client::connect(port, &side.people[number % PEOPLE]).await?);
    }
    let processor = side.server.processor().await?;
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        let path = format!("/api/chats/{}", number % CHATS + 1);
        senders.spawn(async move {
            let mut times = Times::default();
            // Everybody waits for the answer to their last one, so that all 201s are counted.
            while began.elapsed() < TURN {
                let sent = Instant::now();
                let form = "content=A+message+of+about+the+length+that+people+send+each+other";
                client.post(&path, form).await?.expect(201)?;
                times.add(sent.elapsed());
            }
            Outcome::Ok(times)
        });
    }
    while let Some(times) = senders.join_next().await {
        let times = times??;
        side.accepted += times.len() as u64;
        side.times.append(times);
    }
    side.elapsed += began.elapsed();
    side.processor += side.server.processor().await?.saturating_sub(processor);
    Ok(())
}

/// One sender, and one who hears: what a person feels when nothing else goes on.
async fn alone(engine: Engine, folder: &Path) -> Outcome {
    const ROUNDS: usize = 500;
    let database = Database::make(engine, folder, "alone").await?;
    let server = Server::start(folder, &database, &[]).await?;
    let (ann, bo) = (server.register("ann").await?, server.register("bo").await?);
    let chat = server.open_chat(&ann, "chat").await?;
    let mut sender = Client::connect(server.port, &ann).await?;
    let mut hearer = Client::connect(server.port, &bo).await?;
    let (mut sent, mut heard) = (Times::default(), Times::default());
    let path = format!("/api/chats/{chat}");
    let mut after = sender.post(&path, "content=first").await?.expect(201)?;
    for _ in 0..ROUNDS {
        let place = format!("{path}?after={}&timeout=20", after.header("x-message-id")?);
        hearer.send("GET", &place, None).await?;
        // Long enough for the wait to be held; were it not, it would be answered all the same.
        sleep(Duration::from_millis(5)).await;
        let began = Instant::now();
        let (answered, told) = tokio::try_join!(
            async {
                let answer = sender.post(&path, "content=hello").await?.expect(201)?;
                Outcome::Ok((answer, began.elapsed()))
            },
            async {
                hearer.receive().await?.expect(200)?;
                Outcome::Ok(began.elapsed())
            }
        )?;
        sent.add(answered.1);
        heard.add(told);
        after = answered.0;
    }
    println!("### One sender, one who waits, {ROUNDS} messages\n");
    println!("| | p50 | p99 |\n|---|---|---|");
    println!("| until the sender has 201 | {} |", sent.cells());
    println!("| until the other has the message | {} |\n", heard.cells());
    server.stop().await?;
    database.remove().await
}

fn as_f64(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    as_f64(count) / elapsed.as_secs_f64()
}
