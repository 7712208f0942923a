//! The best server that the usual parts make: socketioxide and axum, on SQLite with a group commit.
//!
//! `durable PORT DATABASE BCRYPT_COST`. It answers after the commit and tells others after the commit, in
//! the order of the commits, as Parlance does. It has no recovery, no rate limits, no metrics and no second
//! process to live with: what those cost is part of the comparison.

mod http;
mod sockets;
mod state;
mod store;

use std::{env, path::Path, sync::Arc};

use state::State;
use store::Store;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [port, database, cost] = &arguments[..] else {
        return Err("usage: durable PORT DATABASE BCRYPT_COST".into());
    };
    let store = Store::open(Path::new(database))?;
    let state = Arc::new(State::new(store, cost.parse()?));
    let layer = sockets::layer(&state);
    let listener = TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    axum::serve(listener, http::router(state).layer(layer)).await?;
    Ok(())
}
