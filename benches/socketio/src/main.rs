//! Fan-out and idle memory of two Socket.IO servers, and of bare writes, measured in one run.
//!
//! `cargo build --release -p socketio-bench && target/release/socketio-bench [ROUNDS]`. Servers take turns on
//! the first core; this process, the load, is
//! on the second. CPU is the server's own, so a busy machine spoils it less than it spoils the rates.

mod process;

use std::{
    cell::Cell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use bench_wire::Socket;
use process::Server;
use tokio::{
    sync::Notify,
    task::{JoinSet, LocalSet},
    time::sleep,
};

const SERVERS: [(&str, &str); 3] = [
    ("parlance", "serve_parlance"),
    ("socketioxide 0.18.9", "serve_socketioxide"),
    ("bare writes", "serve_bare"),
];
const LISTENERS: u32 = 1_000;
const IDLERS: u32 = 10_000;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);

/// How many broadcasts are on their way at once.
const WINDOWS: [u64; 5] = [1, 2, 3, 4, 16];

/// How many deliveries all listeners have received together.
#[derive(Default)]
struct Deliveries {
    received: Cell<u64>,
    grown: Notify,
}

/// Deliveries a second, and microseconds of the server's CPU for each.
#[derive(Clone, Copy)]
struct FanOut {
    rate: f64,
    cpu: f64,
}

async fn crowd(port: u16, size: u32) -> io::Result<Vec<Socket>> {
    let mut clients = Vec::new();
    let mut opening = JoinSet::new();
    for number in 0..size {
        opening.spawn_local(async move { Socket::connect(port, "", 0).await });
        if opening.len() >= 64 || number + 1 == size {
            while let Some(client) = opening.join_next().await {
                clients.push(client.map_err(io::Error::other)??.0);
            }
        }
    }
    Ok(clients)
}

async fn listen(mut client: Socket, deliveries: Rc<Deliveries>) {
    loop {
        let mut received = 0;
        let read = client
            .read(|payload| received += u64::from(payload.starts_with(b"42")))
            .await;
        if read.is_err() {
            return;
        }
        deliveries
            .received
            .set(deliveries.received.get() + received);
        deliveries.grown.notify_one();
    }
}

async fn fan_out(server: &Server, window: u64) -> io::Result<FanOut> {
    let deliveries = Rc::new(Deliveries::default());
    let mut listeners = JoinSet::new();
    for mut client in crowd(server.port, LISTENERS).await? {
        client.send("420[\"join\"]").await?;
        client.wait_for(b"430").await?;
        listeners.spawn_local(listen(client, Rc::clone(&deliveries)));
    }
    let (mut sender, _) = Socket::connect(server.port, "", 0).await?;
    let saying = r#"42["say",{"chat":7,"from":"ann","text":"The quick brown fox jumps over the lazy dog."}]"#;

    let begun = Instant::now();
    let mut said = 0;
    let mut start = None;
    loop {
        while deliveries.received.get() + (window - 1) * u64::from(LISTENERS)
            < said * u64::from(LISTENERS)
        {
            tokio::time::timeout(Duration::from_secs(10), deliveries.grown.notified())
                .await
                .map_err(|_| io::Error::other("deliveries were lost"))?;
        }
        if start.is_none() && begun.elapsed() >= WARM_UP {
            start = Some((Instant::now(), deliveries.received.get(), server.cpu()?));
        }
        if let Some((instant, received, cpu)) = start
            && instant.elapsed() >= MEASURED
        {
            let delivered = deliveries.received.get() - received;
            let delivered = f64::from(u32::try_from(delivered).map_err(io::Error::other)?);
            return Ok(FanOut {
                rate: delivered / instant.elapsed().as_secs_f64(),
                cpu: (server.cpu()? - cpu) / delivered * 1e6,
            });
        }
        sender.send(saying).await?;
        said += 1;
    }
}

/// KiB of resident memory for each of many sockets that do nothing.
async fn idle(server: &Server) -> io::Result<f64> {
    // What the first ones cost once, the others do not.
    drop(crowd(server.port, 64).await?);
    sleep(Duration::from_secs(2)).await;
    let before = server.resident()?;
    let clients = crowd(server.port, IDLERS).await?;
    sleep(Duration::from_secs(4)).await;
    let grown = server.resident()? - before;
    drop(clients);
    Ok(grown / f64::from(IDLERS))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The middle one of the values, with the least and the greatest.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    format!("{:.2} ({least:.2} to {most:.2})", median(values))
}

fn row(what: &str, unit: &str, values: [f64; 3], ratio: &str) {
    let [ours, theirs, bare] = values;
    println!("| {what} | {ours:.1} {unit} | {theirs:.1} {unit} | {bare:.1} {unit} | {ratio} |");
}

async fn measure(rounds: usize) -> io::Result<()> {
    let [ours, theirs, bare] = SERVERS.map(|(name, _)| name);
    println!("| | {ours} | {theirs} | {bare} | times better |");
    println!("|---|---|---|---|---|");
    for window in WINDOWS {
        let mut rates = [const { Vec::new() }; 3];
        let mut cpus = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            for (which, (_, program)) in SERVERS.iter().enumerate() {
                let server = Server::start(program)?;
                let measured = fan_out(&server, window).await?;
                rates[which].push(measured.rate / 1e3);
                cpus[which].push(measured.cpu);
            }
        }
        // Each turn of ours against the turn of theirs that came next: the machine's own pace changes.
        let ratios = |over: &[f64], under: &[f64]| {
            let pairs = over.iter().zip(under);
            spread(pairs.map(|(over, under)| over / under).collect())
        };
        let better = ratios(&rates[0], &rates[1]);
        let cheaper = ratios(&cpus[1], &cpus[0]);
        let at = format!("{LISTENERS} in a room, {window} under way");
        row(
            &format!("{at}: deliveries"),
            "k/s",
            rates.map(median),
            &better,
        );
        row(
            &format!("{at}: server's CPU each"),
            "us",
            cpus.map(median),
            &cheaper,
        );
    }
    let mut memory = [0.0; 3];
    for (which, (_, program)) in SERVERS.iter().enumerate() {
        memory[which] = idle(&Server::start(program)?).await?;
    }
    row(
        &format!("{IDLERS} idle: memory each"),
        "KiB",
        memory,
        &format!("{:.2}", memory[1] / memory[0]),
    );
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    process::step_aside()?;
    let rounds = std::env::args()
        .nth(1)
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(3);
    LocalSet::new().run_until(measure(rounds)).await
}
