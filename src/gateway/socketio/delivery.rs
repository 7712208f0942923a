//! The delivery: tells a socket what is new, in the order of the log, at the pace at which it reads.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use parlance_socketio::{
    engine::SendError,
    packet::{Args, Namespace},
    server::{Prepared, Socket},
};

use super::connection::{ConnectionState, Recovery};
use crate::{
    chat::change_feed,
    dialect::{ClientSession, DialectEntry, DialectMask, Identity, OutgoingEvent},
    error::Result,
    gateway::encodings,
    model::{Change, Position},
    pubsub::{Backlog, Published},
};

/// How many changes one look at the log brings.
const LOG_PAGE: i64 = 256;
/// How many places of the log one look covers.
const LOG_WINDOW: i64 = 4096;
/// The most bytes of what a client missed that are told before it is let in.
const MISSED_BYTES: usize = 512 << 10;
/// How long to wait before the database is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// How far a socket has been told, and how many frames of the next change already.
#[derive(Debug, Clone, Copy)]
struct DeliveryCursor {
    after: Position,
    frames: usize,
}

/// What a round came to.
enum DeliveryOutcome {
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
pub(super) async fn run(socket: Socket, connection: Arc<ConnectionState>) {
    let start = match connection.recovery() {
        Some(recovery) => Some(recovery.told()),
        None => connection
            .lock_session()
            .await
            .identities()
            .iter()
            .map(Identity::from)
            .min(),
    };
    let mut place = DeliveryCursor {
        after: start.unwrap_or(Position::START),
        frames: 0,
    };
    loop {
        let mut session = connection.lock_session().await;
        let outcome = tell(&socket, &mut session, &mut place, connection.recovery()).await;
        if let Some(recovery) = connection.recovery() {
            recovery.has_told(place.after);
        }
        drop(session);
        let goes_on = match outcome {
            Ok(DeliveryOutcome::Quiet) => connection.notified().await,
            Ok(DeliveryOutcome::More) => true,
            Ok(DeliveryOutcome::Full) => connection.wait_drained().await,
            Ok(DeliveryOutcome::Over) => false,
            Err(error) => {
                tracing::warn!(cause = ?error, "A socket cannot be told what is new.");
                tokio::time::sleep(RETRY_AFTER).await;
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
    session: &mut ClientSession,
    place: &mut DeliveryCursor,
    recovery: Option<&Recovery>,
) -> Result<DeliveryOutcome> {
    session.drop_the_gone();
    if tell_signals(socket, session, recovery) == Err(SendError::Closed) {
        return Ok(DeliveryOutcome::Over);
    }
    let (changes, seen) = gather(session, place.after).await?;
    for (position, (published, dialects)) in changes {
        if position > seen {
            break;
        }
        let mut skip = std::mem::take(&mut place.frames);
        let mut told = 0;
        let mut hearing = Vec::new();
        for dialect in session.dialects(dialects) {
            dialect.on_change(session, &published.change);
            if dialect.should_deliver(session, &published.change) {
                hearing.push(dialect);
            }
        }
        for (index, dialect) in hearing.iter().enumerate() {
            let later = usize::from(index + 1 < hearing.len());
            let frames = frames(session, (*dialect, later), &published, recovery.is_some());
            for (sent, frame) in frames.iter().enumerate() {
                told += 1;
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let send = || socket.try_emit(frame);
                let sent = match recovery {
                    Some(recovery) => {
                        let left = frames.len() - sent + later;
                        recovery.advance(offset_of(position, left), send)
                    }
                    None => send(),
                };
                match sent {
                    Ok(()) => {}
                    Err(SendError::Full) => {
                        place.frames = told - 1;
                        place.after = position.plus(-1);
                        return Ok(DeliveryOutcome::Full);
                    }
                    Err(SendError::Closed) => return Ok(DeliveryOutcome::Over),
                }
            }
        }
        place.after = position;
    }
    place.after = place.after.max(seen);
    let behind = place.after < session.services.head();
    Ok(if behind && !session.identities().is_empty() {
        DeliveryOutcome::More
    } else {
        DeliveryOutcome::Quiet
    })
}

/// Changes by their positions, each with the dialects to tell it in.
type Gathered = BTreeMap<Position, (Arc<Published>, DialectMask)>;

/// Everything after a position that anybody heard whom the session acts for, each with the dialects
/// to tell it in, and up to where that is complete.
async fn gather(session: &mut ClientSession, after: Position) -> Result<(Gathered, Position)> {
    let services = Arc::clone(&session.services);
    let head = services.head();
    let mut seen = head;
    let mut changes = Gathered::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let from = identity.from();
        let person = Arc::clone(identity.caller.person());
        let Some(subscriber) = identity.subscriber() else {
            continue;
        };
        let backlog = match subscriber.backlog(after.max(from)) {
            Backlog::Complete(backlog, upto) => {
                seen = seen.min(upto);
                backlog
            }
            Backlog::Lagged => {
                let start = after.max(from);
                let until = start.plus(LOG_WINDOW).min(head);
                let found =
                    change_feed::changes_for(&services, &person, (start, until), LOG_PAGE).await?;
                let full = i64::try_from(found.len()).is_ok_and(|count| count == LOG_PAGE);
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
        for published in backlog {
            let position = published.change.position;
            if position > after && position > from {
                let entry = changes.entry(position);
                let entry = entry.or_insert((published, DialectMask::default()));
                entry.1.insert(dialects);
            }
        }
    }
    Ok((changes, seen))
}

/// Tells signals to whoever can take them at once; they are worth nothing later.
fn tell_signals(
    socket: &Socket,
    session: &mut ClientSession,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let set = session.options.dialects;
    let mut told = Vec::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let Some(subscriber) = identity.subscriber() else {
            continue;
        };
        for signal in subscriber.signals() {
            for dialect in set.among(dialects) {
                told.push((signal.number, dialect, Arc::clone(&signal)));
            }
        }
    }
    told.sort_by_key(|(signal, dialect, _)| (*signal, dialect.id()));
    told.dedup_by_key(|(signal, dialect, _)| (*signal, dialect.id()));
    for (_, dialect, signal) in told {
        if !dialect.should_deliver_signal(session, &signal.signal) {
            continue;
        }
        let send = |frames: &[Prepared]| {
            let mut sent = frames.iter().map(|frame| socket.try_emit(frame));
            sent.all(|sent| sent != Err(SendError::Closed))
        };
        let is_there = match recovery {
            // The offset repeats the last one, which differs by socket: such frames are not shared.
            Some(recovery) => recovery.repeat(|told| {
                let offset = session.services.cursor_at(told).to_string();
                let outgoing = dialect.encode_signal(&signal.signal);
                send(&prepare(outgoing, |_| Some(offset.clone())))
            }),
            None => send(encodings::of_signal(&signal, dialect.id(), || {
                prepare(dialect.encode_signal(&signal.signal), |_| None)
            })),
        };
        if !is_there {
            return Err(SendError::Closed);
        }
    }
    Ok(())
}

/// A change's frames in a dialect, made once for all sockets; but for those that are told of it in a
/// `later` dialect, too, and have not been told of it before that.
fn frames<'p>(
    session: &ClientSession,
    (dialect, later): (DialectEntry, usize),
    published: &'p Published,
    offsets: bool,
) -> Cow<'p, [Prepared]> {
    let make = |change: &Change, later| {
        let cursor = |offset| session.services.cursor_at(offset).to_string();
        let outgoing = dialect.encode_change_with(&session.options, change);
        prepare(outgoing, |left| {
            offsets.then(|| cursor(offset_of(change.position, left + later)))
        })
    };
    if offsets && later > 0 {
        return Cow::Owned(make(&published.change, later));
    }
    let encodings = encodings::of_change(published, dialect.id());
    let shared = if offsets {
        &encodings.frames_with_offset
    } else {
        &encodings.frames
    };
    Cow::Borrowed(shared.get_or_init(|| make(&published.change, 0)))
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
fn prepare(
    outgoing: Vec<OutgoingEvent>,
    offset: impl Fn(usize) -> Option<String>,
) -> Vec<Prepared> {
    let count = outgoing.len();
    let outgoing = outgoing.into_iter().enumerate();
    let frames = outgoing.map(|(index, event)| {
        let mut args = Args::from(event.data);
        if let Some(offset) = offset(count - index) {
            args.push(offset);
        }
        Prepared::event(&Namespace::MAIN, &event.name, args)
    });
    frames.collect()
}

/// What a client that comes back missed, with offsets, as far as one look and its bytes reach; the
/// delivery goes on from there.
pub(super) async fn missed(
    session: &mut ClientSession,
    after: Position,
) -> Result<(Vec<Prepared>, Position)> {
    let (changes, seen) = gather(session, after).await?;
    let mut missed = Vec::new();
    let (mut told, mut left) = (after, MISSED_BYTES);
    for (position, (published, dialects)) in changes {
        if position > seen {
            break;
        }
        let hearing: Vec<_> = session
            .dialects(dialects)
            .filter(|dialect| dialect.should_deliver(session, &published.change))
            .collect();
        let before = missed.len();
        for (index, dialect) in hearing.iter().enumerate() {
            let later = usize::from(index + 1 < hearing.len());
            let frames = frames(session, (*dialect, later), &published, true);
            missed.extend_from_slice(&frames);
        }
        let bytes: usize = missed[before..].iter().map(Prepared::encoded_len).sum();
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            // It is told by the delivery, as soon as there is room.
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
