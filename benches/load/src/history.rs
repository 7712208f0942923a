//! What a long history costs: a chat of millions of messages against one of two hundred.

use std::{fmt::Write as _, path::Path};

use serde_json::json;

use tokio::time::Instant;

use crate::{
    Outcome,
    client::Client,
    database::{Database, Engine},
    figures::{Times, milliseconds, ratio, written},
    options::Options,
    report::Section,
    server::{Server, Setup, parlance},
};

const SMALL: u64 = 200;
const REQUESTS: usize = 400;
const TARGET: f64 = 1.5;

pub async fn measure(engine: Engine, folder: &Path, options: &Options) -> Outcome<Section> {
    let server = parlance(engine, folder, "history", Vec::new()).await?;
    let ann = server.register("ann").await?;
    let small = server.open_chat(&ann, "small").await?;
    let large = server.open_chat(&ann, "large").await?;
    let contender = server.contender;
    let database = server.stop().await?.ok_or("no database")?;
    database.fill(small, SMALL).await?;
    database.fill(large, options.history).await?;

    let mut chats = Vec::new();
    for chat in [small, large] {
        chats.push(bounds(&database, chat).await?);
    }
    let setup = Setup {
        folder,
        name: "history",
        bcrypt_cost: 4,
        settings: Vec::new(),
    };
    let server = Server::start_on(contender, Some(database), &setup).await?;
    let mut client = Client::connect(server.port, &ann).await?;
    let large = options.history;
    let title = format!(
        "{}: a chat of {large} messages against one of {SMALL}, {REQUESTS} requests each",
        engine.title()
    );
    let mut table = format!(
        "The server starts in {} on it.\n\n| | {SMALL}: p50 | p99 | {large}: p50 | p99 | ratio of medians |\n\
         |---|---|---|---|---|---|\n",
        written(server.startup)
    );
    let (mut rows, mut met) = (Vec::new(), true);
    for (what, action) in [
        ("opening: the newest 100", Action::Open),
        ("paging: 100 before a place in it", Action::Page),
        ("posting", Action::Post),
    ] {
        let [mut small, mut large] = both(&mut client, &chats, action).await?;
        let ratio = ratio(large.at(0.5), small.at(0.5));
        met &= ratio < TARGET;
        let cells = (small.cells(), large.cells());
        writeln!(table, "| {what} | {} | {} | {ratio:.2} |", cells.0, cells.1)?;
        rows.push(json!({"what": what, "ratio": ratio,
            "small_p50_ms": milliseconds(small.at(0.5)), "large_p50_ms": milliseconds(large.at(0.5)),
            "small_p99_ms": milliseconds(small.at(0.99)), "large_p99_ms": milliseconds(large.at(0.99))}));
    }
    writeln!(table, "\nTarget: below {TARGET}.")?;
    server.end().await?;
    Ok(Section {
        name: format!("history-{}", engine.word()),
        title,
        markdown: table,
        json: json!(rows),
        met,
    })
}

/// A chat with its oldest and its newest message.
async fn bounds(database: &Database, chat: i64) -> Outcome<(i64, i64, i64)> {
    let bounds = format!("select min(id), max(id) from messages where chat_id = {chat}");
    let bounds = database.run(&bounds).await?;
    let (oldest, newest) = bounds.split_once('|').ok_or("no messages")?;
    Ok((chat, oldest.parse()?, newest.parse()?))
}

/// How long requests to each of two chats take, in turns, so that whatever else the machine does falls
/// on both.
async fn both(
    client: &mut Client,
    chats: &[(i64, i64, i64)],
    action: Action,
) -> Outcome<[Times; 2]> {
    let mut times = [Times::default(), Times::default()];
    for round in 0..REQUESTS {
        for ((chat, oldest, newest), times) in chats.iter().zip(&mut times) {
            let before = between(oldest + 100, *newest, round);
            let began = Instant::now();
            action.run(client, *chat, before).await?;
            times.add(began.elapsed());
        }
    }
    Ok(times)
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
