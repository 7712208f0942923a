//! Delivery: sends changes in the order of the log, as fast as the client reads.
//!
//! A connection that is in step is served from memory, by the task that publishes or that releases the turn. One that
//! has fallen behind memory is served from the log by a catch-up task of its own. One whose outbox is full continues when
//! the outbox is empty.

use std::{sync::Arc, time::Duration};

use parlance_socketio::{
    engine::{DisconnectReason, SendError},
    server::{Prepared, Socket},
};
use tracing::Instrument;

use super::{
    connection::{ConnectionState, Recovery},
    frames::{frames, offset_of, prepare},
    gathering::{Gathered, gather, recent},
    turn::{Mode, Turn},
};
use crate::{
    dialect::{ClientSession, DialectEntry, DialectMask, Identity},
    error::Result,
    gateway::encodings,
    model::{Change, Position},
    pubsub::Published,
    telemetry::Transport,
};

/// How many bytes of missed changes are sent before the `CONNECT` packet. The rest is delivered after it.
const MISSED_BYTES: usize = 512 << 10;
/// How long to wait after an error of the database.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The last position of which all frames were sent, and how many frames of the next change were sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeliveryCursor {
    after: Position,
    frames: usize,
    /// How many signals had been published when they were last looked for.
    signals: u64,
}

impl Default for DeliveryCursor {
    fn default() -> Self {
        Self {
            after: Position::START,
            frames: 0,
            signals: 0,
        }
    }
}

/// The outcome of one round of delivery.
enum DeliveryOutcome {
    /// There are no more changes, or the next one waits for an answer.
    Complete,
    /// There are more changes.
    More,
    /// The topic logs do not reach back that far: the log has to be read.
    Behind,
    /// The outbox is full.
    Full,
    /// The socket is disconnected.
    Closed,
}

/// Starts delivery, unless it was started before, if the session has an identity or is bound to a login, with which
/// it ends.
pub(super) fn start(connection: &ConnectionState, turn: &mut Turn) {
    let session = &turn.session;
    let is_somebody = session.is_bound() || !session.identities().is_empty();
    if turn.mode != Mode::Off || !is_somebody {
        return;
    }
    let start = match connection.recovery() {
        Some(recovery) => Some(recovery.delivered()),
        None => session.identities().iter().map(Identity::from).min(),
    };
    turn.cursor.after = start.unwrap_or(Position::START);
    turn.mode = Mode::InStep;
    connection.note_delivery();
}

/// The outbox of a connection is empty again.
pub(super) fn go_on(connection: &ConnectionState, turn: &mut Turn) {
    if turn.mode == Mode::Full {
        turn.mode = Mode::InStep;
        connection.note_delivery();
    }
}

/// Delivers what is new from memory. Called by the holder of the turn. It never waits.
pub(super) fn in_step(socket: &Socket, connection: &ConnectionState, turn: &mut Turn) {
    turn.session.drop_the_gone();
    if turn.mode != Mode::InStep {
        return;
    }
    match deliver_recent(socket, turn, connection.recovery()) {
        // Every later publication notes it again.
        DeliveryOutcome::Complete | DeliveryOutcome::More => {}
        DeliveryOutcome::Behind => {
            turn.mode = Mode::CatchingUp;
            let span = tracing::error_span!("delivery", connection = turn.session.number);
            tokio::spawn(catch_up(socket.clone()).instrument(span));
        }
        DeliveryOutcome::Full => turn.mode = Mode::Full,
        DeliveryOutcome::Closed => turn.mode = Mode::Off,
    }
}

/// Delivers from the log until the connection is in step, or its outbox is full.
async fn catch_up(socket: Socket) {
    let Some(connection) = socket.data::<ConnectionState>() else {
        return;
    };
    loop {
        let mut turn = connection.turn(&socket).await;
        turn.session.drop_the_gone();
        match deliver_missed(&socket, &mut turn, connection.recovery()).await {
            Ok(DeliveryOutcome::More | DeliveryOutcome::Behind) => {}
            Ok(DeliveryOutcome::Complete) => {
                turn.mode = Mode::InStep;
                return;
            }
            Ok(DeliveryOutcome::Full) => {
                turn.mode = Mode::Full;
                return;
            }
            Ok(DeliveryOutcome::Closed) => {
                turn.mode = Mode::Off;
                return;
            }
            Err(error) => {
                tracing::warn!(cause = ?error, "Changes cannot be delivered to a socket.");
                drop(turn);
                tokio::time::sleep(RETRY_AFTER).await;
                if !socket.is_connected() {
                    return;
                }
            }
        }
    }
}

/// Closes a connection that began in an epoch of the log that has ended: what it was told may not be in
/// the log any more. Its client comes back, and is told that it is not recovered.
fn closed_by_epoch(socket: &Socket, turn: &Turn) -> bool {
    let session = &turn.session;
    let ended = session.services.has_ended(&session.epoch);
    if ended {
        socket.session().close(DisconnectReason::ForcedServerClose);
    }
    ended
}

