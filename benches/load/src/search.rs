//! What a search costs: over a million messages against ten thousand.

use std::{fmt::Write as _, path::Path, time::Duration};

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    Outcome,
    client::Client,
    database::{Database, Engine},
    figures::{Times, milliseconds, ratio, written},
    options::Options,
    report::Section,
    server::{Server, Setup, parlance},
};

const SMALL: u64 = 10_000;
/// How many messages the chat of few has, and how many have what is rare.
const FEW: u64 = 20;
const RARE: u64 = 10;
const REQUESTS: usize = 100;
/// So many requests at most follow one search to its end.
const MOST_REQUESTS: u32 = 1_000;
const TARGET: f64 = 3.0;
/// The longest that building an index may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// In how many more chats somebody is who is in many.
const MANY_CHATS: u64 = 100;

/// Who searches.
#[derive(Clone, Copy)]
enum Who {
    /// In both chats.
    Both,
    /// In the chat of few alone.
    Few,
    /// In the chat of all messages, and in many more chats.
    Many,
}

/// What is searched for, by whom, and how many hits its first page has. The last ones are common words, or a common word and one
/// that was common long ago, that are in one message nowhere, or in chats of others alone.
const SEARCHES: [(&str, Who, &str, usize); 15] = [
    ("a rare word", Who::Both, "query=needle", 10),
    (
        "a word in half of the messages",
        Who::Both,
        "query=even+%22number%22",
        20,
    ),
    (
        "the beginning of a word in half of them",
        Who::Both,
        "query=eve",
        20,
    ),
    (
        "two adjacent words of which no message has both",
        Who::Both,
        "query=%22even+odd%22",
        0,
    ),
    (
        "a rare phrase of words in every message",
        Who::Both,
        "query=%22red+fox%22",
        10,
    ),
    (
        "a word in one message of a thousand",
        Who::Both,
        "query=topic7",
        20,
    ),
    (
        "in a chat of few messages",
        Who::Both,
        "query=even&chat=",
        10,
    ),
    (
        "by somebody who is in that chat alone",
        Who::Few,
        "query=even",
        10,
    ),
    (
        "two words in half of the messages each, never in one",
        Who::Both,
        "query=even+%22odd%22",
        0,
    ),
    (
        "two words in a tenth each, never in one",
        Who::Both,
        "query=tenth+%22decade%22",
        0,
    ),
    (
        "two words in a fiftieth each, never in one",
        Who::Both,
        "query=fiftieth+%22jubilee%22",
        0,
    ),
    (
        "two words of the older half and the newer, never in one",
        Who::Both,
        "query=early+%22late%22",
        0,
    ),
    (
        "two common words, together in chats of others alone",
        Who::Both,
        "query=tenth+%22foreign%22",
        0,
    ),
    (
        "the same by somebody in many chats",
        Who::Many,
        "query=tenth+%22foreign%22",
        0,
    ),
    (
        "five words in half or a tenth of the messages, never in one",
        Who::Both,
        "query=even+%22odd%22+%22tenth%22+%22decade%22+%22message%22",
        0,
    ),
];

/// A filled database with a server on it, and its people, in the order of [`Who`].
struct Filled {
    server: Server,
    people: [String; 3],
    few: i64,
    indexed_in: Duration,
}

pub async fn measure(engine: Engine, folder: &Path, options: &Options) -> Outcome<Section> {
    let small = fill(engine, folder, SMALL).await?;
    let large = fill(engine, folder, options.history).await?;
    let title = format!(
        "{}: searches over {} messages against {SMALL}, {REQUESTS} requests each",
        engine.title(),
        options.history
    );
    let mut table = format!(
        "The indexes were built in {} and {}, while nobody waited for them.\n\n\
         | | {SMALL}: p50 | p99 | {}: p50 | p99 | ratio of medians | requests to the end | the longest of them, ms |\n|---|---|---|---|---|---|---|---|\n",
        written(small.indexed_in),
        written(large.indexed_in),
        options.history
    );
    let (mut rows, mut met) = (Vec::new(), true);
    for search in SEARCHES {
        let mut times = [Times::default(), Times::default()];
        for _ in 0..REQUESTS {
            for (filled, times) in [&small, &large].into_iter().zip(&mut times) {
                ask(filled, search, times).await?;
            }
        }
        let (requests, longest) = follow(&large, search).await?;
        let [mut small, mut large] = times;
        let ratio = ratio(large.at(0.5), small.at(0.5));
        met &= ratio < TARGET;
        let cells = (small.cells(), large.cells());
        writeln!(
            table,
            "| {} | {} | {} | {ratio:.2} | {requests} | {:.1} |",
            search.0,
            cells.0,
            cells.1,
            milliseconds(longest)
        )?;
        rows.push(json!({"what": search.0, "ratio": ratio, "requests": requests,
            "small_p50_ms": milliseconds(small.at(0.5)), "large_p50_ms": milliseconds(large.at(0.5)),
            "small_p99_ms": milliseconds(small.at(0.99)), "large_p99_ms": milliseconds(large.at(0.99))}));
    }
    writeln!(table, "\nTarget: below {TARGET}.")?;
    small.server.end().await?;
    large.server.end().await?;
    Ok(Section {
        name: format!("search-{}", engine.word()),
        title,
        markdown: table,
        json: json!(rows),
        met,
    })
}

