//! Sockets of people who are signed in and say nothing.

use std::time::Duration;

use bench_wire::Socket;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::Ground;
use crate::{
    Outcome,
    audit::Audit,
    figures::{Column, Figures},
    options::Options,
    server::Server,
    stage::microseconds,
};

/// How many people the sockets are of.
const PEOPLE: usize = 500;
const AT_ONCE: usize = 64;

pub async fn prepare(server: &Server, options: &Options) -> Outcome<Ground> {
    let mut ground = Ground::default();
    for number in 0..PEOPLE.min(options.sockets) {
        let cookies = server.register(&format!("person{number}")).await?;
        let token = cookies
            .split("; ")
            .find_map(|cookie| cookie.strip_prefix("token="));
        ground.people.push(token.ok_or("no token")?.to_owned());
    }
    Ok(ground)
}

pub async fn turn(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    // What the first ones cost once, the others do not.
    drop(connect(server, ground, AT_ONCE).await?);
    sleep(Duration::from_secs(1)).await;
    server.rest().await?;
    let empty = server.memory()?;
    let (began, processor) = (Instant::now(), server.processor()?);
    let mut sockets = connect(server, ground, options.sockets).await?;
    let elapsed = began.elapsed();
    server.rest().await?;
    let used = server.processor()?.saturating_sub(processor);
    // What the allocator gives back after a second is not the sockets'.
    sleep(Duration::from_millis(1500)).await;
    let held = server.memory()?.saturating_sub(empty);
    // A reader that has ended is a socket that was closed.
    while sockets.try_join_next().is_some() {}
    let (size, alive) = (options.sockets as u64, sockets.len() as u64);
    let mut audit = Audit::requests(size, size);
    (audit.expected, audit.delivered) = (size, alive);
    let mut figures = Figures::default();
    figures.set(Column::Rate, size as f64 / elapsed.as_secs_f64());
    figures.set(Column::Processor, microseconds(used) / size as f64);
    figures.set(Column::Memory, held as f64 / size as f64 / 1024.0);
    sockets.shutdown().await;
    server.rest().await?;
    Ok((figures, audit))
}

/// Connects so many; each answers pings in a task of its own.
async fn connect(server: &Server, ground: &Ground, size: usize) -> Outcome<JoinSet<Outcome>> {
    let (mut opening, mut open) = (JoinSet::new(), JoinSet::new());
    for number in 0..size {
        let (port, token) = (server.port, &ground.people[number % ground.people.len()]);
        let query = format!("&token={token}");
        opening.spawn_local(async move { Socket::connect(port, &query, number).await });
        while opening.len() >= AT_ONCE || number + 1 == size {
            let Some(socket) = opening.join_next().await else {
                break;
            };
            let (mut socket, _) = socket??;
            open.spawn_local(async move {
                loop {
                    socket.read(|_| {}).await?;
                }
            });
        }
    }
    Ok(open)
}
