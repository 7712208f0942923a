//! Long-polls: some that poll again as soon as they are answered, and thousands that are answered at once.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use bench_wire::ANSWER_TIMEOUT;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{Ground, chats::sum};
use crate::{
    Outcome,
    audit::{Audit, Sequence},
    client::{Answer, Client},
    contender::Contender,
    figures::{Column, Figures, Times, milliseconds},
    member::{numbered, words},
    options::Options,
    server::Server,
    stage::{Stage, microseconds},
};

/// The most waits that a login of Parlance's may hold.
pub const PER_LOGIN: usize = 8;
/// How often one post answers all in a turn.
const SHOTS: usize = 3;

fn polls(options: &Options) -> usize {
    options.size(500, 200)
}

fn held_polls(options: &Options) -> usize {
    options.size(2_000, 2_000)
}

pub fn people(options: &Options) -> usize {
    polls(options).div_ceil(PER_LOGIN)
}

pub fn held_people(options: &Options) -> usize {
    held_polls(options).div_ceil(PER_LOGIN)
}

/// A speaker and so many people in a chat. Servers that know nobody are asked by nobody.
pub async fn prepare(server: &Server, people: usize) -> Outcome<Ground> {
    if matches!(server.contender, Contender::Nchan | Contender::BareRocket) {
        return Ok(Ground {
            people: vec![String::new(); people + 1],
            chat: 1,
            ..Ground::default()
        });
    }
    let speaker = server.register("speaker").await?;
    let chat = server.open_chat(&speaker, "chat").await?;
    let mut all = vec![speaker];
    for number in 0..people {
        let cookies = server.register(&format!("person{number}")).await?;
        server.join_chat(&cookies, chat).await?;
        all.push(cookies);
    }
    Ok(Ground {
        people: all,
        chat,
        ..Ground::default()
    })
}

/// Who posts, with an address to post to.
pub struct Poster {
    client: Client,
    path: String,
    /// Whether the body is the message itself, not a form.
    plain: bool,
}

impl Poster {
    pub async fn connect(server: &Server, ground: &Ground, person: usize) -> Outcome<Self> {
        let plain = server.contender == Contender::Nchan;
        let path = if plain {
            "/publish".to_owned()
        } else {
            format!("/api/chats/{}", ground.chat)
        };
        Ok(Self {
            client: Client::connect(server.port, &ground.people[person]).await?,
            path,
            plain,
        })
    }

    pub async fn post(&mut self, text: &str) -> Outcome<Answer> {
        if self.plain {
            self.client
                .send(
                    "POST",
                    &self.path,
                    "Content-Type: text/plain\r\n",
                    Some(text),
                )
                .await?;
            let answer = self.client.receive().await?;
            return if (200..300).contains(&answer.status) {
                Ok(answer)
            } else {
                answer.expect(201)
            };
        }
        let form = format!("content={}", text.replace(' ', "+"));
        self.client.post(&self.path, &form).await?.expect(201)
    }
}

/// Where a poll goes on.
#[derive(Clone)]
enum Place {
    /// What the last answer gave as its place.
    Cursor(String),
    /// A channel's: the headers that name the last message, none at first.
    Channel(String),
}

