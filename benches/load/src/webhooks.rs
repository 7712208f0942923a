//! What webhooks that fail do to one that works.

use std::{cell::Cell, collections::HashMap, fmt::Write as _, path::Path, rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{JoinHandle, spawn_local},
    time::{Instant, sleep, timeout},
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

/// How many webhooks fail. With the one that works they are of three apps, for an app has no more than fifty.
const FAILING: usize = 100;
const APPS: usize = 3;
/// All receivers are on this machine.
const LOOPBACK: (&str, &str) = ("ROCKET_VERIFY_ALLOW", "[\"127.0.0.0/8\"]");
const TARGET: f64 = 1.2;
/// How many messages wait at once where many are sent.
const BURST: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(30);

/// How a receiver fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Refuses,
    Answers500,
    NeverAnswers,
}

const FAILURES: [(Failure, &str); 3] = [
    (Failure::Refuses, "refuse the connection"),
    (Failure::Answers500, "answer 500"),
    (Failure::NeverAnswers, "never answer"),
];

pub async fn measure(engine: Engine, folder: &Path, options: &Options) -> Outcome<Section> {
    let settings = [&ADMIN_SETTINGS[..], &[LOOPBACK]].concat();
    let server = parlance(engine, folder, "webhooks", settings).await?;
    let mut scene = Scene::new(server).await?;
    let mut table = format!(
        "| {FAILING} webhooks that | alone: p50 | p99 | beside them: p50 | p99 | ratio of medians | {BURST} at once, alone | \
         beside them | ratio | requests to those that fail |\n|---|---|---|---|---|---|---|---|---|---|\n"
    );
    let (mut rows, mut met) = (Vec::new(), true);
    for (failure, what) in FAILURES {
        let mut seen = scene.meet(failure, options).await?;
        let (alone, beside) = (seen.alone.at(0.5), seen.beside.at(0.5));
        let (one, many) = (
            ratio(beside, alone),
            ratio(seen.burst_beside, seen.burst_alone),
        );
        met &= one < TARGET && many < TARGET;
        writeln!(
            table,
            "| {what} | {} | {} | {one:.2} | {} | {} | {many:.2} | {} |",
            seen.alone.cells(),
            seen.beside.cells(),
            written(seen.burst_alone),
            written(seen.burst_beside),
            seen.failed,
        )?;
        rows.push(json!({"failing": what, "ratio": one, "burst_ratio": many, "failed_requests": seen.failed,
            "alone_p50_ms": milliseconds(alone), "beside_p50_ms": milliseconds(beside),
            "alone_p99_ms": milliseconds(seen.alone.at(0.99)), "beside_p99_ms": milliseconds(seen.beside.at(0.99)),
            "burst_alone_ms": milliseconds(seen.burst_alone), "burst_beside_ms": milliseconds(seen.burst_beside)}));
    }
    writeln!(
        table,
        "\nFrom sending a message until the receiver that works has it, one after the other; then {BURST} messages sent at once, \
         until it has the last. Every message must come once and in order. The webhooks that fail are of the same app and of two \
         others, in which as much is said. Target: below {TARGET}."
    )?;
    scene.server.end().await?;
    Ok(Section {
        name: format!("webhooks-{}", engine.word()),
        title: format!(
            "{}: a webhook that works beside {FAILING} that fail",
            engine.title()
        ),
        markdown: table,
        json: json!(rows),
        met,
    })
}

struct Seen {
    alone: Times,
    beside: Times,
    burst_alone: Duration,
    burst_beside: Duration,
    failed: u64,
}

/// The server, the apps, the receiver that works, and how much has been said.
struct Scene {
    server: Server,
    apps: Vec<App>,
    works: mpsc::UnboundedReceiver<u64>,
    next: u64,
}

impl Scene {
    async fn new(server: Server) -> Outcome<Self> {
        let mut apps = Vec::new();
        for number in 0..APPS {
            apps.push(App::make(&server, number).await?);
        }
        let (url, works) = receiver().await?;
        let mut scene = Self {
            server,
            apps,
            works,
            next: 0,
        };
        scene.apps[0].register(&url).await?;
        Ok(scene)
    }

    async fn meet(&mut self, failure: Failure, options: &Options) -> Outcome<Seen> {
        let mut alone = self.one_by_one(options.turn / 2).await?;
        let mut burst_alone = vec![self.burst().await?];
        let failing = Failing::start(failure).await?;
        let mut hooks = Vec::new();
        for number in 0..FAILING {
            let app = number % APPS;
            hooks.push((app, self.apps[app].register(&failing.url).await?));
        }
        let beside = self.one_by_one(options.turn).await?;
        let burst_beside = vec![self.burst().await?, self.burst().await?];
        for (app, id) in hooks {
            self.apps[app].remove(id).await?;
        }
        let failed = failing.end();
        sleep(options.turn / 4).await;
        alone.append(self.one_by_one(options.turn / 2).await?);
        burst_alone.push(self.burst().await?);
        Ok(Seen {
            alone,
            beside,
            burst_alone: mean(&burst_alone),
            burst_beside: mean(&burst_beside),
            failed,
        })
    }

