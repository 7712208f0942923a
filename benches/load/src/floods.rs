//! What one tenant's floods do to another person's posts: each in turn, with rests between them.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Outcome,
    client::Client,
    database::Engine,
    figures::{Times, milliseconds, ratio, written},
    options::Options,
    report::Section,
    server::{ADMIN_SETTINGS, Server, parlance},
};

/// The users whom the flooding tenant has.
const USERS: usize = 1_000;
/// A flood is no faster than this: as often as one address may ask by default.
const INTERVAL: Duration = Duration::from_millis(1);
/// A person posts this often, whatever happens.
const PAUSE: Duration = Duration::from_millis(5);
const TARGET: f64 = 3.0;

/// What the flooding tenant sends, over and over, on so many connections at once, each of which waits
/// for its answers.
struct Flood {
    title: &'static str,
    connections: usize,
    request: fn(&Tenant, u64) -> Request,
}

struct Request {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl Request {
    fn new(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self {
            method,
            path: path.into(),
            body: Some(body),
        }
    }
}

struct Tenant {
    key: String,
    /// Our numbers of its users.
    users: Vec<String>,
    /// Its own names of them.
    names: Vec<String>,
    chat: String,
}

impl Tenant {
    fn event(&self, event: &str, body: Value) -> Request {
        let path = format!("/api/events/{event}?key={}", self.key);
        Request::new("POST", path, body)
    }
}

const FLOODS: [Flood; 8] = [
    Flood {
        title: "`create-chat` of 1,000 users",
        connections: 40,
        request: |tenant, _| {
            let body = json!({"chat": {"name": "crowd"}, "users": tenant.users});
            tenant.event("create-chat", body)
        },
    },
    Flood {
        title: "`POST /room` of 1,000 users",
        connections: 40,
        request: |tenant, number| {
            let room = format!("room {number}");
            let body = json!({"room": room, "appId": tenant.key, "users": tenant.names});
            Request::new("POST", "/room", body)
        },
    },
    Flood {
        title: "`PUT /room/add` and `/room/remove` of 999 users",
        connections: 40,
        request: |tenant, number| {
            let path = ["/room/add", "/room/remove"][usize::from(number % 2 == 1)];
            let body = json!({"room": "full", "appId": tenant.key, "users": tenant.names[1..]});
            Request::new("PUT", path, body)
        },
    },
    Flood {
        title: "`create-chat` of one user",
        connections: 256,
        request: |tenant, number| {
            let user = &tenant.users[usize::try_from(number).unwrap_or(0) % USERS];
            let body = json!({"chat": {"name": "alone"}, "users": [user]});
            tenant.event("create-chat", body)
        },
    },
    Flood {
        title: "`new-message`",
        connections: 256,
        request: |tenant, number| {
            let user = &tenant.users[usize::try_from(number).unwrap_or(0) % USERS];
            let body = json!({"chat": {"id": tenant.chat}, "user": {"id": user},
                "message": {"type": "text", "value": "a message of some length"}});
            tenant.event("new-message", body)
        },
    },
    Flood {
        title: "`POST /user`, new ones",
        connections: 256,
        request: |tenant, number| {
            let body = json!({"appId": tenant.key, "appUserId": format!("new-{number}"),
                "firstName": "New", "lastName": "User", "token": format!("token-{number}-of-its")});
            Request::new("POST", "/user", body)
        },
    },
    Flood {
        title: "`GET /user/{appId}`, all users",
        connections: 40,
        request: |tenant, _| Request {
            method: "GET",
            path: format!("/user/{}", tenant.key),
            body: None,
        },
    },
    Flood {
        title: "`list-chats` of somebody in crowds",
        connections: 40,
        request: |tenant, _| {
            let body = json!({"user": {"id": tenant.users[0]}});
            tenant.event("list-chats", body)
        },
    },
];

pub async fn measure(engine: Engine, folder: &Path, options: &Options) -> Outcome<Section> {
    let server = parlance(engine, folder, "floods", ADMIN_SETTINGS.to_vec()).await?;
    let tenant = Arc::new(tenant(&server).await?);
    let ann = server.register("ann").await?;
    let chat = server.open_chat(&ann, "chat").await?;
    let mut poster = Client::connect(server.port, &ann).await?;
    let path = format!("/api/chats/{chat}");
    let mut table = "| flood | on | answers/s | p50 before | p50 | p99 | ratio of medians |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    let (mut rows, mut met) = (Vec::new(), true);
    for flood in &FLOODS {
        let mut seen = meet(flood, &server, &tenant, &mut poster, &path, options.turn).await?;
        let ratio = ratio(seen.during.at(0.5), seen.rest);
        met &= ratio < TARGET;
        writeln!(
            table,
            "| {} | {} | {:.0} | {} | {} | {ratio:.2} |",
            flood.title,
            flood.connections,
            seen.rate,
            written(seen.rest),
            seen.during.cells(),
        )?;
        rows.push(json!({"flood": flood.title, "connections": flood.connections,
            "answers_per_second": seen.rate, "ratio": ratio, "rest_p50_ms": milliseconds(seen.rest),
            "p50_ms": milliseconds(seen.during.at(0.5)), "p99_ms": milliseconds(seen.during.at(0.99))}));
    }
    writeln!(table, "\nTarget: below {TARGET}.")?;
    server.end().await?;
    Ok(Section {
        name: format!("floods-{}", engine.word()),
        title: format!(
            "{}: another person's posts while one tenant floods the server",
            engine.title()
        ),
        markdown: table,
        json: json!(rows),
        met,
    })
}

/// What a person's posts took outside a flood and in it, and how many answers the flood got a second.
struct Seen {
    rest: Duration,
    during: Times,
    rate: f64,
}

async fn meet(
    flood: &'static Flood,
    server: &Server,
    tenant: &Arc<Tenant>,
    poster: &mut Client,
    path: &str,
    turn: Duration,
) -> Outcome<Seen> {
    let mut before = post(poster, path, turn / 2).await?;
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let flooding = begin(flood, server, tenant, &stop, &answers).await?;
    sleep(turn / 8).await;
    let (began, first) = (Instant::now(), answers.load(Ordering::Relaxed));
    let during = post(poster, path, turn).await?;
    let answered = answers.load(Ordering::Relaxed) - first;
    let rate = answered as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    end(flooding).await?;
    // What the flood left to do, and the disk, come to rest.
    sleep(turn / 4).await;
    let mut after = post(poster, path, turn / 2).await?;
    let rest = before.at(0.5).min(after.at(0.5));
    Ok(Seen { rest, during, rate })
}

/// Posts for a while, now and then, and says how long each took.
async fn post(client: &mut Client, path: &str, turn: Duration) -> Outcome<Times> {
    let mut times = Times::default();
    let began = Instant::now();
    while began.elapsed() < turn {
        let sent = Instant::now();
        client.post(path, "content=hello").await?.expect(201)?;
        times.add(sent.elapsed());
        sleep(PAUSE).await;
    }
    Ok(times)
}

type Answers = Arc<AtomicU64>;

async fn begin(
    flood: &'static Flood,
    server: &Server,
    tenant: &Arc<Tenant>,
    stop: &Arc<AtomicBool>,
    answers: &Answers,
) -> Outcome<JoinSet<Outcome>> {
    let numbers = Arc::new(AtomicU64::new(0));
    let (began, mut flooding) = (Instant::now(), JoinSet::new());
    for _ in 0..flood.connections {
        let mut client = Client::connect(server.port, "").await?;
        let (tenant, stop) = (Arc::clone(tenant), Arc::clone(stop));
        let (answers, numbers) = (Arc::clone(answers), Arc::clone(&numbers));
        flooding.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                sleep_until(began + INTERVAL * u32::try_from(number)?).await;
                let request = (flood.request)(&tenant, number);
                let answer = client.json(&tenant.key, &request.parts()).await?;
                // To be turned away is an answer; to be told of a fault of the server's is none.
                if answer.status == 500 {
                    answer.expect(200)?;
                }
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    Ok(flooding)
}

async fn end(mut flooding: JoinSet<Outcome>) -> Outcome {
    while let Some(ended) = flooding.join_next().await {
        ended??;
    }
    Ok(())
}

impl Request {
    fn parts(&self) -> (&str, &str, Option<String>) {
        let body = self.body.as_ref().map(Value::to_string);
        (self.method, &self.path, body)
    }
}

/// Registers an app with its users, a chat and a room.
async fn tenant(server: &Server) -> Outcome<Tenant> {
    let mut client = Client::connect(server.port, "").await?;
    let mut tenant = Tenant {
        key: server.register_app().await?,
        users: Vec::new(),
        names: (0..USERS).map(|number| format!("user-{number}")).collect(),
        chat: String::new(),
    };
    for name in &tenant.names {
        let body = json!({"appId": tenant.key, "appUserId": name, "firstName": "User",
            "lastName": name});
        let request = ("POST", "/user", Some(body.to_string()));
        let answer = client.json(&tenant.key, &request).await?.expect(200)?;
        tenant.users.push(answer.json()?["id"].to_string());
    }
    let body = json!({"chat": {"name": "talk"}, "users": tenant.users});
    let request = tenant.event("create-chat", body);
    let answer = client.json(&tenant.key, &request.parts()).await?;
    let answer = answer.expect(200)?.json()?;
    tenant.chat = text(&answer["data"]["chat"]["id"])?;
    let body = json!({"room": "full", "appId": tenant.key, "users": tenant.names});
    let request = Request::new("POST", "/room", body);
    let answer = client.json(&tenant.key, &request.parts()).await?;
    answer.expect(200)?;
    Ok(tenant)
}

fn text(value: &Value) -> Outcome<String> {
    let text = value.as_str().ok_or("no text where text was expected")?;
    Ok(text.to_owned())
}
