//! The delivery task of a connection: sends changes in the order of the log, as fast as the client reads.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use parlance_socketio::{
    engine::SendError,
    packet::{Args, NamespaceName},
    server::{Prepared, Socket},
};

use super::connection::{ConnectionState, Recovery, Turn};
use crate::{
    dialect::{ClientSession, DialectEntry, DialectMask, Identity, OutgoingEvent},
    error::Result,
    gateway::encodings,
    model::{Change, Position},
    pubsub::Published,
    telemetry::Transport,
};

/// How many changes are read from the database at once.
const LOG_PAGE: usize = 256;
/// How many bytes of missed changes are sent before the `CONNECT` packet. The rest is delivered after it.
const MISSED_BYTES: usize = 512 << 10;
/// How long to wait after an error of the database.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The last position of which all frames were sent, and how many frames of the next change were sent.
#[derive(Debug, Clone, Copy)]
struct DeliveryCursor {
    after: Position,
    frames: usize,
}

/// The outcome of one round of delivery.
enum DeliveryOutcome {
    /// There are no more changes, or the next one waits for an answer.
    Complete,
    /// There are more changes.
    More,
    /// The outbox is full.
    Full,
    /// The socket is disconnected.
    Closed,
}

/// Delivers changes until the socket is disconnected.
pub(super) async fn run(socket: Socket, connection: Arc<ConnectionState>) {
    let start = match connection.recovery() {
        Some(recovery) => Some(recovery.told()),
        None => connection
            .turn()
            .await
            .session
            .identities()
            .iter()
            .map(Identity::from)
            .min(),
    };
    let mut cursor = DeliveryCursor {
        after: start.unwrap_or(Position::START),
        frames: 0,
    };
    loop {
        let mut turn = connection.turn().await;
        let outcome = deliver(&socket, &mut turn, &mut cursor, connection.recovery()).await;
        if let Some(recovery) = connection.recovery() {
            recovery.has_told(cursor.after);
        }
        drop(turn);
        let is_connected = match outcome {
            Ok(DeliveryOutcome::Complete) => connection.notified().await,
            Ok(DeliveryOutcome::More) => true,
            Ok(DeliveryOutcome::Full) => connection.wait_drained().await,
            Ok(DeliveryOutcome::Closed) => false,
            Err(error) => {
                tracing::warn!(cause = ?error, "A socket cannot be told what is new.");
                tokio::time::sleep(RETRY_AFTER).await;
                socket.is_connected()
            }
        };
        if !is_connected {
            return;
        }
    }
}

async fn deliver(
    socket: &Socket,
    turn: &mut Turn,
    cursor: &mut DeliveryCursor,
    recovery: Option<&Recovery>,
) -> Result<DeliveryOutcome> {
    let Turn {
        session,
        unanswered,
    } = turn;
    session.drop_the_gone();
    if deliver_signals(socket, session, recovery) == Err(SendError::Closed) {
        return Ok(DeliveryOutcome::Closed);
    }
    let (changes, seen) = gather(session, cursor.after).await?;
    for (position, (published, dialects)) in changes {
        if position > seen {
            break;
        }
        if unanswered.hold(&published.change) {
            cursor.after = cursor.after.max(position.plus(-1));
            return Ok(DeliveryOutcome::Complete);
        }
        let matching = matching(session, dialects, &published.change);
        match deliver_change(socket, session, cursor, &matching, &published, recovery) {
            Ok(()) => cursor.after = position,
            Err(SendError::Full) => {
                cursor.after = position.plus(-1);
                return Ok(DeliveryOutcome::Full);
            }
            Err(SendError::Closed) => return Ok(DeliveryOutcome::Closed),
        }
    }
    cursor.after = cursor.after.max(seen);
    let behind = cursor.after < session.services.head();
    Ok(if behind && !session.identities().is_empty() {
        DeliveryOutcome::More
    } else {
        DeliveryOutcome::Complete
    })
}

/// Notifies the dialects of a change; those that deliver it.
fn matching(
    session: &mut ClientSession,
    dialects: DialectMask,
    change: &Change,
) -> Vec<DialectEntry> {
    let mut matching = Vec::new();
    for dialect in session.dialects(dialects) {
        dialect.on_change(session, change);
        if dialect.should_deliver(session, change) {
            matching.push(dialect);
        }
    }
    matching
}