    /// Says something in each app, again as soon as the receiver has it.
    async fn one_by_one(&mut self, turn: Duration) -> Outcome<Times> {
        let (began, mut times) = (Instant::now(), Times::default());
        while began.elapsed() < turn {
            for app in &mut self.apps[1..] {
                app.say(0).await?;
            }
            let sent = Instant::now();
            self.apps[0].say(self.next).await?;
            self.hears().await?;
            times.add(sent.elapsed());
        }
        Ok(times)
    }

    /// Says much at once; how long it takes until the receiver has all of it.
    async fn burst(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        let first = self.next;
        for number in first..first + BURST {
            self.apps[0].begin_to_say(number).await?;
        }
        for _ in 0..BURST {
            self.apps[0].has_said().await?;
        }
        for _ in 0..BURST {
            self.hears().await?;
        }
        Ok(began.elapsed())
    }

    /// The receiver has the next one: neither a repeat nor a later one.
    async fn hears(&mut self) -> Outcome {
        let number = timeout(PATIENCE, self.works.recv()).await?;
        let number = number.ok_or("the receiver has ended")?;
        if number != self.next {
            return Err(format!("message {number} came in place of {}", self.next).into());
        }
        self.next += 1;
        Ok(())
    }
}

fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(1)
}

/// An app with a user who is alone in a room.
struct App {
    key: String,
    client: Client,
    says: String,
}

impl App {
    async fn make(server: &Server, number: usize) -> Outcome<Self> {
        let key = server.register_app().await?;
        let token = format!("token-of-user-{number}");
        let mut client = Client::connect(server.port, "").await?;
        let user = json!({"appId": key, "appUserId": 1, "firstName": "Ann", "token": token});
        let room = json!({"room": "tea", "appId": key, "users": [1]});
        for (path, body) in [("/user", user), ("/room", room)] {
            let request = ("POST", path, Some(body.to_string()));
            client.json(&key, &request).await?.expect(200)?;
        }
        let says = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        Ok(Self { key, client, says })
    }

    async fn say(&mut self, number: u64) -> Outcome {
        self.begin_to_say(number).await?;
        self.has_said().await
    }

    async fn begin_to_say(&mut self, number: u64) -> Outcome {
        let body = json!({"message": number.to_string()}).to_string();
        let path = "/api/events/send_message?room=tea";
        self.client
            .send("POST", path, &self.says, Some(&body))
            .await
    }

    async fn has_said(&mut self) -> Outcome {
        self.client.receive().await?.expect(200).map(drop)
    }

    async fn register(&mut self, url: &str) -> Outcome<i64> {
        let hook = json!({"url": url, "kinds": ["message.created"], "dialect": "embed"});
        let request = ("POST", "/webhook", Some(hook.to_string()));
        let answer = self.client.json(&self.key, &request).await?.expect(201)?;
        Ok(answer.json()?["id"]
            .as_i64()
            .ok_or("a webhook without an id")?)
    }

    async fn remove(&mut self, id: i64) -> Outcome {
        let path = format!("/webhook/{id}");
        let answer = self
            .client
            .json(&self.key, &("DELETE", &path, None))
            .await?;
        answer.expect(200).map(drop)
    }
}

/// A receiver that works: its address, and the numbers of the messages that it was told of.
async fn receiver() -> Outcome<(String, mpsc::UnboundedReceiver<u64>)> {
    let (listener, url) = listener().await?;
    let (sender, numbers) = mpsc::unbounded_channel();
    spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            spawn_local(async move {
                let mut stream = BufReader::new(stream);
                while let Ok(body) = request(&mut stream).await {
                    let told: Value = serde_json::from_slice(&body)?;
                    let number = told["data"]["msg"].as_str().ok_or("no text")?.parse()?;
                    sender.send(number)?;
                    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                    stream.get_mut().write_all(answer).await?;
                }
                Outcome::Ok(())
            });
        }
    });
    Ok((url, numbers))
}

async fn listener() -> Outcome<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    Ok((listener, url))
}

/// Reads one request; its body.
async fn request(stream: &mut BufReader<TcpStream>) -> Outcome<Vec<u8>> {
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the connection has ended".into());
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None if line.trim_end().is_empty() => break,
            None => continue,
        };
    }
    let length = headers.get("content-length").ok_or("no length")?.parse()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

/// A receiver that fails, for as long as it runs.
struct Failing {
    url: String,
    requests: Rc<Cell<u64>>,
    serving: Option<JoinHandle<()>>,
}

impl Failing {
    async fn start(failure: Failure) -> Outcome<Self> {
        let (listener, url) = listener().await?;
        let requests = Rc::default();
        if failure == Failure::Refuses {
            // The port is free again, and refuses.
            return Ok(Self {
                url,
                requests,
                serving: None,
            });
        }
        let count = Rc::clone(&requests);
        let serving = spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = Rc::clone(&count);
                spawn_local(fail(stream, failure, count));
            }
        });
        Ok(Self {
            url,
            requests,
            serving: Some(serving),
        })
    }

    /// Ends it; how many requests it was sent.
    fn end(self) -> u64 {
        if let Some(serving) = self.serving {
            serving.abort();
        }
        self.requests.get()
    }
}

async fn fail(stream: TcpStream, failure: Failure, count: Rc<Cell<u64>>) {
    let mut stream = BufReader::new(stream);
    while request(&mut stream).await.is_ok() {
        count.set(count.get() + 1);
        if failure == Failure::Answers500 {
            let answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
            if stream.get_mut().write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
