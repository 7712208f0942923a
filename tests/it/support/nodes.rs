//! Several servers of one PostgreSQL database.

use std::{process::Command, str::FromStr, time::Duration};

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    support::actor::{Actor, list, text},
    support::mangler::Mangler,
    support::nats,
    support::place::Place,
    support::poll::but_presence,
    support::world::World,
};

/// So many servers of one new database; none in the run of the tests that is about SQLite, where there is one. They tell
/// each other by NATS what is new where this run of the tests is about that.
pub(crate) async fn servers(count: usize, settings: &str) -> Option<Vec<World>> {
    let nats = nats::url().map(|url| format!("nats_url = '{url}'\n"));
    let settings = nats.unwrap_or_default() + settings;
    let servers = servers_by_postgres(count, &settings).await?;
    nats::all_hear(&servers, true).await;
    Some(servers)
}

/// The same by PostgreSQL's notifications in any case, if the settings say no more.
pub(crate) async fn servers_by_postgres(count: usize, settings: &str) -> Option<Vec<World>> {
    let place = Place::make().await;
    servers_on(place, count, settings).await
}

/// What a binary needs to be another server of the same database.
pub(crate) fn same_database(command: &mut Command, world: &World) {
    command.env("ROCKET_DATABASES", world.databases());
    if let Some(url) = nats::url() {
        command.env("ROCKET_NATS_URL", url);
    }
}

/// The same, where notifications between them are lost.
pub(crate) async fn servers_that_hear_nothing(count: usize, settings: &str) -> Option<Vec<World>> {
    let table = "create table beside.lost (id bigint generated always as identity, channel text)";
    let function = "create function public.pg_notify(text, text) returns void language sql \
                    as 'insert into beside.lost (channel) values ($1)'";
    servers_that_notify_by((table, function), count, settings).await
}

/// By what what servers say to each other is mangled.
pub(crate) enum Mangled {
    /// A function in the place of PostgreSQL's own.
    Postgres,
    /// The way of each server to NATS.
    Nats(Vec<Mangler>),
}

/// The same, where what servers say to each other is lost, doubled and reordered; by NATS it is so by chance, which follows
/// from a number, and some of it is late.
pub(crate) async fn servers_on_a_mangled_bus(
    count: usize,
    seed: u64,
) -> Option<(Vec<World>, Mangled)> {
    let Some(url) = nats::url() else {
        let servers = servers_on_mangled_notifications(count).await?;
        return Some((servers, Mangled::Postgres));
    };
    let (_, address) = url.split_once("://").expect("an address");
    let mut ways = Vec::new();
    let mut servers: Option<Vec<World>> = None;
    for number in 0..u64::try_from(count).expect("a few") {
        let way = Mangler::to(address.to_owned(), seed * 100 + number).await;
        let settings = format!("nats_url = 'nats://127.0.0.1:{}'", way.port);
        ways.push(way);
        match &mut servers {
            Some(servers) => join_with(servers, &settings).await,
            None => servers = Some(servers_by_postgres(1, &settings).await?),
        }
    }
    Some((servers?, Mangled::Nats(ways)))
}

/// The same by PostgreSQL: of four datagrams one is lost, one comes after the one that follows it, and one comes twice.
async fn servers_on_mangled_notifications(count: usize) -> Option<Vec<World>> {
    let table = "create table beside.told (id bigint generated always as identity, said text)";
    let function =
        "create function public.pg_notify(text, text) returns void language plpgsql as $$
        declare number bigint;
        begin
          if $1 <> 'parlance_bus' then
            perform pg_catalog.pg_notify($1, $2);
            return;
          end if;
          insert into beside.told (said) values ($2) returning id into number;
          if number % 4 in (1, 3) then
            perform pg_catalog.pg_notify($1, $2);
          end if;
          if number % 4 = 3 then
            perform pg_catalog.pg_notify($1, told.said) from beside.told
            where id in (number - 1, number - 2) order by id;
          end if;
        end $$";
    servers_that_notify_by((table, function), count, "").await
}

/// Servers that notify by a function of ours, which has a table: one of that name is found before PostgreSQL's own.
async fn servers_that_notify_by(
    (table, function): (&str, &str),
    count: usize,
    settings: &str,
) -> Option<Vec<World>> {
    let place = Place::make().await;
    if let Place::Postgres { name, .. } = &place {
        let path = format!("alter database {name} set search_path = public, pg_catalog");
        let mut beside = place.beside().await;
        for sql in [&path, "create schema beside", table, function] {
            beside.run(sql).await;
        }
    }
    servers_on(place, count, settings).await
}

