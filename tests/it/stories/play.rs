//! Plays a story: its server, its connections, its requests.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

use reqwest::Method;

use super::{
    connection::{Connection, Difference},
    pattern::{self, Names},
    script::{ChatAction, Line, Port, Request, Script},
};
use crate::{support::actor::Told, support::world::World};

/// Plays a story; the error names the file, the line, what was expected and what came instead.
pub(super) async fn play(file: &str, text: &str) -> Result<(), String> {
    let script = Script::parse(text).map_err(|(line, fault)| format!("{file}:{line}: {fault}"))?;
    let (second, _taken) = free_port();
    let settings = format!("socket_port = {second}\n{}", script.settings);
    let world = World::with(&settings).await;
    let server = world.base().to_owned();
    let mut stage = Stage {
        second: format!("http://127.0.0.1:{second}"),
        names: Names::from([("server".to_owned(), server)]),
        world,
        connections: BTreeMap::new(),
    };
    for line in &script.lines {
        let done = stage.step(line).await;
        done.map_err(|difference| told(file, line.place(), &difference))?;
    }
    let end = script.lines.last().map_or(1, Line::place);
    for connection in stage.connections.into_values() {
        let done = connection.ends().await;
        done.map_err(|difference| told(file, end, &difference))?;
    }
    Ok(())
}

fn told(file: &str, line: usize, difference: &Difference) -> String {
    let Difference { fault, frames } = difference;
    match frames {
        None => format!("{file}:{line}: {fault}"),
        Some((expected, actual)) => {
            format!("{file}:{line}: {fault}\n  expected: {expected}\n    actual: {actual}")
        }
    }
}

/// A port that nobody has, and the sign that it is taken: tests that run beside this one look for it
/// before the server has come. Both are below those that the system gives out by itself.
fn free_port() -> (u16, TcpListener) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 10_000).expect("it is small");
    loop {
        let place = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        if let Ok(sign) = free(10_000 + place)
            && free(20_000 + place).is_ok()
        {
            return (20_000 + place, sign);
        }
    }
}

struct Stage {
    world: World,
    /// The address of the second port.
    second: String,
    names: Names,
    connections: BTreeMap<String, Connection>,
}

impl Stage {
    async fn step(&mut self, line: &Line) -> Result<(), Difference> {
        match &line.act {
            ChatAction::Opens(who, query, port) => {
                if self.connections.contains_key(who) {
                    return Err(format!("{who} is there already").into());
                }
                let query = pattern::fill(query, &self.names)?;
                let server = match port {
                    Port::First => self.world.base(),
                    Port::Second => &self.second,
                };
                let connection = Connection::open(server, &query).await?;
                self.connections.insert(who.clone(), connection);
                Ok(())
            }
            ChatAction::Says(who, frame) => {
                let frame = pattern::fill(frame, &self.names)?;
                find(&mut self.connections, who)?.says(&frame).await
            }
            ChatAction::Hears(who, expected) => {
                let connection = find(&mut self.connections, who)?;
                connection.hears(expected, &mut self.names).await
            }
            // What proves it comes later, see the module above.
            ChatAction::HearsNothing(who) => find(&mut self.connections, who).map(drop),
            ChatAction::IsClosed(who) => self.take(who)?.hears_the_end().await,
            ChatAction::Closes(who) => self.take(who)?.close().await,
            ChatAction::Asks(request) => self.ask(request).await,
        }
    }

    fn take(&mut self, who: &str) -> Result<Connection, Difference> {
        let found = self.connections.remove(who);
        found.ok_or_else(|| nobody(who))
    }

    async fn ask(&mut self, request: &Request) -> Result<(), Difference> {
        let fill = |text: &str| pattern::fill(text, &self.names);
        let method: Method = request.method.parse().expect("one of four");
        let url = format!("{}{}", self.world.base(), fill(&request.path)?);
        let mut asked = self.world.http.request(method, url);
        for (name, value) in &request.headers {
            asked = asked.header(name, fill(value)?);
        }
        let body = fill(&request.body)?;
        if !body.is_empty() {
            let kind = match body.strip_prefix('{') {
                Some(_) => "application/json",
                None => "application/x-www-form-urlencoded",
            };
            asked = asked.header("Content-Type", kind).body(body);
        }
        let told = Told::of(asked).await;
        let compared = if told.status == request.status {
            pattern::body(&request.answer, &told.body, &mut self.names)
        } else {
            Err(format!("the status is {}", told.status))
        };
        compared.map_err(|fault| {
            let expected = format!("{} {}", request.status, request.answer);
            Difference::new(fault, &expected, &format!("{} {}", told.status, told.body))
        })
    }
}

fn find<'a>(
    connections: &'a mut BTreeMap<String, Connection>,
    who: &str,
) -> Result<&'a mut Connection, Difference> {
    connections.get_mut(who).ok_or_else(|| nobody(who))
}

fn nobody(who: &str) -> Difference {
    format!("nobody is called {who}").into()
}