impl Place {
    fn of(answer: &Answer, before: &Self) -> Outcome<Self> {
        match before {
            Self::Cursor(_) => {
                let start = memchr::memmem::find(&answer.body, br#""cursor":""#);
                let rest = &answer.body[start.ok_or("an answer without a cursor")? + 10..];
                let end = memchr::memchr(b'"', rest).unwrap_or_default();
                Ok(Self::Cursor(
                    String::from_utf8_lossy(&rest[..end]).into_owned(),
                ))
            }
            Self::Channel(_) => Ok(Self::Channel(format!(
                "If-Modified-Since: {}\r\nIf-None-Match: {}\r\n",
                answer.header("last-modified")?,
                answer.header("etag")?
            ))),
        }
    }

    async fn poll(&self, client: &mut Client, chat: i64) -> Outcome {
        match self {
            Self::Cursor(cursor) => {
                let path = format!("/api/chats/{chat}?after={cursor}&timeout=50");
                client.send("GET", &path, "", None).await
            }
            Self::Channel(headers) => client.send("GET", "/subscribe", headers, None).await,
        }
    }
}

/// What the polls of a turn share.
struct Room {
    stage: Stage,
    heard: Cell<u64>,
    grown: Notify,
    sent: RefCell<Vec<Instant>>,
    total: watch::Sender<Option<u64>>,
}

pub async fn again(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let room = Rc::new(Room {
        stage: Stage::new(),
        heard: Cell::new(0),
        grown: Notify::new(),
        sent: RefCell::default(),
        total: watch::Sender::new(None),
    });
    let mut poster = Poster::connect(server, ground, 0).await?;
    let first = poster.post("the beginning of a turn").await?;
    let place = match server.contender {
        Contender::Nchan => Place::Channel(String::new()),
        _ => Place::Cursor(first.header("x-message-id")?.to_owned()),
    };
    let mut polling = JoinSet::new();
    let crowd = polls(options);
    for number in 0..crowd {
        let cookies = &ground.people[1 + number / PER_LOGIN];
        let mut client = Client::connect(server.port, cookies).await?;
        place.poll(&mut client, ground.chat).await?;
        polling.spawn_local(poll(client, place.clone(), ground.chat, Rc::clone(&room)));
    }
    server.rest().await?;
    polling.spawn_local(speak(poster, crowd as u64, Rc::clone(&room)));
    let figures = room.stage.run(server, options).await?;
    Ok((figures, sum(polling).await?))
}

async fn poll(mut client: Client, mut place: Place, chat: i64, room: Rc<Room>) -> Outcome<Audit> {
    let mut total = room.total.subscribe();
    let mut sequence = Sequence::default();
    loop {
        let last = *total.borrow_and_update();
        if last.is_some_and(|last| sequence.has(last)) {
            break;
        }
        // The request has been sent; its answer may be the last thing that happens.
        let something = async {
            tokio::select! {
                answer = client.receive() => answer.map(Some),
                _ = total.changed() => Ok(None),
            }
        };
        match timeout(ANSWER_TIMEOUT, something).await {
            Ok(Ok(Some(answer))) => {
                place = room.answered(&answer.expect(200)?, &place, &mut sequence)?;
                place.poll(&mut client, chat).await?;
            }
            Ok(Err(error)) => return Err(error),
            Err(_) if last.is_some() => break,
            Ok(Ok(None)) | Err(_) => {}
        }
    }
    let last = *total.borrow();
    Ok(sequence.audit(last.unwrap_or_default()))
}

impl Room {
    /// Takes note of the messages in an answer; returns where to go on.
    fn answered(&self, answer: &Answer, place: &Place, heard: &mut Sequence) -> Outcome<Place> {
        let before = heard.delivered();
        for number in messages(&answer.body) {
            heard.note(number);
            let sent = self.sent.borrow();
            if let Some(sent) = usize::try_from(number)
                .ok()
                .and_then(|place| sent.get(place))
            {
                self.stage.time(*sent);
            }
        }
        self.heard
            .set(self.heard.get() + heard.delivered() - before);
        self.stage.count(1);
        self.grown.notify_one();
        Place::of(answer, place)
    }
}

/// The numbers of the messages in a body: JSON, or a message by itself.
fn messages(body: &[u8]) -> Vec<u64> {
    const BEFORE: &[u8] = br#""content":""#;
    if let Some((_, number)) = numbered(body, b"").filter(|_| !body.starts_with(b"{")) {
        return vec![number];
    }
    let places = memchr::memmem::find_iter(body, BEFORE);
    places
        .filter_map(|place| Some(numbered(&body[place..], BEFORE)?.1))
        .collect()
}

async fn speak(mut poster: Poster, crowd: u64, room: Rc<Room>) -> Outcome<Audit> {
    // The first post of the turn, which began it.
    let (mut said, mut complete) = (0, true);
    while complete && !room.stage.is_over() {
        room.sent.borrow_mut().push(Instant::now());
        poster.post(&words(0, said)).await?;
        said += 1;
        while complete && room.heard.get() < said * crowd {
            complete = timeout(ANSWER_TIMEOUT, room.grown.notified()).await.is_ok();
        }
    }
    room.total.send_replace(Some(said));
    Ok(Audit::requests(said + 1, said + 1))
}

/// Polls that are held, and all answered from one post; a few times.
pub async fn held(
    server: &Server,
    ground: &mut Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let mut audit = Audit::default();
    let mut shots = Vec::new();
    for _ in 0..SHOTS {
        let (figures, shot) = shoot(server, ground, held_polls(options)).await?;
        audit += shot;
        shots.push(figures);
    }
    // The shot in the middle, by when the last one was answered.
    let last = |figures: &Figures| figures.get(Column::Last).unwrap_or(f64::MAX);
    shots.sort_by(|one, other| last(one).total_cmp(&last(other)));
    Ok((shots.swap_remove(SHOTS / 2), audit))
}

async fn shoot(server: &Server, ground: &mut Ground, crowd: usize) -> Outcome<(Figures, Audit)> {
    let number = ground.counter;
    ground.counter += 1;
    let mut poster = Poster::connect(server, ground, 0).await?;
    server.rest().await?;
    let empty = server.memory()?;
    let path = match server.contender {
        Contender::Nchan => "/subscribe",
        _ => "/api/events?after=now&types=message&timeout=50",
    };
    let mut waiting = JoinSet::new();
    for place in 0..crowd {
        let cookies = &ground.people[1 + place / PER_LOGIN];
        let mut client = Client::connect(server.port, cookies).await?;
        client.send("GET", path, "", None).await?;
        waiting.spawn_local(async move {
            let Ok(answer) = timeout(ANSWER_TIMEOUT * 3, client.receive()).await else {
                return Ok(None);
            };
            let told = messages(&answer?.expect(200)?.body);
            Outcome::Ok((told == [number]).then(Instant::now))
        });
    }
    server.rest().await?;
    let held = server.memory()?.saturating_sub(empty);
    let (began, processor) = (Instant::now(), server.processor()?);
    poster.post(&words(0, number)).await?;
    let (mut times, mut last) = (Times::default(), began);
    while let Some(told) = waiting.join_next().await {
        if let Some(at) = told?? {
            times.add(at - began);
            last = last.max(at);
        }
    }
    let used = server.processor()?.saturating_sub(processor);
    let mut audit = Audit::requests(1, 1);
    (audit.expected, audit.delivered) = (crowd as u64, times.len() as u64);
    let mut figures = Figures::default();
    figures.set(Column::Last, milliseconds(last - began));
    figures.set(Column::Processor, microseconds(used) / crowd as f64);
    figures.set(Column::Memory, held as f64 / crowd as f64 / 1024.0);
    figures.set_times(&mut times);
    Ok((figures, audit))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn as_answer(texts: &[&str]) -> String {
        let message = |text: &&str| json!({"id": 1, "content": text});
        let messages: Vec<Value> = texts.iter().map(message).collect();
        json!({"messages": messages, "cursor": "1.ab.7"}).to_string()
    }

    #[test]
    fn messages_are_found_in_json_and_alone() {
        let body = as_answer(&[&words(0, 7), &words(0, 8), "the beginning"]);
        assert_eq!(messages(body.as_bytes()), [7, 8]);
        assert_eq!(messages(words(0, 12).as_bytes()), [12]);
        assert!(messages(br#"{"messages":[],"cursor":"1:2"}"#).is_empty());
    }

    #[test]
    fn a_poll_goes_on_where_the_answer_says() {
        let answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: as_answer(&[]).into_bytes(),
        };
        let place = Place::of(&answer, &Place::Cursor("0".to_owned()));
        assert!(matches!(place, Ok(Place::Cursor(cursor)) if cursor == "1.ab.7"));
    }
}
