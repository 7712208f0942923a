//! Clients whose connections broke and who come back, all within seconds, to what they missed.

use std::time::Duration;

use bench_wire::{ANSWER_TIMEOUT, Socket};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{Ground, chats::sum};
use crate::{
    Outcome,
    audit::{Audit, Sequence},
    contender::Contender,
    figures::{Column, Figures, Times, milliseconds},
    member::{Heard, Member},
    options::Options,
    server::Server,
    stage::microseconds,
};

/// How many are in a chat, beside the one who speaks there.
const IN_A_CHAT: usize = 100;
/// How many messages each has missed.
const MISSED: u64 = 20;
/// How many each has heard before: a client goes on from the last thing that it heard.
const HEARD: u64 = 1;
/// Within which time all come back.
const WITHIN: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 64;

/// Recovery wants somebody to go on as: Parlance's sockets speak with an app's key, the peers' as anybody.
pub async fn prepare(server: &Server) -> Outcome<Ground> {
    let key = match server.contender {
        Contender::Parlance(_) => Some(server.register_app().await?),
        _ => None,
    };
    Ok(Ground {
        key,
        ..Ground::default()
    })
}

/// Somebody whose connection broke.
struct Lost {
    user: String,
    sid: String,
    auth: Value,
    /// What they heard before.
    heard: Sequence,
}

pub async fn turn(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let size = options.size(10_000, 1_000).min(options.sockets);
    let key = ground.key.as_ref().map(|key| format!("&key={key}"));
    let query = format!("&recovery=1{}", key.unwrap_or_default());
    let open = connect_all(server, ground, &query, size).await?;
    let mut speakers = Vec::new();
    for (number, members) in open.chunks(IN_A_CHAT).enumerate() {
        let name = format!("speaker-{}-{number}", ground.turns);
        let (socket, _) = Socket::connect(server.port, &query, 0).await?;
        let mut speaker = Member::on(socket, &name).await?;
        let mut users: Vec<_> = members.iter().map(|(lost, _)| lost.user.clone()).collect();
        users.push(speaker.user.clone());
        let chat = speaker.open_chat(&users).await?;
        speaker.enter(&chat);
        speakers.push(speaker);
    }
    let mut speaking = JoinSet::new();
    for speaker in &mut speakers {
        say(speaker, HEARD).await?;
    }
    let mut hearing = JoinSet::new();
    for (lost, socket) in open {
        hearing.spawn_local(hear(lost, socket));
    }
    // Here their connections break, all at once.
    let mut lost = Vec::new();
    while let Some(one) = hearing.join_next().await {
        lost.push(one??);
    }
    server.rest().await?;
    for speaker in speakers {
        speaking.spawn_local(speak(speaker));
    }
    let mut audit = sum(speaking).await?;
    server.rest().await?;
    let (figures, heard) = come_back(server, &query, lost).await?;
    audit += heard;
    Ok((figures, audit))
}

/// Connects so many who ask for recovery, in order.
async fn connect_all(
    server: &Server,
    ground: &Ground,
    query: &str,
    size: usize,
) -> Outcome<Vec<(Lost, Socket)>> {
    let (mut opening, mut open) = (JoinSet::new(), Vec::new());
    for number in 0..size {
        let name = format!("returning-{}-{number}", ground.turns);
        let (port, query) = (server.port, query.to_owned());
        opening.spawn_local(async move { connect(port, &query, number, &name).await });
        while opening.len() >= AT_ONCE || number + 1 == size {
            let Some(socket) = opening.join_next().await else {
                break;
            };
            open.push(socket??);
        }
    }
    Ok(open)
}

async fn connect(port: u16, query: &str, number: usize, name: &str) -> Outcome<(Lost, Socket)> {
    let (socket, said) = Socket::connect(port, query, number).await?;
    let said: Value = serde_json::from_str(&said[2..])?;
    let member = Member::on(socket, name).await?;
    let mut auth = json!({"pid": said["pid"]});
    if let Some(offset) = &member.heard.offset {
        auth["offset"] = offset.as_str().into();
    }
    let sid = said["sid"].as_str().ok_or("no sid")?.to_owned();
    let user = member.user;
    let heard = Sequence::default();
    let lost = Lost {
        user,
        sid,
        auth,
        heard,
    };
    Ok((lost, member.socket))
}

