//! Measures a server over HTTP, in one run, and prints what it saw as Markdown.

mod client;
mod database;
mod figures;
mod floods;
mod history;
mod machine;
mod posts;
mod server;
mod waits;

use std::{env, error::Error, path::Path, process::ExitCode};

use database::Engine;

/// Whatever goes wrong ends the run: a figure is only worth printing when everything went well.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const PARTS: [&str; 4] = ["posts", "waits", "history", "floods"];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("A target was missed.");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<bool> {
    let mut arguments = env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: load FOLDER [ENGINE|PART]…")?;
    let folder = Path::new(&folder);
    let named: Vec<String> = arguments.collect();
    let known = |word: &String| {
        PARTS.contains(&word.as_str()) || Engine::ALL.iter().any(|engine| engine.word() == word)
    };
    if let Some(unknown) = named.iter().find(|word| !known(word)) {
        return Err(format!("there is no part or engine {unknown}").into());
    }
    let chosen = |word: &str, group: &[&str]| {
        let of_group = |name: &&String| group.contains(&name.as_str());
        !named.iter().any(|name| of_group(&name)) || named.iter().any(|name| name == word)
    };
    let engines = Engine::ALL.map(Engine::word);
    println!("{}\n", machine::facts(folder).await?);
    let mut met = true;
    for engine in Engine::ALL {
        if !chosen(engine.word(), &engines) {
            continue;
        }
        println!("## {}\n", engine.title());
        if chosen("posts", &PARTS) {
            met &= posts::measure(engine, folder).await?;
        }
        if chosen("waits", &PARTS) {
            met &= waits::measure(engine, folder).await?;
        }
        if chosen("history", &PARTS) {
            met &= history::measure(engine, folder).await?;
        }
        if chosen("floods", &PARTS) {
            met &= floods::measure(engine, folder).await?;
        }
    }
    Ok(met)
}
