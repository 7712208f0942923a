//! How long a server takes to serve, on a fresh database.

use crate::{
    Outcome,
    audit::Audit,
    figures::{Column, Figures, Spread, milliseconds},
    server::{Server, Setup},
};

/// How often it is started in a turn.
const STARTS: u64 = 5;

/// Starts others like the one that is there.
pub async fn turn(server: &Server) -> Outcome<(Figures, Audit)> {
    let (mut lasted, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let setup = Setup {
            folder: &server.folder,
            name: "again",
            bcrypt_cost: 4,
            settings: Vec::new(),
        };
        let other = Server::start(server.contender, &setup).await?;
        lasted.push(milliseconds(other.startup));
        memory.push(other.memory()? as f64 / 1024.0);
        other.end().await?;
    }
    let mut figures = Figures::default();
    for (column, values) in [(Column::Last, lasted), (Column::Memory, memory)] {
        if let Some(spread) = Spread::of(values) {
            figures.set(column, spread.median);
        }
    }
    Ok((figures, Audit::requests(STARTS, STARTS)))
}