async fn speak(mut speaker: Member) -> Outcome<Audit> {
    say(&mut speaker, HEARD + MISSED).await?;
    Ok(speaker.audit([HEARD + MISSED, 0]))
}

/// Says one thing after the other until it is so many.
async fn say(speaker: &mut Member, most: u64) -> Outcome {
    while speaker.said < most {
        speaker.say().await?;
        let said = speaker.said;
        speaker
            .until(|heard| heard.answers.has(said) && heard.speakers[0].has(said))
            .await?;
    }
    Ok(())
}

/// Hears what is said before the connection breaks, and remembers from where to go on.
async fn hear(mut lost: Lost, mut socket: Socket) -> Outcome<Lost> {
    let mut heard = Heard::default();
    while !heard.speakers[0].has(HEARD) {
        let read = socket.read(|payload| {
            if heard.note(payload).is_some() {
                heard.offset = offset(payload);
            }
        });
        timeout(ANSWER_TIMEOUT, read).await??;
    }
    if let Some(offset) = heard.offset {
        lost.auth["offset"] = offset.into();
    }
    let [speaker, _] = heard.speakers;
    lost.heard = speaker;
    Ok(lost)
}

/// The offset of an event: its last argument, after the one that says what happened.
fn offset(event: &[u8]) -> Option<String> {
    let event: Vec<Value> = serde_json::from_slice(event.strip_prefix(b"42")?).ok()?;
    event.get(2)?.as_str().map(str::to_owned)
}

/// When somebody was let in, and when they had caught up, if they did.
struct Return {
    began: Instant,
    handshake: Instant,
    caught_up: Option<Instant>,
    audit: Audit,
    /// Stays connected until all are back.
    _socket: Socket,
}

async fn come_back(server: &Server, query: &str, lost: Vec<Lost>) -> Outcome<(Figures, Audit)> {
    let (began, processor) = (Instant::now(), server.processor()?);
    let step = WITHIN / u32::try_from(lost.len())?;
    let mut coming = JoinSet::new();
    for (number, lost) in lost.into_iter().enumerate() {
        let (port, at) = (server.port, began + step * u32::try_from(number)?);
        let query = query.to_owned();
        coming.spawn_local(async move {
            sleep_until(at).await;
            one_comes_back(port, &query, number, lost).await
        });
    }
    let mut back = Vec::new();
    while let Some(one) = coming.join_next().await {
        back.push(one??);
    }
    let used = server.processor()?.saturating_sub(processor);
    let (mut audit, mut times) = (Audit::default(), Times::default());
    let handshakes = back.iter().map(|one| one.handshake).max().unwrap_or(began);
    let caught_up = back
        .iter()
        .filter_map(|one| one.caught_up)
        .max()
        .unwrap_or(began);
    let count = back.len() as f64;
    for one in back {
        audit += one.audit;
        if let Some(at) = one.caught_up {
            times.add(at - one.began);
        }
    }
    let mut figures = Figures::default();
    figures.set(Column::Processor, microseconds(used) / count);
    let behind = caught_up.saturating_duration_since(handshakes);
    figures.set(Column::Last, milliseconds(behind));
    figures.set_times(&mut times);
    Ok((figures, audit))
}

async fn one_comes_back(port: u16, query: &str, number: usize, lost: Lost) -> Outcome<Return> {
    let began = Instant::now();
    let mut socket = Socket::open(port, query, number).await?;
    socket.send(&format!("40{}", lost.auth)).await?;
    let handshake = Instant::now();
    let (mut heard, mut welcomed) = (Heard::default(), None);
    heard.speakers[0] = lost.heard;
    while welcomed.is_none() || !heard.speakers[0].has(HEARD + MISSED) {
        let read = socket.read(|payload| {
            if payload.starts_with(b"4") && payload.get(1) == Some(&b'0') {
                welcomed = Some(String::from_utf8_lossy(payload).into_owned());
            } else {
                heard.note(payload);
            }
        });
        match timeout(ANSWER_TIMEOUT, read).await {
            Ok(read) => read?,
            Err(_) => break,
        }
    }
    let caught_up = heard.speakers[0].has(HEARD + MISSED).then(Instant::now);
    if !welcomed.is_some_and(|said| said.contains(&lost.sid)) {
        return Err("a client that came back was not recovered".into());
    }
    Ok(Return {
        began,
        handshake,
        caught_up,
        audit: heard.speakers[0].audit(HEARD + MISSED),
        _socket: socket,
    })
}
