//! Streams of server-sent events: a chat that a thousand listen to.

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

use super::{
    Ground,
    chats::sum,
    polls::{self, PER_LOGIN, Poster},
};
use crate::{
    Outcome,
    audit::{Audit, Sequence},
    client::Client,
    contender::Contender,
    figures::Figures,
    member::{numbered, words},
    options::Options,
    server::Server,
    stage::Stage,
};

/// How many post at the same time.
const SPEAKERS: usize = 8;
/// One in so many streams tells how long a delivery took.
const TIMED: usize = 16;
const ACCEPT: &str = "Accept: text/event-stream\r\n";

fn streams(options: &Options) -> usize {
    options.size(1_000, 400)
}

pub async fn prepare(server: &Server, options: &Options) -> Outcome<Ground> {
    polls::prepare(server, streams(options).div_ceil(PER_LOGIN)).await
}

/// What the streams of a turn share.
struct Room {
    stage: Stage,
    heard: Cell<u64>,
    said: Cell<u64>,
    grown: Notify,
    /// When each speaker sent each of their messages.
    sent: RefCell<[Vec<Instant>; SPEAKERS]>,
    /// How much each speaker has said, once all of it has been heard.
    total: watch::Sender<Option<[u64; SPEAKERS]>>,
}

pub async fn turn(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let room = Rc::new(Room {
        stage: Stage::new(),
        heard: Cell::new(0),
        said: Cell::new(0),
        grown: Notify::new(),
        sent: RefCell::default(),
        total: watch::Sender::new(None),
    });
    let mut hearing = JoinSet::new();
    let crowd = streams(options);
    let path = match server.contender {
        Contender::Nchan => "/subscribe",
        _ => "/api/events?types=message",
    };
    for number in 0..crowd {
        let cookies = &ground.people[1 + number / PER_LOGIN];
        let mut client = Client::connect(server.port, cookies).await?;
        client.send("GET", path, ACCEPT, None).await?;
        let head = client.head().await?.expect(200)?;
        let stream = Stream {
            client,
            chunked: head.header("transfer-encoding").is_ok(),
            text: Vec::new(),
        };
        let timed = number.is_multiple_of(TIMED);
        hearing.spawn_local(hear(stream, Rc::clone(&room), timed));
    }
    server.rest().await?;
    let mut posters = Vec::new();
    for _ in 0..SPEAKERS {
        posters.push(Poster::connect(server, ground, 0).await?);
    }
    hearing.spawn_local(speak(posters, crowd as u64, Rc::clone(&room)));
    let figures = room.stage.run(server, options).await?;
    Ok((figures, sum(hearing).await?))
}

/// An answer that does not end.
struct Stream {
    client: Client,
    chunked: bool,
    text: Vec<u8>,
}

impl Stream {
    /// Reads on, and tells who said which of their messages.
    async fn read(&mut self) -> Outcome<Vec<(usize, u64)>> {
        let goes_on = if self.chunked {
            self.client.chunk(&mut self.text).await?
        } else {
            self.client.some(&mut self.text).await?
        };
        if !goes_on {
            return Err("a stream has ended".into());
        }
        Ok(take_events(&mut self.text))
    }
}

/// Takes the whole events out of a text, each of which ends with an empty line.
fn take_events(text: &mut Vec<u8>) -> Vec<(usize, u64)> {
    let Some(end) = memchr::memmem::rfind(text, b"\n\n") else {
        return Vec::new();
    };
    let found = text[..end]
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"data:"))
        .filter_map(|data| match numbered(data, br#""content":""#) {
            Some(found) => Some(found),
            None => numbered(data.trim_ascii_start(), b""),
        })
        .collect();
    text.drain(..end + 2);
    found
}

async fn hear(mut stream: Stream, room: Rc<Room>, timed: bool) -> Outcome<Audit> {
    let mut total = room.total.subscribe();
    let mut speakers: [Sequence; SPEAKERS] = Default::default();
    loop {
        let last = *total.borrow_and_update();
        if last.is_some_and(|last| speakers.iter().zip(last).all(|(it, last)| it.has(last))) {
            break;
        }
        let something = async {
            tokio::select! {
                found = stream.read() => found,
                _ = total.changed() => Ok(Vec::new()),
            }
        };
        let found = match timeout(ANSWER_TIMEOUT, something).await {
            Ok(found) => found?,
            Err(_) if last.is_some() => break,
            Err(_) => continue,
        };
        for (speaker, number) in &found {
            speakers
                .get_mut(*speaker)
                .ok_or("an unknown speaker")?
                .note(*number);
            let sent = &room.sent.borrow()[*speaker];
            let sent = usize::try_from(*number)
                .ok()
                .and_then(|place| sent.get(place));
            if let Some(sent) = sent.filter(|_| timed) {
                room.stage.time(*sent);
            }
        }
        room.stage.count(found.len() as u64);
        room.heard.set(room.heard.get() + found.len() as u64);
        room.grown.notify_waiters();
    }
    let last = total.borrow().unwrap_or_default();
    let mut audit = Audit::default();
    for (speaker, last) in speakers.iter().zip(last) {
        audit += speaker.audit(last);
    }
    Ok(audit)
}

async fn speak(posters: Vec<Poster>, crowd: u64, room: Rc<Room>) -> Outcome<Audit> {
    let mut speaking = JoinSet::new();
    for (speaker, poster) in posters.into_iter().enumerate() {
        let room = Rc::clone(&room);
        speaking.spawn_local(post(poster, speaker, crowd, room));
    }
    let mut total = [0; SPEAKERS];
    while let Some(said) = speaking.join_next().await {
        let (speaker, said) = said??;
        total[speaker] = said;
    }
    let said = total.iter().sum();
    // A hearer who is told that it is over is not to be in the middle of an event.
    while room.heard.get() < said * crowd {
        if timeout(ANSWER_TIMEOUT, room.grown.notified())
            .await
            .is_err()
        {
            break;
        }
    }
    room.total.send_replace(Some(total));
    Ok(Audit::requests(said, said))
}

/// Posts; all together wait while more than one message each is still to be heard.
async fn post(
    mut poster: Poster,
    speaker: usize,
    crowd: u64,
    room: Rc<Room>,
) -> Outcome<(usize, u64)> {
    let mut said = 0;
    while !room.stage.is_over() {
        room.sent.borrow_mut()[speaker].push(Instant::now());
        poster.post(&words(speaker, said)).await?;
        said += 1;
        room.said.set(room.said.get() + 1);
        while room.heard.get() + SPEAKERS as u64 * crowd < room.said.get() * crowd {
            if timeout(ANSWER_TIMEOUT, room.grown.notified())
                .await
                .is_err()
            {
                return Ok((speaker, said));
            }
        }
    }
    Ok((speaker, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_events_are_taken_and_the_rest_is_kept() {
        let mut text =
            b": hi\n\nid: 7\ndata:{\"content\":\"3:5 The\"}\n\ndata: 1:2 words\n\ndata: 1:"
                .to_vec();
        assert_eq!(take_events(&mut text), [(3, 5), (1, 2)]);
        assert_eq!(text, b"data: 1:");
        assert!(take_events(&mut text).is_empty());
    }
}
