//! Held long-polls: thousands at once, all answered from one post.

use std::{path::Path, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    Outcome,
    client::Client,
    database::{Database, Engine},
    figures::{Times, written},
    server::Server,
};

const WAITS: usize = 5000;
/// The most waits a login may hold.
const PER_LOGIN: usize = 8;
const ROUNDS: usize = 3;

pub async fn measure(engine: Engine, folder: &Path) -> Outcome<bool> {
    let database = Database::make(engine, folder, "waits").await?;
    let server = Server::start(folder, &database, &[]).await?;
    let sender = server.register("sender").await?;
    let chat = server.open_chat(&sender, "chat").await?;
    let mut people = Vec::new();
    for number in 0..WAITS.div_ceil(PER_LOGIN) {
        let cookies = server.register(&format!("person{number}")).await?;
        let mut client = Client::connect(server.port, &cookies).await?;
        let join = format!("/api/chats/{chat}/join");
        client.post(&join, "").await?.expect(200)?;
        people.push(cookies);
    }
    println!(
        "### {WAITS} held long-polls of {} people, answered from one post\n",
        people.len()
    );
    println!(
        "| round | answered | lost | memory idle, at first | while held | a waiter | first answer | p50 | p99 | last answer |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let idle = server.memory().await?;
    let mut complete = true;
    for number in 1..=ROUNDS {
        complete &= round(number, &server, (&sender, chat), (&people, idle)).await?;
    }
    println!();
    server.stop().await?;
    database.remove().await?;
    Ok(complete)
}

async fn round(
    number: usize,
    server: &Server,
    (sender, chat): (&str, i64),
    (people, idle): (&[String], u64),
) -> Outcome<bool> {
    let mut sender = Client::connect(server.port, sender).await?;
    let mut waiting = JoinSet::new();
    let marker = format!("wake up, round {number}");
    for place in 0..WAITS {
        let mut client = Client::connect(server.port, &people[place / PER_LOGIN]).await?;
        // What comes after the present: everybody must be told the very next message.
        client
            .send(
                "GET",
                "/api/events?after=now&types=message&timeout=50",
                None,
            )
            .await?;
        let marker = marker.clone();
        waiting.spawn(async move {
            let answer = client.receive().await?.expect(200)?;
            let at = Instant::now();
            let events = answer.json()?;
            let told = events["events"][0]["message"]["content"] == marker.as_str();
            Outcome::Ok(told.then_some(at))
        });
    }
    let held = async {
        while server.figure("parlance_waiters_held").await? < WAITS as f64 {
            sleep(Duration::from_millis(100)).await;
        }
        Outcome::Ok(())
    };
    timeout(Duration::from_secs(40), held)
        .await
        .map_err(|_| "not all waits are held")??;
    let while_held = server.memory().await?;
    let began = Instant::now();
    let path = format!("/api/chats/{chat}");
    let form = format!("content={}", marker.replace(' ', "+").replace(',', "%2C"));
    sender.post(&path, &form).await?.expect(201)?;
    let mut times = Times::default();
    while let Some(told) = waiting.join_next().await {
        if let Some(at) = told?? {
            times.add(at - began);
        }
    }
    println!(
        "| {number} | {} | {} | {:.1} MiB | {:.1} MiB | {:.1} KiB | {} | {} | {} |",
        times.len(),
        WAITS - times.len(),
        idle as f64 / f64::from(1 << 20),
        while_held as f64 / f64::from(1 << 20),
        while_held.saturating_sub(idle) as f64 / WAITS as f64 / 1024.0,
        written(times.at(0.0)),
        times.cells(),
        written(times.at(1.0)),
    );
    Ok(times.len() == WAITS)
}
