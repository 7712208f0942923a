//! The pump: tells a socket what is new, in the order of the log, at the pace at which it reads.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use super::life::{Life, Recovery};
use crate::{
    chat::wait,
    dialect::{Acting, DIALECTS, Emission, Speaker, form},
    error::Result,
    live::{Heard, Published},
    model::{Change, Position},
    socketio::{
        engine::Unsent,
        packet::{Args, Namespace},
        server::{Prepared, Socket},
    },
};

/// How many changes one look at the log brings.
const PAGE: i64 = 256;
/// How many places of the log one look covers.
const WINDOW: i64 = 4096;
/// The most bytes of what a client missed that are told before it is let in.
const MISSED_BYTES: usize = 512 << 10;
/// How long to wait before the database is asked again.
const PATIENCE: Duration = Duration::from_millis(250);

/// How far a socket has been told, and how many frames of the next change already.
#[derive(Debug, Clone, Copy)]
struct Place {
    after: Position,
    frames: usize,
}

/// What a round came to.
enum Round {
    /// Everything is told.
    Quiet,
    /// There is more already.
    More,
    /// The outbox is full.
    Full,
    /// The socket is gone.
    Over,
}

/// Tells a socket what is new until it is gone.
pub(super) async fn run(socket: Socket, life: Arc<Life>) {
    let start = match life.recovery() {
        Some(recovery) => Some(recovery.told()),
        None => life.turn().await.acting().iter().map(Acting::from).min(),
    };
    let mut place = Place {
        after: start.unwrap_or(Position::START),
        frames: 0,
    };
    loop {
        let mut speaker = life.turn().await;
        let round = tell(&socket, &mut speaker, &mut place, life.recovery()).await;
        if let Some(recovery) = life.recovery() {
            recovery.has_told(place.after);
        }
        drop(speaker);
        let goes_on = match round {
            Ok(Round::Quiet) => life.rung().await,
            Ok(Round::More) => true,
            Ok(Round::Full) => life.emptied().await,
            Ok(Round::Over) => false,
            Err(error) => {
                tracing::warn!(cause = ?error, "A socket cannot be told what is new.");
                tokio::time::sleep(PATIENCE).await;
                socket.is_connected()
            }
        };
        if !goes_on {
            return;
        }
    }
}

async fn tell(
    socket: &Socket,
    speaker: &mut Speaker,
    place: &mut Place,
    recovery: Option<&Recovery>,
) -> Result<Round> {
    speaker.drop_the_gone();
    if tell_signals(socket, speaker, recovery) == Err(Unsent::Closed) {
        return Ok(Round::Over);
    }
    let (changes, seen) = gather(speaker, place.after).await?;
    for (position, (published, dialects)) in changes {
        if position > seen {
            break;
        }
        let mut skip = std::mem::take(&mut place.frames);
        let mut told = 0;
        let mut hearing = Vec::new();
        for (number, dialect) in DIALECTS.iter().enumerate() {
            if dialects & 1 << number != 0 {
                dialect.notice(speaker, &published.change);
                if dialect.hears(speaker, &published.change) {
                    hearing.push(number);
                }
            }
        }
        for number in &hearing {
            let later = usize::from(Some(number) != hearing.last());
            let frames = frames(speaker, (*number, later), &published, recovery.is_some());
            for (index, frame) in frames.iter().enumerate() {
                told += 1;
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let send = || socket.try_emit(frame);
                let sent = match recovery {
                    Some(recovery) => {
                        let left = frames.len() - index + later;
                        recovery.advance(offset_of(position, left), send)
                    }
                    None => send(),
                };
                match sent {
                    Ok(()) => {}
                    Err(Unsent::Full) => {
                        place.frames = told - 1;
                        place.after = position.plus(-1);
                        return Ok(Round::Full);
                    }
                    Err(Unsent::Closed) => return Ok(Round::Over),
                }
            }
        }
        place.after = position;
    }
    place.after = place.after.max(seen);
    let behind = place.after < speaker.services.hub.head();
    Ok(if behind && !speaker.acting().is_empty() {
        Round::More
    } else {
        Round::Quiet
    })
}

/// Everything after a position that anybody heard whom the speaker acts for, each with the dialects
/// to tell it in, and up to where that is complete.
async fn gather(
    speaker: &mut Speaker,
    after: Position,
) -> Result<(BTreeMap<Position, (Arc<Published>, u8)>, Position)> {
    let services = Arc::clone(&speaker.services);
    let head = services.hub.head();
    let mut seen = head;
    let mut changes: BTreeMap<Position, (Arc<Published>, u8)> = BTreeMap::new();
    for acting in speaker.ears() {
        let dialects = (0..DIALECTS.len())
            .filter(|number| acting.hears_in(*number))
            .fold(0, |bits, number| bits | 1 << number);
        let from = acting.from();
        let person = Arc::clone(acting.caller.person());
        let Some(listener) = acting.listener() else {
            continue;
        };
        let heard = match listener.hear(after.max(from)) {
            Heard::Complete(heard, upto) => {
                seen = seen.min(upto);
                heard
            }
            Heard::Behind => {
                let start = after.max(from);
                let until = start.plus(WINDOW).min(head);
                let found = wait::told_to(&services, &person, (start, until), PAGE).await?;
                let full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
                let upto = found
                    .last()
                    .filter(|_| full)
                    .map_or(until, |last| last.position);
                seen = seen.min(upto);
                found
                    .into_iter()
                    .map(|change| Arc::new(Published::new(change)))
                    .collect()
            }
        };
        for published in heard {
            let position = published.change.position;
            if position > after && position > from {
                changes.entry(position).or_insert((published, 0)).1 |= dialects;
            }
        }
    }
    Ok((changes, seen))
}