/// What a message says, in SQL by its number.
fn content(count: u64) -> String {
    let every = (count / RARE).max(1);
    format!(
        "'message number ' || n || ' topic' || (n % 1000) || \
         case when n % 2 = 0 then ' even ' else ' odd ' end || \
         case n % 10 when 1 then 'tenth ' when 6 then 'decade ' when 5 then 'foreign ' \
         when 3 then 'tenth foreign ' else '' end || \
         case n % 50 when 11 then 'fiftieth ' when 32 then 'jubilee ' else '' end || \
         case when n < {count} / 2 then 'early ' else 'late ' end || \
         case when n % {every} = 0 then 'needle red fox' else 'red hot fox' end"
    )
}

async fn fill(engine: Engine, folder: &Path, count: u64) -> Outcome<Filled> {
    let name = format!("search{count}");
    let server = parlance(engine, folder, &name, Vec::new()).await?;
    let people = [
        server.register("ann").await?,
        server.register("bo").await?,
        server.register("cy").await?,
    ];
    let few = server.open_chat(&people[1], "few").await?;
    server.join_chat(&people[0], few).await?;
    let many = server.open_chat(&people[0], "many").await?;
    server.join_chat(&people[2], many).await?;
    for number in 0..MANY_CHATS {
        server.open_chat(&people[2], &format!("{number}")).await?;
    }
    let others = server.register("dee").await?;
    let others = server.open_chat(&others, "others").await?;
    let contender = server.contender;
    let database = server.stop().await?.ok_or("no database")?;
    let half = "case when n % 2 = 0 then 'even' else 'odd' end";
    database.fill_with(few, FEW, half).await?;
    database.fill_with(many, count, &content(count)).await?;
    // A tenth of them, all over the history, are of others.
    let moved =
        format!("update messages set chat_id = {others} where chat_id = {many} and seq % 10 = 3");
    database.run(&moved).await?;
    let setup = Setup {
        folder,
        name: &name,
        bcrypt_cost: 4,
        settings: Vec::new(),
    };
    let server = Server::start_on(contender, Some(database), &setup).await?;
    let began = Instant::now();
    let indexed_in = loop {
        let database = server.database.as_ref().ok_or("no database")?;
        if is_indexed(database).await? {
            break began.elapsed();
        }
        if began.elapsed() > PATIENCE {
            return Err("the index is not built".into());
        }
        sleep(Duration::from_millis(500)).await;
    };
    Ok(Filled {
        server,
        people,
        few,
        indexed_in,
    })
}

async fn is_indexed(database: &Database) -> Outcome<bool> {
    let missing = "select head - indexed_to + indexed_from from log, search_progress";
    Ok(database.run(missing).await?.parse::<i64>()? <= 1)
}

/// The path of a search.
fn path(filled: &Filled, query: &str) -> String {
    let chat = if query.ends_with("chat=") {
        filled.few.to_string()
    } else {
        String::new()
    };
    format!("/api/search?{query}{chat}")
}

async fn client(filled: &Filled, who: Who) -> Outcome<Client> {
    Client::connect(filled.server.port, &filled.people[who as usize]).await
}

async fn ask(
    filled: &Filled,
    (what, who, query, hits): (&str, Who, &str, usize),
    times: &mut Times,
) -> Outcome {
    let mut client = client(filled, who).await?;
    let path = path(filled, query);
    let began = Instant::now();
    let answer = client.get(&path).await?.expect(200)?;
    times.add(began.elapsed());
    let found = answer.json()?["hits"].as_array().map_or(0, Vec::len);
    if found == hits {
        Ok(())
    } else {
        Err(format!("{what}: {found} hits").into())
    }
}

/// How many requests it takes to look through everything, a page of hits or a part of the history each, and the longest of them.
async fn follow(
    filled: &Filled,
    (_, who, query, _): (&str, Who, &str, usize),
) -> Outcome<(u32, Duration)> {
    let mut client = client(filled, who).await?;
    let (mut requests, mut longest) = (0, Duration::ZERO);
    let mut before = String::new();
    while requests < MOST_REQUESTS {
        let path = format!("{}{before}", path(filled, query));
        let began = Instant::now();
        let answer = client.get(&path).await?.expect(200)?;
        longest = longest.max(began.elapsed());
        requests += 1;
        match answer.json()?["before"].as_i64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    Ok((requests, longest))
}
