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
const TARGET: f64 = 3.0;
/// The longest that building an index may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// What has to look at half of all messages to find nothing: its time is bounded instead, and the answer says from where
/// to go on.
const WIDE: &str = "two words in half of the messages each, and in none both";
const LONGEST: Duration = Duration::from_secs(1);

/// What is searched for, by whom, and how many hits a page of it has.
const SEARCHES: [(&str, bool, &str, usize); 9] = [
    ("a rare word", false, "query=needle", 10),
    (
        "a word in half of the messages",
        false,
        "query=even+%22number%22",
        20,
    ),
    (
        "the beginning of a word in half of them",
        false,
        "query=eve",
        20,
    ),
    (
        "two adjacent words of which no message has both",
        false,
        "query=%22even+odd%22",
        0,
    ),
    (WIDE, false, "query=even+%22odd%22", 0),
    (
        "a rare phrase of words in every message",
        false,
        "query=%22red+fox%22",
        10,
    ),
    (
        "a word in one message of a thousand",
        false,
        "query=topic7",
        20,
    ),
    ("in a chat of few messages", false, "query=even&chat=", 10),
    (
        "by somebody who is in that chat alone",
        true,
        "query=even",
        10,
    ),
];

/// A filled database with a server on it, and its people: one in both chats, one in the small one.
struct Filled {
    server: Server,
    people: [String; 2],
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
         | | {SMALL}: p50 | p99 | {}: p50 | p99 | ratio of medians |\n|---|---|---|---|---|---|\n",
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
        let [mut small, mut large] = times;
        let ratio = ratio(large.at(0.5), small.at(0.5));
        met &= if search.0 == WIDE {
            large.at(0.99) < LONGEST
        } else {
            ratio < TARGET
        };
        let cells = (small.cells(), large.cells());
        writeln!(
            table,
            "| {} | {} | {} | {ratio:.2} |",
            search.0, cells.0, cells.1
        )?;
        rows.push(json!({"what": search.0, "ratio": ratio,
            "small_p50_ms": milliseconds(small.at(0.5)), "large_p50_ms": milliseconds(large.at(0.5)),
            "small_p99_ms": milliseconds(small.at(0.99)), "large_p99_ms": milliseconds(large.at(0.99))}));
    }
    writeln!(
        table,
        "\nTarget: below {TARGET}; for {WIDE}: below {}, which is bounded.",
        written(LONGEST)
    )?;
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
         case when n % {every} = 0 then 'needle red fox' else 'red hot fox' end"
    )
}

async fn fill(engine: Engine, folder: &Path, count: u64) -> Outcome<Filled> {
    let name = format!("search{count}");
    let server = parlance(engine, folder, &name, Vec::new()).await?;
    let people = [server.register("ann").await?, server.register("bo").await?];
    let few = server.open_chat(&people[1], "few").await?;
    server.join_chat(&people[0], few).await?;
    let many = server.open_chat(&people[0], "many").await?;
    let contender = server.contender;
    let database = server.stop().await?.ok_or("no database")?;
    let half = "case when n % 2 = 0 then 'even' else 'odd' end";
    database.fill_with(few, FEW, half).await?;
    database.fill_with(many, count, &content(count)).await?;
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

async fn ask(
    filled: &Filled,
    (what, is_bo, query, hits): (&str, bool, &str, usize),
    times: &mut Times,
) -> Outcome {
    let mut client =
        Client::connect(filled.server.port, &filled.people[usize::from(is_bo)]).await?;
    let chat = if query.ends_with("chat=") {
        filled.few.to_string()
    } else {
        String::new()
    };
    let path = format!("/api/search?{query}{chat}");
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