/// Tells signals to whoever can take them at once; they are worth nothing later.
fn tell_signals(
    socket: &Socket,
    speaker: &mut Speaker,
    recovery: Option<&Recovery>,
) -> Result<(), Unsent> {
    let mut told = Vec::new();
    for acting in speaker.ears() {
        let dialects: Vec<_> = (0..DIALECTS.len())
            .filter(|n| acting.hears_in(*n))
            .collect();
        let Some(listener) = acting.listener() else {
            continue;
        };
        for signal in listener.signals() {
            for number in &dialects {
                told.push((signal.number, *number, Arc::clone(&signal)));
            }
        }
    }
    told.sort_by_key(|(signal, number, _)| (*signal, *number));
    told.dedup_by_key(|(signal, number, _)| (*signal, *number));
    for (_, number, signal) in told {
        if !DIALECTS[number].hears_signal(speaker, &signal.signal) {
            continue;
        }
        let send = |frames: &[Prepared]| {
            let mut sent = frames.iter().map(|frame| socket.try_emit(frame));
            sent.all(|sent| sent != Err(Unsent::Closed))
        };
        let dialect = DIALECTS[number];
        let is_there = match recovery {
            // The offset repeats the last one, which differs by socket: such frames are not shared.
            Some(recovery) => recovery.repeat(|told| {
                let offset = speaker.services.cursor_at(told).to_string();
                let emissions = dialect.announce_signal(&signal.signal);
                send(&prepare(emissions, |_| Some(offset.clone())))
            }),
            None => send(signal.form(form::FRAMES + number, |signal| {
                prepare(dialect.announce_signal(signal), |_| None)
            })),
        };
        if !is_there {
            return Err(Unsent::Closed);
        }
    }
    Ok(())
}

/// A change's frames in a dialect, made once for all sockets; but for those that are told of it in a
/// `later` dialect, too, and have not been told of it before that.
fn frames<'p>(
    speaker: &Speaker,
    (number, later): (usize, usize),
    published: &'p Published,
    offsets: bool,
) -> Cow<'p, [Prepared]> {
    let make = |change: &Change, later| {
        let cursor = |offset| speaker.services.cursor_at(offset).to_string();
        let emissions = DIALECTS[number].announce_by(&speaker.options, change);
        prepare(emissions, |left| {
            offsets.then(|| cursor(offset_of(change.position, left + later)))
        })
    };
    if offsets && later > 0 {
        return Cow::Owned(make(&published.change, later));
    }
    let form = if offsets {
        form::FRAMES_WITH_OFFSET
    } else {
        form::FRAMES
    };
    Cow::Borrowed(published.form(form + number, |change| make(change, 0)))
}

/// The offset of a change's frame when so many are left, with itself: whoever is lost before the last
/// one has not been told of the change.
fn offset_of(position: Position, left: usize) -> Position {
    if left > 1 {
        position.plus(-1)
    } else {
        position
    }
}

/// Makes frames, each with the offset that there is when so many are left, with itself.
fn prepare(emissions: Vec<Emission>, offset: impl Fn(usize) -> Option<String>) -> Vec<Prepared> {
    let count = emissions.len();
    let emissions = emissions.into_iter().enumerate();
    let frames = emissions.map(|(index, emission)| {
        let mut args = Args::from(emission.data);
        if let Some(offset) = offset(count - index) {
            args.push(offset);
        }
        Prepared::event(&Namespace::MAIN, &emission.name, args)
    });
    frames.collect()
}

/// What a client that comes back missed, with offsets, as far as one look and its bytes reach; the
/// pump goes on from there.
pub(super) async fn missed(
    speaker: &mut Speaker,
    after: Position,
) -> Result<(Vec<Prepared>, Position)> {
    let (changes, seen) = gather(speaker, after).await?;
    let mut missed = Vec::new();
    let (mut told, mut left) = (after, MISSED_BYTES);
    for (position, (published, dialects)) in changes {
        if position > seen {
            break;
        }
        let dialects = (0..DIALECTS.len()).filter(|number| dialects & 1 << number != 0);
        let hearing: Vec<_> = dialects
            .filter(|number| DIALECTS[*number].hears(speaker, &published.change))
            .collect();
        let before = missed.len();
        for number in &hearing {
            let later = usize::from(Some(number) != hearing.last());
            let frames = frames(speaker, (*number, later), &published, true);
            missed.extend_from_slice(&frames);
        }
        let bytes: usize = missed[before..].iter().map(Prepared::len).sum();
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            // It is told by the pump, as soon as there is room.
            None if before > 0 => {
                missed.truncate(before);
                return Ok((missed, told));
            }
            None => left = 0,
        }
        told = position;
    }
    Ok((missed, seen.max(after)))
}
