//! Several servers of one PostgreSQL database.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    support::actor::{Actor, list, text},
    support::place::Place,
    support::poll::but_presence,
    support::world::World,
};

/// So many servers of one new database; none in the run of the tests that is about SQLite, where there is one.
pub(crate) async fn servers(count: usize, settings: &str) -> Option<Vec<World>> {
    let place = Place::make().await;
    servers_on(place, count, settings).await
}

/// The same, where notifications between them are lost.
pub(crate) async fn servers_that_hear_nothing(count: usize) -> Option<Vec<World>> {
    let table = "create table beside.lost (id bigint generated always as identity, channel text)";
    let function = "create function public.pg_notify(text, text) returns void language sql \
                    as 'insert into beside.lost (channel) values ($1)'";
    servers_that_notify_by(table, function, count).await
}

/// The same, where of four datagrams one is lost, one comes after the one that follows it, and one comes twice.
pub(crate) async fn servers_on_a_mangled_bus(count: usize) -> Option<Vec<World>> {
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
    servers_that_notify_by(table, function, count).await
}

/// Servers that notify by a function of ours, which has a table: one of that name is found before PostgreSQL's own.
async fn servers_that_notify_by(table: &str, function: &str, count: usize) -> Option<Vec<World>> {
    let place = Place::make().await;
    if let Place::Postgres { name, .. } = &place {
        let path = format!("alter database {name} set search_path = public, pg_catalog");
        let mut beside = place.beside().await;
        for sql in [&path, "create schema beside", table, function] {
            beside.run(sql).await;
        }
    }
    servers_on(place, count, "").await
}

/// From now on nothing is mangled.
pub(crate) async fn mend(world: &World) {
    let mut beside = world.place.beside().await;
    let sql = "create or replace function public.pg_notify(text, text) returns void language plpgsql as \
               $$ begin perform pg_catalog.pg_notify($1, $2); end $$";
    beside.run(sql).await;
}

/// One more server of the database of others.
pub(crate) async fn join(servers: &mut Vec<World>) {
    let Place::Postgres { server, name } = &servers[0].place else {
        return;
    };
    let (server, name, url) = (server.clone(), name.clone(), servers[0].place.url());
    let same = Place::Postgres { server, name };
    servers.push(World::on(same, &url, "").await);
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
