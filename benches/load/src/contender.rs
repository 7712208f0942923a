//! Who is measured: Parlance on its databases, its peers, and the ceilings that do less than a server must.

use std::{env, path::Path};

use crate::{database::Engine, options::Options};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contender {
    Parlance(Engine),
    /// Parlance with one commit a message: what the group commit is worth.
    Single(Engine),
    Axum,
    Node,
    Nchan,
    BareRocket,
    BareWrites,
}

use Contender::{Axum, BareRocket, BareWrites, Nchan, Node, Parlance, Single};

/// What it is to the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Ours,
    Peer,
    /// Does less than the workload asks; bounds what can be reached.
    Ceiling,
    /// Ours with something turned off.
    Variant,
}

impl Contender {
    pub const ALL: [Self; 9] = [
        Parlance(Engine::Sqlite),
        Parlance(Engine::Postgres),
        Single(Engine::Sqlite),
        Single(Engine::Postgres),
        Axum,
        Node,
        Nchan,
        BareRocket,
        BareWrites,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Parlance(Engine::Sqlite) => "parlance-sqlite",
            Parlance(Engine::Postgres) => "parlance-postgres",
            Single(Engine::Sqlite) => "single-sqlite",
            Single(Engine::Postgres) => "single-postgres",
            Axum => "axum",
            Node => "node",
            Nchan => "nchan",
            BareRocket => "bare-rocket",
            BareWrites => "bare-writes",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Parlance(Engine::Sqlite) => "Parlance, SQLite",
            Parlance(Engine::Postgres) => "Parlance, PostgreSQL",
            Single(Engine::Sqlite) => "Parlance, SQLite, one commit each",
            Single(Engine::Postgres) => "Parlance, PostgreSQL, one commit each",
            Axum => "axum, socketioxide, rusqlite",
            Node => "Node, socket.io, better-sqlite3",
            Nchan => "nginx with nchan (in memory)",
            BareRocket => "bare Rocket (in memory)",
            BareWrites => "bare writes (no server)",
        }
    }

    pub fn role(self) -> Role {
        match self {
            Parlance(_) => Role::Ours,
            Single(_) => Role::Variant,
            Axum | Node | Nchan => Role::Peer,
            BareRocket | BareWrites => Role::Ceiling,
        }
    }

    pub fn engine(self) -> Option<Engine> {
        match self {
            Parlance(engine) | Single(engine) => Some(engine),
            Axum | Node => Some(Engine::Sqlite),
            Nchan | BareRocket | BareWrites => None,
        }
    }

    /// Why it cannot be measured here, if it cannot.
    pub fn absence(self, options: &Options) -> Option<String> {
        if options.without.iter().any(|name| name == self.key()) {
            return Some("left out by --without".to_owned());
        }
        let (variable, what) = match self {
            Parlance(engine) | Single(engine) if !options.engines.contains(&engine) => {
                return Some("left out by --engine".to_owned());
            }
            Parlance(Engine::Postgres) | Single(Engine::Postgres) => {
                ("BENCH_POSTGRES", "PostgreSQL is not installed")
            }
            Node => (
                "BENCH_NODE",
                "Node, or what its peer needs, could not be had",
            ),
            Nchan => ("BENCH_NCHAN", "nginx with nchan could not be had"),
            _ => return None,
        };
        let found = env::var_os(variable).is_some_and(|path| Path::new(&path).exists());
        (!found).then(|| what.to_owned())
    }
}