fn deliver_recent(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    if closed_by_epoch(socket, turn) {
        return DeliveryOutcome::Closed;
    }
    if deliver_signals(socket, turn, recovery) == Err(SendError::Closed) {
        return DeliveryOutcome::Closed;
    }
    // Somebody new for whom it acts is no change: a connection that acts for hundreds is not searched for them.
    if turn.session.services.head() <= turn.cursor.after {
        return DeliveryOutcome::Complete;
    }
    match recent(&mut turn.session, turn.cursor.after) {
        Some(gathered) => send(socket, turn, gathered, recovery),
        None => DeliveryOutcome::Behind,
    }
}

async fn deliver_missed(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> Result<DeliveryOutcome> {
    if deliver_signals(socket, turn, recovery) == Err(SendError::Closed) {
        return Ok(DeliveryOutcome::Closed);
    }
    let gathered = gather(&mut turn.session, turn.cursor.after).await?;
    if closed_by_epoch(socket, turn) {
        return Ok(DeliveryOutcome::Closed);
    }
    Ok(send(socket, turn, gathered, recovery))
}

/// Sends changes until there are no more, one has to wait, or the outbox is full.
fn send(
    socket: &Socket,
    turn: &mut Turn,
    gathered: Gathered,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    let outcome = send_each(socket, turn, gathered, recovery);
    if let Some(recovery) = recovery {
        recovery.has_told(turn.cursor.after);
    }
    outcome
}

fn send_each(
    socket: &Socket,
    turn: &mut Turn,
    gathered: Gathered,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    let Turn {
        session,
        unanswered,
        cursor,
        mode: _,
    } = turn;
    for (published, dialects) in gathered.changes {
        let position = published.change.position;
        if position > gathered.seen {
            break;
        }
        if unanswered.hold(&published.change) {
            cursor.after = cursor.after.max(position.plus(-1));
            return DeliveryOutcome::Complete;
        }
        let matching = matching(session, dialects, &published.change);
        match deliver_change(socket, session, cursor, &matching, &published, recovery) {
            Ok(()) => cursor.after = position,
            Err(SendError::Full) => {
                cursor.after = position.plus(-1);
                return DeliveryOutcome::Full;
            }
            Err(SendError::Closed) => return DeliveryOutcome::Closed,
        }
    }
    cursor.after = cursor.after.max(gathered.seen);
    let behind = cursor.after < session.services.head();
    if behind && !session.identities().is_empty() {
        DeliveryOutcome::More
    } else {
        DeliveryOutcome::Complete
    }
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
    let mut seen = 0;
    for (index, dialect) in matching.iter().enumerate() {
        let later = usize::from(index + 1 < matching.len());
        let frames = frames(session, (*dialect, later), published, recovery.is_some());
        for (sent, frame) in frames.iter().enumerate() {
            seen += 1;
            if seen <= skipped {
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
                cursor.frames = seen - 1;
            }
            sent?;
        }
        if let Some(metrics) = session.options.metrics.of(*dialect) {
            metrics.delivered(Transport::Socket, 1);
        }
    }
    Ok(())
}

/// Sends signals, which are dropped if the outbox is full.
fn deliver_signals(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let Turn {
        session, cursor, ..
    } = turn;
    let published = session.services.signals();
    if std::mem::replace(&mut cursor.signals, published) == published {
        return Ok(());
    }
    let set = session.options.dialects;
    let mut signals = Vec::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let Some(subscription) = identity.subscription() else {
            continue;
        };
        for signal in subscription.signals() {
            for dialect in set.among(dialects) {
                signals.push((signal.number, dialect, Arc::clone(&signal)));
            }
        }
    }
    signals.sort_by_key(|(signal, dialect, _)| (*signal, dialect.id()));
    signals.dedup_by_key(|(signal, dialect, _)| (*signal, dialect.id()));
    for (_, dialect, signal) in signals {
        if !dialect.should_deliver_signal(session, &signal.signal) {
            continue;
        }
        let send = |frames: &[Prepared]| {
            let mut sent = frames.iter().map(|frame| socket.try_emit(frame));
            sent.all(|sent| sent != Err(SendError::Closed))
        };
        let is_open = match recovery {
            // The frame has the last offset again, which differs between sockets, so it is not shared.
            Some(recovery) => recovery.repeat(|offset| {
                let offset = offset.to_string();
                let outgoing = dialect.encode_signal(&signal.signal);
                send(&prepare(outgoing, |_| Some(offset.clone())))
            }),
            None => {
                let frames = &encodings::of_signal(&signal, dialect.id()).frames;
                send(
                    frames.get_or_init(|| prepare(dialect.encode_signal(&signal.signal), |_| None)),
                )
            }
        };
        if !is_open {
            return Err(SendError::Closed);
        }
    }
    Ok(())
}

/// The frames that a recovered connection has missed, with offsets, up to the limits of one read and of
/// [`MISSED_BYTES`]. Delivery continues after them.
pub(super) async fn missed(
    session: &mut ClientSession,
    after: Position,
) -> Result<(Vec<Prepared>, Position)> {
    let Gathered { changes, seen, .. } = gather(session, after).await?;
    let mut missed = Vec::new();
    let (mut delivered, mut left) = (after, MISSED_BYTES);
    for (published, dialects) in changes {
        let position = published.change.position;
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
            // It is delivered after the `CONNECT` packet.
            None if before > 0 => {
                missed.truncate(before);
                return Ok((missed, delivered));
            }
            None => left = 0,
        }
        delivered = position;
    }
    Ok((missed, seen.max(after)))
}