impl Mangled {
    /// Whether much of what was said so far was.
    pub(crate) async fn has_happened(&self, world: &World) -> bool {
        match self {
            Self::Postgres => {
                let mut beside = world.place.beside().await;
                beside.number("select count(*) from beside.told").await >= 4
            }
            Self::Nats(ways) => ways.iter().all(|way| way.mangled() >= 4),
        }
    }

    /// From now on nothing is mangled.
    pub(crate) async fn mend(&self, world: &World) {
        match self {
            Self::Postgres => {
                let mut beside = world.place.beside().await;
                let sql = "create or replace function public.pg_notify(text, text) returns void language plpgsql as \
                           $$ begin perform pg_catalog.pg_notify($1, $2); end $$";
                beside.run(sql).await;
            }
            Self::Nats(ways) => ways.iter().for_each(Mangler::mend),
        }
    }
}

/// One more server of the database of others.
pub(crate) async fn join(servers: &mut Vec<World>) {
    let settings = servers[0].settings().to_owned();
    join_with(servers, &settings).await;
}

/// The same with other settings.
pub(crate) async fn join_with(servers: &mut Vec<World>, settings: &str) {
    let Place::Postgres { server, name } = &servers[0].place else {
        return;
    };
    let (server, name, url) = (server.clone(), name.clone(), servers[0].place.url());
    let same = Place::Postgres { server, name };
    servers.push(World::on(same, &url, settings).await);
}

async fn servers_on(place: Place, count: usize, settings: &str) -> Option<Vec<World>> {
    let Place::Postgres { server, name } = &place else {
        return None;
    };
    let (server, name, url) = (server.clone(), name.clone(), place.url());
    let mut servers = vec![World::on(place, &url, settings).await];
    while servers.len() < count {
        let (server, name) = (server.clone(), name.clone());
        let same = Place::Postgres { server, name };
        servers.push(World::on(same, &url, settings).await);
    }
    Some(servers)
}

/// Stops servers of one database.
pub(crate) async fn stop(servers: Vec<World>) {
    let mut places = Vec::new();
    for server in servers {
        // The database is dropped with its first place.
        places.push(server.stop().await);
    }
}

/// Listens to one person's messages at each server, from now on and up to one.
pub(crate) async fn listen(
    servers: &[World],
    who: &Actor,
    last: &'static str,
) -> Vec<JoinHandle<Vec<(i64, String)>>> {
    let cursor = who.now().await;
    let listening = servers.iter().map(|world| {
        let (who, cursor) = (who.at(world), cursor.clone());
        tokio::spawn(async move { heard(&who, cursor, last).await })
    });
    listening.collect()
}

/// Everything that one server tells of messages from a cursor on, up to one: their ids, and what they say.
async fn heard(actor: &Actor, mut cursor: String, last: &str) -> Vec<(i64, String)> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|(_, said)| said != last) {
        let path = format!("/api/events?after={cursor}&timeout=50&limit=50");
        let told = actor.get(&but_presence(&path)).await.with(200).json();
        let events = list(&told, "events").into_iter();
        let messages = events.filter(|event| event["type"] == "message");
        let said = |event: Value| {
            let id = event["message"]["id"].as_i64().expect("a number");
            (id, text(&event["message"], "content"))
        };
        heard.extend(messages.map(said));
        cursor = text(&told, "cursor");
    }
    heard
}

/// Waits until the clock has gone on: of two waits that began in the same millisecond none is the newer.
pub(crate) async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Whether somebody is told, at a server, that another one is online.
pub(crate) async fn is_online(world: &World, asks: &Actor, whom: &Actor) -> bool {
    let path = format!("/api/people/{}", whom.id);
    let told = asks.at(world).get(&path).await.with(200).json();
    told["online"] == true
}

/// A figure of a server that has no labels.
pub(crate) async fn figure<T: FromStr>(world: &World, name: &str) -> T {
    let told = world.get("/metrics").await.with(200);
    let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
    let found = told.body.lines().find_map(value);
    found.expect("it is told")
}
