//! A chat with a million messages against one with two hundred: opening, paging, posting.

use std::path::Path;

use tokio::time::Instant;

use crate::{
    Outcome,
    client::Client,
    database::{Database, Engine},
    figures::{Times, ratio},
    server::Server,
};

const LARGE: u64 = 1_000_000;
const SMALL: u64 = 200;
const ROUNDS: usize = 400;
const TARGET: f64 = 1.5;

pub async fn measure(engine: Engine, folder: &Path) -> Outcome<bool> {
    let database = Database::make(engine, folder, "history").await?;
    let server = Server::start(folder, &database, &[]).await?;
    let ann = server.register("ann").await?;
    let small = server.open_chat(&ann, "small").await?;
    let large = server.open_chat(&ann, "large").await?;
    server.stop().await?;
    database.fill(small, SMALL).await?;
    database.fill(large, LARGE).await?;

    let server = Server::start(folder, &database, &[]).await?;
    let mut client = Client::connect(server.port, &ann).await?;
    let mut chats = Vec::new();
    for chat in [small, large] {
        let bounds = format!("select min(id), max(id) from messages where chat_id = {chat}");
        let bounds = database.run(&bounds).await?;
        let (oldest, newest) = bounds.split_once('|').ok_or("no messages")?;
        chats.push((chat, oldest.parse::<i64>()?, newest.parse::<i64>()?));
    }
    println!("### A chat of {LARGE} messages against one of {SMALL}, {ROUNDS} requests each\n");
    println!("| | {SMALL}: p50 | p99 | {LARGE}: p50 | p99 | ratio of medians |");
    println!("|---|---|---|---|---|---|");
    let mut met = true;
    for (what, action) in [
        ("opening: the newest 100", Action::Open),
        ("paging: 100 before a place in it", Action::Page),
        ("posting", Action::Post),
    ] {
        let mut times = [Times::default(), Times::default()];
        for round in 0..ROUNDS {
            // In turns, so that whatever else the machine does falls on both.
            for (place, times) in times.iter_mut().enumerate() {
                let (chat, oldest, newest) = chats[place];
                let began = Instant::now();
                action
                    .run(&mut client, chat, between(oldest + 100, newest, round))
                    .await?;
                times.add(began.elapsed());
            }
        }
        let [small, large] = &mut times;
        let ratio = ratio(large.at(0.5), small.at(0.5));
        met &= ratio < TARGET;
        println!(
            "| {what} | {} | {} | {ratio:.2} |",
            small.cells(),
            large.cells()
        );
    }
    println!("\nTarget: below {TARGET}.\n");
    server.stop().await?;
    database.remove().await?;
    Ok(met)
}

#[derive(Clone, Copy)]
enum Action {
    Open,
    Page,
    Post,
}

impl Action {
    async fn run(self, client: &mut Client, chat: i64, before: i64) -> Outcome {
        let path = format!("/api/chats/{chat}");
        let answer = match self {
            Self::Open => client.get(&path).await?.expect(200)?,
            Self::Page => {
                let path = format!("{path}?before={before}");
                client.get(&path).await?.expect(200)?
            }
            Self::Post => {
                client.post(&path, "content=one+more").await?.expect(201)?;
                return Ok(());
            }
        };
        let found = answer.json()?["messages"].as_array().map_or(0, Vec::len);
        if found == 100 {
            Ok(())
        } else {
            Err(format!("a page of {found}").into())
        }
    }
}

/// A place between two others: another one each round, spread evenly, the same in every run.
fn between(least: i64, most: i64, round: usize) -> i64 {
    let step = i64::try_from(round).unwrap_or_default() * 7919 % 1000;
    least + (most - least) * step / 1000
}
