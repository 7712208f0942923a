//! Measures Parlance beside its peers, in one run, and writes a report: Markdown, JSON and plots.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and times become figures of three digits"
)]
#![allow(
    clippy::format_push_string,
    reason = "writing into a String cannot fail, and leaves no result to ignore"
)]
#![allow(
    clippy::similar_names,
    reason = "a short name that is clear stays short"
)]

mod audit;
mod client;
mod contender;
mod database;
mod distance;
mod endings;
mod figures;
mod floods;
mod history;
mod lanes;
mod machine;
mod member;
mod nodes;
mod options;
mod report;
mod run;
mod search;
mod server;
mod stage;
mod webhooks;
mod workloads;

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use database::Engine;
use options::{Options, USAGE};
use report::Report;
use tokio::task::LocalSet;
use workloads::WORKLOADS;

/// Whatever goes wrong ends a turn: a figure is only worth telling when everything went well.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What is measured of Parlance alone, beside the workloads.
pub const ALONE: [(&str, &str); 7] = [
    (
        "history",
        "opening, paging and posting in a chat of millions of messages; Parlance alone",
    ),
    (
        "search",
        "searches over a million messages against ten thousand; Parlance alone",
    ),
    (
        "floods",
        "a person's posts while another tenant floods the server; Parlance alone",
    ),
    (
        "endings",
        "how soon polls, streams and sockets end with a login, an account or a chat; Parlance alone",
    ),
    (
        "webhooks",
        "a webhook that works beside a hundred that fail; Parlance alone",
    ),
    (
        "nodes",
        "three servers on one PostgreSQL: posts, and how soon each hears of the others; Parlance alone",
    ),
    (
        "lanes",
        "posts of four servers to one lane of a PostgreSQL and to sixteen; Parlance alone",
    ),
];

/// Files that this process and each server open beside their sockets.
const OTHER_FILES: usize = 300;

// One thread: what drives the servers is to leave them as much of the machine as it can.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match LocalSet::new().run_until(run()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("Something did not add up, or a target was missed; see the report.");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<bool> {
    let mut options = Options::read(env::args().skip(1))?;
    if options.help {
        println!("{USAGE}");
        return Ok(true);
    }
    if options.list {
        list();
        return Ok(true);
    }
    options.sockets = options
        .sockets
        .min(open_files()?.saturating_sub(OTHER_FILES));
    let folder = PathBuf::from(env::var("BENCH_FOLDER")?);
    let machine = machine::facts(&folder).await?;
    let mut report = Report::new(machine, &options);
    for workload in WORKLOADS {
        if options.wants(workload.name) {
            report.add(run::run(workload, &folder, &options).await?);
            report.write(&options.out_or(&folder))?;
        }
    }
    alone(&folder, &options, &mut report).await?;
    let place = options.out_or(&folder);
    report.write(&place)?;
    println!("{}", report.markdown());
    eprintln!("The report is in {}.", place.display());
    Ok(report.is_good())
}

async fn alone(folder: &Path, options: &Options, report: &mut Report) -> Outcome {
    for engine in &options.engines {
        if *engine == Engine::Postgres && env::var_os("BENCH_POSTGRES").is_none() {
            continue;
        }
        if options.wants("history") {
            eprintln!("history: {}", engine.title());
            report.add_section(history::measure(*engine, folder, options).await?);
        }
        if options.wants("search") {
            eprintln!("search: {}", engine.title());
            report.add_section(search::measure(*engine, folder, options).await?);
        }
        if options.wants("floods") {
            eprintln!("floods: {}", engine.title());
            report.add_section(floods::measure(*engine, folder, options).await?);
        }
        if options.wants("endings") {
            eprintln!("endings: {}", engine.title());
            report.add_section(endings::measure(*engine, folder, options).await?);
        }
        if options.wants("webhooks") {
            eprintln!("webhooks: {}", engine.title());
            report.add_section(webhooks::measure(*engine, folder, options).await?);
        }
        if options.wants("nodes") && *engine == Engine::Postgres {
            eprintln!("nodes: {}", engine.title());
            report.add_section(nodes::measure(folder, options).await?);
        }
        if options.wants("lanes") && *engine == Engine::Postgres {
            eprintln!("lanes: {}", engine.title());
            report.add_section(lanes::measure(folder, options).await?);
        }
    }
    Ok(())
}

fn list() {
    for workload in WORKLOADS {
        println!("{:12} {}", workload.name, workload.title);
        let servers = workload.contenders.iter().map(|contender| contender.key());
        println!("{:12}   on {}", "", servers.collect::<Vec<_>>().join(", "));
    }
    for (name, title) in ALONE {
        println!("{name:12} {title}");
    }
}

/// How many files a process may open.
fn open_files() -> Outcome<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next());
    Ok(limit
        .ok_or("no limit of open files")?
        .parse()
        .unwrap_or(usize::MAX))
}
