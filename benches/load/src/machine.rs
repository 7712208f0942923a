//! What the figures were taken on.

use std::{fs::File, io::Write, path::Path, time::Instant};

use tokio::fs;

use crate::{
    Outcome,
    figures::{Times, written},
};

/// How many flushes are timed.
const FLUSHES: usize = 200;

/// Processor, memory, kernel, and how long the disk takes to flush 4 KiB.
pub async fn facts(folder: &Path) -> Outcome<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").await?;
    let cores = processors.matches("processor\t").count();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':']));
    let memory = fs::read_to_string("/proc/meminfo").await?;
    let memory: u64 = memory
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .parse()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").await?;
    let load = fs::read_to_string("/proc/loadavg").await?;
    let load = load.split(' ').next().unwrap_or_default();
    let folder = folder.to_owned();
    let mut flushes = tokio::task::spawn_blocking(move || flushes(&folder)).await??;
    Ok(format!(
        "{model}, {cores} cores for server, database and load together; {} GiB; Linux {}; \
         load before the run {load}. A flush of 4 KiB takes {} (median), {} (99 %).",
        memory >> 20,
        kernel.trim(),
        written(flushes.at(0.5)),
        written(flushes.at(0.99)),
    ))
}

fn flushes(folder: &Path) -> std::io::Result<Times> {
    let path = folder.join("flush");
    let mut file = File::create(&path)?;
    let mut times = Times::default();
    for _ in 0..FLUSHES {
        let began = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.add(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(times)
}
