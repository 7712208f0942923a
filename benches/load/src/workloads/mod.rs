//! The workloads: what clients do, on whom, in what unit it is counted, and what must be reached.

mod accounts;
mod chats;
mod fan_out;
mod idle;
mod polls;
pub mod posts;
mod returning;
mod startup;
mod streams;

use crate::{
    Outcome,
    audit::Audit,
    contender::Contender::{self, Axum, BareRocket, BareWrites, Nchan, Node, Parlance, Single},
    database::Engine::{Postgres, Sqlite},
    figures::{Column, Figures},
    options::Options,
    server::{ADMIN_SETTINGS, Server},
};

#[derive(Clone, Copy)]
enum Kind {
    Echoes,
    Pairs,
    /// How many messages are under way at a time.
    FanOut(u64),
    CreateUser,
    Register,
    Login,
    Posts,
    Alone,
    Polls,
    Held,
    Streams,
    Idle,
    Returning,
    Startup,
}

/// What a figure is held against.
#[derive(Clone, Copy)]
pub enum Against {
    /// The best peer of the same run.
    BestPeer,
    /// One of the same run.
    One(Contender),
    /// A figure that does not depend on the run.
    Figure(f64),
}

/// What Parlance must reach: so many times what it is held against, at least or at most.
#[derive(Clone, Copy)]
pub struct Target {
    pub column: Column,
    pub times: f64,
    pub against: Against,
}

const fn target(column: Column, times: f64, against: Against) -> Target {
    Target {
        column,
        times,
        against,
    }
}

pub struct Workload {
    pub name: &'static str,
    /// What clients do.
    pub title: &'static str,
    /// What is counted.
    pub unit: &'static str,
    pub contenders: &'static [Contender],
    pub targets: &'static [Target],
    pub bcrypt_cost: u32,
    /// The table in which each thing that was sent must be a row.
    pub table: Option<&'static str>,
    kind: Kind,
}

const OURS_AND_SOCKETS: &[Contender] = &[Parlance(Sqlite), Parlance(Postgres), Axum, Node];
const AND_BARE_WRITES: &[Contender] =
    &[Parlance(Sqlite), Parlance(Postgres), Axum, Node, BareWrites];
const OURS_AND_HTTP: &[Contender] = &[Parlance(Sqlite), Parlance(Postgres), Axum];
const AND_NCHAN: &[Contender] = &[Parlance(Sqlite), Parlance(Postgres), Axum, Nchan];

const AT_LEAST_AS_FAST: Target = target(Column::Rate, 1.0, Against::BestPeer);
const AT_MOST_AS_DEAR: Target = target(Column::Processor, 1.0, Against::BestPeer);
const BOTH: &[Target] = &[AT_LEAST_AS_FAST, AT_MOST_AS_DEAR];

pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "echoes",
        title: "64 sockets, each in a chat of its own: says something, waits for the acknowledgement and \
                for the message itself, says the next",
        unit: "message",
        contenders: OURS_AND_SOCKETS,
        targets: BOTH,
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Echoes,
    },
    Workload {
        name: "pairs",
        title: "32 chats of two sockets that take turns: each answers what it hears from the other",
        unit: "message",
        contenders: OURS_AND_SOCKETS,
        targets: BOTH,
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Pairs,
    },
    Workload {
        name: "fan-out",
        title: "a chat of 1,000 sockets, one of which speaks, with 8 messages under way at a time",
        unit: "delivery",
        contenders: AND_BARE_WRITES,
        targets: BOTH,
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::FanOut(8),
    },
    Workload {
        name: "fan-out-1",
        title: "the same with one message under way at a time",
        unit: "delivery",
        contenders: AND_BARE_WRITES,
        targets: BOTH,
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::FanOut(1),
    },
    Workload {
        name: "create-user",
        title: "256 sockets that each make users of a product, one after the other",
        unit: "user",
        contenders: OURS_AND_SOCKETS,
        targets: &[AT_LEAST_AS_FAST],
        bcrypt_cost: 4,
        table: Some("people"),
        kind: Kind::CreateUser,
    },
    Workload {
        name: "reg",
        title: "`POST /api/reg` on 64 connections, bcrypt cost 4",
        unit: "account",
        contenders: OURS_AND_SOCKETS,
        targets: &[AT_LEAST_AS_FAST],
        bcrypt_cost: 4,
        table: Some("people"),
        kind: Kind::Register,
    },
    Workload {
        name: "login",
        title: "`POST /api/login` on 8 connections, bcrypt cost 12",
        unit: "login",
        contenders: OURS_AND_SOCKETS,
        targets: &[],
        bcrypt_cost: 12,
        table: None,
        kind: Kind::Login,
    },
    Workload {
        name: "posts",
        title: "256 connections of 16 people in 8 chats that each post, one message after the other",
        unit: "post",
        contenders: &[
            Parlance(Sqlite),
            Parlance(Postgres),
            Single(Sqlite),
            Single(Postgres),
            Axum,
        ],
        targets: &[],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Posts,
    },
    Workload {
        name: "alone",
        title: "one posts, another waits for it by long-poll, and nothing else goes on; the times are until \
                the other has it",
        unit: "message",
        contenders: OURS_AND_HTTP,
        targets: &[],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Alone,
    },
    Workload {
        name: "polls",
        title: "500 long-polls of one chat that poll again as soon as they are answered; the next message \
                is posted when all have the last one",
        unit: "answer",
        contenders: &[
            Parlance(Sqlite),
            Parlance(Postgres),
            Axum,
            Nchan,
            BareRocket,
        ],
        targets: &[target(Column::Rate, 0.75, Against::One(BareRocket))],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Polls,
    },
    Workload {
        name: "held",
        title: "2,000 held long-polls of 250 people, all answered from one post",
        unit: "answer",
        contenders: AND_NCHAN,
        targets: &[target(Column::Last, 1.2, Against::One(Axum))],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Held,
    },
    Workload {
        name: "streams",
        title: "1,000 streams of server-sent events of one chat, in which 8 people post",
        unit: "delivery",
        contenders: AND_NCHAN,
        targets: &[],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Streams,
    },
    Workload {
        name: "idle",
        title: "sockets of signed-in people that say nothing, from several addresses",
        unit: "socket",
        contenders: &[Parlance(Sqlite), Axum, Node],
        targets: &[target(Column::Memory, 6.0, Against::Figure(1.0))],
        bcrypt_cost: 4,
        table: None,
        kind: Kind::Idle,
    },
    Workload {
        name: "returning",
        title: "sockets that come back within 5 seconds, each 20 messages behind; the time is from the last \
                handshake until all have caught up",
        unit: "socket",
        contenders: &[Parlance(Sqlite), Parlance(Postgres), Node],
        targets: &[target(Column::Last, 2_000.0, Against::Figure(1.0))],
        bcrypt_cost: 4,
        table: Some("messages"),
        kind: Kind::Returning,
    },
    Workload {
        name: "startup",
        title: "from the start of the process until it has answered its first request",
        unit: "start",
        contenders: OURS_AND_SOCKETS,
        targets: &[],
        bcrypt_cost: 4,
        table: None,
        kind: Kind::Startup,
    },
];

/// What a server was given before its first turn, and what its turns go on from.
#[derive(Default)]
pub struct Ground {
    /// Cookies of people who have an account.
    pub people: Vec<String>,
    /// The key of an app, in whose name sockets speak.
    key: Option<String>,
    pub chat: i64,
    /// How many turns there were.
    turns: usize,
    /// What was counted up by earlier turns.
    counter: u64,
}

impl Workload {
    /// What Parlance is told beside the settings of every run.
    pub fn settings(&self) -> Vec<(&'static str, &'static str)> {
        match self.kind {
            Kind::Returning => ADMIN_SETTINGS.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Gives a fresh server what the turns need.
    pub async fn prepare(&self, server: &Server, options: &Options) -> Outcome<Ground> {
        match self.kind {
            Kind::Login => accounts::prepare(server).await,
            Kind::Posts => posts::prepare(server).await,
            Kind::Alone => posts::prepare_alone(server).await,
            Kind::Polls => polls::prepare(server, polls::people(options)).await,
            Kind::Held => polls::prepare(server, polls::held_people(options)).await,
            Kind::Streams => streams::prepare(server, options).await,
            Kind::Idle => idle::prepare(server, options).await,
            Kind::Returning => returning::prepare(server).await,
            _ => Ok(Ground::default()),
        }
    }

    /// One turn of one server.
    pub async fn turn(
        &self,
        server: &Server,
        ground: &mut Ground,
        options: &Options,
    ) -> Outcome<(Figures, Audit)> {
        ground.turns += 1;
        match self.kind {
            Kind::Echoes => chats::echoes(server, options).await,
            Kind::Pairs => chats::pairs(server, options).await,
            Kind::FanOut(window) => fan_out::turn(server, options, window).await,
            Kind::CreateUser => accounts::create_users(server, ground, options).await,
            Kind::Register => accounts::register(server, ground, options).await,
            Kind::Login => accounts::log_in(server, options).await,
            Kind::Posts => posts::turn(server, ground, options).await,
            Kind::Alone => posts::alone(server, ground, options).await,
            Kind::Polls => polls::again(server, ground, options).await,
            Kind::Held => polls::held(server, ground, options).await,
            Kind::Streams => streams::turn(server, ground, options).await,
            Kind::Idle => idle::turn(server, ground, options).await,
            Kind::Returning => returning::turn(server, ground, options).await,
            Kind::Startup => startup::turn(server).await,
        }
    }
}