/// Sends a change's frames, those that were not sent before. When the outbox is full, `cursor` notes how
/// many of them have been.
fn deliver_change(
    socket: &Socket,
    session: &ClientSession,
    cursor: &mut DeliveryCursor,
    matching: &[DialectEntry],
    published: &Published,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let skipped = std::mem::take(&mut cursor.frames);
    let mut told = 0;
    for (index, dialect) in matching.iter().enumerate() {
        let later = usize::from(index + 1 < matching.len());
        let frames = frames(session, (*dialect, later), published, recovery.is_some());
        for (sent, frame) in frames.iter().enumerate() {
            told += 1;
            if told <= skipped {
                continue;
            }
            let send = || socket.try_emit(frame);
            let sent = match recovery {
                Some(recovery) => {
                    let left = frames.len() - sent + later;
                    recovery.advance(offset_of(published.change.position, left), send)
                }
                None => send(),
            };
            if sent == Err(SendError::Full) {
                cursor.frames = told - 1;
            }
            sent?;
        }
        if let Some(metrics) = session.options.metrics.of(*dialect) {
            metrics.delivered(Transport::Socket, 1);
        }
    }
    Ok(())
}

/// Changes by their positions, each with the dialects to tell it in.
type Gathered = BTreeMap<Position, (Arc<Published>, DialectMask)>;

/// The changes after a position for all identities of the session, each with the dialects to encode it in,
/// and the position up to which they are complete.
async fn gather(session: &mut ClientSession, after: Position) -> Result<(Gathered, Position)> {
    let (services, options) = (Arc::clone(&session.services), Arc::clone(&session.options));
    let head = services.head();
    let mut seen = head;
    let mut changes = Gathered::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let from = identity.from();
        let Some(subscription) = identity.subscription() else {
            continue;
        };
        let begin = after.max(from);
        let caught_up = subscription.catch_up(&services, begin, LOG_PAGE).await;
        if caught_up.as_ref().map_or(true, |it| it.is_from_log) {
            options.metrics.delivery.catch_up(caught_up.is_ok());
        }
        let caught_up = caught_up?;
        seen = seen.min(caught_up.complete);
        for published in caught_up.changes {
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

/// Sends signals, which are dropped if the outbox is full.
fn deliver_signals(
    socket: &Socket,
    session: &mut ClientSession,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let set = session.options.dialects;
    let mut told = Vec::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let Some(subscription) = identity.subscription() else {
            continue;
        };
        for signal in subscription.signals() {
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
        let is_open = match recovery {
            // The frame has the last offset again, which differs between sockets, so it is not shared.
            Some(recovery) => recovery.repeat(|told| {
                let offset = session.services.cursor_at(told).to_string();
                let outgoing = dialect.encode_signal(&signal.signal);
                send(&prepare(outgoing, |_| Some(offset.clone())))
            }),
            None => send(encodings::of_signal(&signal, dialect.id(), || {
                prepare(dialect.encode_signal(&signal.signal), |_| None)
            })),
        };
        if !is_open {
            return Err(SendError::Closed);
        }
    }
    Ok(())
}

/// The frames of a change in one dialect, encoded once for all sockets. With offsets they are encoded for
/// this socket alone if frames of `later` dialects follow: the change is complete only after those.
fn frames<'p>(
    session: &ClientSession,
    (dialect, later): (DialectEntry, usize),
    published: &'p Published,
    offsets: bool,
) -> Cow<'p, [Prepared]> {
    let aliases = dialect.wants_aliases(session);
    let make = |change: &Change, later| {
        let cursor = |offset| session.services.cursor_at(offset).to_string();
        let outgoing = encodings::outgoing(dialect, &session.options, change, aliases);
        prepare(outgoing, |left| {
            offsets.then(|| cursor(offset_of(change.position, left + later)))
        })
    };
    if offsets && later > 0 {
        return Cow::Owned(make(&published.change, later));
    }
    let encodings = encodings::of_change(published, dialect.id(), aliases);
    let shared = if offsets {
        &encodings.frames_with_offset
    } else {
        &encodings.frames
    };
    Cow::Borrowed(shared.get_or_init(|| make(&published.change, 0)))
}

/// The offset of a frame of a change, where `left` frames of it remain, this one included. Only the last
/// one has the change's position: a connection that is lost before that gets the whole change again.
fn offset_of(position: Position, left: usize) -> Position {
    if left > 1 {
        position.plus(-1)
    } else {
        position
    }
}

/// Encodes events, each with the offset for the number of frames that remain, itself included.
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
        Prepared::event(&NamespaceName::MAIN, &event.name, args)
    });
    frames.collect()
}

/// The frames that a recovered connection has missed, with offsets, up to the limits of one read and of
/// [`MISSED_BYTES`]. The delivery task continues after them.
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
        let matching: Vec<_> = session
            .dialects(dialects)
            .filter(|dialect| dialect.should_deliver(session, &published.change))
            .collect();
        let before = missed.len();
        for (index, dialect) in matching.iter().enumerate() {
            let later = usize::from(index + 1 < matching.len());
            let frames = frames(session, (*dialect, later), &published, true);
            missed.extend_from_slice(&frames);
        }
        let bytes: usize = missed[before..].iter().map(Prepared::encoded_len).sum();
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            // The delivery task sends it after the `CONNECT` packet.
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
